# 004_immediate.pl
#		The server is stopped at once while an order is under way, and started again;
#		and after a fill was told, whose row does not wait for the disk by itself.
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

# The ledger, which would flush for it and tell it again, is refused; and the server's own writer stands still.
sub test_told
{
	$e->wait_trading;
	my $seq = $sim->last_seq;
	my $intent = $e->exit_position(SAMSUNG, ", 5, 'LMT', 80000");
	$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE intent_id = '$intent')");
	$sim->fault('rate_limit', times => 0, match => { path => $_ }) for qw(inquire-daily-ccld inquire-balance);
	my $odno = $e->sql("SELECT broker_order_no FROM trade.orders WHERE intent_id = '$intent'");
	my $writer = $e->sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'});
	kill 'STOP', $writer or die "cannot stop the WAL writer: $!";
	$sim->call('POST', '/fill', { odno => $odno, qty => 5, price => 80000 });
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')", 'told: the fill is booked');
	$e->wait_turn('execution');
	# the postmaster kills what does not end by itself
	$e->stop('immediate');
	$sim->clear;
	$e->{node}->start;
	$e->wait_trading;
	is($e->sql("SELECT source FROM trade.fills JOIN trade.orders USING (order_uid) WHERE intent_id = '$intent'"), 'WS',
		'told: on disk when the turn was over, not found again in the ledger');
	is($sim->posts($seq), 1, 'told: one POST');
	$e->healthy('told');
	$e->agrees('told');
	return;
}

test_told();
$e->posts_are(3, 'all rounds');
$e->stop;
done_testing();
