# 047_timescaledb.pl
#		Old ticks as chunks of a hypertable: the same ticks at every stage, by the policy
#		table alone, through a dump, and back again.  Needs timescaledb 2.21 or later.
use strict;
use warnings;
use Test::More;
use QtsTest;

my ($share) = PostgreSQL::Test::Utils::run_command(['pg_config', '--sharedir']);
plan skip_all => 'timescaledb is not installed' unless -e "$share/extension/timescaledb.control";

my %conf = (shared_preload_libraries => 'timescaledb,qts', max_worker_processes => 24,
	'timescaledb.telemetry_level' => 'off', 'qts.notify' => 'on');
my $e = QtsTest->new(no_sim => 1, clock => KRX_OPEN, conf => { %conf, 'qts.database' => 'trading' });
my $ALL = q{SELECT md5(string_agg(t::text, chr(10) ORDER BY s.symbol, t.recv_ts, t.seq)) FROM market.stocks s,
	qts.ticks(s.symbol, '2026-11-01', '2026-12-01') t};
my $CHUNKS = q{SELECT string_agg(child || ' ' || (from_ts AT TIME ZONE 'Asia/Seoul')::date || ' ' || compressed, ', ' ORDER BY from_ts)
	FROM system._history_chunks()};

sub monitor_again
{
	my $old = $e->pid('monitor');
	$e->sql("SELECT pg_terminate_backend($old)");
	$e->need("(SELECT pid <> $old AND state = 'RUNNING' FROM qts._workers() WHERE worker = 'monitor')");
	return;
}

# Ticks of five days, from midnight to midnight in Seoul.
sub fill
{
	$e->sql(q{
		INSERT INTO market.stocks (symbol, name, market) SELECT to_char(100000 + n, 'FM000000'), 'S' || n, 'KOSPI' FROM generate_series(1, 10) n;
		SELECT system._ensure_range('market.prices_ticks', '2026-11-09 00:00+09', '2026-11-20 23:00+09');
		SELECT setseed(0.7);
		INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price, volume, acml_volume, exch_ts)
		SELECT at, n, symbol, CASE WHEN random() < 0.1 THEN 'KIS_REST' ELSE 'KIS_WS' END,
			1000 + 10 * floor(random() * 50)::bigint, 3, 3 * n, nullif(date_trunc('second', at), date_trunc('hour', at))
		FROM (SELECT s.symbol, n, d + n * interval '80 s' AS at FROM market.stocks s, generate_series(0, 1079) n,
			generate_series('2026-11-09 00:00+09'::timestamptz, '2026-11-13 00:00+09', '1 day') d WHERE s.name LIKE 'S%') t;
		INSERT INTO market.freshness (symbol, source, last_ts, last_price)
		SELECT symbol, 'KIS_WS', max(recv_ts), 1 FROM market.prices_ticks GROUP BY symbol;
		INSERT INTO system.upkeep (task, watermark) VALUES ('ohlcv_1m', '2026-11-19 00:00+09'), ('ohlcv_1d', '2026-11-19 00:00+09')});
	return;
}

sub refused
{
	my $error = $e->error(q{SELECT qts.enable_timescaledb('test')});
	is($error->{state}, 'QT011', 'not without the extension');
	like($error->{text}, qr/timescaledb is not available.*CREATE EXTENSION timescaledb/s, 'and it says what to do');
	$e->sql('CREATE EXTENSION timescaledb');
	is($e->error(q{SELECT qts.enable_timescaledb('')})->{state}, 'QT011', 'nor without a reason');
	$e->sql(q{ALTER SYSTEM SET timescaledb.license = 'apache'});
	$e->{node}->reload;
	$e->need(q{current_setting('timescaledb.license') = 'apache'});
	like($e->error(q{SELECT qts.enable_timescaledb('test')})->{text}, qr/cannot compress/, 'nor where it cannot compress');
	$e->sql('ALTER SYSTEM RESET timescaledb.license');
	$e->{node}->reload;
	$e->need(q{current_setting('timescaledb.license') = 'timescale'});
	return;
}

# A reader who was there first, and one who waits while the day moves, see each tick once.
sub moved_under_a_reader
{
	my ($before) = @_;
	my $mover = $e->{node}->background_psql('trading');
	my $reader = $e->{node}->background_psql('trading');
	$mover->query_safe(q{BEGIN; SELECT system._history_step()});
	$reader->query_until(qr/asked/, "\\echo asked\n$ALL;\n\\echo done\n");
	$e->until(q{EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%qts.ticks%' AND pid <> pg_backend_pid())},
		'a reader waits while a day moves');
	$mover->query_safe('COMMIT');
	like($reader->query_until(qr/done/, ''), qr/$before/, 'and then sees each tick once');
	$_->quit for $mover, $reader;
	return;
}

sub moved
{
	my $before = $e->sql($ALL);
	my $bytes = $e->sql(q{SELECT sum(pg_total_relation_size(child)) FROM system._partitions('market.prices_ticks') WHERE to_ts <= '2026-11-13 00:00+09'});
	$e->sql(q{SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 7, '30 days', '7 days', 'test')});
	$e->sql(q{SELECT qts.enable_timescaledb('test')});
	is($e->sql(q{SELECT pack_into FROM qts.ts_policy WHERE table_name = 'market.prices_ticks'}), 'market.ticks_history', 'the policy says so');
	is($e->sql(q{SELECT retention FROM qts.ts_policy WHERE table_name = 'market.ticks_history'}), '30 days', 'and how long they stay');
	moved_under_a_reader($before);
	monitor_again();
	$e->need(q{EXISTS (SELECT FROM system._history_chunks() WHERE from_ts >= '2026-11-11 00:00+09')});
	kill 'KILL', $e->pid('monitor');
	$e->need(q{(SELECT bool_and(state = 'RUNNING') FROM qts.status() WHERE kind = 'worker')});
	$e->until(q{(SELECT count(*) = 4 AND bool_and(compressed) FROM system._history_chunks())}, 'killed between: what is old is moved and compressed');
	is($e->sql($CHUNKS), join(', ', map { "market.prices_ticks_202611$_ 2026-11-$_ true" } qw(09 10 11 12)), 'days in Seoul, as they were cut');
	is($e->sql($ALL), $before, 'every tick is as it was');
	cmp_ok($bytes / $e->sql(q{SELECT bytes FROM qts.ts_policy WHERE table_name = 'market.ticks_history'}), '>', 2, 'in less room');
	is($e->sql(q{SELECT count(*) FROM timescaledb_information.jobs WHERE hypertable_name = 'ticks_history'}), 0, 'no policy but ours');
	is($e->error($_)->{state}, 'QT010', $_) for 'UPDATE market.ticks_history SET seq = 0', 'DELETE FROM market.ticks_history', 'TRUNCATE market.ticks_history';
	$e->sql(q{SELECT qts.enable_timescaledb('again')});
	is($e->sql(q{SELECT count(*) FROM system.audit_log WHERE action = 'enable_timescaledb'}), 1, 'enabled once');
	return $before;
}

sub dumped
{
	my ($before) = @_;
	my ($node, $dump) = ($e->{node}, "$e->{dir}/dump");
	PostgreSQL::Test::Utils::run_log(['pg_dump', '-Fc', '-h', $node->host, '-p', $node->port, '-f', $dump, 'trading']) or die;
	$node->safe_psql('postgres', 'CREATE DATABASE other');
	$node->safe_psql('other', 'CREATE EXTENSION timescaledb; SELECT timescaledb_pre_restore()');
	PostgreSQL::Test::Utils::run_log(['pg_restore', '-e', '-h', $node->host, '-p', $node->port, '-d', 'other', $dump]);
	$node->safe_psql('other', 'SELECT timescaledb_post_restore()');
	is($node->safe_psql('other', $ALL), $before, 'a dump holds them');
	is($node->safe_psql('other', $CHUNKS), $e->sql($CHUNKS), 'as chunks');
	$node->safe_psql('postgres', 'DROP DATABASE other WITH (FORCE)');
	return;
}

sub back
{
	my ($before) = @_;
	$e->sql(q{SELECT qts.set_ts_policy('market.ticks_history', '1 day', 0, '8 days', NULL, 'as before')});
	$e->sql(q{SELECT qts.disable_timescaledb('test')});
	monitor_again();
	$e->until(q{to_regclass('market.ticks_history') IS NULL}, 'disabled: the hypertable is gone');
	monitor_again();
	$e->until(q{(SELECT count(*) = 4 FROM system._partitions('market.ticks_packed'))}, 'and its days are packed');
	is($e->sql($ALL), $before, 'every tick is as it was');
	is($e->sql(q{SELECT count(*) FROM system.ts_policy WHERE table_name = 'market.ticks_history'}), 0, 'its policy is gone too');
	is($e->sql(q{SELECT string_agg(task || ': ' || last_error, '; ') FROM qts.upkeep
		WHERE last_error IS NOT NULL AND task IN ('pack', 'timescaledb')}), '', 'neither task failed');
	return;
}

# Days go by the policy of the hypertable, counted from the newest one there is.
sub expired
{
	$e->sql(q{SELECT qts.enable_timescaledb('test again')});
	$e->sql(q{SELECT qts.set_clock('2026-11-30 03:00+09'); UPDATE system.upkeep SET watermark = '2026-11-29 00:00+09' WHERE task LIKE 'ohlcv%'});
	$e->sql(q{SELECT system._ensure_range('market.prices_ticks', '2026-11-17 00:00+09', '2026-11-30 23:00+09');
		INSERT INTO market.prices_ticks (recv_ts, seq, symbol, source, last_price) VALUES ('2026-11-22 23:00+09', 1, '100001', 'NAVER', 1)});
	monitor_again();
	$e->until(q{(SELECT string_agg(to_char(from_ts AT TIME ZONE 'Asia/Seoul', 'MMDD'), ' ') = '1113 1122' FROM system._history_chunks())}, 'two days are history');
	$e->sql(q{SELECT qts.set_ts_policy('market.ticks_history', '1 day', 0, '8 days', NULL, 'shorter')});
	monitor_again();
	$e->until(q{(SELECT string_agg(to_char(from_ts AT TIME ZONE 'Asia/Seoul', 'MMDD'), ' ') = '1122' FROM system._history_chunks())},
		'the older one has gone, not the newest');
	$e->sql(q{DROP TABLE market.ticks_history});
	$e->sql(q{SELECT qts.enable_timescaledb('anew')});
	is($e->sql(q{SELECT hypertable_name FROM timescaledb_information.hypertables}), 'ticks_history', 'lost, it is made anew');
	return;
}

$e->sql(q{CREATE EXTENSION qts; SELECT qts.set_clock('2026-11-20 03:00+09'); SELECT qts.load_defaults();
	SELECT qts.set_ts_policy('market.prices_ticks', '1 day', 7, '30 days', NULL, 'nothing is packed yet')});
fill();
refused();
$e->sql('SELECT qts.activate()');
$e->need(q{(SELECT bool_and(state = 'RUNNING') FROM qts.status() WHERE kind = 'worker')});
my $ticks = moved();
dumped($ticks);
back($ticks);
expired();
done_testing();
