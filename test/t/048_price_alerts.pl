# 048_price_alerts.pl
#		What is told of prices as a whole: each alert appears when its condition does, and once
#		acknowledged does not come again when the condition is over.
use strict;
use warnings;
# two of these conditions are about the last minute
BEGIN { $ENV{PG_TEST_TIMEOUT_DEFAULT} = 120; }
use JSON::PP;
use Test::More;
use QtsFrames;
use QtsTest;

my $e = QtsTest->engine(clock => KRX_OPEN, conf => { 'qts.quotes' => 'on', 'qts.naver_url' => '' },
	sim => { symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000, price => 70000 } }
			(SAMSUNG, HYNIX) ],
		holdings => [ map { { symbol => $_, name => "S$_", qty => 10, avg_price => '70000' } } (SAMSUNG, HYNIX) ] });
my $sim = $e->{sim};

sub status { return "(SELECT %s FROM qts.status() WHERE name = '$_[0]')"; }
sub shows { my ($row, $condition) = @_; return sprintf status($row), $condition; }

sub alerted
{
	my ($code, $subject, $severity) = @_;
	return $e->until("EXISTS (SELECT FROM qts.alerts WHERE code = '$code' AND subject = '$subject' AND severity = '$severity')",
		"$code appears");
}

sub open_alerts { return $e->sql(q{SELECT coalesce(string_agg(code, ' ' ORDER BY code), '') FROM qts.alerts WHERE severity <> 'INFO'}); }
sub acknowledge { $e->sql(q{SELECT qts.acknowledge_alert(id) FROM qts.alerts WHERE severity <> 'INFO'}); return; }

$e->tick(SAMSUNG, 70100);
$e->need("(SELECT count(*) = 2 FROM market.freshness WHERE source = 'KIS_REST')");
is(open_alerts(), '', 'nothing to tell at first');

# The feed stays up and says nothing; and the broker refuses every quote for its rate.
$sim->fault('ws_mute_ticks', params => { ms => 3_600_000 });
my $refusing = $sim->fault('rate_limit', times => 0, match => { path => '/quotations/' });
alerted('QUOTE_THROTTLED', '', 'WARNING');
$e->until(shows('tier 2', q{detail LIKE '% every 60.0 s%'}), 'the slow tier is asked half as often');
$e->advance(40);
alerted('PRICES_OLD', '', 'WARNING');
like($e->sql(q{SELECT message FROM qts.alerts WHERE code = 'PRICES_OLD'}), qr/^the followed prices are [4-9]\d s old on average/,
	'it says how old');
alerted('PRICES_STALE', '', 'CRITICAL');
$e->until(shows('best prices', q{state = 'EMERGENCY'}), 'emergency mode');
$sim->call('DELETE', "/faults?id=$refusing");
$e->until(shows('best prices', q{state = 'OK'}), 'the broker answers again: it is over');
acknowledge();

# Somebody rewrites a table.
my $lock = $e->{node}->background_psql($e->{db});
$lock->query_safe('BEGIN; LOCK TABLE market.prices_ticks IN ACCESS EXCLUSIVE MODE');
$sim->price($_, 70200) for SAMSUNG, HYNIX;	# by request alone
alerted('TICKS_WAITING', '', 'WARNING');
$lock->query_safe('COMMIT');
$lock->quit;
$e->until(shows('ticks', q{state = 'OK'}), 'then nothing waits');
is($e->sql(q{SELECT count(*) FROM market.prices_ticks WHERE last_price = 70200}), 2, 'what waited is stored');

alerted('WS_SILENT', 'main', 'WARNING');
is($e->sql(q{SELECT state FROM qts.status() WHERE kind = 'feed'}), 'UP', 'though its connection stands');
like($e->sql(q{SELECT detail FROM qts.status() WHERE name = 'tier 0'}), qr/every 1\.5 s/, 'held symbols are asked for instead');
$sim->clear;
$e->wait_subscribed;
$e->tick(SAMSUNG, 70300);
$e->until(shows('tier 0', q{detail LIKE '% every 3.0 s%'}), 'it speaks again');

# Its clock, or ours, is wrong by more than a price may be old.
$sim->call('POST', '/frame', { text => message('H0STCNT0', map { tick_record(SAMSUNG, 70300 + 100 * $_, at => -20) } 1 .. 12) });
alerted('TICKS_SKEWED', '', 'WARNING');
is($e->sql("SELECT last FROM qts.price('${\SAMSUNG}')"), 70300, 'and none of them is on the board');
$e->until(shows('tier 2', q{detail LIKE '% every 30.0 s%'}), 'a minute without a refusal: the slow tier is as before');
acknowledge();
# the watch looks once a second, tells at most every 30 s of what goes on, and at once of what is new
for (1 .. 5) { $e->tick(HYNIX, 70300 + 100 * $_); $e->wait_turn('prices'); }
is(open_alerts(), '', 'and nothing is left to tell');
$e->healthy('at the end');
$e->stop;
done_testing();
