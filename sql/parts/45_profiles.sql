CREATE OR REPLACE FUNCTION qts._need_profile(profile_id text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF NOT EXISTS (SELECT FROM trade.exit_profiles AS e
		WHERE e.profile_id = _need_profile.profile_id AND e.is_active) THEN
		RAISE EXCEPTION 'unknown exit profile "%"', profile_id USING ERRCODE = 'QT011',
			DETAIL = 'No active profile has this name.',
			HINT = format('Use one of %s, or make it with qts.save_exit_profile().',
				(SELECT string_agg(e.profile_id, ', ' ORDER BY e.profile_id) FROM trade.exit_profiles AS e WHERE e.is_active));
	END IF;
END $$;

CREATE OR REPLACE FUNCTION qts.save_exit_profile(profile_id text, name text, config jsonb,
	description text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.exit_profiles;
BEGIN
	IF profile_id IS NULL OR profile_id !~ '^[A-Za-z0-9_.-]{1,64}$' OR coalesce(btrim(name), '') = '' THEN
		RAISE EXCEPTION 'invalid profile_id or name' USING ERRCODE = 'QT011',
			DETAIL = format('profile_id is "%s", name is "%s".', profile_id, name),
			HINT = 'profile_id has letters, digits, "_", "." and "-"; name is free text.';
	END IF;
	SELECT e.* INTO was FROM trade.exit_profiles AS e WHERE e.profile_id = save_exit_profile.profile_id FOR NO KEY UPDATE;
	-- One statement: two people saving the same new profile end as two versions of it.
	INSERT INTO trade.exit_profiles AS e (profile_id, name, description, config)
	VALUES (save_exit_profile.profile_id, save_exit_profile.name, save_exit_profile.description, save_exit_profile.config)
	ON CONFLICT ON CONSTRAINT exit_profiles_pkey DO UPDATE SET name = excluded.name,
		description = coalesce(excluded.description, e.description), config = excluded.config, version = e.version + 1,
		is_active = true, updated_by = session_user, updated_ts = clock_timestamp();
	PERFORM qts._audit('save_exit_profile', profile_id, NULL, to_jsonb(was),
		(SELECT to_jsonb(e) FROM trade.exit_profiles AS e WHERE e.profile_id = save_exit_profile.profile_id));
END $$;

CREATE OR REPLACE FUNCTION qts._live_position(position_id uuid) RETURNS trade.positions
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	p trade.positions;
BEGIN
	SELECT t.* INTO p FROM trade.positions AS t WHERE t.position_id = _live_position.position_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown position %', coalesce(position_id::text, 'null') USING ERRCODE = 'QT011',
			DETAIL = 'There is no such row.', HINT = 'SELECT * FROM qts.positions lists live ones.';
	ELSIF p.status = 'CLOSED' THEN
		RAISE EXCEPTION 'the position is closed' USING ERRCODE = 'QT004',
			DETAIL = format('%s was sold completely.', p.symbol), HINT = 'SELECT * FROM qts.positions lists live ones.';
	END IF;
	RETURN p;
END $$;

CREATE OR REPLACE FUNCTION qts.set_position_exit_mode(position_id uuid, mode text, reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.positions;
BEGIN
	PERFORM qts._one_of('mode', mode, ARRAY['ENABLED', 'DISABLED', 'MANUAL_ONLY']);
	was := qts._live_position(position_id);
	UPDATE trade.positions AS t SET exit_mode = mode, updated_ts = qts._now()
	WHERE t.position_id = was.position_id;
	UPDATE trade.position_state AS s SET hold = 'OVERRULED' WHERE s.position_id = was.position_id AND s.hold = 'HELD';
	PERFORM qts._audit('set_position_exit_mode', was.position_id::text, reason,
		jsonb_build_object('exit_mode', was.exit_mode), jsonb_build_object('exit_mode', mode));
END $$;

CREATE OR REPLACE FUNCTION qts.release_position(position_id uuid, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.positions;
BEGIN
	PERFORM qts._need_reason(reason);
	was := qts._live_position(position_id);
	IF was.quarantine_reason IS NULL THEN
		RAISE EXCEPTION 'the position is not quarantined' USING ERRCODE = 'QT004',
			DETAIL = format('Automatic exits of %s are not held.', was.symbol),
			HINT = 'SELECT * FROM qts.explain_exit(position_id) shows what holds a rule.';
	END IF;
	UPDATE trade.positions AS t SET quarantine_reason = NULL, updated_ts = qts._now()
	WHERE t.position_id = was.position_id;
	PERFORM qts._audit('release_position', was.position_id::text, reason,
		jsonb_build_object('quarantine_reason', was.quarantine_reason), jsonb_build_object('quarantine_reason', NULL));
END $$;

CREATE OR REPLACE FUNCTION qts.set_position_profile(position_id uuid, profile_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.positions;
BEGIN
	IF profile_id IS NOT NULL THEN
		PERFORM qts._need_profile(profile_id);
	END IF;
	was := qts._live_position(position_id);
	UPDATE trade.positions AS t SET exit_profile_id = set_position_profile.profile_id, updated_ts = clock_timestamp()
	WHERE t.position_id = was.position_id;
	PERFORM qts._audit('set_position_profile', was.position_id::text, NULL,
		jsonb_build_object('exit_profile_id', was.exit_profile_id), jsonb_build_object('exit_profile_id', profile_id));
END $$;

CREATE OR REPLACE FUNCTION qts.set_symbol_profile(symbol text, profile_id text, effective_from date DEFAULT NULL,
	reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.symbol_exit_overrides;
	since date := coalesce(effective_from, timezone('Asia/Seoul', qts._now())::date);
BEGIN
	IF NOT EXISTS (SELECT FROM market.stocks AS s WHERE s.symbol = set_symbol_profile.symbol) THEN
		RAISE EXCEPTION 'unknown symbol "%"', symbol USING ERRCODE = 'QT011',
			DETAIL = 'The master has no such row.', HINT = 'Give a code of market.stocks, as in 005930.';
	END IF;
	SELECT o.* INTO was FROM trade.symbol_exit_overrides AS o WHERE o.symbol = set_symbol_profile.symbol FOR NO KEY UPDATE;
	IF profile_id IS NULL THEN
		UPDATE trade.symbol_exit_overrides AS o SET enabled = false, updated_ts = clock_timestamp()
		WHERE o.symbol = set_symbol_profile.symbol;
	ELSE
		PERFORM qts._need_profile(profile_id);
		INSERT INTO trade.symbol_exit_overrides (symbol, profile_id, effective_from, reason)
		VALUES (set_symbol_profile.symbol, set_symbol_profile.profile_id, since, set_symbol_profile.reason)
		ON CONFLICT ON CONSTRAINT symbol_exit_overrides_pkey DO UPDATE SET profile_id = excluded.profile_id,
			effective_from = excluded.effective_from, reason = excluded.reason, enabled = true,
			updated_ts = clock_timestamp();
	END IF;
	PERFORM qts._audit('set_symbol_profile', symbol, reason, to_jsonb(was),
		(SELECT to_jsonb(o) FROM trade.symbol_exit_overrides AS o WHERE o.symbol = set_symbol_profile.symbol));
END $$;
