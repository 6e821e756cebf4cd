-- A year of minute bars of made-up symbols, the same for the same seed: random walks on
-- the tick grid with missing minutes and hours, halted days and splits.
--
--   psql -v symbols=200 -v seed=1 -v from=2025-01-01 -v to=2025-12-31 -f year.sql
--
-- Symbols are 7xxxxx.  Every 10th one splits 1:5 in the middle of the year and a person
-- confirmed it; every 10th from the 5th on does and nobody did.  Every 7th is halted for three days.
\set ON_ERROR_STOP on
SELECT system._ensure_range('market.ohlcv_1m', :'from', (:'to'::date + 1)) IS NOT NULL AS ready \gset

-- About normal, deviation 1, from the 64 bits of one hash.
CREATE OR REPLACE FUNCTION pg_temp.year_noise(k bigint, seed bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT (((h & 65535) + ((h >> 16) & 65535) + ((h >> 32) & 65535) + ((h >> 48) & 65535)) / 65536.0 - 2) * 1.7320508
	FROM hashint8extended(k, seed) AS h $$;

CREATE OR REPLACE FUNCTION pg_temp.year_symbol(no integer, seed bigint, from_day date, to_day date) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	name text := '7' || lpad(no::text, 5, '0');
	base float8 := 3000 * exp(2 * abs(pg_temp.year_noise(no, seed + 1)));
	days integer := (SELECT count(*) FROM market.calendar AS c WHERE c.is_open AND c.date BETWEEN from_day AND to_day);
	split integer := CASE WHEN no % 5 = 0 THEN days / 2 END;
	halt integer := CASE WHEN no % 7 = 0 THEN days / 3 END;
	made bigint;
BEGIN
	INSERT INTO market.stocks (symbol, name, market) VALUES (name, 'Made up ' || no, CASE WHEN no % 2 = 0 THEN 'KOSPI' ELSE 'KOSDAQ' END)
	ON CONFLICT DO NOTHING;
	-- three hashes a minute: where the price goes, how wide the bar is, what came overnight
	INSERT INTO market.ohlcv_1m (symbol, ts, open, high, low, close, volume, source)
	SELECT name, t.ts, t.o, greatest(t.o, t.c) + (t.h & 3) * t.tick, greatest(least(t.o, t.c) - (t.h >> 2 & 3) * t.tick, 1), t.c,
		1 + (t.h >> 8 & 4095), 'IMPORT'
	FROM (SELECT k.ts, k.h, k.tick, greatest(k.tick, round(k.close / k.tick)::bigint * k.tick) AS c,
			greatest(k.tick, round(k.close * (1 - k.step) / k.tick)::bigint * k.tick) AS o
		FROM (SELECT w.*, CASE WHEN w.close < 2000 THEN 1 WHEN w.close < 5000 THEN 5 WHEN w.close < 20000 THEN 10
				WHEN w.close < 50000 THEN 50 WHEN w.close < 200000 THEN 100 WHEN w.close < 500000 THEN 500 ELSE 1000 END AS tick
			FROM (SELECT r.ts, r.h, r.day, r.minute, r.step, base * exp(sum(r.step + r.night) OVER (ORDER BY r.ts))
					/ CASE WHEN r.day >= split THEN 5 ELSE 1 END AS close
				FROM (SELECT m.ts, m.minute, m.day, m.h, 0.0015 * 1.7320508 * (((m.x & 65535) + (m.x >> 16 & 65535)
						+ (m.x >> 32 & 65535) + (m.x >> 48 & 65535)) / 65536.0::float8 - 2) AS step,
						CASE WHEN m.minute = 0 THEN 0.01 * pg_temp.year_noise(m.k, seed + 3) ELSE 0 END AS night
					FROM (SELECT timezone('Asia/Seoul', d.date + d.open_at) + g * interval '1 minute' AS ts, g AS minute, d.n AS day,
							no * 1000000::bigint + d.n * 400 + g AS k,
							hashint8extended(no * 1000000::bigint + d.n * 400 + g, seed) AS x,
							hashint8extended(no * 1000000::bigint + d.n * 400 + g, seed + 2) & 1048575 AS h
						FROM (SELECT c.date, c.open_at, row_number() OVER (ORDER BY c.date) AS n FROM market.calendar AS c
							WHERE c.is_open AND c.date BETWEEN from_day AND to_day) AS d
						CROSS JOIN generate_series(0, 390) AS g WHERE g < 380 OR g = 390 OFFSET 0) AS m OFFSET 0) AS r) AS w
			-- a halt of three days, one minute in fifty, and now and then an hour
			WHERE w.day NOT BETWEEN coalesce(halt, -1) AND coalesce(halt + 2, -1) AND w.h % 50 <> 7
				AND NOT ((w.day * 31 + no) % 37 = 3 AND w.minute BETWEEN 120 AND 180) OFFSET 0) AS k OFFSET 0) AS t;
	GET DIAGNOSTICS made = ROW_COUNT;
	INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source)
	SELECT name, (timezone('Asia/Seoul', b.ts))::date, (array_agg(b.open ORDER BY b.ts))[1], max(b.high), min(b.low),
		(array_agg(b.close ORDER BY b.ts DESC))[1], sum(b.volume), 'IMPORT'
	FROM market.ohlcv_1m AS b WHERE b.symbol = name AND b.ts >= from_day::timestamptz - interval '1 day' GROUP BY 2;
	INSERT INTO market.ohlcv_1d (symbol, date, open, high, low, close, volume, source)
	SELECT name, c.date, 0, 0, 0, (SELECT b.close FROM market.ohlcv_1d AS b WHERE b.symbol = name AND b.date < c.date
		ORDER BY b.date DESC LIMIT 1), 0, 'IMPORT'
	FROM market.calendar AS c WHERE c.is_open AND c.date BETWEEN from_day AND to_day
		AND NOT EXISTS (SELECT FROM market.ohlcv_1d AS b WHERE b.symbol = name AND b.date = c.date);
	IF split IS NOT NULL THEN
		INSERT INTO market.corporate_actions (symbol, date, prev_close, base_price, detected_ts, ratio, confirmed_by, confirmed_ts)
		SELECT name, d.date, d.before, d.before / 5, now(), r.ratio, CASE WHEN r.ratio IS NOT NULL THEN 'year' END,
			CASE WHEN r.ratio IS NOT NULL THEN now() END
		FROM (SELECT c.date, row_number() OVER (ORDER BY c.date) AS n, (SELECT b.close FROM market.ohlcv_1d AS b
				WHERE b.symbol = name AND b.date < c.date ORDER BY b.date DESC LIMIT 1) AS before
			FROM market.calendar AS c WHERE c.is_open AND c.date BETWEEN from_day AND to_day) AS d,
			(SELECT CASE WHEN no % 10 = 0 THEN 0.2 END) AS r (ratio) WHERE d.n = split;
	END IF;
	RETURN made;
END $$;

SELECT format('SELECT pg_temp.year_symbol(%s, %s, %L, %L) AS rows', g, :'seed', :'from', :'to')
FROM generate_series(1, :symbols) AS g \gexec
