CREATE OR REPLACE FUNCTION qts._check_url(what text, url text, schemes text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF url !~ ('^(' || schemes || ')://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$') THEN
		RAISE EXCEPTION 'invalid %', what USING ERRCODE = 'QT011',
			DETAIL = format('"%s" is not a loopback address.', url),
			HINT = format('Only a simulator on this machine may replace the broker: %s://127.0.0.1:port.',
				split_part(schemes, '|', 1));
	END IF;
END $$;

CREATE OR REPLACE FUNCTION qts.add_account(account_id text, environment text DEFAULT 'paper',
	credentials text DEFAULT 'main', order_credentials text DEFAULT NULL, rest_url text DEFAULT NULL,
	ws_url text DEFAULT NULL, rate_kind text DEFAULT 'standard') RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was trade.accounts;
BEGIN
	IF account_id IS NULL OR account_id !~ '^[0-9]{8}-[0-9]{2}$' THEN
		RAISE EXCEPTION 'invalid account_id' USING ERRCODE = 'QT011',
			DETAIL = 'It is not of the form NNNNNNNN-NN.',
			HINT = 'Give the eight digits of the account, a hyphen and the two digits of the product, as in 12345678-01.';
	END IF;
	PERFORM qts._one_of('environment', environment, ARRAY['live', 'paper', 'sim']);
	PERFORM qts._one_of('rate_kind', rate_kind, ARRAY['standard', 'new']);
	IF credentials IS NULL OR credentials !~ '^[A-Za-z0-9_.-]{1,64}$'
		OR order_credentials !~ '^[A-Za-z0-9_.-]{1,64}$' THEN
		RAISE EXCEPTION 'invalid credentials' USING ERRCODE = 'QT011',
			DETAIL = 'It is not a name of letters, digits, "_", "." or "-".',
			HINT = 'Give the name of an entry of the credentials file, never a key.';
	END IF;
	IF environment = 'live' AND (rest_url IS NOT NULL OR ws_url IS NOT NULL) THEN
		RAISE EXCEPTION 'a live account uses the broker''s own addresses' USING ERRCODE = 'QT011',
			DETAIL = 'rest_url or ws_url is given.', HINT = 'Leave both out, or use environment => ''sim''.';
	ELSIF environment = 'sim' AND (rest_url IS NULL OR ws_url IS NULL) THEN
		RAISE EXCEPTION 'a simulated account needs rest_url and ws_url' USING ERRCODE = 'QT011',
			DETAIL = 'There is no default address for a simulator.',
			HINT = 'Give both, as in rest_url => ''http://127.0.0.1:9443'', ws_url => ''ws://127.0.0.1:21000''.';
	END IF;
	PERFORM qts._check_url('rest_url', rest_url, 'http|https') WHERE rest_url IS NOT NULL;
	PERFORM qts._check_url('ws_url', ws_url, 'ws|wss') WHERE ws_url IS NOT NULL;
	IF environment = 'live' AND current_setting('qts.sim_clock', true) = 'on' THEN
		RAISE EXCEPTION 'a live account never trades on a simulated clock' USING ERRCODE = 'QT015',
			DETAIL = 'qts.sim_clock is on.', HINT = 'Turn it off and restart the server first.';
	END IF;

	SELECT a.* INTO was FROM trade.accounts AS a WHERE a.account_id = add_account.account_id FOR UPDATE;
	IF was.status IN ('ACTIVE', 'PAUSED') THEN
		RAISE EXCEPTION 'account % exists already', qts._mask(account_id) USING ERRCODE = 'QT006',
			DETAIL = format('It is %s in environment %s.', was.status, was.environment),
			HINT = 'Remove it first to change how it is reached.';
	END IF;
	-- Orders and positions of a removed account keep their meaning only in the same market.
	IF was.environment <> add_account.environment THEN
		RAISE EXCEPTION 'account % was in another environment', qts._mask(account_id) USING ERRCODE = 'QT011',
			DETAIL = format('Its history is of environment %s, not %s.', was.environment, add_account.environment),
			HINT = 'An account number belongs to one environment in one database.';
	END IF;
	INSERT INTO trade.accounts AS a (account_id, environment, credentials, order_credentials, rest_url, ws_url,
		rate_kind)
	VALUES (add_account.account_id, add_account.environment, add_account.credentials, add_account.order_credentials,
		add_account.rest_url, add_account.ws_url, add_account.rate_kind)
	ON CONFLICT ON CONSTRAINT accounts_pkey DO UPDATE SET status = 'ACTIVE', status_reason = NULL,
		credentials = excluded.credentials, order_credentials = excluded.order_credentials,
		rest_url = excluded.rest_url, ws_url = excluded.ws_url, rate_kind = excluded.rate_kind,
		updated_ts = clock_timestamp();
	PERFORM qts._audit('add_account', qts._mask(account_id), NULL, to_jsonb(was) - 'account_id',
		(SELECT to_jsonb(a) - 'account_id' FROM trade.accounts AS a WHERE a.account_id = add_account.account_id));
END $$;

-- What a worker may do by itself: stop, never start.
CREATE OR REPLACE FUNCTION qts._halt_account(id text, why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE trade.accounts AS a SET status = 'PAUSED', status_reason = why, updated_ts = clock_timestamp()
	WHERE a.account_id = id AND a.status = 'ACTIVE';
	IF FOUND THEN
		PERFORM qts._audit('halt_account', qts._mask(id), why, NULL, NULL);
	END IF;
	RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION qts._halt_entries(why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE system.engine SET emergency_stop = true, reason = why, updated_by = session_user,
		updated_ts = clock_timestamp() WHERE active AND NOT emergency_stop;
	IF FOUND THEN
		PERFORM qts._audit('emergency_stop', 'engine', why, jsonb_build_object('emergency_stop', false),
			jsonb_build_object('emergency_stop', true));
	END IF;
	RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION qts._set_account_status(id text, wanted text, why text, action text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	was trade.accounts;
BEGIN
	SELECT a.* INTO was FROM trade.accounts AS a WHERE a.account_id = id FOR UPDATE;
	IF NOT FOUND OR was.status = 'REMOVED' THEN
		RAISE EXCEPTION 'unknown account' USING ERRCODE = 'QT011',
			DETAIL = 'No account of this number is in use.', HINT = 'SELECT * FROM trade.accounts lists them.';
	END IF;
	UPDATE trade.accounts AS a SET status = wanted, status_reason = why, updated_ts = clock_timestamp()
	WHERE a.account_id = id;
	PERFORM qts._audit(action, qts._mask(id), why, jsonb_build_object('status', was.status),
		jsonb_build_object('status', wanted));
END $$;

CREATE OR REPLACE FUNCTION qts.pause_account(account_id text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM qts._need_reason(reason);
	PERFORM qts._set_account_status(account_id, 'PAUSED', reason, 'pause_account');
END $$;

CREATE OR REPLACE FUNCTION qts.resume_account(account_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM qts._set_account_status(account_id, 'ACTIVE', NULL, 'resume_account');
END $$;

CREATE OR REPLACE FUNCTION qts.remove_account(account_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	positions bigint;
	intents bigint;
	orders bigint;
BEGIN
	-- The row lock keeps a claim from starting an order behind these counts.
	PERFORM FROM trade.accounts AS a WHERE a.account_id = remove_account.account_id FOR UPDATE;
	SELECT count(*) INTO positions FROM trade.positions AS p
	WHERE p.account_id = remove_account.account_id AND p.status <> 'CLOSED';
	SELECT count(*) INTO intents FROM trade.order_intents AS i WHERE i.account_id = remove_account.account_id
		AND i.status IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL');
	SELECT count(*) INTO orders FROM trade.orders AS o WHERE o.account_id = remove_account.account_id
		AND o.status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL');
	IF positions + intents + orders > 0 THEN
		RAISE EXCEPTION 'account % is in use', qts._mask(account_id) USING ERRCODE = 'QT004',
			DETAIL = format('It has %s live positions, %s live intents and %s live orders.', positions, intents, orders),
			HINT = 'Close them first, or use pause_account() to stop trading.';
	END IF;
	PERFORM qts._set_account_status(account_id, 'REMOVED', NULL, 'remove_account');
END $$;
