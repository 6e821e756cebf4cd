-- Views fit a terminal of 120 columns with large but ordinary numbers, hide
-- account numbers and show what they promise.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS qts;
SET client_min_messages = error;
SELECT qts.activate();
SELECT plan(13);

INSERT INTO market.stocks (symbol, name, market) VALUES ('Q980001', 'Views', 'KOSPI');
INSERT INTO trade.accounts (account_id, environment) VALUES ('98000000-01', 'paper');
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts)
VALUES ('00000000-0000-0000-0098-000000000001', '98000000-01', 'Q980001', 9999, 9999, 99997.8912, qts._now());
INSERT INTO market.prices_best (symbol, best_price, best_source, best_ts, updated_ts)
VALUES ('Q980001', 899000, 'KIS_WS', qts._now(), qts._now());
INSERT INTO trade.position_state (position_id, phase, stop_floor_price, hwm_price)
VALUES ('00000000-0000-0000-0098-000000000001', 'TRAILING_ACTIVE', 910000, 999000);
SELECT qts.exit('00000000-0000-0000-0098-000000000001', 9999, 'LMT', 980000, 'width') AS i \gset
UPDATE trade.order_intents SET status = 'SUBMITTING' WHERE intent_id = :'i';
UPDATE trade.order_intents SET error_message = repeat('x', 200) WHERE intent_id = :'i';
INSERT INTO trade.orders (order_uid, account_id, trade_date, intent_id, position_id, symbol, side, order_type, limit_price, qty,
	status, broker_order_no, filled_qty, notice_qty, cancelled_qty, avg_fill_price, cancel_state, created_ts)
VALUES ('00000000-0000-0000-0098-0000000000a1', '98000000-01', timezone('Asia/Seoul', qts._now())::date, :'i',
	'00000000-0000-0000-0098-000000000001', 'Q980001', 'SELL', 'LMT', 980000, 9999, 'PARTIAL', '0000117057', 9000, 9000,
	0, 980000, 'REQUESTED', qts._now());
INSERT INTO trade.fills (account_id, order_uid, position_id, symbol, side, qty, price, fee, tax, source, dedupe_key, ts)
VALUES ('98000000-01', '00000000-0000-0000-0098-0000000000a1', '00000000-0000-0000-0098-000000000001', 'Q980001', 'SELL',
	9000, 980000, 1234560, 17640000, 'REST_DELTA', 'a', qts._now());
INSERT INTO trade.exit_events (position_id, account_id, symbol, exit_ts, exit_qty, exit_avg_price, exit_reason_code, source,
	realized_pnl, realized_pnl_pct, fees, taxes)
VALUES ('00000000-0000-0000-0098-000000000001', '98000000-01', 'Q980001', qts._now(), 9999, 980000, 'TRAIL_PARTIAL',
	'AUTO_EXIT', -99997890, -0.100123, 1234560, 17640000);

CREATE FUNCTION pg_temp.width(viewname text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	col text;
	w bigint;
	total bigint := -1;
BEGIN
	FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = ('qts.' || viewname)::regclass AND attnum > 0 LOOP
		EXECUTE format('SELECT greatest(length(%L), max(length(%I::text))) FROM qts.%I', col, col, viewname) INTO w;
		total := total + w + 3;
	END LOOP;
	RETURN total;
END $$;
SELECT cmp_ok(pg_temp.width(v), '<=', 120::bigint, v || ' fits 120 columns')
FROM unnest(ARRAY['positions', 'intents', 'open_orders', 'orders_today', 'fills_today', 'exits']) v;

SELECT is(pnl, round((899000 - 99997.8912) * 9999)::bigint, 'gain is price less average, times quantity') FROM qts.positions WHERE symbol = 'Q980001';
SELECT is(avail, 0::bigint, 'nothing is available') FROM qts.positions WHERE symbol = 'Q980001';
SELECT is(account, '98****00-01', 'the account is masked') FROM qts.orders_today WHERE symbol = 'Q980001';
SELECT is(pct, -10.01, 'a share of loss in per cent') FROM qts.exits WHERE symbol = 'Q980001';
SELECT is((SELECT array_agg(kind ORDER BY n) FROM (SELECT kind, row_number() OVER () AS n
	FROM qts.timeline('00000000-0000-0000-0098-000000000001')) t)::text, '{position,intent,order,fill,exit}',
	'the timeline tells cause before effect');
SELECT is((SELECT bool_and(ts BETWEEN timezone('Asia/Seoul', clock_timestamp()) - interval '1 hour'
	AND timezone('Asia/Seoul', clock_timestamp()) + interval '1 hour')
	FROM qts.timeline('00000000-0000-0000-0098-000000000001')), true, 'in the time of Seoul');
SELECT is_empty($$SELECT name FROM qts.metrics WHERE name !~ '^qts_[a-z0-9_]+$' OR value IS NULL$$,
	'R17: metrics have the names of the field');
SELECT * FROM finish();
ROLLBACK;
