CREATE SCHEMA market;
CREATE SCHEMA trade;
CREATE SCHEMA system;
CREATE SCHEMA qts;

COMMENT ON SCHEMA market IS 'Prices, master data and the trading calendar (owned by the prices worker)';
COMMENT ON SCHEMA trade IS 'Accounts, positions, intents, orders, fills and exit events';
COMMENT ON SCHEMA system IS 'Engine identity, worker heartbeats, audit log and alerts';
COMMENT ON SCHEMA qts IS 'The public interface: functions and views';
