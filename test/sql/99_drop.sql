-- Everything goes with the extension, partitions included; roles stay.
\set SHOW_CONTEXT never
SET client_min_messages = error;
DROP EXTENSION qts;
SELECT nspname FROM pg_namespace WHERE nspname IN ('market', 'trade', 'system', 'qts');
CREATE EXTENSION qts;
SELECT count(*) AS positions FROM trade.positions;
SELECT qts.activate();
SELECT active FROM system.engine;
DROP EXTENSION qts;
