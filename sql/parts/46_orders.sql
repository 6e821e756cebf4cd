-- A person says what the broker did with an order whose outcome stayed unknown.
CREATE OR REPLACE FUNCTION qts.resolve_order(order_uid uuid, outcome text, broker_order_no text DEFAULT NULL,
	reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.orders;
	number text := btrim(resolve_order.broker_order_no);
BEGIN
	PERFORM qts._one_of('outcome', outcome, ARRAY['ACCEPTED', 'NOT_ACCEPTED']);
	PERFORM qts._need_reason(reason);
	-- Lock order: intent, then order.
	PERFORM FROM trade.order_intents AS i WHERE i.intent_id =
		(SELECT o.intent_id FROM trade.orders AS o WHERE o.order_uid = resolve_order.order_uid) FOR NO KEY UPDATE;
	SELECT o.* INTO was FROM trade.orders AS o WHERE o.order_uid = resolve_order.order_uid FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown order %', order_uid USING ERRCODE = 'QT011',
			DETAIL = 'There is no such row.', HINT = 'SELECT * FROM qts.open_orders lists live ones.';
	ELSIF was.status <> 'UNKNOWN' THEN
		RAISE EXCEPTION 'the outcome of this order is known' USING ERRCODE = 'QT004',
			DETAIL = format('Its status is %s.', was.status), HINT = 'Only orders of status UNKNOWN are resolved by hand.';
	ELSIF outcome = 'ACCEPTED' AND coalesce(number, was.broker_order_no, '') !~ '^[0-9A-Za-z]{1,20}$' THEN
		RAISE EXCEPTION 'the broker''s order number is missing' USING ERRCODE = 'QT011',
			DETAIL = format('broker_order_no is %s.', coalesce(number, 'null')),
			HINT = 'Look it up in the broker''s list of today''s orders.';
	ELSIF outcome = 'NOT_ACCEPTED' AND (number IS NOT NULL OR was.broker_order_no IS NOT NULL OR was.filled_qty > 0) THEN
		RAISE EXCEPTION 'an order with a number was accepted' USING ERRCODE = 'QT011',
			DETAIL = format('Its number is %s, %s shares are filled.', coalesce(number, was.broker_order_no), was.filled_qty),
			HINT = 'Use ACCEPTED with the number.';
	END IF;
	IF outcome = 'ACCEPTED' THEN
		IF EXISTS (SELECT FROM trade.orders AS o WHERE o.account_id = was.account_id AND o.trade_date = was.trade_date
			AND o.broker_order_no = number AND o.order_uid <> was.order_uid) THEN
			RAISE EXCEPTION 'this broker order belongs to another order' USING ERRCODE = 'QT006',
				DETAIL = format('Number %s of %s is bound already.', number, to_char(was.trade_date, 'YYYY-MM-DD')),
				HINT = 'Look the number up again: each belongs to one order of the day.';
		END IF;
		UPDATE trade.orders AS o SET status = 'SUBMITTED', broker_order_no = coalesce(was.broker_order_no, number),
			quarantined = false, acked_ts = coalesce(o.acked_ts, qts._now()), updated_ts = qts._now()
		WHERE o.order_uid = was.order_uid;
		UPDATE trade.order_intents AS i SET status = 'SUBMITTED', updated_ts = qts._now()
		WHERE i.intent_id = was.intent_id;
		-- Notices of this number have found their order; how much was filled, the ledger says.
		UPDATE trade.notices AS n SET order_uid = was.order_uid WHERE n.account_id = was.account_id
			AND n.trade_date = was.trade_date AND n.order_uid IS NULL
			AND n.broker_order_no = coalesce(was.broker_order_no, number);
	ELSE
		UPDATE trade.orders AS o SET status = 'REJECTED', rejected_qty = o.qty, quarantined = false,
			error_message = 'not accepted, says ' || session_user, updated_ts = qts._now()
		WHERE o.order_uid = was.order_uid;
		UPDATE trade.order_intents AS i SET status = 'REJECTED', error_message = 'not accepted, says ' || session_user,
			updated_ts = qts._now()
		WHERE i.intent_id = was.intent_id;
	END IF;
	PERFORM qts._audit('resolve_order', was.order_uid::text, reason, to_jsonb(was) - 'raw' - 'account_id',
		jsonb_build_object('outcome', outcome, 'broker_order_no', number));
END $$;

CREATE OR REPLACE FUNCTION qts.acknowledge_alert(alert_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was record;
BEGIN
	SELECT a.code, a.subject, a.acknowledged_ts INTO was FROM system.alerts AS a
	WHERE a.alert_id = acknowledge_alert.alert_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown alert %', coalesce(alert_id::text, 'null') USING ERRCODE = 'QT011',
			DETAIL = 'There is no such row.', HINT = 'SELECT * FROM qts.alerts lists open ones.';
	ELSIF was.acknowledged_ts IS NOT NULL THEN
		RAISE EXCEPTION 'the alert is acknowledged already' USING ERRCODE = 'QT004',
			DETAIL = format('%s %s', was.code, was.subject), HINT = 'SELECT * FROM qts.alerts lists open ones.';
	END IF;
	UPDATE system.alerts AS a SET acknowledged_by = session_user, acknowledged_ts = clock_timestamp()
	WHERE a.alert_id = acknowledge_alert.alert_id;
	PERFORM qts._audit('acknowledge_alert', alert_id::text, NULL, NULL, to_jsonb(was) - 'acknowledged_ts');
END $$;

-- Workers raise alerts through this: one open row per (code, subject), counting.
CREATE OR REPLACE FUNCTION qts._alert(severity text, code text, subject text, message text, hint text DEFAULT NULL)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO system.alerts AS a (severity, code, subject, message, hint)
	VALUES (_alert.severity, _alert.code, coalesce(_alert.subject, ''), _alert.message, _alert.hint)
	ON CONFLICT (code, subject) WHERE acknowledged_ts IS NULL DO UPDATE
	SET count = CASE WHEN a.count < 2147483647 THEN a.count + 1 ELSE a.count END, last_ts = clock_timestamp(),
		message = excluded.message, hint = excluded.hint, severity = excluded.severity;
END;
