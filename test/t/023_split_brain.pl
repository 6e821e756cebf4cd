# 023_split_brain.pl
#		F23: two primaries of one origin, synchronous replication.  Nothing in the old one
#		tells it that another was promoted; but it cannot commit a claim, so it cannot send.
use strict;
use warnings;
use Test::More;
use QtsTest;

my @symbols = (SAMSUNG, HYNIX, '035720');
my $old = QtsTest->engine(
	init => { allows_streaming => 1 },
	# what the old one sees in the broker's list would stop it too: here only the standby does
	conf => { wal_retrieve_retry_interval => '100ms', 'qts.foreign_api_orders' => 'record' },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100,
		avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } @symbols ] });
my $sim = $old->{sim};
$old->sql(q{SELECT qts.activate(failover => 'auto')});
my $new = $old->standby('new');
$old->need_standby;
my $seq = $sim->last_seq;

# The two share one app key and so one feed: only the lists are waited for.
sub reconciled
{
	my ($c) = @_;
	$c->wait_running;
	$c->need(q{(SELECT state = 'READY' AND least(ledger_ok_ts, balance_ok_ts) > pg_postmaster_start_time()
		FROM trade.account_sync)});
	return;
}

sub stuck
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $old->until("EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'
		AND backend_type = 'qts execution')", $name);
}

sub ask_old
{
	my ($symbol) = @_;
	return $old->sql("SET synchronous_commit = local;
		SELECT qts.exit('" . $old->position($symbol) . "', 10)");
}

subtest 'F23: both are alive' => sub {
	$new->{node}->promote;
	reconciled($new);
	my $intent = ask_old(SAMSUNG);
	stuck('the old primary waits for a standby that is none any more');
	is($sim->posts($seq), 0, 'and sends nothing');
	my $sold = $new->exit_position(HYNIX, ', 20');
	$new->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$sold')",
		'the new one trades');
	# every wait of the old one that somebody cancels
	for my $n (1 .. 3)
	{
		$old->sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity
			WHERE wait_event = 'SyncRep' AND backend_type LIKE 'qts %'});
		stuck("cancel $n: it waits again");
	}
	is($sim->posts($seq), 1, 'one order was sent, by the new one');
	$old->until(q{EXISTS (SELECT FROM system.alerts WHERE code = 'STANDBY_MISSING')}, 'the old one says why');
};

subtest 'F23: the old primary was down and comes back' => sub {
	$old->stop('immediate');
	$old->{node}->start;
	$old->wait_running;
	is($old->sql('SELECT e.active AND e.timeline = here.timeline AND here.timeline = 1
		FROM system.engine e, qts._identity() here'), 't', 'by all it knows it is the engine');
	ask_old('035720');
	stuck('it waits for a standby');
	is($sim->posts($seq), 1, 'and sends nothing');
};

# What it stored alone is of no use: its place is that of a standby of the new one, from a backup.
subtest 'F23: the old primary becomes a standby' => sub {
	$old->stop('immediate');
	my $back = $new->standby('back');
	is($back->sql('SELECT pg_is_in_recovery()'), 't', 'it follows the new one');
	is($back->sql('SELECT count(*) FROM qts._workers() WHERE pid <> 0'), 0, 'and runs no worker');
	$new->need_standby;
	my $sold = $new->exit_position(SAMSUNG, ', 10');
	$new->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$sold')",
		'the new one trades');
	is($sim->posts($seq), 2, 'alone');
	$back->stop;
};

$new->healthy('the new primary');
$new->agrees('the new primary');
$new->stop('immediate');
done_testing();
