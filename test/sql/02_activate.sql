\set SHOW_CONTEXT never
SET client_min_messages = error;
SELECT qts.activate('sometimes');
\echo :SQLSTATE
SELECT qts.activate();
SELECT active, failover, emergency_stop, system_identifier = (pg_control_system()).system_identifier AS this_cluster,
	timeline = ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS this_timeline FROM system.engine;

-- Again: same state, nothing overwritten.
UPDATE trade.exit_profiles SET description = 'mine' WHERE profile_id = 'low_vol';
UPDATE market.calendar SET note = 'mine' WHERE date = '2026-12-31';
SELECT qts.activate('auto');
SELECT profile_id, description FROM trade.exit_profiles ORDER BY profile_id;
SELECT note FROM market.calendar WHERE date = '2026-12-31';
SELECT failover, count(*) OVER () AS rows FROM system.engine;

SELECT rolname, rolcanlogin AS login, rolinherit AS inherit, rolsuper AS super, rolconnlimit AS connections
FROM pg_roles WHERE rolname LIKE 'qts\_%' ORDER BY rolname;
SELECT r.rolname AS member, g.rolname AS of FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
JOIN pg_roles g ON g.oid = m.roleid WHERE r.rolname LIKE 'qts\_%' ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE rolpassword IS NOT NULL) AS with_password FROM pg_authid WHERE rolname LIKE 'qts\_%';

-- Calendar: known days.
SELECT date, is_open, open_at, closing_auction_at, close_at, note FROM market.calendar
WHERE date IN ('2025-01-02', '2025-05-01', '2025-11-13', '2025-12-31', '2026-02-16', '2026-06-03', '2026-11-19',
	'2026-11-20', '2026-11-21', '2027-01-04', '2027-11-18') ORDER BY date;
SELECT extract(year FROM date)::int AS year, count(*) AS days, count(*) FILTER (WHERE is_open) AS open
FROM market.calendar GROUP BY 1 ORDER BY 1;
SELECT * FROM market.fee_rates ORDER BY market, instrument, from_date;

-- Only a superuser, and only with a reason to stop.
CREATE ROLE qtstest_nobody;
GRANT USAGE ON SCHEMA qts TO qtstest_nobody;
SET ROLE qtstest_nobody;
SELECT qts.activate();
\echo :SQLSTATE
RESET ROLE;
GRANT EXECUTE ON FUNCTION qts.activate(text) TO qtstest_nobody;
SET ROLE qtstest_nobody;
SELECT qts.activate();
\echo :SQLSTATE
RESET ROLE;
REVOKE ALL ON FUNCTION qts.activate(text) FROM qtstest_nobody;
REVOKE ALL ON SCHEMA qts FROM qtstest_nobody;
DROP ROLE qtstest_nobody;
SELECT qts.deactivate('  ');
\echo :SQLSTATE
SELECT qts.deactivate('end of day');
SELECT active, reason FROM system.engine;
SELECT qts.exit('00000000-0000-0000-0000-000000000001');
\echo :SQLSTATE

-- A copy of another cluster or an old timeline is fenced.
SELECT qts.activate();
UPDATE system.engine SET system_identifier = system_identifier + 1;
SELECT qts.emergency_stop(true, 'still allowed: it only stops');
DO $$
BEGIN
	PERFORM qts.exit('00000000-0000-0000-0000-000000000001');
EXCEPTION WHEN SQLSTATE 'QT204' THEN
	RAISE INFO 'fenced: %', SQLERRM;
END $$;
SELECT qts.emergency_stop(false, 'test over');
SELECT qts.activate();
SELECT action, reason, before ->> 'active' AS was_active, after ->> 'active' AS is_active FROM system.audit_log ORDER BY audit_id;
