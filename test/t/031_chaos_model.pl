# 031_chaos_model.pl
#		What the model broker of test/chaos found, as the shortest way there.
use strict;
use warnings;
use Test::More;
use QtsTest;

my $hyundai = '005380';
my @symbols = (SAMSUNG, HYNIX, $hyundai);
my $e = QtsTest->engine(
	clock => KRX_OPEN,
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100, avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000, price => 70000 } } @symbols ] });
my $sim = $e->{sim};

# The row is gone from the balance at once: the second look found no row that was new, and never agreed.
sub test_vanished_holding
{
	my $name = 'a holding that the balance no longer shows';
	$sim->config(accounts => [ { account => ACCOUNT, holdings => [ { symbol => SAMSUNG, qty => 0, avg_price => '70000' } ] } ]);
	$e->until("EXISTS (SELECT FROM trade.exit_events WHERE symbol = '${\SAMSUNG}')", "$name: its position ends");
	is($e->sql("SELECT sum(qty) FROM trade.positions WHERE symbol = '${\SAMSUNG}'"), 0, "$name: with nothing");
	$e->healthy($name);
	return;
}

# Three seconds behind and cut off to whole ones is almost four.
sub test_whole_seconds
{
	my $name = 'a broker whose clock is behind';
	$e->follow_clock;
	$sim->set_clock($e->sql("SELECT to_char((qts._now() - interval '3 seconds') AT TIME ZONE 'Asia/Seoul',
		'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+09:00\"')"));
	$sim->fault('accept_then_close');
	my $intent = $e->exit_position(HYNIX, ', 12');
	$e->until("(SELECT status = 'FILLED' AND filled_qty = 12 FROM trade.orders WHERE intent_id = '$intent')",
		"$name: its order is found by the ledger");
	is($sim->posts, 1, "$name: sent once");
	return;
}

test_vanished_holding();
test_whole_seconds();
$e->stop;
done_testing();
