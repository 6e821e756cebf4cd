-- Imports: text, JSON and server files.  They answer with the rejected lines; what
-- became of the others is told in a NOTICE and kept in market.imports.
CREATE OR REPLACE FUNCTION qts._import_text(kind text, rows text, overwrite boolean, OUT line bigint, OUT item text,
	OUT reason text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_import_text' LANGUAGE C STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp;

CREATE OR REPLACE FUNCTION qts.import_file(kind text, path text, overwrite boolean DEFAULT false, OUT line bigint,
	OUT item text, OUT reason text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'qts_sql_import_file' LANGUAGE C STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp;

-- An array of objects as CSV with these columns; element n is line n + 1.
CREATE OR REPLACE FUNCTION qts._json_csv(rows jsonb, columns text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF jsonb_typeof(rows) IS DISTINCT FROM 'array' THEN
		RAISE EXCEPTION 'the rows are not an array' USING ERRCODE = 'QT011',
			DETAIL = format('They are of type %s.', coalesce(jsonb_typeof(rows), 'null')),
			HINT = 'Give a JSON array of objects.';
	END IF;
	RETURN array_to_string(columns, ',') || E'\n' || coalesce((SELECT string_agg(l.text, E'\n' ORDER BY l.n)
		FROM (SELECT r.n, (SELECT string_agg('"' || translate(replace(coalesce(CASE WHEN jsonb_typeof(r.value) = 'object'
				THEN r.value ->> c.name END, ''), '"', '""'), E'\n\r', '  ') || '"', ',' ORDER BY c.i)
			FROM unnest(columns) WITH ORDINALITY AS c (name, i)) AS text
			FROM jsonb_array_elements(rows) WITH ORDINALITY AS r (value, n)) AS l), '');
END $$;

CREATE OR REPLACE FUNCTION qts.import_calendar(rows text, format text DEFAULT 'csv', overwrite boolean DEFAULT false,
	OUT line bigint, OUT item text, OUT reason text) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM qts._one_of('format', format, ARRAY['csv', 'json']);
	RETURN QUERY SELECT * FROM qts._import_text('calendar', CASE format WHEN 'json'
		THEN qts._json_csv(rows::jsonb, ARRAY['date', 'kind', 'is_open', 'open', 'close', 'name', 'note'])
		ELSE rows END, overwrite);
END $$;

CREATE OR REPLACE FUNCTION qts.import_stocks(rows text, format text DEFAULT 'csv', OUT line bigint, OUT item text,
	OUT reason text) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM qts._one_of('format', format, ARRAY['csv', 'json', 'kospi_master', 'kosdaq_master']);
	RETURN QUERY SELECT * FROM qts._import_text(CASE WHEN format IN ('csv', 'json') THEN 'stocks' ELSE format END,
		CASE format WHEN 'json' THEN qts._json_csv(rows::jsonb, ARRAY['symbol', 'name', 'market', 'sector', 'listed',
			'delisted', 'industry', 'instrument', 'status', 'managed', 'warning', 'market_cap']) ELSE rows END, false);
END $$;

CREATE OR REPLACE FUNCTION qts.import_daily_bars(rows text, overwrite boolean DEFAULT false, OUT line bigint,
	OUT item text, OUT reason text) RETURNS SETOF record
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT i.line, i.item, i.reason FROM qts._import_text('daily_bars', rows, overwrite) AS i;
END;

CREATE OR REPLACE FUNCTION qts.import_minute_bars(rows text, overwrite boolean DEFAULT false, OUT line bigint,
	OUT item text, OUT reason text) RETURNS SETOF record
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT i.line, i.item, i.reason FROM qts._import_text('minute_bars', rows, overwrite) AS i;
END;

COMMENT ON FUNCTION qts._import_text(text, text, boolean) IS 'Imports rows of a kind; answers with the rejected lines';
COMMENT ON FUNCTION qts.import_file(text, text, boolean) IS 'Imports a server file, plain or gzip: kind is calendar, stocks, kospi_master, kosdaq_master, daily_bars or minute_bars. Answers with the rejected lines (1 000 at most, then how many more); for members of pg_read_server_files';
COMMENT ON FUNCTION qts._json_csv(jsonb, text[]) IS 'An array of objects as CSV with these columns';
COMMENT ON FUNCTION qts.import_calendar(text, text, boolean) IS 'Imports trading days from CSV (date, kind or is_open, open, close, name or note) or a JSON array; answers with the rejected lines. A day that the broker closed stays closed unless overwrite is given';
COMMENT ON FUNCTION qts.import_stocks(text, text) IS 'Imports the master from CSV (symbol, name, market and more), a JSON array, or the text of the broker''s kospi_master or kosdaq_master file; answers with the rejected lines. What a line does not tell stays';
COMMENT ON FUNCTION qts.import_daily_bars(text, boolean) IS 'Imports daily bars from CSV (symbol, date, open, high, low, close, volume, value); answers with the rejected lines. Bars of the broker and of ticks stay unless overwrite is given';
COMMENT ON FUNCTION qts.import_minute_bars(text, boolean) IS 'Imports one-minute bars from CSV (symbol, ts, open, high, low, close, volume, value); answers with the rejected lines. Bars of the broker and of ticks stay unless overwrite is given';
COMMENT ON COLUMN market.ohlcv_1d.source IS 'IMPORT (a file), KIS (the broker) or TICKS (rolled up here)';
COMMENT ON COLUMN market.ohlcv_1m.source IS 'IMPORT (a file), KIS (the broker) or TICKS (rolled up here)';
