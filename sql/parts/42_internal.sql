-- Helpers of the API functions; nobody but their owner may call them, except
-- where the grant matrix says so.
CREATE OR REPLACE FUNCTION qts._audit(action text, object text, reason text, before jsonb, after jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO system.audit_log (engine_ts, actor, action, object, reason, before, after)
	VALUES (qts._now(), session_user, _audit.action, _audit.object, _audit.reason, _audit.before, _audit.after);
END;

CREATE OR REPLACE FUNCTION qts._audit_quarantine(position_id uuid, before text, after text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT qts._audit('quarantine', _audit_quarantine.position_id::text, coalesce(_audit_quarantine.after, 'released'),
		jsonb_build_object('quarantine_reason', _audit_quarantine.before), jsonb_build_object('quarantine_reason', _audit_quarantine.after));
END;

CREATE OR REPLACE FUNCTION qts._note_quarantine() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM qts._audit_quarantine(NEW.position_id, OLD.quarantine_reason, NEW.quarantine_reason);
	RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION qts._need_reason(reason text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF coalesce(btrim(reason), '') = '' THEN
		RAISE EXCEPTION 'a reason is required' USING ERRCODE = 'QT011',
			DETAIL = 'The reason is empty.', HINT = 'Say why in a few words; it is kept in the audit log.';
	ELSIF length(reason) > 500 THEN
		RAISE EXCEPTION 'the reason is too long' USING ERRCODE = 'QT011',
			DETAIL = format('It has %s characters.', length(reason)), HINT = 'Use at most 500 characters.';
	END IF;
END $$;

CREATE OR REPLACE FUNCTION qts._one_of(what text, value text, allowed text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF value IS NULL OR value <> ALL (allowed) THEN
		RAISE EXCEPTION 'invalid % "%"', what, value USING ERRCODE = 'QT011',
			DETAIL = format('%s is one of a fixed set of words.', what),
			HINT = format('Use %s.', array_to_string(allowed, ', '));
	END IF;
END $$;

-- Nothing new may start while the engine is off, halted or not this cluster's.
-- The share lock makes it wait for, and never pass, a deactivation.
CREATE OR REPLACE FUNCTION qts._need_active() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	e record;
	here record;
BEGIN
	SELECT * INTO e FROM system.engine FOR SHARE;
	IF NOT FOUND OR NOT e.active THEN
		RAISE EXCEPTION 'the engine is not active' USING ERRCODE = 'QT001',
			DETAIL = coalesce(e.reason, 'It has not been activated in this database.'),
			HINT = 'A superuser runs SELECT qts.activate().';
	END IF;
	SELECT * INTO here FROM qts._identity();
	IF e.system_identifier <> here.system_identifier
		OR (e.timeline <> here.timeline AND e.failover <> 'auto') OR e.timeline > here.timeline THEN
		RAISE EXCEPTION 'the engine belongs to another cluster or timeline' USING ERRCODE = 'QT204',
			DETAIL = format('Activated on %s/%s, running on %s/%s.', e.system_identifier, e.timeline,
				here.system_identifier, here.timeline),
			HINT = 'Make sure that the other one is stopped, then run SELECT qts.activate() here.';
	END IF;
END $$;

-- Shares held by live exit intents of a position.
CREATE OR REPLACE FUNCTION qts._locked_qty(position_id uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT coalesce(sum(i.qty - i.filled_qty), 0)::bigint FROM trade.order_intents AS i
	WHERE i.position_id = _locked_qty.position_id AND i.intent_type <> 'ENTRY'
		AND i.status IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL'));

CREATE OR REPLACE FUNCTION qts._check_order_price(price numeric, instrument text, lower bigint, upper bigint) RETURNS bigint
LANGUAGE c IMMUTABLE SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'qts_check_order_price';

CREATE OR REPLACE FUNCTION qts._mask(account_id text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN left(account_id, 2) || '****' || right(account_id, 5);

CREATE OR REPLACE FUNCTION qts._kst(ts timestamptz) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_trunc('milliseconds', timezone('Asia/Seoul', ts));
