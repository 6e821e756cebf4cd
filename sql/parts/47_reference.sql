-- What became of the questions of the day: trading days, daily bars, base prices.
CREATE OR REPLACE FUNCTION qts._reference_status(OUT place integer, OUT name text, OUT state text, OUT since timestamptz,
	OUT last_error text, OUT detail text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH t AS (
		SELECT r.task, r.symbol, r.failures, r.tried_ts, r.stored, r.rejected, r.last_error, r.done_date,
			max(r.done_date) OVER (PARTITION BY r.task) AS newest
		FROM market.reference_sync AS r)
	SELECT CASE t.task WHEN 'CALENDAR' THEN 1 WHEN 'BASE_PRICES' THEN 2 ELSE 3 END,
		CASE t.task WHEN 'CALENDAR' THEN 'trading days' WHEN 'BASE_PRICES' THEN 'base prices' ELSE 'daily bars' END,
		CASE WHEN max(t.failures) > 0 THEN 'RETRYING' ELSE 'DONE' END, max(t.tried_ts),
		(array_agg(t.last_error ORDER BY t.tried_ts DESC) FILTER (WHERE t.failures > 0 AND t.last_error IS NOT NULL))[1],
		CASE t.task WHEN 'CALENDAR' THEN format('told on %s', coalesce(to_char(max(t.newest), 'YYYY-MM-DD'), 'no day'))
			ELSE format('%s symbols of %s, %s behind, %s being tried again', count(*) FILTER (WHERE t.done_date = t.newest),
				coalesce(to_char(max(t.newest), 'YYYY-MM-DD'), 'no day'),
				count(*) FILTER (WHERE t.done_date IS DISTINCT FROM t.newest), count(*) FILTER (WHERE t.failures > 0)) END
			|| format('; %s rows stored, %s rejected', sum(t.stored), sum(t.rejected))
	FROM t GROUP BY t.task;
END;

CREATE OR REPLACE FUNCTION qts._reference_metrics(OUT name text, OUT labels text, OUT value double precision,
	OUT help text, OUT type text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH t AS (
		SELECT format('task="%s"', r.task) AS labels, count(*) FILTER (WHERE r.failures > 0) AS failing,
			sum(r.stored) AS stored, sum(r.rejected) AS rejected,
			extract(epoch FROM timezone('Asia/Seoul', max(r.done_date)::timestamp)) AS newest
		FROM market.reference_sync AS r GROUP BY r.task)
	SELECT m.name, t.labels, m.value::double precision, m.help, m.type
	FROM t CROSS JOIN LATERAL (VALUES
		('qts_reference_failing', t.failing::numeric, 'Symbols asked for again because nothing of the day is stored yet', 'gauge'),
		('qts_reference_stored_total', t.stored, 'Rows of daily answers stored', 'counter'),
		('qts_reference_rejected_total', t.rejected, 'Rows of daily answers that could not be read or believed', 'counter'),
		('qts_reference_day_seconds', t.newest, 'Newest day that is stored, its midnight as epoch', 'gauge'))
		AS m (name, value, help, type)
	WHERE m.value IS NOT NULL;
END;

COMMENT ON FUNCTION qts._reference_status() IS 'What is asked of the broker once a day, as rows of status()';
COMMENT ON FUNCTION qts._reference_metrics() IS 'The same as metrics';
