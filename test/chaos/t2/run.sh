#!/bin/bash
# Tier 2: SEEDS schedules from FROM on, or SEED alone with a trace, in JOBS private
# clusters.  TAP=1 prints one line for a test instead of the matrix.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../../../scripts/lib.sh"
from=${FROM:-1} seeds=${SEEDS:-1000} jobs=${JOBS:-2}

pg_find
workspace
points_server "$QTS_DIR/server"
quietly make -s -C "$here" PG_CONFIG="$PG_CONFIG" || die "the module did not build"
cp "$here/qts_chaos.so" "$QTS_DIR/server$("$PG_CONFIG" --pkglibdir)/"
chmod -R a+rX "$QTS_DIR/server"
credentials '{"credentials": {}}'
cluster_start "qts.enabled = off" "fsync = off" "full_page_writes = off" "shared_buffers = 64MB" "autovacuum = off" \
	"max_connections = 20" "wal_level = minimal" "max_wal_senders = 0" "qts.notify = off" "log_min_messages = fatal"

# A database of its own per job: switches and alerts are the engine's own.
sql "$QTS_DB" <<'SQL'
CREATE EXTENSION qts;
DO $$ BEGIN PERFORM qts.activate(); END $$;
INSERT INTO market.stocks (symbol, name, market) SELECT '0001' || g || '0', 'chaos', 'KOSPI' FROM generate_series(1, 4) AS g
ON CONFLICT DO NOTHING;
-- The exit worker's part, done at once: a position whose exit event is written is closed.
CREATE FUNCTION public.close_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE trade.positions SET status = 'CLOSED' WHERE position_id = NEW.position_id AND qty = 0;
	RETURN NULL;
END $$;
CREATE TRIGGER close_position AFTER INSERT ON trade.exit_events FOR EACH ROW EXECUTE FUNCTION public.close_position();
CREATE FUNCTION public.qts_chaos(integer, bigint, bigint, boolean, text) RETURNS void
	LANGUAGE c STRICT AS 'qts_chaos', 'qts_chaos';
SQL

# job NUMBER FIRST COUNT TRACE: in parts, because what each schedule's TRUNCATE leaves in the
# catalogue stays as long as the statement runs, and makes the schedules slower and slower.
PART=250
job()
{
	local first=$2 part=0 count
	while [ "$first" -lt $(($2 + $3)) ]; do
		count=$(($2 + $3 - first < PART ? $2 + $3 - first : PART))
		sql "$QTS_DB.$1" -c "SELECT public.qts_chaos($1 + $jobs * $part, $first, $count, $4, '$QTS_DB.$1')" >/dev/null || return 1
		grep -q '^result 0' "$QTS_DIR/data/chaos.$(($1 + jobs * part))" || return 1
		first=$((first + count))
		part=$((part + 1))
		sql "$QTS_DB.$1" -c "VACUUM"
	done
}

if [ -n "${SEED:-}" ]; then
	jobs=1 seeds=1 from=$SEED
fi
for ((j = 0; j < jobs; j++)); do
	sql postgres -c "CREATE DATABASE \"$QTS_DB.$j\" TEMPLATE $QTS_DB"
done
status=0
pids=()
share=$(((seeds + jobs - 1) / jobs))
for ((j = 0; j < jobs; j++)); do
	first=$((from + j * share))
	count=$((seeds - j * share < share ? seeds - j * share : share))
	[ "$count" -gt 0 ] || continue
	job "$j" "$first" "$count" "$([ -n "${SEED:-}" ] && echo true || echo false)" &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || status=1
done
for out in $(find "$QTS_DIR/data" -maxdepth 1 -name 'chaos.*' ! -name '*.coverage' | sort -V); do
	grep -v '^result ' "$out" || true
	grep -q '^result 0' "$out" || status=1
done
# What the schedule has left in the tables, for whoever looks for the reason.
if [ -n "${SEED:-}" ]; then
	sql "$QTS_DB.0" <<-'SQL'
		SELECT 'position', left(position_id::text, 8), right(account_id, 2), symbol, status, original_qty, adjusted_qty, qty,
			strategy_id, quarantine_reason FROM trade.positions ORDER BY account_id, symbol, created_ts;
		SELECT 'order', right(account_id, 2), symbol, side, origin, trade_date, broker_order_no, status, qty, filled_qty,
			left(position_id::text, 8), error_code FROM trade.orders ORDER BY created_ts;
		SELECT 'fill', left(position_id::text, 8), symbol, side, qty, price, source, dedupe_key, ts FROM trade.fills ORDER BY ts, created_ts;
		SELECT 'event', left(position_id::text, 8), exit_qty, exit_reason_code, exit_ts FROM trade.exit_events;
		SELECT 'alert', code, subject, count, message FROM system.alerts;
	SQL
fi
[ $status = 0 ] || [ -n "${SEED:-}" ] || tail -n 5 "$QTS_DIR/log"
if [ -n "${TAP:-}" ]; then
	[ $status = 0 ] || printf 'not '
	echo "ok - tier 2: $seeds schedules from seed $from on keep every invariant"
else
	make -s -C "$here/../t1"
	"$here/../t1/build/t1" -m "$QTS_DIR"/data/chaos.*.coverage
fi
exit $status
