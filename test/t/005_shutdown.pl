# 005_shutdown.pl
#		A request under way holds nobody up: no transaction, no snapshot, no deaf process.
#		The broker still owes its answer when each command has returned.
use strict;
use warnings;
use Test::More;
use QtsTest;

my $e = QtsTest->engine(conf => { 'qts.http_timeout' => '60s' });
my $sim = $e->{sim};
my $intent;
my $seq;

sub in_flight
{
	my ($symbol, $qty) = @_;
	$seq = $sim->last_seq;
	$sim->fault('hold_reply');
	$intent = $e->exit_position($symbol, ", $qty");
	ok($sim->wait_posts(1, $seq), "an order for $qty $symbol is under way");
	return;
}

sub unanswered
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($sim->held, 1, "$name: and the broker still owes its answer");
	return;
}

sub ends_well
{
	my ($name) = @_;
	$sim->release;
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: the order is reconciled");
	is($sim->posts($seq), 1, "$name: one POST");
	$e->healthy($name);
	return;
}

sub test_quiet
{
	in_flight(SAMSUNG, 10);
	my $pid = $e->pid('execution');
	is($e->sql("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"), 0,
		'nobody is idle in transaction');
	$e->until("(SELECT state = 'idle' AND backend_xmin IS NULL AND backend_xid IS NULL
		FROM pg_stat_activity WHERE pid = $pid)",
		'the worker holds no snapshot and no transaction');
	is($e->sql("SELECT count(*) FROM pg_locks WHERE pid = $pid AND locktype <> 'advisory'
		AND NOT fastpath"), 0, 'nor a lock, its leader lock apart');
	$e->{node}->safe_psql('postgres', 'VACUUM trade.orders', extra_params => [ '-d', 'trading' ]);
	unanswered('VACUUM went through');

	$e->{node}->safe_psql('postgres', 'CREATE DATABASE other');
	$e->{node}->safe_psql('postgres', 'DROP DATABASE other');
	is($e->{node}->safe_psql('postgres',
		q{SELECT count(*) FROM pg_database
			WHERE datname = 'other'}), 0, 'another database is dropped');
	unanswered('DROP DATABASE');
	ends_well('DROP DATABASE');
	return;
}

sub test_terminate
{
	for my $how ('pg_terminate_backend', 'SIGTERM')
	{
		in_flight(SAMSUNG, 10);
		my $pid = $e->pid('execution');
		if ($how eq 'SIGTERM') { kill 'TERM', $pid; }
		else { is($e->sql("SELECT pg_terminate_backend($pid, 30000)"), 't',
			'pg_terminate_backend() saw it end'); }
		$e->until("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)",
			"$how: the worker is gone");
		unanswered($how);
		$e->wait_trading;
		unanswered("$how, restarted");
		ends_well($how);
	}
	return;
}

sub test_disable
{
	in_flight(HYNIX, 5);
	$e->set_conf('qts.enabled' => 'off');
	$e->until(q{(SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'qts %'
		AND datname = 'trading')},
		'qts.enabled off: every worker leaves the database');
	unanswered('qts.enabled off');
	$e->{node}->safe_psql('postgres', 'ALTER DATABASE trading RENAME TO elsewhere');
	$e->{node}->safe_psql('postgres', 'ALTER DATABASE elsewhere RENAME TO trading');
	$e->set_conf('qts.enabled' => 'on');
	$e->wait_trading;
	ends_well('qts.enabled on again');
	return;
}

sub test_fast
{
	in_flight(HYNIX, 5);
	$e->stop('fast');
	unanswered('fast shutdown');
	$e->{node}->start;
	$e->wait_trading;
	ends_well('fast shutdown');
	return;
}

test_quiet();
test_terminate();
test_disable();
test_fast();
$e->agrees('all of it');
$e->stop;
done_testing();
