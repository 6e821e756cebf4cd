-- Ticks of finished days: half an hour of a symbol and source in a row, the values
-- as arrays of differences that compress well.  One partition for each there was of
-- market.prices_ticks, in its place; qts.ticks() reads both.
CREATE TABLE market.ticks_packed (
	symbol text NOT NULL,
	source text NOT NULL,
	from_ts timestamptz NOT NULL,
	base_price bigint NOT NULL,
	base_seq bigint NOT NULL,
	base_acml bigint NOT NULL,
	-- microseconds after from_ts
	recv integer[] NOT NULL,
	seq bigint[] NOT NULL,
	-- KRW above base_price; bid and ask above last
	last integer[] NOT NULL,
	bid bigint[] NOT NULL,
	ask bigint[] NOT NULL,
	volume bigint[] NOT NULL,
	acml bigint[] NOT NULL,
	-- microseconds of exch_ts before recv_ts
	lag bigint[] NOT NULL
) PARTITION BY RANGE (from_ts);
