-- One row per import: who brought what, and what became of it.
CREATE TABLE market.imports (
	import_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	ts timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor text NOT NULL DEFAULT session_user,
	kind text NOT NULL,
	source text NOT NULL,
	lines bigint NOT NULL,
	inserted bigint NOT NULL,
	replaced bigint NOT NULL,
	unchanged bigint NOT NULL,
	kept bigint NOT NULL,
	rejected bigint NOT NULL
);

COMMENT ON TABLE market.imports IS 'Imports of reference data and bars, and what became of their lines';
COMMENT ON COLUMN market.imports.source IS 'Path of the file, or text';
COMMENT ON COLUMN market.imports.kept IS 'Rows that stayed because a better source had stored them';

-- Of one symbol after the close of a day.
CREATE TABLE market.indicators (
	symbol text NOT NULL,
	date date NOT NULL,
	close bigint NOT NULL,
	prev_close bigint,
	atr14 numeric(18,4),
	atr_bars integer NOT NULL,
	updated_ts timestamptz NOT NULL,
	PRIMARY KEY (symbol, date),
	CONSTRAINT indicators_atr14_check CHECK (atr14 > 0)
);

-- Days on which the exchange's base price was not the last close.  Held until a
-- person says what happened: ratio = price after / price before.
CREATE TABLE market.corporate_actions (
	symbol text NOT NULL,
	date date NOT NULL,
	prev_close bigint NOT NULL,
	base_price bigint NOT NULL,
	detected_ts timestamptz NOT NULL,
	ratio numeric(18,6),
	confirmed_by text,
	confirmed_ts timestamptz,
	PRIMARY KEY (symbol, date),
	CONSTRAINT corporate_actions_confirmed_check CHECK ((ratio IS NULL) = (confirmed_ts IS NULL) AND ratio > 0)
);

COMMENT ON TABLE market.indicators IS 'Close, previous close and ATR14 (Wilder) of a symbol after a day, from market.ohlcv_1d';
COMMENT ON COLUMN market.indicators.date IS 'Day of the last bar taken in';
COMMENT ON COLUMN market.indicators.atr14 IS 'KRW; null until 15 bars follow each other without a break';
COMMENT ON COLUMN market.indicators.atr_bars IS 'True ranges since the series began or broke, 14 at most';
COMMENT ON TABLE market.corporate_actions IS 'Days whose base price was not the last close: splits, mergers, rights';
COMMENT ON COLUMN market.corporate_actions.ratio IS 'Price after / price before, said by a person; null = not confirmed';

-- What is asked of the broker once a day, one row per task and symbol.  A try is
-- stored before it is made, its outcome with the data: after a crash nothing that
-- is stored is asked for again, and nothing that killed its worker at once.
CREATE TABLE market.reference_sync (
	task text NOT NULL,
	symbol text NOT NULL DEFAULT '',
	done_date date,
	tried_ts timestamptz,
	next_ts timestamptz NOT NULL,
	failures integer NOT NULL DEFAULT 0,
	stored bigint NOT NULL DEFAULT 0,
	rejected bigint NOT NULL DEFAULT 0,
	stored_ts timestamptz,
	last_error text,
	PRIMARY KEY (task, symbol),
	CONSTRAINT reference_sync_task_check CHECK (task IN ('CALENDAR', 'DAILY_BARS', 'BASE_PRICES')),
	CONSTRAINT reference_sync_symbol_check CHECK ((task = 'CALENDAR') = (symbol = '')),
	CONSTRAINT reference_sync_counts_check CHECK (failures >= 0 AND stored >= 0 AND rejected >= 0)
) WITH (fillfactor = 70);

COMMENT ON TABLE market.reference_sync IS 'What the prices worker asks of the broker once a day: trading days, daily bars and base prices, by symbol';
COMMENT ON COLUMN market.reference_sync.done_date IS 'Stored of this day; bars: up to it';
COMMENT ON COLUMN market.reference_sync.next_ts IS 'Not asked for again before, by the engine''s clock';
COMMENT ON COLUMN market.reference_sync.failures IS 'Tries since the last success';
COMMENT ON COLUMN market.reference_sync.rejected IS 'Rows of answers that could not be read or believed, ever';
COMMENT ON COLUMN market.reference_sync.stored_ts IS 'When something new was last stored';
