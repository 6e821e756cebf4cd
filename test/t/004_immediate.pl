# 004_immediate.pl
#		The server is stopped at once while an order is under way, and started again.
use strict;
use warnings;
use Test::More;
use QtsTest;

my $e = QtsTest->engine();
my $sim = $e->{sim};

# What the broker does while the server is down: fills arrive at nobody.
for my $round ([ SAMSUNG, 10, 'nothing more happens' ],
	[ HYNIX, 20, 'the answer and the fill come while it is down' ])
{
	my ($symbol, $qty, $name) = @$round;
	my $seq = $sim->last_seq;
	my $down = $symbol eq HYNIX;
	$sim->fault('hold_reply');
	my $intent = $e->exit_position($symbol, ", $qty");
	ok($sim->wait_posts(1, $seq), "$name: the order was received");
	is($e->sql("SELECT status FROM trade.orders WHERE intent_id = '$intent'"), 'PENDING_SUBMIT',
		"$name: written ahead");
	$e->stop('immediate');
	is($sim->held, 1, "$name: stopped with the answer outstanding");
	$sim->release if $down;
	$e->{node}->start;
	$e->wait_trading;
	$sim->release unless $down;
	$e->until("(SELECT status = 'FILLED' AND filled_qty = $qty FROM trade.order_intents
		WHERE intent_id = '$intent')",
		"$name: found in the ledger");
	is($e->sql("SELECT count(*) FROM system.alerts WHERE code = 'ORDER_UNKNOWN'
		AND subject = 'restart'"), 1, "$name: an alert tells of the gap");
	is($sim->posts($seq), 1, "$name: one POST");
	$e->healthy($name);
	$e->agrees($name);
}
$e->posts_are(2, 'both rounds');
$e->stop;
done_testing();
