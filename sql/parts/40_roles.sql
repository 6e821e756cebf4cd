-- Identity of the running cluster: changes with a clone (identifier, unless it
-- is a file copy) and with a promotion (timeline).
CREATE OR REPLACE FUNCTION qts._identity(OUT system_identifier bigint, OUT timeline integer) RETURNS record
AS 'MODULE_PATHNAME', 'qts_sql_identity' LANGUAGE c STABLE;

CREATE OR REPLACE FUNCTION qts._worker_roles() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY['qts_price', 'qts_exit', 'qts_execution', 'qts_reentry', 'qts_router', 'qts_strategy',
	'qts_risk', 'qts_monitor', 'qts_gateway'];

-- Roles are cluster-wide and not dumped, so they are made here and not at install.
CREATE OR REPLACE FUNCTION qts._create_roles() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY qts._worker_roles() LOOP
		IF to_regrole(name) IS NULL THEN
			EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOINHERIT NOCREATEDB NOCREATEROLE NOREPLICATION'
				' NOBYPASSRLS CONNECTION LIMIT 2', name);
		END IF;
		EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
	END LOOP;
	FOREACH name IN ARRAY ARRAY['qts_viewer', 'qts_operator', 'qts_admin'] LOOP
		IF to_regrole(name) IS NULL THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER INHERIT', name);
		END IF;
	END LOOP;
	GRANT qts_viewer TO qts_operator;
	GRANT qts_operator TO qts_admin;
END $$;

-- EXECUTE on every function of these names (schema qts unless given); one that
-- does not exist is an error.
CREATE OR REPLACE FUNCTION qts._grant_execute(names text[], role text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text;
	signature text;
	found_one boolean;
BEGIN
	FOREACH name IN ARRAY names LOOP
		found_one := false;
		FOR signature IN SELECT p.oid::regprocedure::text FROM pg_proc AS p
			JOIN pg_namespace AS n ON n.oid = p.pronamespace
			WHERE n.nspname || '.' || p.proname = CASE WHEN name LIKE '%.%' THEN name ELSE 'qts.' || name END LOOP
			EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', signature, role);
			found_one := true;
		END LOOP;
		IF NOT found_one THEN
			RAISE EXCEPTION 'function % of the grant matrix does not exist', name USING ERRCODE = 'QT901';
		END IF;
	END LOOP;
END $$;

-- The ownership matrix as grants.  Taken away first, so that a run after an
-- upgrade ends in exactly this state.
CREATE OR REPLACE FUNCTION qts._grant_workers() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text;
BEGIN
	-- who makes or detaches a partition changes rows of pg_class that GRANT changes, too
	FOR name IN SELECT t.table_name FROM system.ts_policy AS t WHERE t.chunk IS NOT NULL ORDER BY t.table_name LOOP
		EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', name);
	END LOOP;
	FOREACH name IN ARRAY qts._worker_roles() LOOP
		EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA market, trade, system, qts FROM %I', name);
		EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA system, qts FROM %I', name);
		EXECUTE format('GRANT USAGE ON SCHEMA market, trade, system, qts TO %I', name);
		EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA market, trade TO %I', name);
		EXECUTE format('GRANT SELECT ON system.engine, system.process_locks, system.alerts TO %I', name);
		EXECUTE format('GRANT INSERT, UPDATE ON system.process_locks, system.alerts TO %I', name);
		PERFORM qts._grant_execute(ARRAY['_now', '_alert', 'available_qty', 'system._ensure_partitions'], name);
	END LOOP;

	GRANT INSERT, UPDATE ON market.stocks, market.calendar, market.prices_best, market.freshness TO qts_price;
	GRANT DELETE ON market.prices_best, market.freshness TO qts_price;
	GRANT INSERT ON market.prices_ticks TO qts_price;
	GRANT INSERT, UPDATE, DELETE ON market.sync_jobs TO qts_price;
	GRANT INSERT, DELETE ON market.discrepancies TO qts_price;
	GRANT INSERT, UPDATE ON market.reference_sync, market.ohlcv_1d TO qts_price;
	PERFORM qts._grant_execute(ARRAY['_sync_enqueue', '_sync_claim', '_sync_done', '_sync_failed', '_sync_reap'], 'qts_price');

	GRANT UPDATE (status, exit_mode, exit_profile_id, original_qty, updated_ts) ON trade.positions TO qts_exit;
	GRANT INSERT, UPDATE ON trade.position_state TO qts_exit;
	GRANT INSERT, UPDATE (effect_applied, cancel_requested, updated_ts) ON trade.order_intents TO qts_exit;
	GRANT INSERT ON trade.exit_signals TO qts_exit;

	GRANT INSERT, UPDATE (qty, avg_price, adjusted_qty, quarantine_reason, updated_ts) ON trade.positions TO qts_execution;
	GRANT UPDATE (status, filled_qty, avg_fill_price, error_code, error_message, updated_ts)
		ON trade.order_intents TO qts_execution;
	GRANT INSERT, UPDATE ON trade.orders, trade.holdings, trade.account_sync TO qts_execution;
	GRANT DELETE ON trade.holdings TO qts_execution;
	GRANT INSERT, UPDATE (order_uid, counted) ON trade.notices TO qts_execution;
	GRANT INSERT ON trade.fills, trade.exit_events TO qts_execution;
	-- The broker may hold a symbol the master does not know yet.
	GRANT INSERT ON market.stocks TO qts_execution;

	-- A row lock needs UPDATE on some column.  These columns carry no decision
	-- (only_row is true by constraint), so the halt rows can be locked, not changed.
	GRANT UPDATE (only_row) ON system.engine, trade.exit_control TO qts_exit, qts_execution;
	GRANT UPDATE (updated_ts) ON trade.accounts TO qts_execution;

	GRANT INSERT ON trade.order_intents TO qts_reentry, qts_router, qts_strategy;
	PERFORM qts._grant_execute(ARRAY['_halt_account', '_halt_entries', '_doubt_day', '_audit_quarantine'], 'qts_execution');
	PERFORM qts._grant_execute(ARRAY['_halt_entries', 'system._upkeep_partitions', 'system._upkeep_minutes',
		'system._upkeep_days', 'system._upkeep_pack', 'system._upkeep_history', 'system._upkeep_rows', 'system._upkeep_indicators',
		'system._upkeep_signals',
		'system._expire_next', 'system._drop_expired', 'system._upkeep_failed',
		'refresh_indicators', '_last_closed_day', '_check_adjusted', '_base_price_jumped'], 'qts_monitor');
	PERFORM qts._grant_execute(ARRAY['_atr_pct', 'ticks', 'previous_close', '_escalate', '_hold_back'], 'qts_exit');
	PERFORM qts._grant_execute(ARRAY['_day_hours', 'system._ensure_range', '_check_base_price', '_check_adjusted',
		'_base_price_jumped'], 'qts_price');
END $$;

CREATE OR REPLACE FUNCTION qts._grant_people() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	REVOKE ALL ON ALL TABLES IN SCHEMA market, trade, system, qts FROM qts_viewer, qts_operator, qts_admin;
	REVOKE ALL ON ALL FUNCTIONS IN SCHEMA qts FROM qts_viewer, qts_operator, qts_admin;
	GRANT USAGE ON SCHEMA qts TO qts_viewer;
	GRANT SELECT ON ALL TABLES IN SCHEMA qts TO qts_viewer, qts_gateway;
	PERFORM qts._grant_execute(ARRAY['status', 'health', 'price', 'book', 'ticks', 'cache_stats', 'help', 'available_qty', 'explain_exit', 'timeline', 'sessions',
		'backtest', 'backtest_events', 'backtest_days', 'backtest_path', 'backtest_equity', 'backtest_summary', 'performance',
		'trade_stats', 'replay', 'replay_path', 'replay_svg', 'backtest_svg', '_backtest_progress',
		'exit_sales', 'rule_results', 'profile_results', 'missed_triggers', 'stop_outcomes', 'false_triggers', 'rule_distances',
		'previous_close', 'check_invariants', '_now', '_metrics', '_price_metrics', '_reference_metrics', '_locked_qty', '_kst', '_mask', '_history_bytes'], role)
		FROM unnest(ARRAY['qts_viewer', 'qts_gateway']) AS role;
	PERFORM qts._grant_execute(ARRAY['exit', 'cancel_order', 'cancel_intent', 'set_exit_mode', 'emergency_flatten',
		'set_position_exit_mode', 'release_position', 'emergency_stop', 'resolve_order', 'acknowledge_alert', 'pause_account',
		'resume_account', 'refresh_price', 'watch', 'unwatch'], 'qts_operator');
	PERFORM qts._grant_execute(ARRAY['add_account', 'remove_account', 'set_account_rate', 'set_rate_limit', 'save_exit_profile', 'set_exit_window', 'set_position_profile',
		'set_symbol_profile', 'set_ts_policy', 'enable_timescaledb', 'disable_timescaledb', 'deactivate', 'set_session', 'set_trading_day', 'merge_calendar',
		'import_calendar', 'import_stocks', 'import_daily_bars', 'import_minute_bars', 'import_file',
		'refresh_indicators', '_last_closed_day', 'confirm_corporate_action'], 'qts_admin');
	GRANT USAGE ON SCHEMA market, trade, system TO qts_admin;
	GRANT SELECT ON ALL TABLES IN SCHEMA market, trade, system TO qts_admin;
END $$;

CREATE OR REPLACE FUNCTION qts._check_home() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	home text := current_setting('qts.database', true);
BEGIN
	IF NOT EXISTS (SELECT FROM regexp_split_to_table(current_setting('shared_preload_libraries'), ',') AS lib
		WHERE regexp_replace(btrim(lib, ' "'), '^.*/', '') IN ('qts', 'qts.so')) THEN
		RAISE EXCEPTION 'qts is not in shared_preload_libraries' USING ERRCODE = 'QT201',
			DETAIL = format('shared_preload_libraries is "%s".', current_setting('shared_preload_libraries')),
			HINT = 'Add qts to shared_preload_libraries in postgresql.conf and restart the server.';
	END IF;
	IF coalesce(home, '') = '' THEN
		RAISE WARNING 'no worker will run: qts.database is not set'
			USING HINT = format('Set qts.database = ''%s'' in postgresql.conf and restart the server.', current_database());
	ELSIF home <> current_database() THEN
		RAISE EXCEPTION 'the engine of this server lives in another database' USING ERRCODE = 'QT202',
			DETAIL = format('qts.database is "%s", this is "%s".', home, current_database()),
			HINT = 'Activate it there, or change qts.database and restart the server.';
	END IF;
END $$;

CREATE OR REPLACE FUNCTION qts.activate(failover text DEFAULT 'manual') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was jsonb;
	identity record;
	moved boolean;
BEGIN
	IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
		RAISE EXCEPTION 'only a superuser may activate the engine' USING ERRCODE = 'insufficient_privilege',
			HINT = 'It creates roles and grants.';
	END IF;
	IF activate.failover IS NULL OR activate.failover NOT IN ('manual', 'auto') THEN
		RAISE EXCEPTION 'invalid failover "%"', activate.failover USING ERRCODE = 'QT011',
			DETAIL = 'failover is what happens after a promotion.',
			HINT = '"manual" waits for activate(); "auto" continues after reconciling with the broker.';
	END IF;
	PERFORM qts._check_home();
	LOCK TABLE system.engine IN SHARE ROW EXCLUSIVE MODE;
	PERFORM qts._create_roles();
	PERFORM qts._grant_workers();
	PERFORM qts._grant_people();
	PERFORM qts.load_defaults();
	SELECT to_jsonb(e) INTO was FROM system.engine AS e;
	SELECT * INTO identity FROM qts._identity();
	UPDATE system.engine SET bound_ts = qts._now(), inherited = system_identifier IS NOT NULL
		AND (system_identifier, timeline) <> (identity.system_identifier, identity.timeline)
	WHERE NOT active OR (system_identifier, timeline) <> (identity.system_identifier, identity.timeline)
	RETURNING inherited INTO moved;
	-- An order that waits to be sent again may have been sent by the other server: that makes it unknown.
	UPDATE trade.orders SET retry_ts = NULL WHERE moved AND status = 'PENDING_SUBMIT' AND retry_ts IS NOT NULL;
	UPDATE system.engine SET active = true, system_identifier = identity.system_identifier,
		timeline = identity.timeline, failover = activate.failover, reason = NULL,
		updated_by = session_user, updated_ts = clock_timestamp();
	PERFORM qts._audit('activate', current_database()::text, NULL, was,
		(SELECT to_jsonb(e) FROM system.engine AS e));
END $$;

CREATE OR REPLACE FUNCTION qts.deactivate(reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was jsonb;
BEGIN
	PERFORM qts._need_reason(deactivate.reason);
	SELECT to_jsonb(e) INTO was FROM system.engine AS e FOR UPDATE;
	UPDATE system.engine SET active = false, reason = deactivate.reason,
		updated_by = session_user, updated_ts = clock_timestamp();
	PERFORM qts._audit('deactivate', current_database()::text, deactivate.reason, was,
		(SELECT to_jsonb(e) FROM system.engine AS e));
END $$;
