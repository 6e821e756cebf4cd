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
	UPDATE trade.positions AS t SET status = 'CLOSING', updated_ts = qts._now()
	WHERE t.position_id = p.position_id AND t.status = 'OPEN';
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
	INSERT INTO trade.exit_control_history (mode, reason, updated_by, updated_ts)
	SELECT c.mode, c.reason, c.updated_by, c.updated_ts FROM trade.exit_control AS c;
	PERFORM qts._audit('set_exit_mode', 'exit_control', set_exit_mode.reason,
		jsonb_build_object('mode', was.mode), jsonb_build_object('mode', set_exit_mode.mode));
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
