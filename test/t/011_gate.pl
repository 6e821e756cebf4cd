# 011_gate.pl
#		The engine's gate is locked, as an upgrade does, when the broker's answer comes: the
#		answer is not lost on the order, which is looked up and never sent again.
use strict;
use warnings;
use Test::More;
use QtsTest;

my $e = QtsTest->engine(
	clock => KRX_OPEN,
	sim => { holdings => [ { symbol => '005930', name => 'S', qty => 100, avg_price => '70000' } ],
		symbols => [ { symbol => '005930', name => 'S', market => 'KOSPI', base => 70000, price => 70000 } ] });
my $sim = $e->{sim};

$sim->fault('hold_reply');
my $intent = $e->exit_position('005930', ', 10');
ok($sim->wait_posts(1), 'the order is at the broker');
my $upgrade = $e->{node}->background_psql('trading');
$upgrade->query_safe('BEGIN; LOCK TABLE system.engine IN ACCESS EXCLUSIVE MODE');
my $errors = $e->sql("SELECT errors FROM qts._workers() WHERE worker = 'execution'");
is($sim->release, 1, 'the answer comes');
$e->until("(SELECT errors > $errors FROM qts._workers() WHERE worker = 'execution')", 'it cannot be stored');
$upgrade->query_safe('COMMIT');
$upgrade->quit;
$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')", 'the order is found and booked');
is($sim->posts, 1, 'with one POST');
$e->healthy('the end');
$e->agrees('the end');
$e->stop;
done_testing();
