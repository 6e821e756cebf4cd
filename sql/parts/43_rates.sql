-- How fast the broker lets an app key ask.  The engine uses the lower of this and
-- its own share (qts.rest_rate_live, qts.rest_rate_paper, qts.rest_rate_sim).
CREATE OR REPLACE FUNCTION qts.set_rate_limit(environment text, kind text, from_date date, per_second integer,
	reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.rate_limits;
BEGIN
	PERFORM qts._need_reason(reason);
	PERFORM qts._one_of('environment', environment, ARRAY['live', 'paper', 'sim']);
	PERFORM qts._one_of('kind', kind, ARRAY['standard', 'new']);
	IF from_date IS NULL OR NOT isfinite(from_date) THEN
		RAISE EXCEPTION 'invalid from_date' USING ERRCODE = 'QT011', DETAIL = 'It is null or infinite.',
			HINT = 'Give the day, Asia/Seoul, from which the limit holds.';
	END IF;
	IF per_second NOT BETWEEN 1 AND 64 THEN
		RAISE EXCEPTION 'invalid per_second' USING ERRCODE = 'QT011',
			DETAIL = format('%s is not between 1 and 64.', per_second),
			HINT = 'Give requests per second and app key, or null to take this entry out.';
	END IF;
	SELECT l.* INTO was FROM trade.rate_limits AS l WHERE l.environment = set_rate_limit.environment
		AND l.kind = set_rate_limit.kind AND l.from_date = set_rate_limit.from_date FOR UPDATE;
	IF per_second IS NULL THEN
		DELETE FROM trade.rate_limits AS l WHERE l.environment = set_rate_limit.environment
			AND l.kind = set_rate_limit.kind AND l.from_date = set_rate_limit.from_date;
	ELSE
		INSERT INTO trade.rate_limits AS l (environment, kind, from_date, per_second)
		VALUES (set_rate_limit.environment, set_rate_limit.kind, set_rate_limit.from_date, set_rate_limit.per_second)
		ON CONFLICT ON CONSTRAINT rate_limits_pkey DO UPDATE SET per_second = excluded.per_second;
	END IF;
	PERFORM qts._audit('set_rate_limit', format('%s/%s/%s', environment, kind, to_char(from_date, 'YYYY-MM-DD')), reason,
		jsonb_build_object('per_second', was.per_second), jsonb_build_object('per_second', set_rate_limit.per_second));
END $$;

CREATE OR REPLACE FUNCTION qts.set_account_rate(account_id text, rate_kind text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was text;
BEGIN
	PERFORM qts._need_reason(reason);
	PERFORM qts._one_of('rate_kind', rate_kind, ARRAY['standard', 'new']);
	SELECT a.rate_kind INTO was FROM trade.accounts AS a
	WHERE a.account_id = set_account_rate.account_id AND a.status <> 'REMOVED' FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown account' USING ERRCODE = 'QT011',
			DETAIL = 'No account of this number is in use.', HINT = 'SELECT * FROM trade.accounts lists them.';
	END IF;
	UPDATE trade.accounts AS a SET rate_kind = set_account_rate.rate_kind, updated_ts = clock_timestamp()
	WHERE a.account_id = set_account_rate.account_id;
	PERFORM qts._audit('set_account_rate', qts._mask(account_id), reason, jsonb_build_object('rate_kind', was),
		jsonb_build_object('rate_kind', set_account_rate.rate_kind));
END $$;

COMMENT ON FUNCTION qts.set_rate_limit(text, text, date, integer, text) IS 'Requests per second and app key the broker allows from a day on, for standard or new customers; null takes the entry out. Open sessions follow at once. QT011';
COMMENT ON FUNCTION qts.set_account_rate(text, text, text) IS 'Which rate limit of the broker an account is under: standard or new. Open sessions follow at once. QT011';
COMMENT ON TABLE trade.rate_limits IS 'Requests per second and app key the broker allows, valid from a date on';
COMMENT ON COLUMN trade.accounts.rate_kind IS 'Which limit of trade.rate_limits holds for the account''s app keys';
