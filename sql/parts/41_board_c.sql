-- What the prices worker holds in shared memory.  No lock, no table.
CREATE OR REPLACE FUNCTION qts.price(symbol text, OUT last bigint, OUT bid bigint, OUT ask bigint, OUT volume bigint,
	OUT source text, OUT exch_ts timestamptz, OUT recv_ts timestamptz, OUT age_ms bigint, OUT is_stale boolean,
	OUT stale_reason text) RETURNS record
	AS 'MODULE_PATHNAME', 'qts_sql_price' LANGUAGE C STRICT VOLATILE PARALLEL SAFE;
CREATE OR REPLACE FUNCTION qts.book(symbol text, OUT level integer, OUT bid bigint, OUT bid_qty bigint, OUT ask bigint,
	OUT ask_qty bigint, OUT exch_ts timestamptz, OUT recv_ts timestamptz, OUT age_ms bigint, OUT is_stale boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_book' LANGUAGE C STRICT VOLATILE PARALLEL SAFE ROWS 10;
CREATE OR REPLACE FUNCTION qts.cache_stats(OUT cache text, OUT hits bigint, OUT misses bigint, OUT stale bigint,
	OUT hit_pct double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_cache_stats' LANGUAGE C VOLATILE ROWS 2;
CREATE OR REPLACE FUNCTION qts._bench_price(symbol text, reads bigint) RETURNS double precision
	AS 'MODULE_PATHNAME', 'qts_sql_bench_price' LANGUAGE C STRICT VOLATILE;

COMMENT ON FUNCTION qts.price(text) IS 'Best price of a symbol from shared memory, KRW: of the first of KIS_WS, KIS_REST and NAVER that is fresh; a row of nulls when there is none. No lock, no table';
COMMENT ON FUNCTION qts.book(text) IS 'Ten levels of a symbol''s order book from shared memory, best first, KRW and shares; no row when there is none. No lock, no table';
COMMENT ON FUNCTION qts.cache_stats() IS 'Reads of prices and books in shared memory since the server started: found fresh, not found, found stale, and found fresh in %; other sessions add theirs every 1024 reads and when they end';
COMMENT ON FUNCTION qts._bench_price(text, bigint) IS 'Nanoseconds per read of the price board in a C loop of so many reads; for benchmarks';
