#!/bin/bash
# Tier 1: SEEDS schedules from FROM on in JOBS processes, or SEED alone with a trace.
# TAP=1 prints one line for a test instead of the matrix.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
from=${FROM:-1} seeds=${SEEDS:-20000} jobs=${JOBS:-2}
make -s -j2 -C "$here"
t1=$here/build/t1
[ -z "${SEED:-}" ] || exec "$t1" -t "$SEED" 1

out=$(mktemp -d "${TMPDIR:-/tmp}/qts-t1.XXXXXX")
trap 'rm -rf "$out"' EXIT
status=0
pids=()
share=$(((seeds + jobs - 1) / jobs))
for ((j = 0; j < jobs; j++)); do
	first=$((from + j * share))
	count=$((seeds - j * share < share ? seeds - j * share : share))
	[ "$count" -gt 0 ] || continue
	"$t1" "$first" "$count" "$out/coverage.$j" >"$out/log.$j" &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || status=1
done
cat "$out"/log.*
if [ -n "${TAP:-}" ]; then
	[ $status = 0 ] || printf 'not '
	echo "ok - tier 1: $seeds schedules from seed $from on keep every invariant"
else
	"$t1" -m "$out"/coverage.*
fi
exit $status
