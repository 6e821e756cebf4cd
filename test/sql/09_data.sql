-- How time-series tables are cut and kept.
\set SHOW_CONTEXT never
SELECT table_name, chunk, ahead, retention, compress_after, enabled FROM qts.ts_policy ORDER BY 1;
SELECT qts.set_ts_policy('market.prices_ticks', '1 week', 3, NULL, NULL, 'x');
\echo :SQLSTATE
SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 2, NULL, NULL, 'x');
\echo :SQLSTATE
SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 3, '6 days', NULL, 'x');
\echo :SQLSTATE
SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 3, '10 days', '10 days', 'x');
\echo :SQLSTATE
SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 0, NULL, NULL, 'x');
\echo :SQLSTATE
SELECT qts.set_ts_policy('market.ohlcv_1m', '1 month', 3, NULL, '30 days', 'x');
\echo :SQLSTATE
SELECT qts.set_ts_policy('market.stocks', '1 day', 3, NULL, NULL, 'x');
\echo :SQLSTATE
SELECT qts.set_ts_policy('market.imports', '1 day', 0, NULL, NULL, 'x');
\echo :SQLSTATE
SELECT qts.set_ts_policy('market.prices_ticks', NULL, 7, NULL, NULL, 'x');
\echo :SQLSTATE
SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 3, NULL, NULL, '');
\echo :SQLSTATE

-- Spans in Seoul's days; only what is missing is made, whatever the width was before.
SELECT system._ensure_range('market.prices_ticks', '2020-03-02 00:00:00+09', '2020-03-04 00:00:00+09') AS made;
SELECT system._ensure_range('market.prices_ticks', '2020-03-01 23:59:59+09', '2020-03-02 00:00:01+09') AS made;
SELECT qts.set_ts_policy('market.prices_ticks', '1 month', 3, '60 days', NULL, 'wider');
SELECT system._ensure_range('market.prices_ticks', '2020-03-10', '2020-04-02') AS made;
SELECT system._ensure_range('market.prices_ticks', '2020-03-10', '2020-04-02') AS made;
SET timezone = 'America/New_York';
SET datestyle = 'SQL, DMY';
SELECT name, qts._kst(from_ts)::date AS first, qts._kst(to_ts)::date AS after FROM system._partitions('market.prices_ticks')
WHERE to_ts < '2021-01-01' ORDER BY from_ts;
RESET datestyle;
RESET timezone;
SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 7, '30 days', NULL, 'as before');
SELECT action, object, reason, before ->> 'chunk' AS before, after ->> 'chunk' AS after FROM system.audit_log
WHERE action = 'set_ts_policy' ORDER BY audit_id;
\set VERBOSITY sqlstate
SELECT system._ensure_range('market.stocks', '2020-03-02', '2020-03-04');
SELECT system._ensure_range('market.prices_ticks', '2020-03-02', '2020-03-02');
SELECT system._ensure_range('market.prices_ticks', '2020-03-02', '2040-03-02');
SELECT system._ensure_range('market.prices_ticks', NULL, '2040-03-02');
SELECT system._ensure_range('market.prices_ticks', '2020-03-02', 'infinity');
\set VERBOSITY default

-- Without the extension there is nothing to enable, and old ticks go where they went.
SELECT qts.enable_timescaledb('x');
\echo :SQLSTATE
SELECT qts.disable_timescaledb('x');
SELECT * FROM system._upkeep_history();

-- A table that is not cut: rows older than the policy says go, counted from the newest.
INSERT INTO market.imports (ts, kind, source, lines, inserted, replaced, unchanged, kept, rejected)
SELECT timestamptz '2020-03-01 00:00+09' - n * interval '1 day', 'stocks', 'text', 1, 1, 0, 0, 0, 0 FROM generate_series(0, 2499) n;
INSERT INTO market.indicators (symbol, date, close, atr_bars, updated_ts) VALUES ('000001', '2017-02-28', 1, 0, '2020-03-01'),
	('000001', '2017-03-01', 1, 0, '2020-03-01'), ('000001', '2020-03-01', 1, 0, '2020-03-01');
SELECT * FROM system._upkeep_rows();
SELECT * FROM system._upkeep_rows();
SELECT count(*), max(ts) - min(ts) AS kept FROM market.imports;
SELECT date FROM market.indicators ORDER BY 1;
SELECT qts.set_ts_policy('market.imports', NULL, 0, '10 days', NULL, 'shorter', false);
SELECT * FROM system._upkeep_rows();
SELECT qts.set_ts_policy('market.imports', NULL, 0, '3 years', NULL, 'as before');
DELETE FROM market.imports;
DELETE FROM market.indicators;
DELETE FROM system.upkeep;

-- Half packed when its day expires: that goes too, and nobody's table but that.
SELECT system._pack_table('ticks_packed_20200301');
INSERT INTO system.upkeep (task, at) VALUES ('pack', 'prices_ticks_20200301 000001');
CREATE TABLE market.ticks_packed_20200305 ();

-- Retention: nothing goes before it is rolled up; a table detached by hand is left alone.
SELECT * FROM system._expire_next();
INSERT INTO system.upkeep (task, watermark) VALUES ('ohlcv_1m', '2020-03-03 00:00+09'), ('ohlcv_1d', '2020-03-03 00:00+09');
SELECT * FROM system._expire_next();
SELECT * FROM system._expire_next();
SELECT system._drop_expired('market.prices_ticks_20200301');
\echo :SQLSTATE
SELECT system._drop_expired('market.prices_ticks_20200303');
\echo :SQLSTATE
ALTER TABLE market.prices_ticks DETACH PARTITION market.prices_ticks_20200301;
ALTER TABLE market.prices_ticks DETACH PARTITION market.prices_ticks_20200302;
SELECT * FROM system._expire_next();
SELECT system._drop_expired('market.prices_ticks_20200301');
SELECT * FROM system._expire_next();
SELECT to_regclass('market.prices_ticks_20200302') IS NOT NULL AS kept;
SELECT to_regclass('market.ticks_packed_20200301') IS NULL AS gone, to_regclass('market.ticks_packed_20200305') IS NOT NULL AS kept;
SELECT at IS NULL AS anew FROM system.upkeep WHERE task = 'pack';
DROP TABLE market.ticks_packed_20200305;
DROP TABLE market.prices_ticks_20200302;
DELETE FROM system.upkeep;
SELECT task, rows FROM qts.upkeep;

-- Somebody's table in the way of one does not stop the others.
CREATE TABLE market.ohlcv_1m_202005 ();
SELECT system._ensure_partitions('2020-05-04', 1) AS made;
DROP TABLE market.ohlcv_1m_202005;
SELECT system._ensure_partitions('2020-05-04', 1) AS made;
