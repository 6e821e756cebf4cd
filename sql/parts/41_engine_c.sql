CREATE OR REPLACE FUNCTION qts._now() RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'qts_sql_now' LANGUAGE C VOLATILE PARALLEL SAFE;
CREATE OR REPLACE FUNCTION qts._set_clock(at timestamptz) RETURNS bigint
	AS 'MODULE_PATHNAME', 'qts_sql_set_clock' LANGUAGE C STRICT;
CREATE OR REPLACE FUNCTION qts._advance_clock(by interval) RETURNS bigint
	AS 'MODULE_PATHNAME', 'qts_sql_advance_clock' LANGUAGE C STRICT;
-- The row brings the clock back after a restart; shared memory shows it at once.
CREATE OR REPLACE FUNCTION qts.set_clock(at timestamptz) RETURNS void
	LANGUAGE sql STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO system.engine (sim_offset) VALUES (qts._set_clock(at))
	ON CONFLICT (only_row) DO UPDATE SET sim_offset = excluded.sim_offset;
END;
CREATE OR REPLACE FUNCTION qts.advance_clock(by interval) RETURNS void
	LANGUAGE sql STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO system.engine (sim_offset) VALUES (qts._advance_clock(by))
	ON CONFLICT (only_row) DO UPDATE SET sim_offset = excluded.sim_offset;
END;
CREATE OR REPLACE FUNCTION qts._workers(OUT slot integer, OUT worker text, OUT pid integer, OUT state text,
	OUT since timestamptz, OUT turns bigint, OUT errors bigint, OUT last_error text,
	OUT heartbeat timestamptz, OUT detail text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_workers' LANGUAGE C VOLATILE;
CREATE OR REPLACE FUNCTION qts._feeds(OUT feed text, OUT state text, OUT since timestamptz, OUT epoch bigint,
	OUT frames bigint, OUT ticks bigint, OUT notices bigint, OUT malformed bigint, OUT overflow bigint,
	OUT detail text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_feeds' LANGUAGE C VOLATILE;
CREATE OR REPLACE FUNCTION qts._sessions(OUT session text, OUT state text, OUT since timestamptz, OUT rate integer,
	OUT order_breaker text, OUT account_breaker text, OUT quote_breaker text, OUT detail text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_sessions' LANGUAGE C VOLATILE;
CREATE OR REPLACE FUNCTION qts._metrics(OUT name text, OUT labels text, OUT value double precision,
	OUT help text, OUT type text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_metrics' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION qts._now() IS 'The clock of market logic: the server''s, or the virtual one of qts.sim_clock';
COMMENT ON FUNCTION qts._set_clock(timestamptz) IS 'Moves the clock in shared memory; microseconds it now runs ahead; QT015 unless qts.sim_clock is on';
COMMENT ON FUNCTION qts._advance_clock(interval) IS 'Moves the clock in shared memory; microseconds it now runs ahead; QT015 unless qts.sim_clock is on';
COMMENT ON FUNCTION qts.set_clock(timestamptz) IS 'Moves the engine''s clock; QT015 unless qts.sim_clock is on';
COMMENT ON FUNCTION qts.advance_clock(interval) IS 'Moves the engine''s clock forward by an interval (months count 30 days); QT015 unless qts.sim_clock is on';
COMMENT ON FUNCTION qts._workers() IS 'Worker slots in shared memory; QT201 without preload';
COMMENT ON FUNCTION qts._feeds() IS 'Broker feeds of the prices worker; QT201 without preload';
COMMENT ON FUNCTION qts._sessions() IS 'Broker sessions of the execution worker: requests per second (null = no limit) and circuit breakers; QT201 without preload';
COMMENT ON FUNCTION qts._metrics() IS 'Counters and latency histograms since the server started; QT201 without preload';
