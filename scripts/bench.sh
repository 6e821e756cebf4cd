#!/bin/bash
# Measures qts beside what others do, in one run: bench.sh [name...]
#
# Names: limits orders exits fills frames cycle replay wakes prices board ingest caches
# sockets sweep throughput limiter ledger recovery soak; all of them without.
# Each program has a private cluster with fsync on and a simulator of its own, made the
# same way each time: what one leaves behind (rows of the day above all, which the engine
# reads again and again) is not the next one's.  A run whose counters disagree fails.
# See docs/bench.md.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

BENCH=$QTS_ROOT/test/bench
ALL=(limits orders exits fills frames cycle replay wakes prices board ingest caches sockets sweep ledger throughput limiter recovery soak)

symbols_json() # TEMPLATE with CODE [COUNT]: one object for each of the (forty) symbols
{
	for code in $(seq 100000 $((100000 + ${2:-40} - 1))); do echo "${1//CODE/$code}"; done | paste -sd,
}

write_sim_config()
{
	local app_a='{"app_key":"PSAPPKEY000000000000000000000000000A","app_secret":"secretengine","hts_id":"engine"'
	local app_b='{"app_key":"PSAPPKEY000000000000000000000000000B","app_secret":"secretoutside","hts_id":"outside"'
	cat >"$QTS_DIR/sim.json" <<-JSON
	{"apps":[$app_a,"accounts":["12345678-01","12345678-02","12345678-03"]},$app_b,"accounts":["87654321-01"]}],
	 "accounts":[{"account":"12345678-01","cash":1000000000},{"account":"12345678-02","cash":0},
	  {"account":"12345678-03","cash":1000000000},
	  {"account":"87654321-01","cash":1000000000,
	   "holdings":[$(symbols_json '{"symbol":"CODE","qty":1000000000,"avg_price":"70000"}')]}],
	 "symbols":[$(symbols_json '{"symbol":"CODE","name":"Bench","market":"KOSPI","base":70000,"price":70000}' "$SYMBOLS")],
	 "options":{"rate_per_second":$RATE,"token_interval_s":0}}
	JSON
}

# Shares the engine may sell.  They come after its first look at the account,
# because it would adopt them as positions of its own.
give_holdings()
{
	curl -fsS -o "$QTS_DIR/out/config" -H 'Content-Type: application/json' --data-binary \
		"{\"accounts\":[{\"account\":\"12345678-01\",\"holdings\":[$(
			symbols_json '{"symbol":"CODE","qty":1000000000,"avg_price":"70000"}')]},
			{\"account\":\"12345678-02\",\"holdings\":[$(
			symbols_json '{"symbol":"CODE","qty":1,"avg_price":"70000"}')]}]}" \
		"http://127.0.0.1:$SIM_CONTROL/config"
}

wait_for() # SQL that must become t
{
	local deadline=$((SECONDS + 60))
	until [ "$(sql "$QTS_DB" -c "$1")" = t ]; do
		[ $SECONDS -lt $deadline ] || { tail -20 "$QTS_DIR/log" >&2; die "not after a minute: $1"; }
	done
}

sim_reached() # COUNTER COUNT
{
	curl -fsS "http://127.0.0.1:$SIM_CONTROL/wait?counter=$1&count=$2&timeout_ms=60000" | grep -q '"ok": *true' ||
		die "the simulator did not count $2 $1 in a minute"
}

# A second, paused account holds one share of each symbol, so that the feed
# stays subscribed while the first one's positions come and go.
prepare_engine()
{
	sql "$QTS_DB" >/dev/null <<-SQL
	CREATE EXTENSION qts;
	SELECT qts.set_clock('2026-11-20 10:00:00+09');
	SELECT qts.activate();
	INSERT INTO market.stocks (symbol, name, market)
	SELECT g::text, 'Bench', 'KOSPI' FROM generate_series(100000, 100000 + $SYMBOLS - 1) g;
	INSERT INTO market.watchlist (symbol, kind) SELECT symbol, CASE WHEN symbol < '100140' THEN 'WATCH' ELSE 'RANKING' END
	FROM market.stocks WHERE symbol > '100039';
	SELECT qts.add_account(a, environment => 'sim', rest_url => 'http://127.0.0.1:$SIM_REST',
		ws_url => 'ws://127.0.0.1:$SIM_WS') FROM unnest(ARRAY['12345678-01', '12345678-02']) a;
	SQL
	wait_for "SELECT count(*) = 2 FROM trade.account_sync WHERE state = 'READY'"
	give_holdings
	sql "$QTS_DB" >/dev/null <<-SQL
	SELECT qts.pause_account('12345678-02', 'holds the subscriptions of the bench');
	INSERT INTO trade.positions (account_id, symbol, qty, original_qty, avg_price, entry_ts)
	SELECT '12345678-02', symbol, 1, 1, 70000, qts._now() FROM market.stocks WHERE symbol < '100040';
	SQL
	# What only comes once is over before anything is measured: a server that has run for a day
	# writes into WAL files that are there, a new one fills each of them with zeros first.
	sql "$QTS_DB" >/dev/null <<-'SQL'
	DO $$ BEGIN FOR i IN 1..32 LOOP PERFORM pg_logical_emit_message(false, 'bench', ''), pg_switch_wal(); END LOOP; END $$;
	CHECKPOINT;
	SQL
	wait_for "SELECT count(*) = $SYMBOLS FROM market.freshness WHERE source = 'KIS_REST'"
	sim_reached subscriptions 41
	sql postgres -c "CREATE DATABASE plain"
	sql plain <<-'SQL'
	CREATE TABLE intents (intent_id bigserial PRIMARY KEY, symbol text NOT NULL, qty bigint NOT NULL,
		status text NOT NULL, broker_order_no text, created_ts timestamptz NOT NULL DEFAULT now())
		WITH (fillfactor = 70);
	CREATE INDEX ON intents (intent_id) WHERE status = 'NEW';
	CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_notify('intents', ''); RETURN NULL; END $$;
	CREATE TRIGGER tell AFTER INSERT ON intents FOR EACH STATEMENT EXECUTE FUNCTION tell();
	SQL
}

start_redis()
{
	local deadline=$((SECONDS + 20))
	have redis-server || return 0
	redis-server --port 0 --unixsocket "$QTS_DIR/redis.sock" --save '' --appendonly no \
		--dir "$QTS_DIR" >"$QTS_DIR/redis.log" 2>&1 &
	QTS_SIM_PIDS+=("$!")
	until [ -S "$QTS_DIR/redis.sock" ]; do
		[ $SECONDS -lt $deadline ] || die "redis-server did not start: $(cat "$QTS_DIR/redis.log")"
		pause
	done
	export BENCH_REDIS=$QTS_DIR/redis.sock
}

pause() { read -r -t 0.05 <> <(:) || true; } # politeness while something is looked for

# What a program needs around it.
needs_server() { [[ " limits frames replay " != *" $1 "* ]]; }
needs_symbols() { [ "$1" = sweep ] && echo 1000 || echo 40; }
needs_rate() { [ "$1" = sweep ] && echo 12 || echo 0; } # calls a second, of engine and broker
needs_redis() { [[ " prices board ingest " == *" $1 "* ]]; }

world_begin() # NAME
{
	needs_server "$1" || return 0
	SYMBOLS=$(needs_symbols "$1") RATE=$(needs_rate "$1")
	write_sim_config
	sim_start --config "$QTS_DIR/sim.json" --clock 2026-11-20T10:00:00+09:00
	export BENCH_REST=$SIM_REST BENCH_WS=$SIM_WS BENCH_CONTROL=$SIM_CONTROL
	cluster_start "qts.rest_rate_sim = $RATE" "qts.balance_interval = 3600" "qts.max_exits_per_minute = 0" \
		"qts.max_orders_per_minute = 0" "fsync = on" "synchronous_commit = on" \
		"full_page_writes = on" "shared_buffers = 512MB" "max_wal_size = 8GB" "min_wal_size = 1GB" \
		"checkpoint_timeout = 1h" "log_min_messages = warning" "qts.max_clock_skew = 0"
	prepare_engine
	! needs_redis "$1" || start_redis
}

# Keeps what the server has to say of the program for the end, then removes all of it.
world_end() # NAME
{
	local pid data metrics
	needs_server "$1" || return 0
	metrics=$(sql "$QTS_DB" -F ' ' -c "SELECT name, labels, value FROM qts._metrics() WHERE value <> 0
		AND (type = 'counter' OR labels IN ('quantile=\"0.5\"', 'quantile=\"0.99\"'))" 2>&1) || true
	printf '\n%s\n%s\n' "$1" "$metrics" >>"$QTS_DIR/out/metrics"
	printf 'errors in the log of %s: %s\n' "$1" "$(grep -c 'ERROR:' "$QTS_DIR/log" || true)" >>"$QTS_DIR/out/errors"
	grep -A4 'ERROR:' "$QTS_DIR/log" | cut -c1-160 | head -40 >>"$QTS_DIR/out/errors" || true
	for data in "$QTS_DIR"/data*; do # a standby beside it too
		[ ! -f "$data/postmaster.pid" ] ||
			as_server "$PG_BIN/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1 || true
	done
	for pid in "${QTS_SIM_PIDS[@]}"; do
		kill "$pid" 2>/dev/null || true
		while kill -0 "$pid" 2>/dev/null; do pause; done
	done
	QTS_SIM_PIDS=()
	unset BENCH_REDIS
	rm -rf "$QTS_DIR"/{data,data2,primary,log,redis.sock,sim.log} "$QTS_DIR"/.qts-token-*
}

wanted=("$@")
[ $# -gt 0 ] || wanted=("${ALL[@]}")
for name in "${wanted[@]}"; do
	[[ " ${ALL[*]} " == *" $name "* ]] || die "unknown benchmark $name; there are: ${ALL[*]}"
done

"$QTS_ROOT/scripts/deps.sh" bench
pg_find
[ "${BENCH_BUILD:-1}" = 0 ] || { build_qts; install_qts; }
build_sim
quietly make -C "$BENCH" -j"$(nproc)" || die "the programs did not build"
workspace
credentials '{"credentials":{"main":{"app_key":"PSAPPKEY000000000000000000000000000A","app_secret":"secretengine","hts_id":"engine"}}}'
export BENCH_MODULE=$QTS_DIR/empty.so BENCH_STORE=$QTS_DIR/store.so
export BENCH_LOG=$QTS_DIR/log BENCH_SERVER="$BENCH/server.sh $QTS_DIR"
export PGHOST=$QTS_DIR PGPORT=$QTS_PORT
install -m 755 "$BENCH/empty.so" "$BENCH_MODULE"
install -m 755 "$BENCH/store.so" "$BENCH_STORE"

# Share of the CPUs that others leave over: with less than nine tenths the times say little.
idle_share()
{
	local before after
	before=$(awk '/^cpu / { print $5 + $6, $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 }' /proc/stat)
	read -r -t 2 <> <(:) || true
	after=$(awk '/^cpu / { print $5 + $6, $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 }' /proc/stat)
	awk -v b="$before" -v a="$after" 'BEGIN { split(b, x); split(a, y); printf "%d", 100 * (y[1] - x[1]) / (y[2] - x[2]) }'
}

idle=$(idle_share)
echo "$(uname -srm), $(nproc) CPUs, $("$PG_CONFIG" --version), fsync on, synchronous_commit on"
echo "$idle % of the CPUs were idle before the start"
[ "$idle" -ge 90 ] || echo "THE MACHINE IS BUSY WITH OTHER WORK: read ratios only, and those with care"
failed=()
for name in "${wanted[@]}"; do
	arguments=()
	[ "$name" != limits ] || arguments=("$QTS_DIR")
	world_begin "$name"
	"$BENCH/$name" "${arguments[@]}" || failed+=("$name")
	world_end "$name"
done
echo
say "done; the engine's own histograms and counters, program by program:"
cat "$QTS_DIR/out/metrics" 2>/dev/null || true
echo
cat "$QTS_DIR/out/errors" 2>/dev/null || true
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
