# 024_ddl.pl
#		F25: what administrators do to a server while it trades.  Workers yield, nobody
#		deadlocks, every order is sent once.  F31: the server's slow troubles stop entries.
use strict;
use warnings;
use Test::More;
use QtsTest;

my $e = QtsTest->engine(init => { allows_streaming => 1 }, conf => { 'deadlock_timeout' => '100ms' });
my $sim = $e->{sim};
my $seq;

# An order is at the broker and not answered.
sub in_flight
{
	$seq = $sim->last_seq;
	$sim->fault('hold_reply');
	my $intent = $e->exit_position(SAMSUNG, ', 2');
	ok($sim->wait_posts(1, $seq), 'an order is under way');
	return $intent;
}

sub ends_well
{
	my ($intent, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$sim->release;
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: the order is booked");
	is($sim->posts($seq), 1, "$name: one POST");
	$e->healthy($name);
	return;
}

subtest 'F25: tables are rewritten while an order is under way' => sub {
	my $intent = in_flight();
	for my $sql ('VACUUM FULL trade.orders', 'VACUUM FULL trade.order_intents',
		'CLUSTER trade.positions USING positions_pkey', 'REINDEX TABLE CONCURRENTLY trade.orders', 'ANALYZE',
		'VACUUM FULL system.engine', 'CHECKPOINT')
	{
		my ($rc, undef, $err) = $e->{node}->psql('trading', $sql);
		is($rc, 0, "$sql is not held up") or diag($err);
	}
	ends_well($intent, 'rewritten');
};

subtest 'F25: TRUNCATE is refused' => sub {
	for my $table (qw(trade.orders trade.order_intents trade.fills trade.positions))
	{
		is($e->error("TRUNCATE $table CASCADE")->{state}, 'QT010', "TRUNCATE $table");
	}
};

subtest 'F25: a long exclusive lock on the table of orders' => sub {
	my $pid = $e->pid('execution');
	$seq = $sim->last_seq;
	my $session = $e->{node}->background_psql('trading');
	$session->query_safe('BEGIN; LOCK TABLE trade.orders IN ACCESS EXCLUSIVE MODE');
	my $intent = $e->exit_position(HYNIX, ', 2');
	my $errors = $e->sql("SELECT errors FROM qts._workers() WHERE worker = 'execution'");
	$e->until("(SELECT errors > $errors FROM qts._workers() WHERE worker = 'execution')",
		'the worker gives up waiting instead of queueing for ever');
	is($sim->posts($seq), 0, 'nothing is sent without its row');
	$session->query_safe('COMMIT');
	$session->quit;
	ends_well($intent, 'unlocked');
};

subtest 'F25: pg_dump, settings and reloads beside it' => sub {
	my $intent = in_flight();
	$e->{node}->command_ok([ 'pg_dump', '-f', "$e->{dir}/dump.sql", '-d', $e->{node}->connstr('trading') ],
		'pg_dump is not held up');
	$e->sql('ALTER SYSTEM SET qts.exit_interval = 5000');
	$e->{node}->reload for 1 .. 3;
	$e->until("(SELECT setting = '5000' FROM pg_settings WHERE name = 'qts.exit_interval')", 'reloaded');
	ends_well($intent, 'dumped and reloaded');
	is($e->error("ALTER SYSTEM SET qts.max_xid_age = -1")->{state}, '22023', 'a wrong value is refused');
};

subtest 'F25: the extension is altered, and dropped in a transaction that is rolled back' => sub {
	my $intent = in_flight();
	my $session = $e->{node}->background_psql('trading');
	$session->query_safe(q{BEGIN; DROP EXTENSION qts CASCADE});
	# no worker may touch the tables; they say so, and do not block the one who drops
	my $errors = $e->sql("SELECT errors FROM qts._workers() WHERE worker = 'execution'");
	$sim->release;
	$e->until("(SELECT errors > $errors FROM qts._workers() WHERE worker = 'execution')",
		'the answer cannot be stored');
	$session->query_safe('ROLLBACK');
	$session->quit;
	$e->wait_trading;
	ends_well($intent, 'not dropped after all');
	like($e->error("ALTER EXTENSION qts UPDATE TO '99'")->{text}, qr/no update path/, 'no such version');
};

# An intent written around the API, with the audit row it would have.
sub entry
{
	my ($key) = @_;
	return $e->sql("WITH i AS (INSERT INTO trade.order_intents (account_id, symbol, intent_type, qty, reason_code,
		action_key, source_module, created_ts, updated_ts) VALUES ('${\ACCOUNT}', '${\HYNIX}', 'ENTRY', 1,
		'MANUAL', '$key', 'MANUAL', qts._now(), qts._now()) RETURNING intent_id)
		SELECT intent_id FROM i, LATERAL (SELECT qts._audit('enter', i.intent_id::text, NULL, NULL, NULL)) AS a");
}

sub stops_entries
{
	my ($code, $undo) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$e->until("EXISTS (SELECT FROM system.alerts WHERE code = '$code' AND severity = 'CRITICAL')
		AND (SELECT emergency_stop FROM system.engine)", "$code: an alert, and entries stop");
	my $entry = entry($code);
	$e->until("(SELECT status = 'CANCELLED' AND error_code = 'QT008' FROM trade.order_intents
		WHERE intent_id = '$entry')", "$code: an entry is cancelled");
	$seq = $sim->last_seq;
	ends_well($e->exit_position(HYNIX, ', 1'), "$code: an exit goes on");
	$undo->();
	$e->sql("SELECT qts.emergency_stop(false, 'looked after')");
	return;
}

subtest 'F31: autovacuum off, old transaction ids, a slot that keeps WAL' => sub {
	is($e->sql('SELECT count(*) FROM system.alerts WHERE code IN ($$AUTOVACUUM_OFF$$, $$XID_AGE$$, $$SLOT_WAL$$)'),
		0, 'a server in order raises none of it');
	$e->set_conf(autovacuum => 'off');
	$e->until(q{EXISTS (SELECT FROM system.alerts WHERE code = 'AUTOVACUUM_OFF')}, 'autovacuum off: told');
	is($e->sql('SELECT emergency_stop FROM system.engine'), 'f', 'which by itself stops nothing');
	$e->set_conf(autovacuum => 'on');

	my $age = $e->sql('SELECT max(greatest(age(datfrozenxid), mxid_age(datminmxid))) FROM pg_database');
	$e->set_conf('qts.max_xid_age' => $age - 1);
	stops_entries('XID_AGE', sub { $e->set_conf('qts.max_xid_age' => 1000000000); $e->wait_turn('monitor') });

	$e->sql(q{SELECT pg_create_physical_replication_slot('forgotten', true)});
	$e->sql('SELECT pg_switch_wal()');
	$e->sql('CREATE TABLE filler AS SELECT generate_series(1, 50000)');
	$e->set_conf('qts.max_slot_wal' => 1);
	stops_entries('SLOT_WAL', sub { $e->sql(q{SELECT pg_drop_replication_slot('forgotten')});
		$e->wait_turn('monitor') });
	is($e->sql(q{SELECT count(*) FROM system.audit_log WHERE action = 'emergency_stop'
		AND reason ~ 'transaction ids|replication slot'}), 2, 'each stop has its audit row');
};

is($e->sql('SELECT deadlocks FROM pg_stat_database WHERE datname = $$trading$$'), 0, 'no deadlock in all of it');
$e->agrees('all of it');
$e->stop;
done_testing();
