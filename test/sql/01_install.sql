-- The script installs, creates no role, starts nothing and leaves no trace of itself.
SELECT count(*) AS roles_before FROM pg_roles WHERE rolname LIKE 'qts\_%' \gset
CREATE EXTENSION qts;
SELECT count(*) = :roles_before AS no_role_made FROM pg_roles WHERE rolname LIKE 'qts\_%';
SELECT nspname, pg_get_userbyid(nspowner) = current_user AS ours FROM pg_namespace
WHERE nspname IN ('market', 'trade', 'system', 'qts') ORDER BY nspname;
SELECT count(*) AS engine_rows FROM system.engine;
SELECT count(*) AS profiles FROM trade.exit_profiles;

-- What a user can call and see.
SELECT function, arguments FROM qts.help();
SELECT relname FROM pg_class WHERE relnamespace = 'qts'::regnamespace AND relkind = 'v' ORDER BY relname;
SELECT n.nspname || '.' || c.relname AS tables FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('market', 'trade', 'system') AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1;

-- Before activation nothing trades.
\set SHOW_CONTEXT never
SELECT qts.exit('00000000-0000-0000-0000-000000000001');
\echo :SQLSTATE
SELECT qts.set_exit_mode('PAUSE_ALL', 'too early');
\echo :SQLSTATE
-- A second one is refused, and so is a foreign schema of the same name.
CREATE EXTENSION qts;
DROP EXTENSION qts;
CREATE SCHEMA trade;
CREATE EXTENSION qts;
DROP SCHEMA trade;
CREATE EXTENSION qts;
