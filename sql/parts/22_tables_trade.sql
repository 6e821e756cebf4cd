CREATE TABLE trade.accounts (
	account_id text PRIMARY KEY,
	environment text NOT NULL DEFAULT 'paper',
	credentials text NOT NULL DEFAULT 'main',
	order_credentials text,
	rate_kind text NOT NULL DEFAULT 'standard',
	rest_url text,
	ws_url text,
	status text NOT NULL DEFAULT 'ACTIVE',
	status_reason text,
	created_by text NOT NULL DEFAULT session_user,
	created_ts timestamptz NOT NULL DEFAULT now(),
	updated_ts timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT accounts_account_id_check CHECK (account_id ~ '^[0-9]{8}-[0-9]{2}$'),
	CONSTRAINT accounts_environment_check CHECK (environment IN ('live', 'paper', 'sim')),
	CONSTRAINT accounts_rate_kind_check CHECK (rate_kind IN ('standard', 'new')),
	CONSTRAINT accounts_status_check CHECK (status IN ('ACTIVE', 'PAUSED', 'REMOVED')),
	CONSTRAINT accounts_urls_check CHECK (environment <> 'live' OR (rest_url IS NULL AND ws_url IS NULL))
);

-- What the broker allows, per app key and second: it changes on dates, so dates are rows.
CREATE TABLE trade.rate_limits (
	environment text NOT NULL,
	kind text NOT NULL DEFAULT 'standard',
	from_date date NOT NULL,
	per_second integer NOT NULL,
	PRIMARY KEY (environment, kind, from_date),
	CONSTRAINT rate_limits_environment_check CHECK (environment IN ('live', 'paper', 'sim')),
	CONSTRAINT rate_limits_kind_check CHECK (kind IN ('standard', 'new')),
	CONSTRAINT rate_limits_per_second_check CHECK (per_second BETWEEN 1 AND 64)
);

-- What the execution worker knows about an account at the broker.
CREATE TABLE trade.account_sync (
	account_id text PRIMARY KEY REFERENCES trade.accounts (account_id),
	state text NOT NULL DEFAULT 'BOOTSTRAP',
	ledger_ok_ts timestamptz,
	balance_ok_ts timestamptz,
	deposit bigint,
	settled_cash bigint,
	net_assets bigint,
	fees_today bigint,
	last_error text,
	updated_ts timestamptz NOT NULL,
	CONSTRAINT account_sync_state_check CHECK (state IN ('BOOTSTRAP', 'READY', 'REFUSED'))
);

CREATE TABLE trade.exit_profiles (
	profile_id text PRIMARY KEY,
	name text NOT NULL,
	description text,
	config jsonb NOT NULL,
	version integer NOT NULL DEFAULT 1,
	is_active boolean NOT NULL DEFAULT true,
	created_by text NOT NULL DEFAULT session_user,
	created_ts timestamptz NOT NULL DEFAULT now(),
	updated_by text NOT NULL DEFAULT session_user,
	updated_ts timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE trade.symbol_exit_overrides (
	symbol text PRIMARY KEY REFERENCES market.stocks (symbol) ON DELETE RESTRICT,
	profile_id text NOT NULL REFERENCES trade.exit_profiles (profile_id),
	enabled boolean NOT NULL DEFAULT true,
	effective_from date NOT NULL,
	reason text,
	created_by text NOT NULL DEFAULT session_user,
	created_ts timestamptz NOT NULL DEFAULT now(),
	updated_ts timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE trade.exit_control (
	only_row boolean PRIMARY KEY DEFAULT true,
	mode text NOT NULL DEFAULT 'RUNNING',
	reason text,
	updated_by text NOT NULL DEFAULT session_user,
	updated_ts timestamptz NOT NULL DEFAULT now(),
	-- while prices are stale: the level, the mode the exit worker set for it (null: it left the mode
	-- alone), what a person had set before, and who has overruled it
	auto_level text,
	auto_ts timestamptz,
	auto_mode text,
	person_mode text,
	person_by text,
	person_reason text,
	overruled_by text,
	CONSTRAINT exit_control_only_row_check CHECK (only_row),
	CONSTRAINT exit_control_mode_check CHECK (mode IN ('RUNNING', 'PAUSE_PROFIT', 'PAUSE_ALL', 'EMERGENCY_FLATTEN')),
	CONSTRAINT exit_control_auto_check CHECK (auto_level IN ('L2', 'L3') AND auto_ts IS NOT NULL
		OR auto_level IS NULL AND auto_mode IS NULL AND overruled_by IS NULL),
	CONSTRAINT exit_control_auto_mode_check CHECK (auto_mode IN ('PAUSE_PROFIT', 'PAUSE_ALL') AND person_mode IS NOT NULL
		OR auto_mode IS NULL AND person_mode IS NULL)
);

-- How often a position whose price is quiet is looked at, around the open and the close.
CREATE TABLE trade.exit_windows (
	anchor text NOT NULL,
	from_offset interval NOT NULL,
	until_offset interval NOT NULL,
	every interval NOT NULL,
	updated_by text NOT NULL DEFAULT session_user,
	updated_ts timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (anchor, from_offset),
	CONSTRAINT exit_windows_anchor_check CHECK (anchor IN ('OPEN', 'CLOSE')),
	CONSTRAINT exit_windows_offset_check CHECK (from_offset < until_offset AND from_offset >= interval '-12 hours'
		AND until_offset <= interval '12 hours'),
	CONSTRAINT exit_windows_every_check CHECK (every BETWEEN interval '10 milliseconds' AND interval '60 seconds')
);

CREATE TABLE trade.exit_control_history (
	history_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	mode text NOT NULL,
	reason text,
	updated_by text NOT NULL,
	updated_ts timestamptz NOT NULL
);

CREATE TABLE trade.positions (
	position_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	account_id text NOT NULL REFERENCES trade.accounts (account_id),
	symbol text NOT NULL REFERENCES market.stocks (symbol) ON DELETE RESTRICT,
	side text NOT NULL DEFAULT 'LONG',
	qty bigint NOT NULL,
	original_qty bigint NOT NULL,
	avg_price numeric(18,4) NOT NULL,
	entry_ts timestamptz NOT NULL,
	status text NOT NULL DEFAULT 'OPEN',
	exit_mode text NOT NULL DEFAULT 'MANUAL_ONLY',
	exit_profile_id text REFERENCES trade.exit_profiles (profile_id),
	strategy_id text,
	-- set by execution when the broker's witnesses disagree; exits hold until a person looked
	quarantine_reason text,
	-- shares that came or went by the broker's balance and not by a fill of ours
	adjusted_qty bigint NOT NULL DEFAULT 0,
	version integer NOT NULL DEFAULT 1,
	created_ts timestamptz NOT NULL DEFAULT now(),
	updated_ts timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT positions_side_check CHECK (side = 'LONG'),
	CONSTRAINT positions_qty_check CHECK (qty >= 0),
	CONSTRAINT positions_original_qty_check CHECK (original_qty > 0),
	CONSTRAINT positions_avg_price_check CHECK (avg_price > 0),
	CONSTRAINT positions_status_check CHECK (status IN ('OPEN', 'CLOSING', 'CLOSED')),
	CONSTRAINT positions_closed_check CHECK (status <> 'CLOSED' OR qty = 0),
	CONSTRAINT positions_exit_mode_check CHECK (exit_mode IN ('ENABLED', 'DISABLED', 'MANUAL_ONLY'))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX positions_live_idx ON trade.positions (account_id, symbol) WHERE status IN ('OPEN', 'CLOSING');
CREATE INDEX positions_symbol_idx ON trade.positions (symbol);

CREATE TABLE trade.position_state (
	position_id uuid PRIMARY KEY REFERENCES trade.positions (position_id),
	phase text NOT NULL DEFAULT 'OPEN',
	exit_cycle integer NOT NULL DEFAULT 1,
	hwm_price numeric(18,4),
	hwm_ts timestamptz,
	stop_floor_price numeric(18,4),
	atr_pct numeric(12,6),
	last_avg_price numeric(18,4),
	base_avg_price numeric(18,4),
	last_qty bigint,
	cycle_qty bigint,
	trail_partial_done boolean NOT NULL DEFAULT false,
	stop_floor_breach_ticks integer NOT NULL DEFAULT 0,
	stop_floor_breach_ts timestamptz,
	trailing_breach_ticks integer NOT NULL DEFAULT 0,
	trailing_breach_ts timestamptz,
	break_even_breach_ticks integer NOT NULL DEFAULT 0,
	break_even_breach_ts timestamptz,
	-- which order began the cycle (a hash of it): its further fills belong to the same one
	cycle_buy bigint,
	last_eval_ts timestamptz,
	updated_ts timestamptz NOT NULL DEFAULT now(),
	-- its price was stale for long: automatic exits are HELD, or a person has OVERRULED that
	hold text,
	hold_ts timestamptz,
	CONSTRAINT position_state_phase_check CHECK (phase IN ('OPEN', 'TP1_DONE', 'TP2_DONE', 'TP3_DONE', 'TRAILING_ACTIVE', 'EXITED')),
	CONSTRAINT position_state_cycle_check CHECK (exit_cycle >= 1),
	CONSTRAINT position_state_hold_check CHECK (hold IN ('HELD', 'OVERRULED') AND hold_ts IS NOT NULL OR hold IS NULL)
) WITH (fillfactor = 50);
CREATE INDEX position_state_phase_idx ON trade.position_state (phase);

CREATE TABLE trade.order_intents (
	intent_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	account_id text NOT NULL REFERENCES trade.accounts (account_id),
	position_id uuid REFERENCES trade.positions (position_id),
	candidate_id uuid,
	decision_id uuid,
	symbol text NOT NULL REFERENCES market.stocks (symbol) ON DELETE RESTRICT,
	intent_type text NOT NULL,
	qty bigint NOT NULL,
	order_type text NOT NULL DEFAULT 'MKT',
	limit_price bigint,
	reason_code text NOT NULL,
	-- of a custom rule: its id in the profile
	rule_id text,
	reason_detail text,
	action_key text NOT NULL,
	exit_cycle integer,
	phase text,
	priority integer NOT NULL DEFAULT 0,
	source_module text NOT NULL,
	status text NOT NULL DEFAULT 'NEW',
	-- what the decision saw
	decided_price numeric(18,4),
	threshold_price numeric(18,4),
	created_by text NOT NULL DEFAULT session_user,
	created_ts timestamptz NOT NULL DEFAULT now(),
	expires_ts timestamptz,
	-- execution's columns
	filled_qty bigint NOT NULL DEFAULT 0,
	avg_fill_price numeric(18,4),
	error_code text,
	error_message text,
	updated_ts timestamptz NOT NULL DEFAULT now(),
	-- exit's columns: a more severe trigger wants this one gone; and the phase
	-- change that its fills caused is stored
	cancel_requested boolean NOT NULL DEFAULT false,
	effect_applied boolean NOT NULL DEFAULT false,
	CONSTRAINT order_intents_type_check CHECK (intent_type IN ('ENTRY', 'EXIT_PARTIAL', 'EXIT_FULL')),
	CONSTRAINT order_intents_qty_check CHECK (qty > 0),
	CONSTRAINT order_intents_filled_check CHECK (filled_qty BETWEEN 0 AND qty),
	CONSTRAINT order_intents_order_type_check CHECK (order_type IN ('MKT', 'LMT')),
	CONSTRAINT order_intents_limit_check CHECK ((order_type = 'LMT') = (limit_price IS NOT NULL) AND limit_price > 0),
	CONSTRAINT order_intents_owner_check CHECK (CASE WHEN intent_type = 'ENTRY'
		THEN position_id IS NULL AND source_module IN ('REENTRY', 'ROUTER', 'STRATEGY', 'MANUAL')
		ELSE position_id IS NOT NULL AND candidate_id IS NULL AND decision_id IS NULL
			AND source_module IN ('EXIT', 'MANUAL', 'RISK') END),
	CONSTRAINT order_intents_status_check CHECK (status IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED',
		'PARTIAL', 'FILLED', 'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'FAILED', 'EXPIRED', 'DUPLICATE'))
) WITH (fillfactor = 70);
-- A failed attempt must not disable its trigger for ever (runtime 2.4, B-X4).
CREATE UNIQUE INDEX order_intents_action_key_idx ON trade.order_intents (account_id, action_key)
	WHERE status NOT IN ('FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'DUPLICATE');
CREATE INDEX order_intents_new_idx ON trade.order_intents (account_id, priority DESC, created_ts) WHERE status = 'NEW';
CREATE INDEX order_intents_position_idx ON trade.order_intents (position_id, status);
CREATE INDEX order_intents_created_idx ON trade.order_intents (created_ts DESC);
CREATE INDEX order_intents_cancel_idx ON trade.order_intents (account_id)
	WHERE cancel_requested AND status IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL');
CREATE INDEX order_intents_effect_idx ON trade.order_intents (position_id)
	WHERE NOT effect_applied AND position_id IS NOT NULL
	AND status NOT IN ('PENDING_APPROVAL', 'NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL');

CREATE TABLE trade.orders (
	order_uid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	account_id text NOT NULL REFERENCES trade.accounts (account_id),
	trade_date date NOT NULL,
	-- the broker's number: data, unique only within (account, trade date)
	broker_order_no text,
	broker_org_no text,
	orig_order_no text,
	intent_id uuid REFERENCES trade.order_intents (intent_id),
	position_id uuid REFERENCES trade.positions (position_id),
	symbol text NOT NULL REFERENCES market.stocks (symbol) ON DELETE RESTRICT,
	side text NOT NULL,
	order_type text NOT NULL,
	limit_price bigint,
	qty bigint NOT NULL,
	filled_qty bigint NOT NULL DEFAULT 0,
	cancelled_qty bigint NOT NULL DEFAULT 0,
	rejected_qty bigint NOT NULL DEFAULT 0,
	avg_fill_price numeric(18,4),
	-- the two witnesses, see fill.h
	notice_qty bigint NOT NULL DEFAULT 0,
	notice_amount bigint NOT NULL DEFAULT 0,
	ledger_qty bigint NOT NULL DEFAULT 0,
	ledger_amount bigint NOT NULL DEFAULT 0,
	ledger_ts timestamptz,
	status text NOT NULL DEFAULT 'PENDING_SUBMIT',
	origin text NOT NULL DEFAULT 'AUTO',
	-- the broker's name for where it was entered; null for ours
	channel text,
	attempt integer NOT NULL DEFAULT 1,
	-- not null: the last attempt was provably refused and may be sent again after this
	retry_ts timestamptz,
	sent_ts timestamptz,
	acked_ts timestamptz,
	-- sellable (buy: held) quantity the balance shows if this order never arrived: its witness
	sent_holding_qty bigint,
	complete_lists integer NOT NULL DEFAULT 0,
	quarantined boolean NOT NULL DEFAULT false,
	cancel_state text,
	cancel_reason text,
	cancel_order_no text,
	cancel_ts timestamptz,
	cancel_attempts integer NOT NULL DEFAULT 0,
	error_code text,
	error_message text,
	raw jsonb,
	created_ts timestamptz NOT NULL DEFAULT now(),
	updated_ts timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT orders_side_check CHECK (side IN ('BUY', 'SELL')),
	CONSTRAINT orders_order_type_check CHECK (order_type IN ('MKT', 'LMT', 'OTHER')),
	CONSTRAINT orders_qty_check CHECK (qty > 0),
	CONSTRAINT orders_filled_check CHECK (filled_qty BETWEEN 0 AND qty),
	CONSTRAINT orders_killed_check CHECK (cancelled_qty >= 0 AND rejected_qty >= 0
		AND filled_qty + cancelled_qty + rejected_qty <= qty),
	CONSTRAINT orders_status_check CHECK (status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL', 'FILLED',
		'CANCELLED', 'CANCELLED_PARTIAL', 'REJECTED', 'EXPIRED')),
	CONSTRAINT orders_origin_check CHECK (origin IN ('AUTO', 'MANUAL')),
	CONSTRAINT orders_number_check CHECK (broker_order_no IS NOT NULL
		OR status IN ('PENDING_SUBMIT', 'UNKNOWN', 'REJECTED')),
	CONSTRAINT orders_cancel_state_check CHECK (cancel_state IN ('REQUESTED', 'SENT', 'ACCEPTED', 'REFUSED', 'UNKNOWN')),
	CONSTRAINT orders_broker_order_no_key UNIQUE (account_id, trade_date, broker_order_no)
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX orders_intent_idx ON trade.orders (intent_id) WHERE intent_id IS NOT NULL;
-- To keep the match of an unknown order unambiguous (kis-api 6.5).
CREATE UNIQUE INDEX orders_unresolved_idx ON trade.orders (account_id, symbol, side)
	WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN');
CREATE INDEX orders_live_idx ON trade.orders (account_id, status)
	WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL');
CREATE INDEX orders_position_idx ON trade.orders (position_id);
CREATE INDEX orders_created_idx ON trade.orders (created_ts DESC);
-- Every claim asks whether somebody else has just sold the same.
CREATE INDEX orders_foreign_idx ON trade.orders (account_id, symbol, sent_ts) WHERE origin = 'MANUAL';

-- Every execution notice as it came, before and beside what was booked from
-- it.  (epoch, seq) is its place in the feed's queue: a crash between reading
-- and committing cannot store one twice.
CREATE TABLE trade.notices (
	epoch bigint NOT NULL,
	seq bigint NOT NULL,
	account_id text NOT NULL REFERENCES trade.accounts (account_id),
	trade_date date NOT NULL,
	kind text NOT NULL,
	broker_order_no text NOT NULL,
	orig_order_no text,
	symbol text NOT NULL,
	side text NOT NULL,
	ord_dvsn text,
	qty bigint NOT NULL,
	price bigint NOT NULL,
	order_qty bigint,
	hhmmss integer,
	order_uid uuid REFERENCES trade.orders (order_uid),
	-- a fill notice that counts towards the order's notice_qty
	counted boolean NOT NULL DEFAULT false,
	recv_ts timestamptz NOT NULL,
	PRIMARY KEY (epoch, seq),
	CONSTRAINT notices_kind_check CHECK (kind IN ('ACCEPTED', 'FILL', 'REJECTED', 'CANCELLED', 'REVISED')),
	CONSTRAINT notices_side_check CHECK (side IN ('BUY', 'SELL'))
);
CREATE INDEX notices_order_idx ON trade.notices (account_id, trade_date, broker_order_no);
CREATE INDEX notices_counted_idx ON trade.notices (order_uid, hhmmss) WHERE counted;
CREATE INDEX notices_loose_idx ON trade.notices (account_id, trade_date) WHERE order_uid IS NULL;

CREATE TABLE trade.fills (
	fill_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	account_id text NOT NULL REFERENCES trade.accounts (account_id),
	order_uid uuid NOT NULL REFERENCES trade.orders (order_uid),
	position_id uuid REFERENCES trade.positions (position_id),
	symbol text NOT NULL,
	side text NOT NULL,
	qty bigint NOT NULL,
	price numeric(18,4) NOT NULL,
	fee bigint NOT NULL DEFAULT 0,
	tax bigint NOT NULL DEFAULT 0,
	avg_price numeric(18,4), -- of the position that was sold from; more may be bought later
	source text NOT NULL,
	dedupe_key text NOT NULL,
	ts timestamptz NOT NULL,
	created_ts timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT fills_side_check CHECK (side IN ('BUY', 'SELL')),
	CONSTRAINT fills_qty_check CHECK (qty > 0),
	CONSTRAINT fills_price_check CHECK (price > 0),
	CONSTRAINT fills_source_check CHECK (source IN ('WS', 'REST_DELTA', 'BALANCE', 'MANUAL')),
	CONSTRAINT fills_dedupe_key UNIQUE (order_uid, dedupe_key)
);
CREATE INDEX fills_position_idx ON trade.fills (position_id, ts);
CREATE INDEX fills_ts_idx ON trade.fills (ts DESC);

CREATE TABLE trade.holdings (
	account_id text NOT NULL REFERENCES trade.accounts (account_id),
	symbol text NOT NULL REFERENCES market.stocks (symbol) ON DELETE RESTRICT,
	qty bigint NOT NULL,
	orderable_qty bigint,
	avg_price numeric(18,4) NOT NULL,
	current_price bigint,
	-- consecutive complete balances that disagreed with the position in the same way
	mismatch_qty bigint,
	mismatch_count integer NOT NULL DEFAULT 0,
	sync_id bigint NOT NULL,
	updated_ts timestamptz NOT NULL,
	PRIMARY KEY (account_id, symbol),
	CONSTRAINT holdings_qty_check CHECK (qty >= 0)
);

CREATE TABLE trade.exit_events (
	exit_event_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	position_id uuid NOT NULL REFERENCES trade.positions (position_id),
	account_id text NOT NULL REFERENCES trade.accounts (account_id),
	symbol text NOT NULL REFERENCES market.stocks (symbol) ON DELETE RESTRICT,
	exit_ts timestamptz NOT NULL,
	exit_qty bigint NOT NULL,
	exit_avg_price numeric(18,4) NOT NULL,
	exit_reason_code text NOT NULL,
	source text NOT NULL,
	intent_id uuid REFERENCES trade.order_intents (intent_id),
	exit_profile_id text,
	realized_pnl bigint,
	realized_pnl_pct numeric(12,6),
	fees bigint NOT NULL DEFAULT 0,
	taxes bigint NOT NULL DEFAULT 0,
	created_ts timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT exit_events_position_key UNIQUE (position_id),
	CONSTRAINT exit_events_qty_check CHECK (exit_qty > 0),
	CONSTRAINT exit_events_source_check CHECK (source IN ('AUTO_EXIT', 'MANUAL', 'BROKER', 'UNKNOWN')),
	CONSTRAINT exit_events_reason_check CHECK (exit_reason_code IN ('HARD_STOP', 'GAP_DOWN', 'SL1', 'SL2', 'STOP_FLOOR',
		'BREAK_EVEN', 'CUSTOM', 'TP1', 'TP2', 'TP3', 'TRAIL_PARTIAL', 'TRAIL', 'TIME', 'MANUAL', 'EMERGENCY', 'BROKER', 'UNKNOWN'))
);
CREATE INDEX exit_events_symbol_idx ON trade.exit_events (symbol, exit_ts DESC);
CREATE INDEX exit_events_reason_idx ON trade.exit_events (exit_reason_code, exit_ts DESC);

-- Sampled evaluations and every trigger; one partition per trading date, each with
-- an index of its own on (position_id, ts).
CREATE TABLE trade.exit_signals (
	ts timestamptz NOT NULL,
	position_id uuid NOT NULL,
	account_id text NOT NULL,
	rule_name text NOT NULL,
	is_triggered boolean NOT NULL,
	-- null: EMERGENCY asks for none
	price numeric(18,4),
	threshold_price numeric(18,4),
	distance_pct numeric(12,6),
	pnl_pct numeric(12,6),
	hwm_price numeric(18,4),
	stop_floor_price numeric(18,4),
	phase text NOT NULL,
	control_mode text NOT NULL,
	profile_id text,
	intent_id uuid,
	-- of a sample: was the threshold reached, why would the rule not have acted all the
	-- same, and its place in the order of evaluation
	breached boolean,
	blocked_by text,
	rank smallint
) PARTITION BY RANGE (ts);
