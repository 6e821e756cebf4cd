-- ATR and corporate actions.

CREATE OR REPLACE FUNCTION qts._base_price_jumped(last_close bigint, base bigint) RETURNS boolean
	AS 'MODULE_PATHNAME', 'qts_sql_base_price_jumped' LANGUAGE C STRICT IMMUTABLE;

-- The last trading day whose session is over: the bar of a day that goes on is not whole.
CREATE OR REPLACE FUNCTION qts._last_closed_day() RETURNS date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT max(c.date) FROM market.calendar AS c
	WHERE c.is_open AND c.date + c.close_at <= timezone('Asia/Seoul', qts._now()));

CREATE OR REPLACE FUNCTION qts.refresh_indicators(day date DEFAULT qts._last_closed_day()) RETURNS integer
	AS 'MODULE_PATHNAME', 'qts_sql_refresh_indicators' LANGUAGE C STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp;

-- Once a day, when its bars are rolled up, and again while bars of the broker come
-- in behind; after an import of bars a person asks for it.
CREATE OR REPLACE FUNCTION system._upkeep_indicators(OUT more boolean, OUT rows bigint) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	now_ts timestamptz := qts._now();
	day date := (SELECT max(c.date) FROM market.calendar AS c WHERE c.is_open
		AND c.date + c.close_at + interval '70 minutes' <= timezone('Asia/Seoul', now_ts));
	stored timestamptz := (SELECT max(r.stored_ts) FROM market.reference_sync AS r WHERE r.task = 'DAILY_BARS');
	u system.upkeep;
BEGIN
	more := false;
	rows := 0;
	SELECT * INTO u FROM system.upkeep AS t WHERE t.task = 'indicators';
	IF day > coalesce((timezone('Asia/Seoul', u.watermark))::date, '-infinity') THEN
		rows := qts.refresh_indicators(day);
		PERFORM system._upkeep_done('indicators', rows);
		UPDATE system.upkeep AS t SET watermark = timezone('Asia/Seoul', day::timestamp) WHERE t.task = 'indicators';
	ELSIF stored > coalesce(u.last_run, '-infinity') AND (u.last_run IS NULL OR now_ts NOT BETWEEN u.last_run
			AND u.last_run + interval '5 minutes') THEN
		rows := qts.refresh_indicators(qts._last_closed_day());
		PERFORM system._upkeep_done('indicators', coalesce(rows, 0));
	END IF;
END $$;

-- Close of the last bar before a day.
CREATE OR REPLACE FUNCTION qts.previous_close(symbol text, day date DEFAULT (timezone('Asia/Seoul', qts._now()))::date)
RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT b.close FROM market.ohlcv_1d AS b WHERE b.symbol = previous_close.symbol
	AND b.date < previous_close.day ORDER BY b.date DESC LIMIT 1);

-- ATR14 up to the last close by an average price.  Null (no scaling) when there
-- is none of the last two weeks, and across a corporate action nobody confirmed.
-- Not in SQL: asked with every look at a position, it would be planned each time.
CREATE OR REPLACE FUNCTION qts._atr_pct(symbol text, avg_price numeric) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT round(i.atr14 * i.ratio / nullif(_atr_pct.avg_price, 0), 6) FROM (
		SELECT n.atr14, n.date, t.today, coalesce((SELECT a.ratio FROM market.corporate_actions AS a
			WHERE a.symbol = n.symbol AND a.date > n.date AND a.date <= t.today ORDER BY a.date DESC LIMIT 1), 1) AS ratio
		FROM (SELECT (timezone('Asia/Seoul', qts._now()))::date AS today) AS t
		JOIN market.indicators AS n ON n.symbol = _atr_pct.symbol AND n.date <= t.today AND n.date > t.today - 15
		ORDER BY n.date DESC LIMIT 1) AS i
	WHERE NOT EXISTS (SELECT FROM market.corporate_actions AS a WHERE a.symbol = _atr_pct.symbol
		AND a.date > i.date AND a.date <= i.today AND a.ratio IS NULL));
END $$;

-- Something happened to the shares: a row, a hold on the automatic exits, an alert.
CREATE OR REPLACE FUNCTION qts._hold_corporate_action(symbol text, day date, last_close bigint, base bigint)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	held integer;
	told text;
BEGIN
	INSERT INTO market.corporate_actions (symbol, date, prev_close, base_price, detected_ts)
	VALUES (_hold_corporate_action.symbol, day, last_close, base, qts._now())
	ON CONFLICT ON CONSTRAINT corporate_actions_pkey DO NOTHING;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	UPDATE trade.positions AS p SET quarantine_reason = format('corporate action of %s', to_char(day, 'YYYY-MM-DD')),
		updated_ts = qts._now()
	WHERE p.symbol = _hold_corporate_action.symbol AND p.status IN ('OPEN', 'CLOSING') AND p.quarantine_reason IS NULL;
	GET DIAGNOSTICS held = ROW_COUNT;
	told := format('%s: the base price of %s is %s, the close before was %s; automatic exits of %s positions are held',
		_hold_corporate_action.symbol, to_char(day, 'YYYY-MM-DD'), base, last_close, held);
	IF held > 0 THEN
		PERFORM qts._alert('CRITICAL', 'CORPORATE_ACTION', _hold_corporate_action.symbol, told,
			'See the exchange''s notices, then qts.confirm_corporate_action(symbol, date, ratio).');
	ELSE
		PERFORM qts._alert('WARNING', 'CORPORATE_ACTION', _hold_corporate_action.symbol, told,
			'Nobody holds it; confirmed with qts.confirm_corporate_action() its ATR goes on over the day.');
	END IF;
	RETURN true;
END $$;

-- A new base price: is it the close of the trading day before?  Without a bar of
-- that very day nothing can be said, and one of our own ticks may lack the closing
-- auction: a hold on stops needs a better witness.
CREATE OR REPLACE FUNCTION qts._check_base_price(symbol text, base bigint, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	last_close bigint;
BEGIN
	SELECT b.close INTO last_close FROM market.ohlcv_1d AS b WHERE b.symbol = _check_base_price.symbol
		AND b.source <> 'TICKS' AND b.date = (SELECT max(c.date) FROM market.calendar AS c WHERE c.date < day AND c.is_open);
	RETURN last_close IS NOT NULL AND qts._base_price_jumped(last_close, base)
		AND qts._hold_corporate_action(_check_base_price.symbol, day, last_close, base);
END $$;

-- Yesterday's close was stored again in other prices: bars were adjusted, which
-- hides the jump from the check above.
CREATE OR REPLACE FUNCTION qts._check_adjusted(symbol text, day date, was bigint, now bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	today date := (timezone('Asia/Seoul', qts._now()))::date;
BEGIN
	RETURN day = (SELECT max(c.date) FROM market.calendar AS c WHERE c.date < today AND c.is_open)
		AND NOT EXISTS (SELECT FROM market.corporate_actions AS a WHERE a.symbol = _check_adjusted.symbol AND a.date > today - 15)
		AND qts._hold_corporate_action(_check_adjusted.symbol, today, was, now);
END $$;

CREATE OR REPLACE FUNCTION qts._trg_adjusted() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF qts._base_price_jumped(OLD.close, NEW.close) THEN
		PERFORM qts._check_adjusted(NEW.symbol, NEW.date, OLD.close, NEW.close);
	END IF;
	RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION qts._trg_base_price() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_TABLE_NAME = 'stocks' THEN
		PERFORM qts._check_base_price(NEW.symbol, NEW.base_price, NEW.limits_date);
	ELSE
		PERFORM qts._check_base_price(NEW.symbol, NEW.prev_close, (timezone('Asia/Seoul', NEW.best_ts))::date);
	END IF;
	RETURN NULL;
END $$;

-- A person says what happened.  Marks of before do not fit the new price, so the
-- positions begin a new exit cycle, as when shares are added.  They stay held
-- unless release is given: quantity and average price must be the broker's new ones.
CREATE OR REPLACE FUNCTION qts.confirm_corporate_action(symbol text, date date, ratio numeric,
	release boolean DEFAULT false, reason text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was market.corporate_actions;
	changed integer;
BEGIN
	SELECT a.* INTO was FROM market.corporate_actions AS a WHERE a.symbol = confirm_corporate_action.symbol
		AND a.date = confirm_corporate_action.date FOR UPDATE;
	IF was.symbol IS NULL THEN
		RAISE EXCEPTION 'no corporate action of % is known on this day', symbol USING ERRCODE = 'QT011',
			DETAIL = format('The day is %s.', to_char(confirm_corporate_action.date, 'YYYY-MM-DD')),
			HINT = 'SELECT * FROM market.corporate_actions lists them.';
	ELSIF ratio IS NULL OR ratio NOT BETWEEN 0.001 AND 1000 THEN
		RAISE EXCEPTION 'invalid ratio' USING ERRCODE = 'QT011',
			DETAIL = format('It is %s.', coalesce(ratio::text, 'null')),
			HINT = format('Price after / price before; the base price says %s.', round(was.base_price::numeric / was.prev_close, 6));
	END IF;
	UPDATE market.corporate_actions AS a SET ratio = confirm_corporate_action.ratio, confirmed_by = session_user,
		confirmed_ts = qts._now() WHERE a.symbol = was.symbol AND a.date = was.date;
	PERFORM FROM trade.positions AS p WHERE p.symbol = was.symbol AND p.status IN ('OPEN', 'CLOSING') FOR NO KEY UPDATE;
	UPDATE trade.position_state AS s SET exit_cycle = s.exit_cycle + 1, phase = 'OPEN', hwm_price = NULL, hwm_ts = NULL,
		stop_floor_price = NULL, last_avg_price = NULL, base_avg_price = NULL, last_qty = NULL, trail_partial_done = false,
		stop_floor_breach_ticks = 0, stop_floor_breach_ts = NULL, trailing_breach_ticks = 0, trailing_breach_ts = NULL,
		break_even_breach_ticks = 0, break_even_breach_ts = NULL,
		atr_pct = qts._atr_pct(p.symbol, p.avg_price), updated_ts = qts._now()
	FROM trade.positions AS p WHERE p.position_id = s.position_id AND p.symbol = was.symbol
		AND p.status IN ('OPEN', 'CLOSING') AND was.ratio IS NULL;
	GET DIAGNOSTICS changed = ROW_COUNT;
	IF release THEN
		UPDATE trade.positions AS p SET quarantine_reason = NULL, updated_ts = qts._now()
		WHERE p.symbol = was.symbol AND p.status IN ('OPEN', 'CLOSING')
			AND p.quarantine_reason = format('corporate action of %s', to_char(was.date, 'YYYY-MM-DD'));
	END IF;
	PERFORM qts._audit('confirm_corporate_action', format('%s %s', was.symbol, to_char(was.date, 'YYYY-MM-DD')), reason,
		to_jsonb(was), jsonb_build_object('ratio', ratio, 'release', release, 'positions', changed));
	RETURN changed;
END $$;

COMMENT ON FUNCTION qts._base_price_jumped(bigint, bigint) IS 'Is a base price more than 1 % away from the last close?';
COMMENT ON FUNCTION qts._last_closed_day() IS 'The last trading day whose session is over';
COMMENT ON FUNCTION qts.refresh_indicators(date) IS 'Computes ATR14 and closes up to a day from the daily bars, and gives the positions their ATR; returns how many symbols';
COMMENT ON FUNCTION system._upkeep_indicators() IS 'Refreshes the indicators after a trading day, and when bars of the broker came later';
COMMENT ON FUNCTION qts.previous_close(text, date) IS 'Close of the last daily bar before a day, KRW; null when there is none';
COMMENT ON FUNCTION qts._atr_pct(text, numeric) IS 'ATR14 up to the last close / average price; null when it is not known or not to be trusted';
COMMENT ON FUNCTION qts._hold_corporate_action(text, date, bigint, bigint) IS 'Notes a corporate action, holds the automatic exits of the symbol and alerts; true when it is new';
COMMENT ON FUNCTION qts._check_adjusted(text, date, bigint, bigint) IS 'The close of the last trading day was replaced by one that is another price: a corporate action, unless one is known';
COMMENT ON FUNCTION qts._trg_adjusted() IS 'Notices bars that were stored again in adjusted prices';
COMMENT ON FUNCTION qts._check_base_price(text, bigint, date) IS 'Compares a base price with the last close; a jump holds the automatic exits of the symbol and alerts. True when it is new';
COMMENT ON FUNCTION qts._trg_base_price() IS 'Checks a new base price of the master, or one that a tick implies';
COMMENT ON FUNCTION qts.confirm_corporate_action(text, date, numeric, boolean, text) IS 'A person''s word about a split or the like: price after / price before. Exit states start a new cycle; release ends the hold too. Returns how many positions it concerned';
