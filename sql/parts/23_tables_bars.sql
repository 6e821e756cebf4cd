-- Bars.  KRW and shares; value is what was traded, null when the source does not tell.
-- No foreign key: history holds symbols that were delisted before the master began.
CREATE TABLE market.ohlcv_1d (
	symbol text NOT NULL,
	date date NOT NULL,
	open bigint NOT NULL,
	high bigint NOT NULL,
	low bigint NOT NULL,
	close bigint NOT NULL,
	volume bigint NOT NULL,
	value bigint,
	source text NOT NULL,
	PRIMARY KEY (symbol, date),
	CONSTRAINT ohlcv_1d_source_check CHECK (source IN ('IMPORT', 'KIS', 'TICKS')),
	-- a halted day has a close only
	CONSTRAINT ohlcv_1d_prices_check CHECK (close BETWEEN 1 AND 1000000000 AND high <= 1000000000
		AND volume >= 0 AND ((open = 0 AND high = 0 AND low = 0)
		OR (low > 0 AND low <= least(open, close) AND high >= greatest(open, close))))
);

-- ts is the start of the minute.  One partition per month in Asia/Seoul, whose own
-- the primary key (symbol, ts) is: as with ticks, a key handed down would be made
-- twice by a restore.  So a writer updates, then inserts ON CONFLICT DO NOTHING.
CREATE TABLE market.ohlcv_1m (
	symbol text NOT NULL,
	ts timestamptz NOT NULL,
	open bigint NOT NULL,
	high bigint NOT NULL,
	low bigint NOT NULL,
	close bigint NOT NULL,
	volume bigint NOT NULL,
	value bigint,
	source text NOT NULL,
	CONSTRAINT ohlcv_1m_source_check CHECK (source IN ('IMPORT', 'KIS', 'TICKS')),
	CONSTRAINT ohlcv_1m_prices_check CHECK (low > 0 AND low <= least(open, close) AND high >= greatest(open, close)
		AND high <= 1000000000 AND volume >= 0)
) PARTITION BY RANGE (ts);
