-- Every pair of states against the law, written down here a second time; and the
-- rules that hold whatever the order of events.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS qts;
SET client_min_messages = error;
SELECT qts.load_defaults();
SELECT plan(13);

INSERT INTO market.stocks (symbol, name, market) VALUES ('990001', 'States', 'KOSPI'), ('990002', 'More', 'KOSPI');
INSERT INTO trade.accounts (account_id, environment) VALUES ('99000000-01', 'paper');
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts) VALUES
	('00000000-0000-0000-0099-000000000001', '99000000-01', '990001', 10, 10, 1000, now());

-- The code of the refusal of a statement; null when it was taken.  Undone either way.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = 'undo';
EXCEPTION
	WHEN SQLSTATE 'ZZ999' THEN RETURN NULL;
	WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

CREATE TEMP TABLE intent_states (s text, n int);
INSERT INTO intent_states SELECT s, n FROM unnest(ARRAY['PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED',
	'PARTIAL', 'FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'FAILED', 'EXPIRED', 'DUPLICATE']) WITH ORDINALITY u (s, n);
CREATE FUNCTION pg_temp.intent_change(f text, t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO trade.order_intents (intent_id, account_id, position_id, symbol, intent_type, qty, reason_code, action_key,
		source_module, status) VALUES ('00000000-0000-0000-0099-0000000000f1', '99000000-01',
		'00000000-0000-0000-0099-000000000001', '990001', 'EXIT_FULL', 10, 'SL1', 'pair', 'EXIT', f);
	UPDATE trade.order_intents SET status = t WHERE intent_id = '00000000-0000-0000-0099-0000000000f1';
	RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = 'undo';
EXCEPTION
	WHEN SQLSTATE 'ZZ999' THEN RETURN NULL;
	WHEN SQLSTATE 'QT004' THEN RETURN 'QT004';
END $$;
CREATE TEMP TABLE intent_law (f text, t text);
INSERT INTO intent_law SELECT f, unnest(t) FROM (VALUES
	('PENDING_APPROVAL', string_to_array('NEW CANCELLED EXPIRED', ' ')),
	('NEW', string_to_array('SUBMITTING CANCELLED DUPLICATE EXPIRED REJECTED FAILED', ' ')),
	('SUBMITTING', string_to_array('UNKNOWN SUBMITTED PARTIAL FILLED CANCELLED CANCELLED_PARTIAL REJECTED FAILED EXPIRED', ' ')),
	('UNKNOWN', string_to_array('SUBMITTED PARTIAL FILLED CANCELLED CANCELLED_PARTIAL REJECTED FAILED EXPIRED', ' ')),
	('SUBMITTED', string_to_array('PARTIAL FILLED CANCELLED CANCELLED_PARTIAL REJECTED EXPIRED', ' ')),
	('PARTIAL', string_to_array('FILLED CANCELLED_PARTIAL', ' ')),
	('CANCELLED', string_to_array('FILLED CANCELLED_PARTIAL', ' ')),
	('REJECTED', string_to_array('FILLED CANCELLED_PARTIAL', ' ')),
	('FAILED', string_to_array('FILLED CANCELLED_PARTIAL', ' ')),
	('EXPIRED', string_to_array('FILLED CANCELLED_PARTIAL', ' ')),
	('CANCELLED_PARTIAL', string_to_array('FILLED', ' '))) v (f, t);
SELECT results_eq($$SELECT a.s, b.s, pg_temp.intent_change(a.s, b.s) IS NULL FROM intent_states a, intent_states b ORDER BY a.n, b.n$$,
	$$SELECT a.s, b.s, a.s = b.s OR EXISTS (SELECT FROM intent_law l WHERE l.f = a.s AND l.t = b.s)
	FROM intent_states a, intent_states b ORDER BY a.n, b.n$$, 'intents: all 169 pairs');

CREATE TEMP TABLE order_states (s text, n int);
INSERT INTO order_states SELECT s, n FROM unnest(ARRAY['PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL', 'FILLED',
	'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'EXPIRED']) WITH ORDINALITY u (s, n);
CREATE FUNCTION pg_temp.order_change(f text, t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO trade.orders (order_uid, account_id, trade_date, broker_order_no, symbol, side, order_type, qty, status, origin)
	VALUES ('00000000-0000-0000-0099-0000000000f2', '99000000-01', '2026-11-20', 'x', '990001', 'SELL', 'MKT', 10, f, 'MANUAL');
	UPDATE trade.orders SET status = t WHERE order_uid = '00000000-0000-0000-0099-0000000000f2';
	RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = 'undo';
EXCEPTION
	WHEN SQLSTATE 'ZZ999' THEN RETURN NULL;
	WHEN SQLSTATE 'QT004' THEN RETURN 'QT004';
END $$;
CREATE TEMP TABLE order_law (f text, t text);
INSERT INTO order_law SELECT f, unnest(t) FROM (VALUES
	('PENDING_SUBMIT', string_to_array('UNKNOWN SUBMITTED PARTIAL FILLED CANCELLED CANCELLED_PARTIAL REJECTED EXPIRED', ' ')),
	('UNKNOWN', string_to_array('SUBMITTED PARTIAL FILLED CANCELLED CANCELLED_PARTIAL REJECTED EXPIRED', ' ')),
	('SUBMITTED', string_to_array('PARTIAL FILLED CANCELLED CANCELLED_PARTIAL REJECTED EXPIRED', ' ')),
	('PARTIAL', string_to_array('FILLED CANCELLED_PARTIAL', ' ')),
	('CANCELLED', string_to_array('FILLED CANCELLED_PARTIAL', ' ')),
	('REJECTED', string_to_array('FILLED CANCELLED_PARTIAL', ' ')),
	('EXPIRED', string_to_array('FILLED CANCELLED_PARTIAL', ' ')),
	('CANCELLED_PARTIAL', string_to_array('FILLED', ' '))) v (f, t);
SELECT results_eq($$SELECT a.s, b.s, pg_temp.order_change(a.s, b.s) IS NULL FROM order_states a, order_states b ORDER BY a.n, b.n$$,
	$$SELECT a.s, b.s, a.s = b.s OR EXISTS (SELECT FROM order_law l WHERE l.f = a.s AND l.t = b.s)
	FROM order_states a, order_states b ORDER BY a.n, b.n$$, 'orders: all 81 pairs');

-- Locked quantity, over every live state and every split of ten shares.
CREATE FUNCTION pg_temp.two_exits(first bigint, status text, second bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key,
		source_module, status) VALUES ('99000000-01', '00000000-0000-0000-0099-000000000001', '990001', 'EXIT_PARTIAL',
		first, 'SL1', 'first', 'EXIT', status);
	INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key,
		source_module) VALUES ('99000000-01', '00000000-0000-0000-0099-000000000001', '990001', 'EXIT_PARTIAL',
		second, 'SL2', 'second', 'EXIT');
	RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = 'undo';
EXCEPTION
	WHEN SQLSTATE 'ZZ999' THEN RETURN 'taken';
	WHEN SQLSTATE 'QT005' THEN RETURN 'refused';
END $$;
SELECT is_empty($$SELECT s.s, a, b FROM intent_states s, generate_series(1, 10) a, generate_series(1, 11) b
	WHERE pg_temp.two_exits(a, s.s, b) <> CASE WHEN b + CASE WHEN s.n <= 6 THEN a ELSE 0 END <= 10 THEN 'taken' ELSE 'refused' END$$,
	'sum of live exits <= held: 13 states x 110 splits');

-- The action key: free again after a failure, not after a success.
CREATE FUNCTION pg_temp.again(status text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key,
		source_module, status) VALUES ('99000000-01', '00000000-0000-0000-0099-000000000001', '990001', 'EXIT_PARTIAL',
		1, 'SL1', 'once', 'EXIT', status);
	INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key,
		source_module) VALUES ('99000000-01', '00000000-0000-0000-0099-000000000001', '990001', 'EXIT_PARTIAL',
		1, 'SL1', 'once', 'EXIT');
	RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = 'undo';
EXCEPTION
	WHEN SQLSTATE 'ZZ999' THEN RETURN 'taken';
	WHEN unique_violation THEN RETURN 'refused';
END $$;
SELECT set_eq($$SELECT s FROM intent_states WHERE pg_temp.again(s) = 'taken'$$,
	ARRAY['FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'DUPLICATE'], 'a failed attempt does not disable its trigger');

-- Positions.
SELECT is(pg_temp.refusal($$INSERT INTO trade.positions (account_id, symbol, qty, original_qty, avg_price, entry_ts)
	VALUES ('99000000-01', '990001', 1, 1, 1, now())$$), '23505', 'one live position per account and symbol');
SELECT is(pg_temp.refusal($$INSERT INTO trade.positions (account_id, symbol, qty, original_qty, avg_price, entry_ts, status)
	VALUES ('99000000-01', '990001', 0, 1, 1, now(), 'CLOSED')$$), NULL, 'closed ones do not count');
SELECT is(pg_temp.refusal($$UPDATE trade.positions SET status = 'CLOSED' WHERE symbol = '990001'$$), '23514',
	'nothing closes while it holds shares');
SELECT is(pg_temp.refusal($$UPDATE trade.positions SET qty = 0, status = 'CLOSED' WHERE symbol = '990001'$$), NULL,
	'with nothing held it may close');
SELECT is(pg_temp.refusal($$UPDATE trade.positions SET version = version + 1 WHERE symbol = '990001'$$), 'QT010',
	'the version is not written by hand');
SELECT is(pg_temp.refusal($$UPDATE trade.positions SET qty = 9, version = 2 WHERE symbol = '990001'$$), 'QT010',
	'not even when it would be right');

-- Orders of an intent.
INSERT INTO trade.order_intents (intent_id, account_id, position_id, symbol, intent_type, qty, reason_code, action_key,
	source_module, status) VALUES ('00000000-0000-0000-0099-0000000000f3', '99000000-01',
	'00000000-0000-0000-0099-000000000001', '990001', 'EXIT_FULL', 10, 'SL1', 'own', 'EXIT', 'SUBMITTING');
SELECT is(pg_temp.refusal(format('INSERT INTO trade.orders (account_id, trade_date, intent_id, symbol, side, order_type, qty)
	VALUES (%L, %L, %L, %L, %L, %L, %s)', '99000000-01', '2026-11-20', '00000000-0000-0000-0099-0000000000f3', o.symbol,
	o.side, 'MKT', o.qty)), o.code, o.what)
FROM (VALUES ('990002', 'SELL', 10, 'QT011', 'another symbol is refused'), ('990001', 'BUY', 10, 'QT011', 'the other side is'),
	('990001', 'SELL', 10, NULL, 'what the intent wants is taken')) o (symbol, side, qty, code, what);
SELECT * FROM finish();
ROLLBACK;
