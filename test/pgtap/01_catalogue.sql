-- Truths about every object of the extension.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS qts;
SET client_min_messages = error;
SELECT qts.activate();
SELECT plan(18);

CREATE TEMP VIEW ours AS SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('market', 'trade', 'system', 'qts');
CREATE TEMP VIEW our_tables AS SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relkind, c.relacl, c.relowner
	FROM pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE NOT c.relispartition;

-- Dump marks: everything durable, and nothing else.
SELECT set_eq($$
	SELECT t.name FROM our_tables t, pg_extension e WHERE e.extname = 'qts' AND t.relkind IN ('r', 'p', 'S')
		AND NOT t.oid = ANY (e.extconfig)$$,
	ARRAY['system.process_locks'], 'every table and sequence is dumped but the ephemeral one');
SELECT is_empty($$SELECT unnest(extcondition) AS c FROM pg_extension WHERE extname = 'qts' EXCEPT VALUES ('')$$,
	'whole tables are dumped, no rows left out');
SELECT is_empty($$
	WITH RECURSIVE fk AS (SELECT conrelid AS child, confrelid AS parent FROM pg_constraint
		WHERE contype = 'f' AND conrelid IN (SELECT oid FROM our_tables)),
	reach AS (SELECT child, parent FROM fk UNION SELECT r.child, f.parent FROM reach r JOIN fk f ON f.child = r.parent)
	SELECT child::regclass FROM reach WHERE child = parent$$, 'no cycle of foreign keys: a dump can be ordered');

-- Functions.
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM ours) AND p.prosecdef
	AND (p.proconfig IS NULL OR NOT 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig))$$,
	'every SECURITY DEFINER function pins its search_path');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace IN (SELECT oid FROM ours) AND l.lanname = 'plpgsql'
	AND (p.proconfig IS NULL OR NOT 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig))$$,
	'so does every plpgsql function');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM ours)
	AND p.prorettype = 'trigger'::regtype AND p.prosecdef$$, 'no trigger runs as its owner');

-- Nothing for everybody.
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM ours)
	AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)$$,
	'no function is granted to PUBLIC');
SELECT is_empty($$SELECT t.name FROM our_tables t WHERE EXISTS (SELECT FROM aclexplode(coalesce(t.relacl,
	acldefault(CASE WHEN t.relkind = 'S' THEN 's' ELSE 'r' END::"char", t.relowner))) a WHERE a.grantee = 0)$$,
	'no table, view or sequence is');
SELECT is_empty($$SELECT n.nspname FROM pg_namespace n JOIN ours o ON o.oid = n.oid WHERE EXISTS (
	SELECT FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a WHERE a.grantee = 0)$$, 'no schema is');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c JOIN ours o ON o.oid = c.relnamespace
	WHERE c.relkind = 'v' AND NOT coalesce('security_barrier=true' = ANY (c.reloptions), false)$$,
	'every view is a security barrier');

-- Comments.
SELECT is_empty($$SELECT name FROM our_tables WHERE relkind IN ('r', 'p', 'v') AND obj_description(oid, 'pg_class') IS NULL$$,
	'every table and view is described');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM ours)
	AND obj_description(p.oid, 'pg_proc') IS NULL$$, 'every function is');
SELECT is_empty($$SELECT g.tgname, g.tgrelid::regclass FROM pg_trigger g WHERE g.tgrelid IN (SELECT oid FROM our_tables)
	AND NOT g.tgisinternal AND obj_description(g.oid, 'pg_trigger') IS NULL$$, 'every trigger is');
SELECT is_empty($$SELECT nspname FROM ours WHERE obj_description(oid, 'pg_namespace') IS NULL$$, 'every schema is');
SELECT is_empty($$SELECT g.tgname, g.tgrelid::regclass FROM pg_trigger g WHERE g.tgrelid IN (SELECT oid FROM our_tables)
	AND NOT g.tgisinternal AND g.tgenabled <> 'O'$$, 'triggers are enabled, and a restore as replica may skip them');
SELECT is_empty($$SELECT i.indexrelid::regclass FROM pg_index i WHERE i.indrelid IN (SELECT oid FROM our_tables)
	AND pg_get_indexdef(i.indexrelid) ~* 'now\(|clock_timestamp|current_(date|time)'$$, 'B-D1: no index depends on the clock');
SELECT is_empty($$SELECT name FROM our_tables t WHERE name IN ('trade.positions', 'trade.order_intents', 'trade.orders',
	'trade.fills', 'trade.notices', 'trade.holdings', 'trade.account_sync', 'trade.exit_events') AND NOT EXISTS (SELECT
	FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'account_id' AND a.attnotnull)$$,
	'R16: what belongs to an account names it');
SELECT is_empty($$SELECT name FROM pg_settings WHERE name LIKE 'qts.%' AND name ~ 'tls|ssl|verif|insecure|ca_|proxy'$$,
	'R20: no setting weakens the connection to the broker');
SELECT * FROM finish();
ROLLBACK;
