# 020_promotion.pl
#		F22: the primary is lost at each step of an order and its standby promoted, with
#		replication synchronous and not, failover 'manual' and 'auto'.  Whatever the standby
#		knows of the order, it is neither lost nor sent again.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use QtsTest;

my @symbols = (SAMSUNG, HYNIX, '035720', '051910', '068270');
my $e = QtsTest->engine(
	init => { allows_streaming => 1 },
	conf => { 'qts.unknown_grace_sell' => '1s', wal_retrieve_retry_interval => '100ms' },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100,
		avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } @symbols ] });
my $sim = $e->{sim};

# The standby takes over; the broker's list of orders is read before anything is sent.
sub take_over
{
	my ($to, $name) = @_;
	my $start = time;
	$to->{node}->promote;
	$to->wait_running;
	$to->need("(SELECT state = 'READY' AND least(ledger_ok_ts, balance_ok_ts) > to_timestamp($start)
		FROM trade.account_sync)");
	note(sprintf '%s: promotion to reconciled: %.1f s', $name, time - $start);
	$to->wait_trading;
	$e = $to;
	return;
}

sub ends
{
	my ($intent, $seq, $status, $posts, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$e->until("(SELECT status = '$status' FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: the intent ends $status");
	is($sim->posts($seq), $posts, "$name: POSTs: $posts");
	$e->need(q{(SELECT count(*) = 0 FROM trade.orders WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN'))});
	$e->healthy($name);
	$e->agrees($name);
	return;
}

# S1: the claim has reached the standby and the primary does not know it yet.
subtest 'F22 S1, synchronous, manual: claimed and not sent' => sub {
	my $standby = $e->standby('s1');
	$e->need_standby('remote_apply');
	$e->set_conf('qts.ledger_idle_interval' => 3600, 'qts.balance_interval' => 3600);
	my $pid = $e->pid('execution');
	$standby->sql('SELECT pg_wal_replay_pause()');
	my $seq = $sim->last_seq;
	my $intent = $e->sql("SET synchronous_commit = local;
		SELECT qts.exit('" . $e->position(SAMSUNG) . "', 10)");
	# reads that were under way may write too, and wait: let go of until it is the claim
	$e->need("(SELECT CASE query WHEN 'claim' THEN true ELSE pg_cancel_backend(pid) IS NULL END
		FROM pg_stat_activity WHERE pid = $pid AND wait_event = 'SyncRep')");
	my $end = $e->{node}->lsn('flush');
	$standby->need("pg_last_wal_receive_lsn() >= '$end'");
	$e->stop('immediate');
	$standby->{node}->promote;
	$standby->until(q{(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker'
		AND state = 'FENCED')}, 'manual: it idles');
	is($standby->sql("SELECT status FROM trade.orders WHERE intent_id = '$intent'"),
		'PENDING_SUBMIT', 'manual: the claim is there and waits');
	is($sim->last_seq, $seq, 'manual: the broker hears nothing');
	$standby->sql(q{SELECT qts.activate(failover => 'auto')});
	$standby->wait_trading;
	$e = $standby;
	ends($intent, $seq, 'FAILED', 0, 'activated');
};

# S3: with the claim acknowledged nothing else is waited for before the promotion.
subtest 'F22 S3, synchronous, auto: sent and not answered' => sub {
	my $standby = $e->standby('s3');
	$e->need_standby;
	my $seq = $sim->last_seq;
	$sim->fault('hold_reply');
	my $intent = $e->exit_position(HYNIX, ', 20');
	ok($sim->wait_posts(1, $seq), 'the order is received');
	$e->stop('immediate');
	$sim->release;
	take_over($standby, 'S3');
	ends($intent, $seq, 'FILLED', 1, 'auto');
};

# S4 to S7: the standby was gone since the claim; answer and fills are on the lost primary only.
subtest 'F22 S7, asynchronous, auto: filled, and the standby knows of the claim only' => sub {
	my $standby = $e->standby('s7');
	my $seq = $sim->last_seq;
	$sim->fault('hold_reply');
	my $intent = $e->exit_position('035720', ', 30');
	ok($sim->wait_posts(1, $seq), 'the order is received');
	$e->{node}->wait_for_catchup($standby->{node}, 'replay', $e->{node}->lsn('flush'));
	$standby->stop;
	$sim->release;
	$e->need("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')");
	$e->stop('immediate');
	$standby->{node}->start;
	is($standby->sql("SELECT status FROM trade.order_intents WHERE intent_id = '$intent'"),
		'SUBMITTING', 'the standby is behind');
	take_over($standby, 'S7');
	ends($intent, $seq, 'FILLED', 1, 'auto');
};

# S0: decided, nobody has claimed it: the new primary does, once.
subtest 'F22 S0, asynchronous, auto: decided and not claimed' => sub {
	my $standby = $e->standby('s0');
	my $seq = $sim->last_seq;
	my $session = $e->{node}->background_psql('trading');
	$session->query_safe('BEGIN; SELECT FROM system.engine FOR UPDATE');
	# the intent goes around the API, which asks the engine row first
	my $intent = $e->sql(q{INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type,
		qty, reason_code, action_key, source_module, created_ts, updated_ts)
		SELECT account_id, position_id, symbol, 'EXIT_PARTIAL', 40, 'MANUAL', 's0', 'MANUAL',
		qts._now(), qts._now() FROM trade.positions WHERE symbol = '051910' RETURNING intent_id});
	$e->{node}->wait_for_catchup($standby->{node}, 'replay', $e->{node}->lsn('flush'));
	is($sim->posts($seq), 0, 'the primary cannot claim it');
	$e->stop('immediate');
	eval { $session->quit };
	take_over($standby, 'S0');
	$e->sql(qq{SELECT qts._audit('exit', '$intent', NULL, NULL, NULL)});
	ends($intent, $seq, 'FILLED', 1, 'auto');
};

is($e->sql('SELECT timeline FROM system.engine'), 5, 'bound to the timeline of four promotions');
$e->stop;
done_testing();
