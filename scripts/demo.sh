#!/bin/bash
# Shows the engine trading against the simulated broker for about a minute.
#
#   DEMO=interactive   keeps it running until Ctrl-C, so that psql can join
#   DATA=bars.csv.gz   plays real bars: symbol,ts,open,high,low,close,volume
#   DEMO_SECONDS=60    how long the market lasts
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/deps.sh" demo
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

case "${DEMO:-}" in '' | interactive) ;; *) die "DEMO is '' or interactive, not '$DEMO'" ;; esac
[[ "${DEMO_SECONDS:-60}" =~ ^[1-9][0-9]{0,4}$ ]] || die "DEMO_SECONDS is a number of seconds"
bars=${DATA:-}
unset DATA # a word of the build's own
[ -z "$bars" ] || [ -r "$bars" ] || die "DATA: cannot read $bars"

pg_find
say "building"
build_qts
build_sim
say "installing into the server of $PG_CONFIG"
install_qts

say "starting a private cluster"
workspace
credentials '{"credentials": {"main": {"app_key": "PSDEMOKEY0000000000000000000000000AB",
	"app_secret": "a simulated secret", "hts_id": "demo"}}}'
cluster_start "qts.balance_interval = 5s" "qts.ledger_interval = 2s"
sql "$QTS_DB" -c 'CREATE EXTENSION qts' -c 'SELECT qts.activate()' >/dev/null

# The next trading day of the calendar, at ten in Seoul, on both clocks.
day=$(sql "$QTS_DB" -c "SELECT coalesce(min(date) FILTER (WHERE date >= current_date), max(date))
	FROM market.calendar WHERE is_open AND open_at <= '09:00'")
say "starting the simulated broker on $day 10:00 KST"
sim_start --clock "${day}T10:00:00+09:00"
sql "$QTS_DB" -c "SELECT qts.set_clock('$day 10:00:00+09')" >/dev/null

export QTS_DEMO_BARS=$bars
export QTS_DEMO_PSQL="$PG_BIN/psql -h $QTS_DIR -p $QTS_PORT -U postgres $QTS_DB"
status=0
trap : INT # the driver ends the show, with a summary
perl -I"$here" "$here/demo.pl" "$QTS_DIR/out" "$SIM_REST" "$SIM_WS" "$SIM_CONTROL" || status=$?
case $status in
	0 | 130) ;;
	*) grep -E 'WARNING|ERROR|FATAL|PANIC' "$QTS_DIR/log" | tail -20 >&2 || true ;;
esac
say "everything is stopped and removed"
exit "$status"
