-- Trading days and sessions: what is normal, what a day is, who may say so.

-- The five times of a day that opens and closes at these (null = as normal).
-- Auctions keep their length, so a late opening moves its auction.
CREATE OR REPLACE FUNCTION qts._day_hours(day date, opens time, closes time, OUT auction_at time, OUT open_at time,
	OUT closing_auction_at time, OUT close_at time, OUT end_at time) RETURNS record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH valid AS (
		SELECT DISTINCT ON (s.phase) s.phase, s.start_at, s.end_at FROM market.sessions AS s
		WHERE s.venue = 'KRX' AND s.from_date <= _day_hours.day ORDER BY s.phase, s.from_date DESC),
	normal AS (
		SELECT coalesce(min(v.start_at) FILTER (WHERE v.phase = 'OPENING_AUCTION'), '08:30') AS auction_at,
			coalesce(min(v.start_at) FILTER (WHERE v.phase = 'CONTINUOUS'), '09:00') AS open_at,
			coalesce(min(v.start_at) FILTER (WHERE v.phase = 'CLOSING_AUCTION'), '15:20') AS closing_auction_at,
			coalesce(min(v.end_at) FILTER (WHERE v.phase = 'CLOSING_AUCTION'), '15:30') AS close_at,
			coalesce(min(v.end_at) FILTER (WHERE v.phase = 'AFTER_CLOSE'), '16:00') AS end_at
		FROM valid AS v)
	SELECT n.auction_at + (coalesce(opens, n.open_at) - n.open_at), coalesce(opens, n.open_at),
		n.closing_auction_at + (coalesce(closes, n.close_at) - n.close_at), coalesce(closes, n.close_at),
		n.end_at + (coalesce(closes, n.close_at) - n.close_at)
	FROM normal AS n;
END;

-- Every window of a day, as it moves with the day's hours.
CREATE OR REPLACE FUNCTION qts.sessions(day date DEFAULT (timezone('Asia/Seoul', qts._now()))::date, OUT venue text,
	OUT phase text, OUT start_at time, OUT end_at time, OUT traded boolean, OUT note text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH valid AS (
		SELECT DISTINCT ON (s.venue, s.phase) s.* FROM market.sessions AS s
		WHERE s.from_date <= sessions.day ORDER BY s.venue, s.phase, s.from_date DESC),
	moved AS (
		SELECT v.venue, v.phase, v.note,
			v.start_at + CASE v.start_moves WHEN 'OPEN' THEN c.open_at - n.open_at
				WHEN 'CLOSE' THEN c.close_at - n.close_at ELSE '0'::interval END AS start_at,
			v.end_at + CASE v.end_moves WHEN 'OPEN' THEN c.open_at - n.open_at
				WHEN 'CLOSE' THEN c.close_at - n.close_at ELSE '0'::interval END AS end_at
		FROM market.calendar AS c CROSS JOIN valid AS v CROSS JOIN LATERAL qts._day_hours(c.date, NULL, NULL) AS n
		WHERE c.date = sessions.day AND c.is_open AND v.start_at IS NOT NULL
			AND (v.phase <> 'PRE_MARKET' OR c.open_at <= n.open_at))
	SELECT m.venue, m.phase, m.start_at, m.end_at, m.venue = 'KRX' AND m.phase IN ('CONTINUOUS', 'CLOSING_AUCTION'), m.note
	FROM moved AS m WHERE m.start_at < m.end_at ORDER BY m.start_at, m.end_at, m.venue, m.phase;
END;

-- A change of normal hours also reaches the days that were entered with the old ones.
CREATE OR REPLACE FUNCTION qts.set_session(venue text, phase text, from_date date, start_at time, end_at time,
	note text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was jsonb;
	days date[];
	changed integer;
BEGIN
	PERFORM qts._one_of('venue', venue, ARRAY['KRX', 'NXT']);
	PERFORM qts._one_of('phase', phase, ARRAY['PRE_MARKET', 'OPENING_AUCTION', 'CONTINUOUS', 'CLOSING_AUCTION',
		'AFTER_CLOSE', 'AFTER_MARKET', 'OFF_HOURS_BEFORE', 'OFF_HOURS_CLOSE', 'OFF_HOURS_SINGLE']);
	IF from_date IS NULL OR (start_at IS NULL) <> (end_at IS NULL) OR start_at >= end_at THEN
		RAISE EXCEPTION 'invalid session times' USING ERRCODE = 'QT011',
			DETAIL = format('It is %s to %s from %s on.', coalesce(start_at::text, 'null'),
				coalesce(end_at::text, 'null'), coalesce(to_char(from_date, 'YYYY-MM-DD'), 'null')),
			HINT = 'Give a date, a start and a later end; two nulls abolish the phase.';
	END IF;
	LOCK TABLE market.calendar IN SHARE ROW EXCLUSIVE MODE;
	SELECT jsonb_agg(to_jsonb(s)) INTO was FROM market.sessions AS s
	WHERE s.venue = set_session.venue AND s.phase = set_session.phase AND s.from_date = set_session.from_date;
	days := ARRAY(SELECT c.date FROM market.calendar AS c CROSS JOIN LATERAL qts._day_hours(c.date, NULL, NULL) AS n
		WHERE c.date >= set_session.from_date AND (c.auction_at, c.open_at, c.closing_auction_at, c.close_at, c.end_at)
			= (n.auction_at, n.open_at, n.closing_auction_at, n.close_at, n.end_at));
	INSERT INTO market.sessions AS s (venue, phase, from_date, start_at, end_at, start_moves, end_moves, note)
	SELECT set_session.venue, set_session.phase, set_session.from_date, set_session.start_at, set_session.end_at,
		o.start_moves, o.end_moves, set_session.note
	FROM (SELECT 1) AS one LEFT JOIN LATERAL (SELECT p.start_moves, p.end_moves FROM market.sessions AS p
		WHERE p.venue = set_session.venue AND p.phase = set_session.phase AND p.start_at IS NOT NULL
			AND p.from_date <= set_session.from_date ORDER BY p.from_date DESC LIMIT 1) AS o ON true
	ON CONFLICT ON CONSTRAINT sessions_pkey DO UPDATE SET start_at = excluded.start_at, end_at = excluded.end_at,
		note = excluded.note;
	UPDATE market.calendar AS c SET auction_at = n.auction_at, open_at = n.open_at,
		closing_auction_at = n.closing_auction_at, close_at = n.close_at, end_at = n.end_at
	FROM unnest(days) AS b (date) CROSS JOIN LATERAL qts._day_hours(b.date, NULL, NULL) AS n
	WHERE c.date = b.date AND (c.auction_at, c.open_at, c.closing_auction_at, c.close_at, c.end_at)
		IS DISTINCT FROM (n.auction_at, n.open_at, n.closing_auction_at, n.close_at, n.end_at);
	GET DIAGNOSTICS changed = ROW_COUNT;
	PERFORM qts._audit('set_session', format('%s %s %s', venue, phase, to_char(from_date, 'YYYY-MM-DD')), note, was,
		jsonb_build_object('start_at', start_at, 'end_at', end_at, 'days', changed));
	RETURN changed;
END $$;

-- A person's word about one day; it also ends a doubt.
CREATE OR REPLACE FUNCTION qts.set_trading_day(day date, is_open boolean, open_at time DEFAULT NULL,
	close_at time DEFAULT NULL, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was jsonb;
	h record;
BEGIN
	IF day IS NULL OR is_open IS NULL THEN
		RAISE EXCEPTION 'a day and whether it is open are required' USING ERRCODE = 'QT011',
			DETAIL = format('day is %s, is_open is %s.', coalesce(day::text, 'null'), coalesce(is_open::text, 'null')),
			HINT = 'As in SELECT qts.set_trading_day(''2026-11-19'', true, ''10:00'', ''16:30'', ''exam'').';
	END IF;
	SELECT * INTO h FROM qts._day_hours(day, open_at, close_at);
	IF h.auction_at > h.open_at OR h.open_at >= h.closing_auction_at OR h.close_at > h.end_at THEN
		RAISE EXCEPTION 'invalid trading hours' USING ERRCODE = 'QT011',
			DETAIL = format('The day would run from %s to %s.', h.open_at, h.close_at),
			HINT = 'Give the start of continuous trading and the close, Asia/Seoul; leave out what is normal.';
	END IF;
	SELECT to_jsonb(c) INTO was FROM market.calendar AS c WHERE c.date = set_trading_day.day FOR UPDATE;
	INSERT INTO market.calendar AS c (date, is_open, auction_at, open_at, closing_auction_at, close_at, end_at, note, source)
	VALUES (day, set_trading_day.is_open, h.auction_at, h.open_at, h.closing_auction_at, h.close_at, h.end_at,
		set_trading_day.note, 'LOCAL')
	ON CONFLICT ON CONSTRAINT calendar_pkey DO UPDATE SET is_open = excluded.is_open, auction_at = excluded.auction_at,
		open_at = excluded.open_at, closing_auction_at = excluded.closing_auction_at, close_at = excluded.close_at,
		end_at = excluded.end_at, note = excluded.note, source = 'LOCAL', confirmed = false, doubt = NULL;
	PERFORM qts._audit('set_trading_day', to_char(day, 'YYYY-MM-DD'), note, was,
		(SELECT to_jsonb(c) FROM market.calendar AS c WHERE c.date = set_trading_day.day));
END $$;

-- The broker refused an order as out of hours while the row says open.
CREATE OR REPLACE FUNCTION qts._doubt_day(day date, why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE market.calendar AS c SET doubt = why, confirmed = false
	WHERE c.date = day AND c.is_open AND c.doubt IS NULL;
	IF FOUND THEN
		PERFORM qts._audit('doubt_day', to_char(day, 'YYYY-MM-DD'), why, NULL, NULL);
	END IF;
	RETURN FOUND;
END $$;

-- What the broker's calendar says; the prices worker does the same by itself.
CREATE OR REPLACE FUNCTION qts.merge_calendar(days date[], open boolean[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'qts_sql_merge_calendar' LANGUAGE C STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION qts.merge_calendar(date[], boolean[]) IS 'Takes in the broker''s calendar: days that agree are confirmed, missing ones added, and a day that one of both has as closed is closed, with an alert; returns how many changed';
COMMENT ON TABLE market.sessions IS 'Timetable of a normal day per venue and phase, valid from a date on, Asia/Seoul';
COMMENT ON COLUMN market.sessions.start_at IS 'Null with end_at: abolished from this date on';
COMMENT ON COLUMN market.sessions.start_moves IS 'On a day of other hours the start moves with the OPEN or the CLOSE; null = it stays';
COMMENT ON COLUMN market.sessions.end_moves IS 'The same for the end';
COMMENT ON COLUMN market.calendar.source IS 'Who said so last: PRESET, IMPORT, LOCAL (a person) or KIS (the broker)';
COMMENT ON COLUMN market.calendar.confirmed IS 'The broker''s own calendar agrees';
COMMENT ON COLUMN market.calendar.doubt IS 'Why the day may be closed although the row says open; no entry is sent while it stands. set_trading_day() ends it';
COMMENT ON FUNCTION qts._day_hours(date, time, time) IS 'The five times of a day that opens and closes at these; null = as the timetable of the date says';
COMMENT ON FUNCTION qts.sessions(date) IS 'Every session of a day by venue, moved with the day''s hours; traded: the engine sends orders in it. No row on a closed or unknown day';
COMMENT ON FUNCTION qts.set_session(text, text, date, time, time, text) IS 'Changes normal hours from a date on (two null times abolish a phase) and carries days with the old hours along; returns how many';
COMMENT ON FUNCTION qts.set_trading_day(date, boolean, time, time, text) IS 'Sets one day of the calendar: closed, open, or open with other hours; ends a doubt about it';
COMMENT ON FUNCTION qts._doubt_day(date, text) IS 'Marks an open day as doubtful after the broker refused an order as out of hours; true when it was not yet';
