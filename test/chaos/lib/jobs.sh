# shellcheck shell=bash
# Runs the driver of a tier in several jobs and adds up what they say; sourced after scripts/lib.sh.

CHAOS_PIDS=()
CHAOS_DATA=

chaos_end()
{
	local status=$?
	set +e
	for pid in "${CHAOS_PIDS[@]}"; do
		kill "$pid" 2>/dev/null
	done
	wait
	[ -z "$CHAOS_DATA" ] || rm -rf "$CHAOS_DATA"
	(exit "$status")
	cleanup
}

# fault x step, how often each cell was met
chaos_matrix()
{
	cat "$CHAOS_DATA"/job*/coverage 2>/dev/null | awk -F'\t' '
		{ count[$1, $2] += $3; sum[$1] += $3 }
		END {
			n = split("S0 S1 S2 S3 S4 S5 S6 S7 any", step, " ")
			printf "%-32s", "# fault"
			for (i = 1; i <= n; i++) printf "%6s", step[i]
			print ""
			for (f in sum) {
				line = sprintf("# %-30s", f)
				for (i = 1; i <= n; i++) line = line sprintf("%6s", (f, step[i]) in count ? count[f, step[i]] : ".")
				print line | "sort"
			}
		}'
}

# Clusters come and go by the thousand: in memory where there is room for them.
chaos_data()
{
	local free
	free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
	CHAOS_DATA=$QTS_DIR
	if [ "${free:-0}" -gt 1000000 ] && [ -w /dev/shm ]; then
		CHAOS_DATA=$(mktemp -d /dev/shm/qts.XXXXXX)
		! is_root || chown "$SERVER_USER" "$CHAOS_DATA"
	fi
}

# What is needed to run a driver as the server's user.
chaos_prepare()
{
	pg_find
	workspace
	trap chaos_end EXIT
	chaos_data
	build_sim
	points_server "$QTS_DIR/server"
	mkdir -p "$QTS_DIR/chaos" "$QTS_DIR/t"
	cp -r "$QTS_ROOT/test/chaos/." "$QTS_DIR/chaos/"
	cp -r "$QTS_ROOT/test/t/lib" "$QTS_DIR/t/"
	cp "$QTS_ROOT/test/kis_sim/kis_sim" "$QTS_DIR/"
	! is_root || chown -R "$SERVER_USER" "$QTS_DIR"
}

# chaos_run TIER
chaos_run()
{
	local tier=$1 seeds=${SEEDS:-10} from=${FROM:-1} jobs=${JOBS:-2} status=0 started
	[ -z "${SEED:-}" ] || { from=$SEED; seeds=1; }
	[ "$jobs" -le "$seeds" ] || jobs=$seeds
	chaos_prepare
	started=$(date +%s%N)
	for ((i = 0; i < jobs; i++)); do
		as_server mkdir "$CHAOS_DATA/job$i"
		as_server env CHAOS_BIN="$PG_BIN" CHAOS_SQL="$QTS_DIR/chaos" QTS_KIS_SIM="$QTS_DIR/kis_sim" \
			TAP="${TAP:-}" TRACE="${TRACE:-}" perl "$QTS_DIR/chaos/lib/drive.pl" "$tier" "$CHAOS_DATA/job$i" $((from + i)) \
			$(((seeds - i + jobs - 1) / jobs)) "$jobs" &
		CHAOS_PIDS+=($!)
	done
	for pid in "${CHAOS_PIDS[@]}"; do
		wait "$pid" || status=1
	done
	CHAOS_PIDS=()
	chaos_matrix
	awk -v t="$tier" -v n="$seeds" -v ns=$(($(date +%s%N) - started)) \
		'BEGIN { printf "# T%d: %d schedules in %.1f s, %.0f an hour\n", t, n, ns / 1e9, n * 3600e9 / ns }'
	if compgen -G "$CHAOS_DATA/job*/seed*" >/dev/null; then
		mkdir -p "$QTS_ROOT/.build/chaos"
		cp -r "$CHAOS_DATA"/job*/seed* "$QTS_ROOT/.build/chaos/"
		echo "# what failed is in .build/chaos"
	fi
	return $status
}
