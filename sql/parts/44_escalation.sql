-- What the exit worker does by itself while prices are stale: the levels of
-- core/escalation.h, stored.  It only makes the mode stricter than what a
-- person set, and takes back only what it set itself.

-- A person has set the mode: from now on it is theirs, until the level is over.
CREATE OR REPLACE FUNCTION qts._overrule() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	UPDATE trade.exit_control SET auto_mode = NULL, person_mode = NULL, person_by = NULL, person_reason = NULL,
		overruled_by = CASE WHEN auto_level IS NOT NULL THEN session_user END;
END;

-- The level that stands from now on, null = none.  Returns the mode in force
-- then, null when somebody is busy with the row and nothing was done.
CREATE OR REPLACE FUNCTION qts._escalate(level text, acts boolean, why text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	by_severity text[] := ARRAY['RUNNING', 'PAUSE_PROFIT', 'PAUSE_ALL', 'EMERGENCY_FLATTEN'];
	was trade.exit_control;
	wanted text;
BEGIN
	-- a person who is about to set the mode is not waited for: prices are judged meanwhile
	SELECT c.* INTO was FROM trade.exit_control AS c FOR NO KEY UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	-- a mode that is not the one set here is a person's, however it came to be
	IF was.auto_mode = was.mode THEN
		was.mode := was.person_mode;
		was.updated_by := was.person_by;
		was.reason := was.person_reason;
	ELSIF was.auto_mode IS NOT NULL THEN
		was.overruled_by := was.updated_by;
	END IF;
	IF acts AND was.overruled_by IS NULL THEN
		wanted := CASE level WHEN 'L3' THEN 'PAUSE_ALL' WHEN 'L2' THEN 'PAUSE_PROFIT' END;
	END IF;
	IF array_position(by_severity, wanted) <= array_position(by_severity, was.mode) THEN
		wanted := NULL;
	END IF;
	PERFORM qts._audit('escalate', 'exit_control', _escalate.why, jsonb_build_object('level', c.auto_level, 'mode', c.mode),
		jsonb_build_object('level', _escalate.level, 'mode', coalesce(wanted, was.mode))) FROM trade.exit_control AS c;
	INSERT INTO trade.exit_control_history (mode, reason, updated_by, updated_ts)
	SELECT coalesce(wanted, was.mode), _escalate.why, session_user, qts._now() FROM trade.exit_control AS c
	WHERE c.mode <> coalesce(wanted, was.mode);
	UPDATE trade.exit_control AS c SET mode = coalesce(wanted, was.mode),
		reason = CASE WHEN wanted IS NULL THEN was.reason ELSE _escalate.why END,
		updated_by = CASE WHEN wanted IS NULL THEN was.updated_by ELSE session_user END,
		updated_ts = CASE WHEN c.mode = coalesce(wanted, was.mode) THEN c.updated_ts ELSE qts._now() END,
		auto_level = _escalate.level, auto_ts = CASE WHEN _escalate.level IS NOT NULL THEN qts._now() END, auto_mode = wanted,
		person_mode = CASE WHEN wanted IS NOT NULL THEN was.mode END,
		person_by = CASE WHEN wanted IS NOT NULL THEN was.updated_by END,
		person_reason = CASE WHEN wanted IS NOT NULL THEN was.reason END,
		overruled_by = CASE WHEN _escalate.level IS NOT NULL THEN was.overruled_by END;
	RETURN coalesce(wanted, was.mode);
END $$;

-- L1 of one position begins or ends; false when that is so already.
CREATE OR REPLACE FUNCTION qts._hold_back(position_id uuid, held boolean, why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	was text;
BEGIN
	SELECT s.hold INTO was FROM trade.position_state AS s WHERE s.position_id = _hold_back.position_id FOR NO KEY UPDATE;
	IF NOT FOUND OR (was IS NOT NULL) = _hold_back.held THEN
		RETURN false;
	END IF;
	UPDATE trade.position_state AS s SET hold = CASE WHEN _hold_back.held THEN 'HELD' END,
		hold_ts = CASE WHEN _hold_back.held THEN qts._now() END WHERE s.position_id = _hold_back.position_id;
	PERFORM qts._audit(CASE WHEN _hold_back.held THEN 'hold_back' ELSE 'release_hold' END, _hold_back.position_id::text,
		_hold_back.why, jsonb_build_object('hold', was), jsonb_build_object('hold', CASE WHEN _hold_back.held THEN 'HELD' END));
	RETURN true;
END $$;
