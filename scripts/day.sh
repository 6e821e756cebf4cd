#!/bin/bash
# A trading day of 1 000 symbols in accelerated time, with feeds that fail; prints what
# was measured.  See docs/prices.md.
#
#   SEED=1    of prices and faults
#   SPEED=30  times faster than time: at 30 a day is 17 minutes
#   DAY=      empty for the opening alone, as in make check
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/deps.sh" check
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

pg_find
xs=$(cd "$(dirname "$("$PG_CONFIG" --pgxs)")/../.." && pwd)
workspace
say "building"
build_qts
build_sim
install_qts
home=$QTS_DIR/tap
mkdir -p "$home/test/kis_sim" "$home/work/log"
cp -r "$QTS_ROOT/test/t" "$home/test/"
cp "$QTS_ROOT/test/kis_sim/kis_sim" "$home/test/kis_sim/"
if is_root; then
	chown -R "$SERVER_USER" "$home"
fi
say "the day begins"
as_server env -C "$home" PATH="$PG_BIN:$PATH" TESTDIR="$home/work" TESTLOGDIR="$home/work/log" \
	PG_REGRESS="$xs/src/test/regress/pg_regress" QTS_KIS_SIM="$home/test/kis_sim/kis_sim" TMPDIR="$home/work" \
	DAY="${DAY-whole}" SEED="${SEED:-1}" SPEED="${SPEED:-}" \
	prove -v -I "$home/test/t/lib" -I "$xs/src/test/perl" "$home/test/t/045_day.pl"
