# 021_sync.pl
#		A synchronous standby: the claim is on it before the order leaves.  Without it
#		orders stop before the POST, however the wait for it ends.
use strict;
use warnings;
use Test::More;
use QtsTest;

my @symbols = (SAMSUNG, HYNIX, '035720', '051910', '068270');
# nothing but the claim waits for the standby
my $e = QtsTest->engine(
	init => { allows_streaming => 1 },
	conf => { 'qts.unknown_grace_sell' => '1s', 'qts.ledger_idle_interval' => 3600,
		'qts.balance_interval' => 3600, wal_retrieve_retry_interval => '100ms' },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100,
		avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } @symbols ] });
my $sim = $e->{sim};
my $standby = $e->standby('standby');

# Asks for a sale; the asking itself does not wait for the standby.
sub ask
{
	my ($symbol) = @_;
	return $e->sql("SET synchronous_commit = local; SELECT qts.exit('" . $e->position($symbol) . "', 10)");
}

sub waits
{
	my ($what, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $e->until("EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'
		AND query = '$what' AND backend_type = 'qts execution')", "$name: $what waits for the standby");
}

sub cancel_wait
{
	is($e->sql("SELECT pg_cancel_backend(${\$e->pid('execution')})"), 't', 'somebody cancels the wait');
	return;
}

sub sold
{
	my ($intent, $seq, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: it is sold");
	is($sim->posts($seq), 1, "$name: with one POST");
	# the ledger has confirmed the fill, a second time if the first was too soon for the last
	# notice: from here on the worker has nothing to write
	$e->need(q{(SELECT min(ledger_ok_ts) > n.last + interval '300 milliseconds'
		OR (min(ledger_ok_ts) > n.last AND qts._now() > n.last + interval '3 seconds')
		FROM trade.account_sync, (SELECT max(recv_ts) AS last FROM trade.notices) AS n GROUP BY n.last)});
	return;
}

$e->need_standby('remote_apply');

subtest 'the standby has the claim before the broker has the order' => sub {
	my $seq = $sim->last_seq;
	$sim->fault('hold_reply');
	my $intent = $e->exit_position(SAMSUNG, ', 10');
	ok($sim->wait_posts(1, $seq), 'the order is received');
	is($standby->sql("SELECT status FROM trade.orders WHERE intent_id = '$intent'"), 'PENDING_SUBMIT',
		'its row is on the standby');
	$sim->release;
	sold($intent, $seq, 'standby there');
};

subtest 'F24: the standby is missing' => sub {
	my $seq = $sim->last_seq;
	$standby->{node}->stop('immediate');
	my $intent = ask(HYNIX);
	waits('claim', 'standby missing');
	$e->until(q{EXISTS (SELECT FROM system.alerts WHERE code = 'STANDBY_MISSING'
		AND subject = 'execution' AND severity = 'CRITICAL')}, 'an alert says why nothing is sent');
	is($e->sql('SELECT state FROM qts.health()'), 'degraded', 'health() shows it');
	is($sim->posts($seq), 0, 'nothing was sent');
	$standby->{node}->start;
	sold($intent, $seq, 'standby back');
};

subtest 'F24: the wait is cancelled' => sub {
	my $seq = $sim->last_seq;
	$standby->{node}->stop('immediate');
	my $intent = ask('035720');
	waits('claim', 'first');
	cancel_wait();
	waits('not sent', 'cancelled');
	is($sim->posts($seq), 0, 'committed here alone: not sent');
	cancel_wait();
	waits('claim', 'again');
	is($e->sql("SELECT error_code || ' ' || attempt FROM trade.orders WHERE intent_id = '$intent'"),
		'NOT_SENT 1', 'what is known of the first attempt');
	is($sim->posts($seq), 0, 'still nothing was sent');
	$standby->{node}->start;
	sold($intent, $seq, 'standby back');
};

subtest 'F24: the worker is told to end while it waits' => sub {
	my $seq = $sim->last_seq;
	$standby->{node}->stop('immediate');
	my $intent = ask('051910');
	waits('claim', 'ended');
	my $pid = $e->pid('execution');
	kill 'TERM', $pid;
	$e->need("(SELECT pid NOT IN (0, $pid) FROM qts._workers() WHERE worker = 'execution')");
	waits('orphan sends', 'a new process');
	is($sim->posts($seq), 0, 'nothing was sent');
	$standby->{node}->start;
	$e->until("(SELECT status = 'FAILED' AND error_code = 'NOT_ACCEPTED' FROM trade.order_intents
		WHERE intent_id = '$intent')", 'no witness has seen it');
	is($sim->posts($seq), 0, 'it was never sent');
	sold(ask('051910'), $seq, 'asked again');
};

# A setting of the database must not let an order leave before its row is safe.
subtest 'synchronous_commit off is for others' => sub {
	my $seq = $sim->last_seq;
	$e->sql('ALTER DATABASE trading SET synchronous_commit = off');
	my $pid = $e->pid('execution');
	kill 'TERM', $pid;
	$e->need("(SELECT pid NOT IN (0, $pid) FROM qts._workers() WHERE worker = 'execution')");
	$e->wait_trading;
	$e->need('(SELECT bool_and(least(ledger_ok_ts, balance_ok_ts) > (SELECT backend_start
		FROM pg_stat_activity WHERE backend_type = $$qts execution$$)) FROM trade.account_sync)');
	$standby->{node}->stop('immediate');
	my $intent = $e->exit_position('068270', ', 10');
	waits('claim', 'off');
	is($sim->posts($seq), 0, 'nothing was sent');
	$standby->{node}->start;
	sold($intent, $seq, 'standby back');
	$e->sql('ALTER DATABASE trading RESET synchronous_commit');
};

# An alert of the prices worker must not wait for the standby: what is held would have no price.
subtest 'F24: prices go on without the standby' => sub {
	$standby->{node}->stop('immediate');
	$sim->call('POST', '/notice', { account => ACCOUNT, raw => 'not^a^notice' });
	$e->until("EXISTS (SELECT FROM system.alerts WHERE code = 'NOTICE_UNREADABLE')", 'the alert is there');
	$sim->call('POST', '/price', { symbol => SAMSUNG, price => 70500 });
	$e->until("(SELECT last = 70500 FROM qts.price('${\SAMSUNG}'))", 'and the next price too');
	$standby->{node}->start;
	$e->need_standby('remote_apply');
	$e->wait_trading;
};

$e->healthy('all of it');
$e->agrees('all of it');
$standby->stop('immediate');
$e->stop('immediate');
done_testing();
