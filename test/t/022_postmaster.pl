# 022_postmaster.pl
#		F9: the postmaster is killed, or stopped at once, at each step of an order (S0 intent
#		committed, S1 claim committed, S3 sent, S4 answered, S5 answer committed, S6 fill
#		told, S7 fill committed).  After the restart each order was sent once, or never.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use QtsTest;

my @symbols = qw(000660 005380 005930 035720 051910 068270 105560 207940);
my $e = QtsTest->engine(
	init => { allows_streaming => 1 },
	conf => { 'qts.unknown_grace_sell' => '1s' },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100,
		avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } @symbols ] });
my $sim = $e->{sim};
my $halt = "$e->{dir}/halt";
my ($intent, $seq, $session);

$e->set_conf('qts.halt_file' => $halt);

# The postmaster is gone; its processes see it, and end: only then is the memory free for a new one.
sub kill_postmaster
{
	my @pids = split /\n/, $e->{node}->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity
		WHERE pid <> pg_backend_pid()');
	my $deadline = time + 30;
	$e->{node}->kill9;
	while (@pids = grep { kill 0, $_ } @pids)
	{
		die 'processes stay: ' . join ' ', @pids if time > $deadline;
		select undef, undef, undef, 0.01;
	}
	return;
}

# The server goes as $how says, and comes back.
sub crash
{
	my ($how, %o) = @_;
	if ($how eq 'SIGKILL') { kill_postmaster(); }
	else { $e->stop('immediate'); }
	eval { $session->quit } if $session;
	undef $session;
	$o{meanwhile}->() if $o{meanwhile};
	$e->{node}->append_conf('postgresql.conf', $o{conf}) if $o{conf};
	my $start = time;
	$e->{node}->start;
	$e->wait_running;
	$e->need("(SELECT state = 'READY' AND least(ledger_ok_ts, balance_ok_ts) > to_timestamp($start)
		FROM trade.account_sync)");
	note(sprintf '%s: start to reconciled: %.1f s', $how, time - $start);
	$e->wait_trading;
	return;
}

sub ask
{
	my ($symbol, $rest) = @_;
	$seq = $sim->last_seq;
	$intent = $e->exit_position($symbol, $rest // ', 10');
	return;
}

sub lock_table
{
	my ($table, $mode) = @_;
	my $pid = $e->pid('execution');
	$session = $e->{node}->background_psql('trading');
	$session->query_safe("BEGIN; LOCK TABLE $table IN $mode MODE");
	return $pid;
}

sub blocked
{
	my ($pid, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $e->until("(SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid)", $name);
}

sub ends
{
	my ($status, $posts) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$e->until("(SELECT status = '$status' FROM trade.order_intents WHERE intent_id = '$intent')",
		"the intent ends $status");
	$e->need(q{(SELECT count(*) = 0 FROM trade.orders WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN'))});
	is($sim->posts($seq), $posts, "POSTs: $posts");
	$e->healthy('the end');
	$e->agrees('the end');
	return;
}

subtest 'F9 S0 immediate: decided, not claimed' => sub {
	open my $fh, '>', $halt or die "$halt: $!";
	close $fh;
	ask(SAMSUNG);
	crash('immediate');
	is($e->sql("SELECT status FROM trade.order_intents WHERE intent_id = '$intent'"), 'NEW', 'it waits');
	is($sim->posts($seq), 0, 'nothing was sent');
	unlink $halt;
	ends('FILLED', 1);
};

# Stopped at once the worker can say nothing more: unknown, until no witness has seen it.  When
# only the postmaster goes, the worker sees its wait cut short, and that the order has not left.
for my $case ([ 'immediate', HYNIX, 'FAILED', 0, 1 ], [ 'SIGKILL', '207940', 'FILLED', 1, 2 ])
{
	my ($how, $symbol, $status, $posts, $attempts) = @$case;
	subtest "F9 S1 $how: claimed, not sent" => sub {
		$e->set_conf('qts.ledger_idle_interval' => 3600, 'qts.balance_interval' => 3600);
		$e->set_conf(synchronous_standby_names => 'nobody');
		$e->sql('CHECKPOINT');
		$seq = $sim->last_seq;
		$intent = $e->sql("SET synchronous_commit = local;
			SELECT qts.exit('" . $e->position($symbol) . "', 10)");
		my $pid = $e->pid('execution');
		# reads that were under way write too, and wait: let go of until it is the claim
		$e->need("(SELECT CASE query WHEN 'claim' THEN true ELSE pg_cancel_backend(pid) IS NULL END
			FROM pg_stat_activity WHERE pid = $pid AND wait_event = 'SyncRep')");
		crash($how, conf => "synchronous_standby_names = ''\nqts.ledger_idle_interval = 1\n"
			  . "qts.balance_interval = 1\n");
		ends($status, $posts);
		is($e->sql("SELECT attempt FROM trade.orders WHERE intent_id = '$intent'"), $attempts,
			"claims: $attempts");
	};
}

for my $how ('SIGKILL', 'immediate')
{
	subtest "F9 S3 $how: sent, not answered" => sub {
		$sim->fault('hold_reply');
		ask('005380');
		ok($sim->wait_posts(1, $seq), 'the order is received');
		crash($how, meanwhile => sub { $sim->release });
		ends('FILLED', 1);
	};
}

subtest 'F9 S4 SIGKILL: answered, the answer not stored' => sub {
	$sim->fault('hold_reply');
	ask('035720');
	ok($sim->wait_posts(1, $seq), 'the order is received');
	my $pid = lock_table('trade.orders', 'EXCLUSIVE');
	is($sim->release, 1, 'it is answered');
	blocked($pid, 'the answer waits for a lock');
	crash('SIGKILL');
	ends('FILLED', 1);
};

subtest 'F9 S5 immediate: accepted; the fill comes while the server is down' => sub {
	ask('051910', ", 10, 'LMT', 72000");
	$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE intent_id = '$intent')");
	crash('immediate', meanwhile => sub { $sim->price('051910', 72000) });
	ends('FILLED', 1);
};

subtest 'F9 S6 SIGKILL: the fill told, not stored' => sub {
	ask('068270', ", 10, 'LMT', 72000");
	$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE intent_id = '$intent')");
	my $pid = lock_table('trade.fills', 'EXCLUSIVE');
	$sim->price('068270', 72000);
	blocked($pid, 'the fill waits for a lock');
	crash('SIGKILL');
	ends('FILLED', 1);
};

subtest 'F9 S7 SIGKILL: the fill stored' => sub {
	ask('105560');
	$e->need("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')");
	crash('SIGKILL');
	ends('FILLED', 1);
};

$e->stop;
done_testing();
