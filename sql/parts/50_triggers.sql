-- C triggers: they run as whoever writes and hold for superusers.  An INSERT
-- trigger refuses only what no stored row can be, so that a dump loads.
CREATE OR REPLACE FUNCTION qts._trg_position_update() RETURNS trigger
AS 'MODULE_PATHNAME', 'qts_trg_position_update' LANGUAGE c;
CREATE OR REPLACE FUNCTION qts._trg_intent_insert() RETURNS trigger
AS 'MODULE_PATHNAME', 'qts_trg_intent_insert' LANGUAGE c;
CREATE OR REPLACE FUNCTION qts._trg_intent_update() RETURNS trigger
AS 'MODULE_PATHNAME', 'qts_trg_intent_update' LANGUAGE c;
CREATE OR REPLACE FUNCTION qts._trg_order_insert() RETURNS trigger
AS 'MODULE_PATHNAME', 'qts_trg_order_insert' LANGUAGE c;
CREATE OR REPLACE FUNCTION qts._trg_order_update() RETURNS trigger
AS 'MODULE_PATHNAME', 'qts_trg_order_update' LANGUAGE c;
CREATE OR REPLACE FUNCTION qts._trg_append_only() RETURNS trigger
AS 'MODULE_PATHNAME', 'qts_trg_append_only' LANGUAGE c;
CREATE OR REPLACE FUNCTION qts._trg_profile_check() RETURNS trigger
AS 'MODULE_PATHNAME', 'qts_trg_profile_check' LANGUAGE c;
CREATE OR REPLACE FUNCTION qts._trg_wake() RETURNS trigger
AS 'MODULE_PATHNAME', 'qts_trg_wake' LANGUAGE c;

CREATE OR REPLACE TRIGGER qts_update BEFORE UPDATE ON trade.positions
FOR EACH ROW EXECUTE FUNCTION qts._trg_position_update();
CREATE OR REPLACE TRIGGER qts_insert BEFORE INSERT ON trade.order_intents
FOR EACH ROW EXECUTE FUNCTION qts._trg_intent_insert();
CREATE OR REPLACE TRIGGER qts_update BEFORE UPDATE ON trade.order_intents
FOR EACH ROW EXECUTE FUNCTION qts._trg_intent_update();
CREATE OR REPLACE TRIGGER qts_insert BEFORE INSERT ON trade.orders
FOR EACH ROW WHEN (new.intent_id IS NOT NULL) EXECUTE FUNCTION qts._trg_order_insert();
CREATE OR REPLACE TRIGGER qts_update BEFORE UPDATE ON trade.orders
FOR EACH ROW EXECUTE FUNCTION qts._trg_order_update();
CREATE OR REPLACE TRIGGER qts_profile BEFORE INSERT OR UPDATE OF config ON trade.exit_profiles
FOR EACH ROW EXECUTE FUNCTION qts._trg_profile_check();

-- When automatic exits were held, whoever held or released them: replays follow it.
CREATE OR REPLACE TRIGGER qts_quarantine AFTER UPDATE OF quarantine_reason ON trade.positions
FOR EACH ROW WHEN (old.quarantine_reason IS DISTINCT FROM new.quarantine_reason) EXECUTE FUNCTION qts._note_quarantine();

-- Append-only tables.  The arguments name columns that may be filled in once
-- (from null or false).  Retention drops partitions.
CREATE OR REPLACE TRIGGER qts_append BEFORE UPDATE OR DELETE ON market.prices_ticks
FOR EACH ROW EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_truncate BEFORE TRUNCATE ON market.prices_ticks
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_append BEFORE UPDATE OR DELETE ON market.ticks_packed
FOR EACH ROW EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_truncate BEFORE TRUNCATE ON market.ticks_packed
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_append BEFORE UPDATE OR DELETE ON trade.exit_signals
FOR EACH ROW EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_truncate BEFORE TRUNCATE ON trade.exit_signals
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_append BEFORE UPDATE OR DELETE ON trade.fills
FOR EACH ROW EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_truncate BEFORE TRUNCATE ON trade.fills
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_append BEFORE UPDATE OR DELETE ON trade.exit_events
FOR EACH ROW EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_truncate BEFORE TRUNCATE ON trade.exit_events
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_append BEFORE UPDATE OR DELETE ON trade.exit_control_history
FOR EACH ROW EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_truncate BEFORE TRUNCATE ON trade.exit_control_history
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_append BEFORE UPDATE OR DELETE ON trade.notices
FOR EACH ROW EXECUTE FUNCTION qts._trg_append_only('order_uid', 'counted');
CREATE OR REPLACE TRIGGER qts_truncate BEFORE TRUNCATE ON trade.notices
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_append BEFORE UPDATE OR DELETE ON system.audit_log
FOR EACH ROW EXECUTE FUNCTION qts._trg_append_only();
CREATE OR REPLACE TRIGGER qts_truncate BEFORE TRUNCATE ON system.audit_log
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_append_only();

-- Wake-ups at commit.  A worker's own bookkeeping does not wake it again.
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OF status, cancel_requested ON trade.order_intents
FOR EACH STATEMENT WHEN (current_user <> 'qts_execution') EXECUTE FUNCTION qts._trg_wake('INTENT');
CREATE OR REPLACE TRIGGER qts_wake_outcome AFTER UPDATE OF status ON trade.order_intents
FOR EACH ROW WHEN (new.status <> old.status AND new.status IN ('FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED',
	'FAILED', 'EXPIRED', 'DUPLICATE')) EXECUTE FUNCTION qts._trg_wake('OUTCOME');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE ON trade.positions
FOR EACH STATEMENT WHEN (current_user <> 'qts_exit') EXECUTE FUNCTION qts._trg_wake('POSITION');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE ON trade.position_state
FOR EACH STATEMENT WHEN (current_user <> 'qts_exit') EXECUTE FUNCTION qts._trg_wake('POSITION');
CREATE OR REPLACE TRIGGER qts_wake AFTER UPDATE OF cancel_state, quarantined ON trade.orders
FOR EACH STATEMENT WHEN (current_user <> 'qts_execution') EXECUTE FUNCTION qts._trg_wake('ORDER');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON trade.exit_profiles
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('CONFIG');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON trade.symbol_exit_overrides
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('CONFIG');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON trade.exit_control
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('CONFIG');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON trade.exit_windows
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('CONFIG');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON market.calendar
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('CONFIG');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON market.sessions
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('CONFIG');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON market.fee_rates
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('CONFIG');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON market.stocks
FOR EACH STATEMENT WHEN (current_user <> 'qts_price') EXECUTE FUNCTION qts._trg_wake('CONFIG');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT ON market.sync_jobs
FOR EACH STATEMENT WHEN (current_user <> 'qts_price') EXECUTE FUNCTION qts._trg_wake('QUOTE');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON market.watchlist
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('QUOTE');
-- Not at insert: a new stock is held by nobody, and a restore loads old base prices.
CREATE OR REPLACE TRIGGER qts_base_price AFTER UPDATE OF base_price, limits_date ON market.stocks
FOR EACH ROW WHEN (NEW.base_price IS NOT NULL AND NEW.limits_date IS NOT NULL
	AND (OLD.base_price, OLD.limits_date) IS DISTINCT FROM (NEW.base_price, NEW.limits_date))
EXECUTE FUNCTION qts._trg_base_price();
-- The first tick of a day implies it, too, and is stored before anybody sees its price.
CREATE OR REPLACE TRIGGER qts_base_price AFTER UPDATE OF prev_close ON market.prices_best
FOR EACH ROW WHEN (NEW.prev_close <> coalesce(OLD.prev_close, 0) AND NEW.best_source <> 'NAVER')
EXECUTE FUNCTION qts._trg_base_price();
CREATE OR REPLACE TRIGGER qts_adjusted AFTER UPDATE OF close ON market.ohlcv_1d
FOR EACH ROW WHEN (OLD.close <> NEW.close AND OLD.source <> 'TICKS' AND NEW.source <> 'TICKS') EXECUTE FUNCTION qts._trg_adjusted();
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON trade.accounts
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('ACCOUNT');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON trade.rate_limits
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('ACCOUNT');
CREATE OR REPLACE TRIGGER qts_wake AFTER INSERT OR UPDATE OR DELETE ON system.engine
FOR EACH STATEMENT EXECUTE FUNCTION qts._trg_wake('ACCOUNT');
