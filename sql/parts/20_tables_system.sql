-- The gate: every worker transaction takes its ACCESS SHARE lock without
-- waiting, so DDL that locks it makes the workers step aside.
CREATE TABLE system.engine (
	only_row boolean PRIMARY KEY DEFAULT true,
	active boolean NOT NULL DEFAULT false,
	system_identifier bigint,
	timeline integer,
	failover text NOT NULL DEFAULT 'manual',
	-- when this binding began; inherited: from another cluster or timeline, whose last orders may not be here
	bound_ts timestamptz,
	inherited boolean NOT NULL DEFAULT false,
	emergency_stop boolean NOT NULL DEFAULT false,
	-- microseconds that qts.sim_clock runs ahead of the server's clock
	sim_offset bigint NOT NULL DEFAULT 0,
	reason text,
	updated_by text NOT NULL DEFAULT session_user,
	updated_ts timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT engine_only_row_check CHECK (only_row),
	CONSTRAINT engine_failover_check CHECK (failover IN ('manual', 'auto')),
	CONSTRAINT engine_active_check CHECK (NOT active OR (system_identifier IS NOT NULL AND timeline IS NOT NULL))
);

-- One row per worker that has ever attached; rewritten by each, never dumped.
CREATE UNLOGGED TABLE system.process_locks (
	lock_name text PRIMARY KEY,
	instance_id text NOT NULL,
	pid integer NOT NULL,
	state text NOT NULL,
	detail text,
	acquired_ts timestamptz NOT NULL,
	heartbeat_ts timestamptz NOT NULL,
	last_error text,
	last_error_ts timestamptz
);

CREATE TABLE system.audit_log (
	audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	ts timestamptz NOT NULL DEFAULT clock_timestamp(),
	-- by the engine's clock, which a simulation moves
	engine_ts timestamptz,
	actor text NOT NULL DEFAULT session_user,
	action text NOT NULL,
	object text,
	reason text,
	before jsonb,
	after jsonb
);
CREATE INDEX audit_log_ts_idx ON system.audit_log (ts DESC);

CREATE TABLE system.alerts (
	alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	ts timestamptz NOT NULL DEFAULT clock_timestamp(),
	severity text NOT NULL,
	code text NOT NULL,
	subject text NOT NULL DEFAULT '',
	message text NOT NULL,
	hint text,
	count integer NOT NULL DEFAULT 1,
	last_ts timestamptz NOT NULL DEFAULT clock_timestamp(),
	acknowledged_by text,
	acknowledged_ts timestamptz,
	CONSTRAINT alerts_severity_check CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL'))
);
-- One open alert per subject: repeats count up instead of flooding the table.
CREATE UNIQUE INDEX alerts_open_idx ON system.alerts (code, subject) WHERE acknowledged_ts IS NULL;
CREATE INDEX alerts_ts_idx ON system.alerts (last_ts DESC);
