#!/bin/bash
# Tier 3: SEEDS schedules from FROM on in JOBS clusters, or the one of SEED.  TAP=1 prints a
# line a seed, TRACE=1 too.  What failed is kept in .build/chaos.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../../../scripts/lib.sh"
# shellcheck source=test/chaos/lib/jobs.sh
. "$here/../lib/jobs.sh"
chaos_run 3
