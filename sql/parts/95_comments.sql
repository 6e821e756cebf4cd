COMMENT ON TABLE system.engine IS 'One row: is the engine active, on which cluster and timeline. Every worker transaction takes its ACCESS SHARE lock without waiting';
COMMENT ON COLUMN system.engine.emergency_stop IS 'Blocks entries; exits, cancels and fills go on';
COMMENT ON TABLE system.process_locks IS 'One row per worker that has ever attached; not dumped';
COMMENT ON TABLE system.audit_log IS 'Every call of a changing API function: who, why, before and after. Append-only (QT010)';
COMMENT ON TABLE system.alerts IS 'Alerts; one open row per (code, subject) that counts its repeats';
COMMENT ON TABLE market.stocks IS 'Stock master; prices and limits in KRW';
COMMENT ON TABLE market.calendar IS 'Trading days and their hours, Asia/Seoul; a day without a row is closed';
COMMENT ON TABLE market.fee_rates IS 'Commission and taxes in 1/10 000 000 of the amount, valid from a date on';
COMMENT ON TABLE market.prices_ticks IS 'Every accepted price, KRW; append-only (QT010), one partition per day in Asia/Seoul';
COMMENT ON TABLE market.prices_best IS 'Best price per symbol, KRW; written by the prices worker only';
COMMENT ON TABLE market.freshness IS 'Last price per symbol and source, KRW';
COMMENT ON TABLE trade.accounts IS 'Accounts and how to reach their broker; written by API functions only';
COMMENT ON TABLE trade.account_sync IS 'What the execution worker knows about an account; amounts in KRW';
COMMENT ON TABLE trade.exit_profiles IS 'Exit rules as JSON fractions (-0.03 is -3 %); QT011 when a rule makes no sense';
COMMENT ON TABLE trade.symbol_exit_overrides IS 'Exit profile of a symbol from a date on';
COMMENT ON TABLE trade.exit_control IS 'One row: RUNNING, PAUSE_PROFIT or PAUSE_ALL';
COMMENT ON TABLE trade.exit_control_history IS 'Every exit mode there was; append-only (QT010)';
COMMENT ON TABLE trade.positions IS 'Holdings the engine manages; one live row per account and symbol';
COMMENT ON COLUMN trade.positions.qty IS 'Shares held, by the broker''s word; execution only';
COMMENT ON COLUMN trade.positions.avg_price IS 'Average price, KRW; execution only';
COMMENT ON COLUMN trade.positions.version IS 'Grows by one whenever qty or avg_price changes; written by trigger only (QT010)';
COMMENT ON COLUMN trade.positions.original_qty IS 'Shares at the start of the exit cycle; changed by the exit worker only (QT002)';
COMMENT ON TABLE trade.position_state IS 'Exit state machine of a position; prices in KRW; exit worker only';
COMMENT ON TABLE trade.order_intents IS 'What is to be bought or sold and why; writers by type (QT002), quantity locked (QT005), states by law (QT004)';
COMMENT ON COLUMN trade.order_intents.qty IS 'Shares; with all other live exits of the position never more than it holds (QT005)';
COMMENT ON COLUMN trade.order_intents.limit_price IS 'KRW, on the tick grid';
COMMENT ON TABLE trade.orders IS 'Orders at the broker, written ahead of the request; states and quantities only move forward (QT004)';
COMMENT ON TABLE trade.notices IS 'Execution notices as they came; append-only but for order_uid and counted (QT010)';
COMMENT ON TABLE trade.fills IS 'Booked fills, KRW; append-only (QT010)';
COMMENT ON TABLE trade.holdings IS 'Balance as the broker showed it last';
COMMENT ON TABLE trade.exit_events IS 'One row per closed position, KRW; append-only (QT010)';
COMMENT ON TABLE trade.exit_signals IS 'Triggered and sampled exit rules; append-only (QT010), one partition per day in Asia/Seoul';

COMMENT ON FUNCTION qts.activate(text) IS 'Creates roles and grants, loads defaults, binds the engine to this cluster and starts it. Superuser; idempotent; run again after an upgrade, a restore or a promotion. QT011 QT201 QT202';
COMMENT ON FUNCTION qts.deactivate(text) IS 'Stops all trading and parks the workers. QT011. Waits for claims in progress';
COMMENT ON FUNCTION qts.add_account(text, text, text, text, text, text, text) IS 'Adds or brings back an account NNNNNNNN-NN. Addresses only for sim and paper, only loopback. QT006 QT011 QT015';
COMMENT ON FUNCTION qts.remove_account(text) IS 'Takes an account out of use; its history stays. QT004 while positions, intents or orders are live';
COMMENT ON FUNCTION qts.pause_account(text, text) IS 'No order of this account leaves until resume_account(), only cancels that a person asks for. QT011';
COMMENT ON FUNCTION qts.resume_account(text) IS 'Lets a paused account trade again. QT011';
COMMENT ON FUNCTION qts.exit(uuid, bigint, text, numeric, text) IS 'Sells qty shares (all that is available when null) at market or limit, KRW; returns the intent. QT001 QT004 QT005 QT008 QT011 QT012 QT013 QT015. Locks the position row';
COMMENT ON FUNCTION qts.cancel_order(uuid, text) IS 'Asks for the cancellation of a live order. QT004 when it has ended, QT011';
COMMENT ON FUNCTION qts.cancel_intent(uuid, text) IS 'Cancels an intent not sent yet (CANCELLED), or asks to cancel its order (REQUESTED). QT004 QT011';
COMMENT ON FUNCTION qts.set_exit_mode(text, text) IS 'RUNNING, PAUSE_PROFIT or PAUSE_ALL for automatic exits; hard stops always run. QT001 QT011';
COMMENT ON FUNCTION qts.release_position(uuid, text) IS 'Lets automatic exits of a quarantined position go on, once a person has compared it with the broker. QT004 QT011';
COMMENT ON FUNCTION qts.set_position_exit_mode(uuid, text, text) IS 'ENABLED, MANUAL_ONLY or DISABLED exits of a position. QT004 QT011';
COMMENT ON FUNCTION qts.save_exit_profile(text, text, jsonb, text) IS 'Stores an exit profile; fractions, checked on write. QT011';
COMMENT ON FUNCTION qts.set_position_profile(uuid, text) IS 'Exit profile of a position; null = by symbol or default. QT004 QT011';
COMMENT ON FUNCTION qts.set_symbol_profile(text, text, date, text) IS 'Exit profile of a symbol from a date on (today); null ends it. QT011';
COMMENT ON FUNCTION qts.emergency_stop(boolean, text) IS 'true blocks entries, false lets them through. QT001 QT011. Waits for claims in progress';
COMMENT ON FUNCTION qts.resolve_order(uuid, text, text, text) IS 'A person settles an order of unknown outcome: ACCEPTED with its number, or NOT_ACCEPTED. QT004 QT006 QT011';
COMMENT ON FUNCTION qts.acknowledge_alert(bigint) IS 'Closes an alert; the next of its kind opens a new one. QT004 QT011';
COMMENT ON FUNCTION qts.available_qty(uuid) IS 'Shares of a position not held by live exits; null when there is no such position';
COMMENT ON FUNCTION qts.explain_exit(uuid) IS 'Every exit rule of a position now, in evaluation order: threshold (KRW, and % of the average), distance (% of the price), and what blocks it. QT011';
COMMENT ON FUNCTION qts.timeline(uuid) IS 'Everything that happened to a position, oldest first, KST';
COMMENT ON FUNCTION qts.check_invariants() IS 'One row per violated invariant; none = healthy. Reads one snapshot, locks nothing';
COMMENT ON FUNCTION qts.health() IS 'ok, degraded or down, with reasons. QT201 without preload';
COMMENT ON FUNCTION qts.status() IS 'One row per worker, feed and broker session, KST. QT201 without preload';
COMMENT ON FUNCTION qts.help() IS 'One row per function of schema qts';
COMMENT ON FUNCTION qts.load_defaults() IS 'Loads profiles, calendar 2025-2027, fee rates and control rows that are missing; overwrites nothing. Called by activate()';

COMMENT ON FUNCTION qts._identity() IS 'System identifier and WAL timeline of this cluster';
COMMENT ON FUNCTION qts._worker_roles() IS 'Names of the workers'' roles';
COMMENT ON FUNCTION qts._create_roles() IS 'Makes missing roles, without passwords';
COMMENT ON FUNCTION qts._grant_execute(text[], text) IS 'Grants EXECUTE on functions by name. QT901';
COMMENT ON FUNCTION qts._grant_workers() IS 'The ownership matrix of the worker roles';
COMMENT ON FUNCTION qts._grant_people() IS 'What viewers, operators and admins may call';
COMMENT ON FUNCTION qts._check_home() IS 'QT201 without preload, QT202 in another database than qts.database';
COMMENT ON FUNCTION qts._audit(text, text, text, jsonb, jsonb) IS 'Writes an audit row for the session''s user';
COMMENT ON FUNCTION qts._need_reason(text) IS 'QT011 unless there is a reason of 1 to 500 characters';
COMMENT ON FUNCTION qts._one_of(text, text, text[]) IS 'QT011 unless the value is one of those';
COMMENT ON FUNCTION qts._need_active() IS 'QT001 or QT204 unless the engine may trade here; locks the engine row FOR SHARE';
COMMENT ON FUNCTION qts._locked_qty(uuid) IS 'Shares held by live exit intents of a position';
COMMENT ON FUNCTION qts._check_order_price(numeric, text, bigint, bigint) IS 'The limit price in KRW; QT013 off the tick grid or outside the day''s limits';
COMMENT ON FUNCTION qts._mask(text) IS 'Account number for display';
COMMENT ON FUNCTION qts._kst(timestamptz) IS 'Local time in Asia/Seoul, milliseconds';
COMMENT ON FUNCTION system._make_partition(text, text, date) IS 'Makes one partition with its index and guard';
COMMENT ON FUNCTION system._ensure_partitions(date, integer) IS 'Makes missing daily partitions (Asia/Seoul) from a day on; returns how many. QT011';
COMMENT ON FUNCTION qts._drop_partitions(text, date) IS 'Drops partitions of days before a date, at least a week old; returns how many';
COMMENT ON FUNCTION qts._check_url(text, text, text) IS 'QT011 unless it is a loopback address';
COMMENT ON FUNCTION qts._set_account_status(text, text, text, text) IS 'Changes an account''s status, with audit';
COMMENT ON FUNCTION qts._cancel_intent(uuid, text) IS 'CANCELLED, REQUESTED or ENDED; locks intent, then order';
COMMENT ON FUNCTION qts._check_exit(trade.positions, text, numeric) IS 'May this position be sold by hand? Returns the limit price';
COMMENT ON FUNCTION qts._need_profile(text) IS 'QT011 unless the profile is active';
COMMENT ON FUNCTION qts._live_position(uuid) IS 'The position, locked; QT004 when closed';
COMMENT ON FUNCTION qts._alert(text, text, text, text, text) IS 'Opens an alert or counts the open one';
COMMENT ON FUNCTION qts._order_violations() IS 'Invariants of orders, intents, notices and fills';
COMMENT ON FUNCTION qts._position_violations() IS 'Invariants of positions';
COMMENT ON FUNCTION qts._write_violations() IS 'Rows that did not come through their owner';
COMMENT ON FUNCTION qts._health_reasons() IS 'Why health() is not ok: 1 degraded, 2 down';
COMMENT ON FUNCTION qts._load_profiles() IS 'Shipped exit profiles';
COMMENT ON FUNCTION qts._load_rate_limits() IS 'Published rate limits of the broker from 2025 on';
COMMENT ON FUNCTION qts._load_fee_rates() IS 'Commission of the online account and taxes from 2025 on';
COMMENT ON FUNCTION qts._krx_holidays() IS 'Weekdays on which the exchange is closed, 2025-2027';
COMMENT ON FUNCTION qts._load_calendar() IS 'Trading days 2025-2027';
COMMENT ON FUNCTION qts._trg_position_update() IS 'Version, frozen columns and states of positions. QT002 QT004 QT010';
COMMENT ON FUNCTION qts._trg_intent_insert() IS 'Writer by type and locked quantity of intents. QT002 QT005 QT011; locks the position row';
COMMENT ON FUNCTION qts._trg_intent_update() IS 'States, quantities and frozen columns of intents. QT004 QT010';
COMMENT ON FUNCTION qts._trg_order_insert() IS 'An order says what its intent says. QT011';
COMMENT ON FUNCTION qts._trg_order_update() IS 'States, quantities and frozen columns of orders. QT004 QT010';
COMMENT ON FUNCTION qts._trg_append_only() IS 'Rows are added, never changed: QT010. Arguments: columns filled in once';
COMMENT ON FUNCTION qts._trg_profile_check() IS 'Checks an exit profile. QT011';
COMMENT ON FUNCTION qts._trg_wake() IS 'Wakes the readers of a kind of change at commit';

COMMENT ON VIEW qts.positions IS 'Live positions with price and gain (KRW), what is available and the exit state';
COMMENT ON VIEW qts.position_details IS 'Every position with all there is to know, KRW, %, KST';
COMMENT ON VIEW qts.intents IS 'Every intent, KST';
COMMENT ON VIEW qts.intent_details IS 'Every intent with what was decided and why it failed, KRW, KST';
COMMENT ON VIEW qts.open_orders IS 'Orders the broker may still fill; no price = at market';
COMMENT ON VIEW qts.orders_today IS 'Orders of today''s trading date, KST';
COMMENT ON VIEW qts.fills_today IS 'Fills of today, KRW, KST';
COMMENT ON VIEW qts.exits IS 'Closed positions and what they brought, KRW, KST';
COMMENT ON VIEW qts.alerts IS 'Open alerts, KST';
COMMENT ON VIEW qts.metrics IS 'Counters and latencies since the server started';

-- Triggers are described by their functions.
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT g.tgname, g.tgrelid::regclass AS rel, obj_description(g.tgfoid, 'pg_proc') AS text
		FROM pg_trigger AS g JOIN pg_class AS c ON c.oid = g.tgrelid
		WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgname LIKE 'qts\_%'
			AND c.relnamespace IN ('market'::regnamespace, 'trade'::regnamespace, 'system'::regnamespace) LOOP
		EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, t.rel, t.text);
	END LOOP;
END $$;
COMMENT ON FUNCTION qts._halt_account(text, text) IS 'A worker pauses an account: it may stop, not start. Writes an audit row';
COMMENT ON FUNCTION qts._halt_entries(text) IS 'A worker stops entries: it may stop, not start. Writes an audit row';
