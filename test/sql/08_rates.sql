-- The broker's rate limits as rows with dates, and which of them an account is under.
SELECT environment, kind, from_date, per_second FROM trade.rate_limits ORDER BY 1, 2, 3;
SELECT qts.set_rate_limit('live', 'standard', '2027-01-01', 15, 'notice of the broker');
SELECT qts.set_rate_limit('live', 'standard', '2027-01-01', 16, 'corrected');
SELECT per_second FROM trade.rate_limits WHERE from_date = '2027-01-01';
SELECT qts.set_rate_limit('live', 'standard', '2027-01-01', NULL, 'withdrawn');
SELECT count(*) FROM trade.rate_limits WHERE from_date = '2027-01-01';
SELECT action, object, reason, before, after FROM system.audit_log WHERE action = 'set_rate_limit' ORDER BY audit_id;
\set SHOW_CONTEXT never
SELECT qts.set_rate_limit('live', 'standard', '2027-01-01', 0, 'too few');
SELECT qts.set_rate_limit('live', 'standard', '2027-01-01', 65, 'too many');
SELECT qts.set_rate_limit('live', 'standard', 'infinity', 5, 'never');
SELECT qts.set_rate_limit('live', 'gold', '2027-01-01', 5, 'no such kind');
SELECT qts.set_rate_limit('demo', 'standard', '2027-01-01', 5, 'no such environment');
SELECT qts.set_rate_limit('live', 'standard', '2027-01-01', 5, '');
SELECT qts.add_account('80000000-01', rate_kind => 'gold');
SELECT qts.set_account_rate('80000000-01', 'new', 'not there');
SELECT qts.add_account('80000000-01', rate_kind => 'new');
SELECT rate_kind FROM trade.accounts WHERE account_id = '80000000-01';
SELECT qts.set_account_rate('80000000-01', 'standard', 'three days are over');
SELECT rate_kind FROM trade.accounts WHERE account_id = '80000000-01';
SELECT qts.remove_account('80000000-01');
-- What was changed stays changed: defaults overwrite nothing.
SELECT qts.set_rate_limit('paper', 'standard', '2026-04-20', 2, 'raised for us');
SELECT qts.load_defaults();
SELECT per_second FROM trade.rate_limits WHERE environment = 'paper' AND from_date = '2026-04-20';
SELECT qts.set_rate_limit('paper', 'standard', '2026-04-20', 1, 'as published');
