# 010_late.pl
#		An automatic exit that could not leave for a minute was decided on another market:
#		it expires when it could leave at last, and the rule is evaluated anew.
use strict;
use warnings;
use Test::More;
use QtsTest;

my $e = QtsTest->engine(clock => KRX_OPEN,
	sim => { holdings => [ { symbol => '005930', name => 'S', qty => 100, avg_price => '70000' } ],
		symbols => [ { symbol => '005930', name => 'S', market => 'KOSPI', base => 70000, price => 70000 } ] });
my $sim = $e->{sim};

sub status { return $e->sql("SELECT string_agg(status, ',' ORDER BY created_ts) FROM trade.order_intents"); }

$e->enable('005930');
$e->wait_subscribed;
$e->set_conf('qts.trading_mode' => 'off');
$e->wait_turn('execution');

$e->tick('005930', 66000);
$e->until("(SELECT count(*) = 1 FROM trade.order_intents WHERE reason_code = 'SL2')", 'the stop is decided');
is(status(), 'NEW', 'and waits for the setting');
is($sim->posts, 0, 'nothing is sent');

# The market recovers while nothing may leave.
$e->advance(61);
$e->tick('005930', 70000);
$e->set_conf('qts.trading_mode' => 'paper');
$e->until("(SELECT status = 'EXPIRED' FROM trade.order_intents)", 'it expires instead of leaving late');
$e->until("(SELECT status = 'OPEN' FROM trade.positions)", 'the position is open again');
is($sim->posts, 0, 'still nothing is sent');

# The rule is armed again.
$e->tick('005930', 66000);
$e->until("(SELECT count(*) = 1 FROM trade.exit_events WHERE exit_reason_code = 'SL2')", 'the next fall sells');
is($sim->posts, 1, 'with one POST');
is(status(), 'EXPIRED,FILLED', 'by an intent of its own');

$e->healthy('all of it');
$e->agrees('all of it');
$e->stop;
done_testing();
