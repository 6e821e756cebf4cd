CREATE TABLE market.stocks (
	symbol text PRIMARY KEY,
	name text NOT NULL,
	market text NOT NULL,
	instrument text NOT NULL DEFAULT 'STOCK',
	status text NOT NULL DEFAULT 'ACTIVE',
	is_tradable boolean NOT NULL DEFAULT true,
	trade_halt_reason text,
	is_managed boolean NOT NULL DEFAULT false,
	is_warning boolean NOT NULL DEFAULT false,
	-- base price of limits_date and the limits that follow from it, KRW
	base_price bigint,
	lower_limit bigint,
	upper_limit bigint,
	limits_date date,
	listing_date date,
	delisting_date date,
	sector text,
	industry text,
	market_cap bigint,
	created_ts timestamptz NOT NULL DEFAULT now(),
	updated_ts timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT stocks_symbol_check CHECK (symbol ~ '^(Q?[0-9A-Z]{6})$'),
	CONSTRAINT stocks_market_check CHECK (market IN ('KOSPI', 'KOSDAQ', 'KONEX')),
	CONSTRAINT stocks_instrument_check CHECK (instrument IN ('STOCK', 'ETP')),
	CONSTRAINT stocks_status_check CHECK (status IN ('ACTIVE', 'SUSPENDED', 'DELISTED')),
	CONSTRAINT stocks_limits_check CHECK (lower_limit > 0 AND lower_limit <= base_price AND base_price <= upper_limit)
);
CREATE INDEX stocks_market_idx ON market.stocks (market);
CREATE INDEX stocks_tradable_idx ON market.stocks (symbol) WHERE is_tradable;

-- A day without a row is closed: unknown means do not trade.
CREATE TABLE market.calendar (
	date date PRIMARY KEY,
	is_open boolean NOT NULL,
	auction_at time NOT NULL DEFAULT '08:30',
	open_at time NOT NULL DEFAULT '09:00',
	closing_auction_at time NOT NULL DEFAULT '15:20',
	close_at time NOT NULL DEFAULT '15:30',
	end_at time NOT NULL DEFAULT '16:00',
	note text,
	-- who said so last; confirmed: the broker's own calendar agrees
	source text NOT NULL DEFAULT 'LOCAL',
	confirmed boolean NOT NULL DEFAULT false,
	-- why the day may not be what the row says; nothing new is bought while it stands
	doubt text,
	CONSTRAINT calendar_times_check CHECK (auction_at <= open_at AND open_at < closing_auction_at
		AND closing_auction_at <= close_at AND close_at <= end_at),
	CONSTRAINT calendar_source_check CHECK (source IN ('PRESET', 'IMPORT', 'LOCAL', 'KIS'))
);

-- The timetable of a normal day, each row valid from its date until the next of
-- the same venue and phase; without times the phase is abolished.  On a day that
-- opens late or closes late, times move with the opening or with the close.
-- The engine trades KRX OPENING_AUCTION to CLOSING_AUCTION; the rest is seen only.
CREATE TABLE market.sessions (
	venue text NOT NULL,
	phase text NOT NULL,
	from_date date NOT NULL,
	start_at time,
	end_at time,
	start_moves text,
	end_moves text,
	note text,
	PRIMARY KEY (venue, phase, from_date),
	CONSTRAINT sessions_venue_check CHECK (venue IN ('KRX', 'NXT')),
	CONSTRAINT sessions_phase_check CHECK (phase IN ('PRE_MARKET', 'OPENING_AUCTION', 'CONTINUOUS',
		'CLOSING_AUCTION', 'AFTER_CLOSE', 'AFTER_MARKET', 'OFF_HOURS_BEFORE', 'OFF_HOURS_CLOSE', 'OFF_HOURS_SINGLE')),
	CONSTRAINT sessions_times_check CHECK ((start_at IS NULL) = (end_at IS NULL) AND start_at < end_at),
	CONSTRAINT sessions_moves_check CHECK (start_moves IN ('OPEN', 'CLOSE') AND end_moves IN ('OPEN', 'CLOSE'))
);

-- Rates in 1/10 000 000 of the amount, valid from a date on.
CREATE TABLE market.fee_rates (
	market text NOT NULL,
	instrument text NOT NULL DEFAULT 'STOCK',
	from_date date NOT NULL,
	commission integer NOT NULL,
	securities_tax integer NOT NULL,
	rural_tax integer NOT NULL,
	PRIMARY KEY (market, instrument, from_date),
	CONSTRAINT fee_rates_range_check CHECK (commission BETWEEN 0 AND 100000
		AND securities_tax BETWEEN 0 AND 100000 AND rural_tax BETWEEN 0 AND 100000)
);

-- Append-only; one partition per trading date in Asia/Seoul.  No foreign key:
-- the writer only takes symbols of the board, and a check per tick costs more.
-- No key either: nothing refers to a tick, repeated ones never get here, and a
-- unique index costs more than all the rest of the row.  Readers ask for a symbol
-- and a time; that index is each partition's own.
CREATE TABLE market.prices_ticks (
	recv_ts timestamptz NOT NULL,
	seq bigint NOT NULL,
	symbol text NOT NULL,
	source text NOT NULL,
	last_price bigint NOT NULL,
	bid_price bigint,
	ask_price bigint,
	volume bigint,
	acml_volume bigint,
	exch_ts timestamptz,
	CONSTRAINT prices_ticks_source_check CHECK (source IN ('KIS_WS', 'KIS_REST', 'NAVER')),
	CONSTRAINT prices_ticks_price_check CHECK (last_price > 0)
) PARTITION BY RANGE (recv_ts);

CREATE TABLE market.prices_best (
	symbol text PRIMARY KEY REFERENCES market.stocks (symbol) ON DELETE CASCADE,
	best_price bigint NOT NULL,
	best_source text NOT NULL,
	best_ts timestamptz NOT NULL,
	exch_ts timestamptz,
	bid_price bigint,
	ask_price bigint,
	change_price bigint,
	prev_close bigint,
	acml_volume bigint,
	acml_value bigint,
	is_stale boolean NOT NULL DEFAULT false,
	stale_reason text,
	updated_ts timestamptz NOT NULL,
	CONSTRAINT prices_best_price_check CHECK (best_price > 0),
	CONSTRAINT prices_best_source_check CHECK (best_source IN ('KIS_WS', 'KIS_REST', 'NAVER')),
	CONSTRAINT prices_best_stale_check CHECK (is_stale = (stale_reason IS NOT NULL))
) WITH (fillfactor = 50);

CREATE TABLE market.freshness (
	symbol text NOT NULL REFERENCES market.stocks (symbol) ON DELETE CASCADE,
	source text NOT NULL,
	last_ts timestamptz NOT NULL,
	last_price bigint NOT NULL,
	bid_price bigint,
	ask_price bigint,
	acml_volume bigint,
	exch_ts timestamptz,
	PRIMARY KEY (symbol, source),
	CONSTRAINT freshness_source_check CHECK (source IN ('KIS_WS', 'KIS_REST', 'NAVER'))
) WITH (fillfactor = 50);
