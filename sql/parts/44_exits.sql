-- Cancel what an intent has at the broker or would send there.  Lock order:
-- intent, then order.
CREATE OR REPLACE FUNCTION qts._cancel_intent(intent_id uuid, reason text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	i record;
BEGIN
	SELECT t.status, t.symbol INTO i FROM trade.order_intents AS t
	WHERE t.intent_id = _cancel_intent.intent_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown intent %', intent_id USING ERRCODE = 'QT011',
			DETAIL = 'There is no such row.', HINT = 'SELECT * FROM qts.intents lists them.';
	ELSIF i.status IN ('PENDING_APPROVAL', 'NEW') THEN
		UPDATE trade.order_intents AS t SET status = 'CANCELLED', error_message = left(_cancel_intent.reason, 500),
			updated_ts = qts._now() WHERE t.intent_id = _cancel_intent.intent_id;
		RETURN 'CANCELLED';
	ELSIF i.status NOT IN ('SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL') THEN
		RETURN 'ENDED';
	END IF;
	UPDATE trade.orders AS o SET cancel_state = 'REQUESTED', cancel_attempts = 0, cancel_reason = _cancel_intent.reason,
		updated_ts = qts._now()
	WHERE o.intent_id = _cancel_intent.intent_id AND o.status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')
		AND (o.cancel_state IS NULL OR o.cancel_state = 'REFUSED');
	RETURN 'REQUESTED';
END $$;

CREATE OR REPLACE FUNCTION qts.cancel_intent(intent_id uuid, reason text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	outcome text;
BEGIN
	PERFORM qts._need_reason(reason);
	outcome := qts._cancel_intent(intent_id, reason);
	IF outcome = 'ENDED' THEN
		RAISE EXCEPTION 'the intent has ended' USING ERRCODE = 'QT004',
			DETAIL = format('Its status is %s.',
				(SELECT t.status FROM trade.order_intents AS t WHERE t.intent_id = cancel_intent.intent_id)),
			HINT = 'Only live intents can be cancelled.';
	END IF;
	PERFORM qts._audit('cancel_intent', intent_id::text, reason, NULL, jsonb_build_object('outcome', outcome));
	RETURN outcome;
END $$;

CREATE OR REPLACE FUNCTION qts.cancel_order(order_uid uuid, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	o record;
BEGIN
	PERFORM qts._need_reason(cancel_order.reason);
	SELECT t.status, t.cancel_state INTO o FROM trade.orders AS t
	WHERE t.order_uid = cancel_order.order_uid FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown order %', order_uid USING ERRCODE = 'QT011',
			DETAIL = 'There is no such row.', HINT = 'SELECT * FROM qts.open_orders lists those that can be cancelled.';
	ELSIF o.status NOT IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL') THEN
		RAISE EXCEPTION 'the order has ended' USING ERRCODE = 'QT004',
			DETAIL = format('Its status is %s.', o.status), HINT = 'Only live orders can be cancelled.';
	END IF;
	-- A cancel on its way is not repeated: the broker would answer the second with an error.
	UPDATE trade.orders AS t SET cancel_state = 'REQUESTED', cancel_attempts = 0, cancel_reason = cancel_order.reason,
		updated_ts = qts._now()
	WHERE t.order_uid = cancel_order.order_uid AND (o.cancel_state IS NULL OR o.cancel_state = 'REFUSED');
	PERFORM qts._audit('cancel_order', order_uid::text, cancel_order.reason,
		jsonb_build_object('status', o.status, 'cancel_state', o.cancel_state),
		(SELECT jsonb_build_object('cancel_state', t.cancel_state) FROM trade.orders AS t
			WHERE t.order_uid = cancel_order.order_uid));
END $$;

CREATE OR REPLACE FUNCTION qts._check_exit(p trade.positions, order_type text, limit_price numeric) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a record;
	s record;
	mode text := coalesce(current_setting('qts.trading_mode', true), 'paper');
BEGIN
	SELECT status, status_reason, environment INTO a FROM trade.accounts WHERE account_id = p.account_id FOR SHARE;
	IF a.status <> 'ACTIVE' THEN
		RAISE EXCEPTION 'the account is not active' USING ERRCODE = 'QT001',
			DETAIL = format('It is %s: %s.', a.status, coalesce(a.status_reason, 'no reason given')),
			HINT = 'SELECT qts.resume_account() lets it trade again.';
	ELSIF mode = 'off' OR (a.environment = 'live' AND mode <> 'live') THEN
		RAISE EXCEPTION 'the trading mode forbids orders of this account' USING ERRCODE = 'QT015',
			DETAIL = format('qts.trading_mode is %s, the account is %s.', mode, a.environment),
			HINT = 'Change qts.trading_mode in postgresql.conf and reload.';
	ELSIF p.status = 'CLOSED' THEN
		RAISE EXCEPTION 'the position is closed' USING ERRCODE = 'QT004',
			DETAIL = format('%s was sold completely.', p.symbol), HINT = 'SELECT * FROM qts.positions lists live ones.';
	ELSIF p.exit_mode = 'DISABLED' THEN
		RAISE EXCEPTION 'exits of this position are disabled' USING ERRCODE = 'QT008',
			DETAIL = format('The exit mode of %s is DISABLED.', p.symbol),
			HINT = 'SELECT qts.set_position_exit_mode(position_id, ''MANUAL_ONLY'') allows manual exits.';
	END IF;
	SELECT * INTO s FROM market.stocks WHERE symbol = p.symbol;
	IF NOT s.is_tradable OR s.status <> 'ACTIVE' THEN
		RAISE EXCEPTION '% is not tradable', p.symbol USING ERRCODE = 'QT012',
			DETAIL = format('It is %s: %s.', s.status, coalesce(s.trade_halt_reason, 'not tradable')),
			HINT = 'Try again when trading resumes.';
	END IF;
	IF order_type = 'MKT' THEN
		RETURN NULL;
	END IF;
	-- Limits of another day say nothing about today.
	IF s.limits_date IS DISTINCT FROM timezone('Asia/Seoul', qts._now())::date THEN
		s.lower_limit := NULL;
		s.upper_limit := NULL;
	END IF;
	RETURN qts._check_order_price(limit_price, s.instrument, s.lower_limit, s.upper_limit);
END $$;

CREATE OR REPLACE FUNCTION qts.exit(position_id uuid, qty bigint DEFAULT NULL, order_type text DEFAULT 'MKT',
	limit_price numeric DEFAULT NULL, reason text DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	p trade.positions;
	available bigint;
	wanted bigint := exit.qty;
	price bigint;
	state record;
	new_id uuid := gen_random_uuid();
BEGIN
	PERFORM qts._one_of('order_type', exit.order_type, ARRAY['MKT', 'LMT']);
	IF wanted <= 0 THEN
		RAISE EXCEPTION 'invalid qty %', wanted USING ERRCODE = 'QT011',
			DETAIL = 'Shares are counted from 1.', HINT = 'Leave qty out to sell all that is available.';
	ELSIF (exit.order_type = 'LMT') <> (exit.limit_price IS NOT NULL) THEN
		RAISE EXCEPTION 'limit_price and order_type do not go together' USING ERRCODE = 'QT011',
			DETAIL = format('order_type is %s, limit_price is %s.', exit.order_type, coalesce(exit.limit_price::text, 'null')),
			HINT = 'Give a limit_price with LMT and none with MKT.';
	ELSIF length(exit.reason) > 500 THEN
		PERFORM qts._need_reason(exit.reason);
	END IF;
	PERFORM qts._need_active();
	SELECT t.* INTO p FROM trade.positions AS t WHERE t.position_id = exit.position_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown position %', coalesce(exit.position_id::text, 'null') USING ERRCODE = 'QT011',
			DETAIL = 'There is no such row.', HINT = 'SELECT * FROM qts.positions lists live ones.';
	END IF;
	price := qts._check_exit(p, exit.order_type, exit.limit_price);
	available := greatest(p.qty - qts._locked_qty(p.position_id), 0);
	wanted := coalesce(wanted, available);
	IF wanted > available OR available = 0 THEN
		RAISE EXCEPTION 'quantity not available' USING ERRCODE = 'QT005',
			DETAIL = format('held %s, locked by live exits %s, wanted %s', p.qty, p.qty - available,
				coalesce(exit.qty::text, 'all')),
			HINT = 'Ask for less, or cancel a live exit with qts.cancel_intent().';
	END IF;
	SELECT coalesce(max(s.exit_cycle), 1) AS cycle, coalesce(max(s.phase), 'OPEN') AS phase INTO state
	FROM trade.position_state AS s WHERE s.position_id = p.position_id;
	INSERT INTO trade.order_intents (intent_id, account_id, position_id, symbol, intent_type, qty, order_type,
		limit_price, reason_code, reason_detail, action_key, exit_cycle, phase, priority, source_module,
		created_ts, updated_ts)
	VALUES (new_id, p.account_id, p.position_id, p.symbol,
		CASE WHEN wanted = p.qty THEN 'EXIT_FULL' ELSE 'EXIT_PARTIAL' END, wanted, exit.order_type, price, 'MANUAL',
		exit.reason, format('%s:%s:MANUAL:%s', p.position_id, state.cycle, new_id), state.cycle, state.phase, 40, 'MANUAL',
		qts._now(), qts._now());
	-- also one that is CLOSING already: the exit worker sees by the row that something is new
	UPDATE trade.positions AS t SET status = 'CLOSING', updated_ts = qts._now() WHERE t.position_id = p.position_id;
	PERFORM qts._audit('exit', new_id::text, exit.reason, jsonb_build_object('qty', p.qty, 'available', available),
		jsonb_build_object('position_id', p.position_id, 'symbol', p.symbol, 'qty', wanted,
			'order_type', exit.order_type, 'limit_price', price));
	RETURN new_id;
END $$;

CREATE OR REPLACE FUNCTION qts.set_exit_mode(mode text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.exit_control;
BEGIN
	PERFORM qts._one_of('mode', set_exit_mode.mode, ARRAY['RUNNING', 'PAUSE_PROFIT', 'PAUSE_ALL']);
	PERFORM qts._need_reason(set_exit_mode.reason);
	SELECT c.* INTO was FROM trade.exit_control AS c FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the engine is not active' USING ERRCODE = 'QT001',
			DETAIL = 'The control row has not been made yet.', HINT = 'A superuser runs SELECT qts.activate().';
	END IF;
	UPDATE trade.exit_control SET mode = set_exit_mode.mode, reason = set_exit_mode.reason,
		updated_by = session_user, updated_ts = qts._now();
	PERFORM qts._overrule();
	INSERT INTO trade.exit_control_history (mode, reason, updated_by, updated_ts)
	SELECT c.mode, c.reason, c.updated_by, c.updated_ts FROM trade.exit_control AS c;
	PERFORM qts._audit('set_exit_mode', 'exit_control', set_exit_mode.reason,
		jsonb_build_object('mode', was.mode), jsonb_build_object('mode', set_exit_mode.mode));
END $$;

-- Sells everything at market.  Called without the word it only says what it would do.
CREATE OR REPLACE FUNCTION qts.emergency_flatten(confirm text, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.exit_control;
	n record;
	buy record;
	buys integer := 0;
BEGIN
	SELECT count(*) FILTER (WHERE x.sold) AS sold, coalesce(sum(x.qty * coalesce(x.price, x.avg_price)) FILTER (WHERE x.sold), 0)::bigint
		AS amount, count(*) FILTER (WHERE NOT x.sold) AS kept INTO n
	FROM (SELECT p.exit_mode <> 'DISABLED' AND p.quarantine_reason IS NULL AS sold, p.qty, p.avg_price, b.best_price AS price
		FROM trade.positions AS p LEFT JOIN market.prices_best AS b ON b.symbol = p.symbol
		WHERE p.status IN ('OPEN', 'CLOSING') AND p.qty > 0) AS x;
	IF emergency_flatten.confirm IS DISTINCT FROM 'FLATTEN' THEN
		RAISE EXCEPTION 'not confirmed' USING ERRCODE = 'QT014',
			DETAIL = format('It would sell %s positions worth about %s KRW at market, cancel and stop all buys, and leave %s positions (exits disabled, or quarantined).',
				n.sold, n.amount, n.kept),
			HINT = 'Call it with confirm => ''FLATTEN''.';
	END IF;
	PERFORM qts._need_reason(emergency_flatten.reason);
	PERFORM qts._need_active();
	SELECT c.* INTO was FROM trade.exit_control AS c FOR NO KEY UPDATE;
	PERFORM qts.emergency_stop(true, emergency_flatten.reason);
	FOR buy IN SELECT i.intent_id FROM trade.order_intents AS i WHERE i.intent_type = 'ENTRY'
			AND i.status IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL') ORDER BY i.intent_id LOOP
		PERFORM qts._cancel_intent(buy.intent_id, emergency_flatten.reason);
		buys := buys + 1;
	END LOOP;
	UPDATE trade.exit_control SET mode = 'EMERGENCY_FLATTEN', reason = emergency_flatten.reason, updated_by = session_user,
		updated_ts = qts._now();
	PERFORM qts._overrule();
	INSERT INTO trade.exit_control_history (mode, reason, updated_by, updated_ts)
	SELECT c.mode, c.reason, c.updated_by, c.updated_ts FROM trade.exit_control AS c;
	PERFORM qts._alert('CRITICAL', 'EMERGENCY_FLATTEN', '', format('%s sells all positions: %s', session_user, emergency_flatten.reason),
		'It stays so until qts.set_exit_mode(''RUNNING'', reason); then qts.emergency_stop(false, reason) lets buys through.');
	PERFORM qts._audit('emergency_flatten', 'exit_control', emergency_flatten.reason, jsonb_build_object('mode', was.mode),
		jsonb_build_object('mode', 'EMERGENCY_FLATTEN', 'positions', n.sold, 'left', n.kept, 'buys', buys));
	RETURN n.sold;
END $$;

CREATE OR REPLACE FUNCTION qts.set_exit_window(anchor text, from_offset interval, until_offset interval, every interval,
	reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was jsonb;
BEGIN
	PERFORM qts._one_of('anchor', set_exit_window.anchor, ARRAY['OPEN', 'CLOSE']);
	PERFORM qts._need_reason(set_exit_window.reason);
	SELECT to_jsonb(w) INTO was FROM trade.exit_windows AS w WHERE w.anchor = set_exit_window.anchor
		AND w.from_offset = set_exit_window.from_offset FOR NO KEY UPDATE;
	IF set_exit_window.every IS NULL THEN
		DELETE FROM trade.exit_windows AS w WHERE w.anchor = set_exit_window.anchor AND w.from_offset = set_exit_window.from_offset;
	ELSIF NOT coalesce(set_exit_window.every BETWEEN interval '10 milliseconds' AND interval '60 seconds'
			AND set_exit_window.from_offset >= interval '-12 hours' AND set_exit_window.until_offset <= interval '12 hours'
			AND set_exit_window.from_offset < set_exit_window.until_offset, false) THEN
		RAISE EXCEPTION 'invalid window' USING ERRCODE = 'QT011',
			DETAIL = format('It is every %s from %s until %s.', every, coalesce(from_offset::text, 'null'), coalesce(until_offset::text, 'null')),
			HINT = 'every lies between 10 ms and 60 s; from_offset and until_offset are relative to the open or close, as in -5 min and 11 min.';
	ELSE
		INSERT INTO trade.exit_windows AS w (anchor, from_offset, until_offset, every)
		VALUES (set_exit_window.anchor, set_exit_window.from_offset, set_exit_window.until_offset, set_exit_window.every)
		ON CONFLICT ON CONSTRAINT exit_windows_pkey DO UPDATE SET until_offset = excluded.until_offset, every = excluded.every,
			updated_by = session_user, updated_ts = clock_timestamp();
	END IF;
	PERFORM qts._audit('set_exit_window', set_exit_window.anchor, set_exit_window.reason, was,
		(SELECT to_jsonb(w) FROM trade.exit_windows AS w WHERE w.anchor = set_exit_window.anchor
			AND w.from_offset = set_exit_window.from_offset));
END $$;

CREATE OR REPLACE FUNCTION qts.emergency_stop(enabled boolean, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was boolean;
BEGIN
	IF enabled IS NULL THEN
		RAISE EXCEPTION 'enabled must be true or false' USING ERRCODE = 'QT011',
			DETAIL = 'It is null.', HINT = 'true blocks entries, false lets them through again.';
	END IF;
	PERFORM qts._need_reason(emergency_stop.reason);
	SELECT e.emergency_stop INTO was FROM system.engine AS e FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the engine is not active' USING ERRCODE = 'QT001',
			DETAIL = 'The engine row has not been made yet.', HINT = 'A superuser runs SELECT qts.activate().';
	END IF;
	UPDATE system.engine SET emergency_stop = emergency_stop.enabled, reason = emergency_stop.reason,
		updated_by = session_user, updated_ts = clock_timestamp();
	PERFORM qts._audit('emergency_stop', 'engine', emergency_stop.reason,
		jsonb_build_object('emergency_stop', was), jsonb_build_object('emergency_stop', emergency_stop.enabled));
END $$;
