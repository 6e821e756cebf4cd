-- What the drivers of T3 and T4 need beside the points: forget a finished schedule.

-- Only for a database of tests: it goes around every trigger and key.
CREATE FUNCTION qts_test.forget() RETURNS void
LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['trade.exit_signals', 'trade.exit_events', 'trade.fills', 'trade.notices', 'trade.orders',
		'trade.order_intents', 'trade.position_state', 'trade.positions', 'trade.holdings', 'trade.account_sync',
		'trade.accounts', 'trade.exit_control_history', 'system.alerts', 'system.audit_log', 'market.prices_ticks']
	LOOP
		EXECUTE 'DELETE FROM ' || name;
	END LOOP;
END $$;

-- What is still on its way; the clocks say when the broker was last asked.
CREATE VIEW qts_test.pending AS
SELECT (SELECT count(*) FROM trade.orders WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN') AND NOT quarantined) AS orders,
	(SELECT count(*) FROM trade.order_intents WHERE status IN ('NEW', 'SUBMITTING')
		OR (status = 'UNKNOWN' AND NOT EXISTS (SELECT FROM trade.orders AS o
			WHERE o.intent_id = order_intents.intent_id AND o.quarantined))) AS intents,
	(SELECT count(*) FROM trade.orders WHERE cancel_state IN ('REQUESTED', 'SENT', 'UNKNOWN')
		AND status IN ('SUBMITTED', 'PARTIAL')) AS cancels,
	(SELECT count(*) FROM trade.account_sync WHERE state = 'READY') AS ready,
	(SELECT min(ledger_ok_ts) FROM trade.account_sync) AS ledger_at,
	(SELECT min(balance_ok_ts) FROM trade.account_sync) AS balance_at,
	(SELECT count(*) FROM qts.status() WHERE kind = 'worker' AND state = 'RUNNING') AS workers,
	(SELECT count(*) FROM qts.status() WHERE kind = 'feed' AND state = 'UP') AS feeds;
