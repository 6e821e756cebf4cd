-- Points of a build with -DQTS_POINTS.  how: kill, error, wait, nothing.
CREATE SCHEMA qts_test;
CREATE FUNCTION qts_test.arm(name text, how text, skip int DEFAULT 0) RETURNS boolean
	LANGUAGE c STRICT AS '$libdir/qts', 'qts_point_arm';
CREATE FUNCTION qts_test.hits(name text) RETURNS bigint
	LANGUAGE c STRICT AS '$libdir/qts', 'qts_point_hits';
CREATE FUNCTION qts_test.waiting(name text) RETURNS int
	LANGUAGE c STRICT AS '$libdir/qts', 'qts_point_waiting';
