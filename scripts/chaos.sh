#!/bin/bash
# Seeded schedules of faults.  A seed that breaks an invariant is printed as the
# command that runs it again.
#
#   TIER=1      1 decisions, 2 inside the server, 3 real workers, 4 whole clusters
#   SEEDS=n     how many; FROM=1 the first one
#   SEED=s      only this one, with a trace
#   JOBS=2      processes, each with a share of the seeds
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
export TIER=${TIER:-1} FROM=${FROM:-1} JOBS=${JOBS:-2} SEED=${SEED:-} SEEDS=${SEEDS:-}
# What was given to make is for the tiers, not for the makes they call.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

case $TIER in
	1) SEEDS=${SEEDS:-20000} ;;
	2) SEEDS=${SEEDS:-1000} ;;
	3) SEEDS=${SEEDS:-20} ;;
	4) SEEDS=${SEEDS:-4} ;;
	mutants) exec "$root/test/chaos/mutants/run.sh" ;;
	*) echo "qts: TIER is 1, 2, 3, 4 or mutants" >&2; exit 2 ;;
esac
run=$root/test/chaos/t$TIER/run.sh
[ -x "$run" ] || { echo "qts: there is no tier $TIER here" >&2; exit 2; }
exec "$run"
