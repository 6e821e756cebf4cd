# 027_two_engines.pl
#		F22, F23, F30: asynchronous replication.  Rows the new primary never got show as
#		orders of the broker that nobody here sent: recorded, their position quarantined,
#		nothing sent again.  Two engines on one account see each other's orders and stop.
use strict;
use warnings;
use Test::More;
use QtsTest;

my @symbols = (SAMSUNG, HYNIX, '035720');
my $old = QtsTest->engine(
	init => { allows_streaming => 1 },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100,
		avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } @symbols ] });
my $sim = $old->{sim};
$old->sql(q{SELECT qts.activate(failover => 'auto')});
my $new = $old->standby('new');
my $lost;

# The two share one app key and so one feed: only the lists are waited for.
sub reconciled
{
	my ($c, $since) = @_;
	$c->wait_running;
	$c->need("(SELECT state = 'READY' AND least(ledger_ok_ts, balance_ok_ts) > $since
		FROM trade.account_sync)");
	return;
}

# What this one holds back when it sees an order of the other.
sub halted
{
	my ($c, $seq, $posts, $name) = @_;
	$c->until(q{(SELECT status = 'PAUSED' FROM trade.accounts)}, "$name: the account is paused");
	is($c->sql(q{SELECT severity FROM system.alerts WHERE code = 'OTHER_ENGINE'}), 'CRITICAL',
		"$name: with an alert");
	is($c->error("SELECT qts.exit('" . $c->position('035720') . "', 1)")->{state}, 'QT001',
		"$name: nothing more is sold");
	is($sim->posts($seq), $posts, "$name: POSTs: $posts");
	return;
}

subtest 'F22: the order is not on the new primary' => sub {
	my $seq = $sim->last_seq;
	my $promoted = $new->sql('SELECT quote_literal(clock_timestamp()) || $$::timestamptz$$');
	$new->{node}->stop;
	$lost = $old->exit_position(SAMSUNG, ', 10');
	$old->need("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$lost')");
	$old->stop('immediate');
	# the broker's seconds are whole: its order is older than the promotion by more than the skew allowed
	$new->{node}->start;
	my $wait = $new->sql("SELECT quote_literal(clock_timestamp() + interval '4 seconds') || \$\$::timestamptz\$\$");
	$new->need("clock_timestamp() > $wait");
	$new->{node}->promote;
	reconciled($new, $promoted);
	$new->until(q{EXISTS (SELECT FROM system.alerts WHERE code = 'FOREIGN_API_ORDER' AND severity = 'CRITICAL'
		AND subject = '005930')}, 'an alert: somebody must look');
	is($new->sql(q{SELECT origin || ' ' || status FROM trade.orders WHERE symbol = '005930'}), 'MANUAL FILLED',
		'the broker\'s order is recorded');
	is($new->sql(q{SELECT quarantine_reason IS NOT NULL FROM trade.positions WHERE symbol = '005930'}), 't',
		'its position is quarantined');
	is($sim->posts($seq), 1, 'nothing was sent again');
	$seq = $sim->last_seq;
	my $sold = $new->exit_position(HYNIX, ', 10');
	$new->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$sold')",
		'other symbols trade');
	is($sim->posts($seq), 1, 'once');
};

# Its own rows and the clock tell it nothing; the broker's list does, before it sends anything.
subtest 'F23: the old primary comes back' => sub {
	my $seq = $sim->last_seq;
	$old->{node}->start;
	$old->wait_running;
	halted($old, $seq, 0, 'the old primary');
	is($new->sql('SELECT status FROM trade.accounts'), 'ACTIVE', 'the new one goes on');
};

subtest 'F30: both send' => sub {
	$old->set_conf('qts.foreign_api_orders' => 'record');
	$old->sql("SELECT qts.resume_account('${\ACCOUNT}')");
	my $seq = $sim->last_seq;
	my $sold = $old->exit_position('035720', ', 5');
	$old->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$sold')",
		'somebody makes the old one sell');
	halted($new, $seq, 1, 'the new primary');
};

$old->stop('immediate');
$new->stop('immediate');
done_testing();
