#!/bin/bash
# Plants each bug in a copy of the sources and counts the schedules until it is
# found.  A bug that is not found within LIMIT schedules is a defect of the tests.
#
#   mutants/run.sh [NAME...]     all of them, or those whose name begins so
#   LIMIT=10000  DB_LIMIT=1000  FROM=1  TAP=1   TAP lines instead of the table
#
# Those named db_ are in src/db and run in tier 2, which takes a server and minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
limit=${LIMIT:-10000}
db_limit=${DB_LIMIT:-1000}
from=${FROM:-1}
work=$(mktemp -d "${TMPDIR:-/tmp}/qts-mutants.XXXXXX")
trap 'rm -rf "$work"' EXIT
status=0

# The unchanged tree is built once; each copy compiles only what its patch touches.
plain()
{
	mkdir -p "$work/plain/src" "$work/plain/test/chaos"
	cp -r "$root/src/core" "$root/src/broker" "$work/plain/src/"
	cp -r "$root/test/chaos/model" "$root/test/chaos/t1" "$work/plain/test/chaos/"
	rm -rf "$work/plain/test/chaos/t1/build"
	make -s -j"$(nproc)" -C "$work/plain/test/chaos/t1"
}

# The same for a bug in src/db: the tree with what was compiled before, and a server.
plant_db()
{
	local tree=$work/db log=$work/log
	if [ ! -d "$tree.plain" ]; then
		mkdir -p "$tree.plain"
		tar -C "$root" --exclude=.git -cf - . | tar -C "$tree.plain" -xf -
	fi
	rm -rf "$tree"
	cp -a "$tree.plain" "$tree"
	(cd "$tree" && git apply "$1") || return 1
	needed=
	if TIER=2 SEEDS=$db_limit FROM=$from JOBS=1 SEED='' TAP='' "$tree/test/chaos/t2/run.sh" >"$log" 2>&1; then
		return 0
	fi
	told "$log"
}

# told LOG: what the log says of the first violation
told()
{
	needed=$(sed -n 's/^make chaos TIER=[12] SEED=//p' "$1" | head -n 1)
	[ -n "$needed" ] || { tail -n 3 "$1"; return 1; }
	needed=$((needed - from + 1))
	found=$(grep -B1 '^make' "$1" | head -n 1)
}

# plant PATCH: leaves the number of schedules in $needed, "" when it was not found
plant()
{
	local tree=$work/tree log=$work/log
	rm -rf "$tree"
	cp -a "$work/plain" "$tree"
	(cd "$tree" && git apply "$1") || return 1
	make -s -j"$(nproc)" -C "$tree/test/chaos/t1" CFLAGS_T1='-std=c11 -O2 -w' >"$log" 2>&1 || { cat "$log"; return 1; }
	needed=
	if timeout 600 "$tree/test/chaos/t1/build/t1" "$from" "$limit" /dev/null >"$log" 2>&1; then
		return 0
	fi
	told "$log"
}

wanted()
{
	local name=$1 prefix
	shift
	[ $# -gt 0 ] || return 0
	for prefix in "$@"; do
		[[ $name != "$prefix"* ]] || return 0
	done
	return 1
}

plain
for patch in "$here"/*.patch; do
	name=$(basename "$patch" .patch)
	wanted "$name" "$@" || continue
	found=
	most=$limit built=1
	if [[ $name == db_* ]]; then
		most=$db_limit
		plant_db "$patch" || built=
	else
		plant "$patch" || built=
	fi
	if [ -z "$built" ]; then
		echo "not ok - mutant $name could not be built or run"
		status=1
	elif [ -z "$needed" ]; then
		echo "not ok - mutant $name was not found within $most schedules"
		status=1
	elif [ -n "${TAP:-}" ]; then
		echo "ok - mutant $name is found after $needed schedules"
	else
		printf '%-32s %6d   %s\n' "$name" "$needed" "${found#\# }"
	fi
done
exit $status
