# 046_reference.pl
#		What is asked of the broker once a day: trading days, daily bars, base prices.
#		Asked once, stored before the open, asked again only when it was not stored; what
#		the broker answers is judged.  The simulator's record is the witness.
use strict;
use warnings;
use Test::More;
use QtsTest;

use constant { OTHER => '035720', UNKNOWN => '999990' };
use constant { BASE => 70000, UPPER => 91000, LOWER => 49000 };

# The trading days before Friday 2026-11-20, oldest first: none of them is a holiday.
my @days = (20261019 .. 20261023, 20261026 .. 20261030, 20261102 .. 20261106, 20261109 .. 20261113,
	20261116 .. 20261119);

sub bar
{
	my ($date, $open, $high, $low, $close, %more) = @_;
	return { date => $date, open => $open, high => $high, low => $low, close => $close, volume => 1000, %more };
}

# A series that moves, the last close being today's base price.
my @bars;
for my $i (0 .. $#days)
{
	my $close = BASE + ($#days - $i) * 100 * ($i % 3 - 1);
	push @bars, bar($days[$i], $close - 300, $close + 500 + 100 * ($i % 5), $close - 700, $close);
}
# What an adjusted answer would scale.
$_->{factor} = 0.5 for @bars;

# ATR14 of Wilder by hand: mean of the first 14 true ranges, then (13 x ATR + TR) / 14.
sub atr14
{
	my @b = @_;
	my ($atr, @tr);
	for my $i (1 .. $#b)
	{
		my $before = $b[ $i - 1 ]{close};
		my ($tr) = sort { $b <=> $a } $b[$i]{high} - $b[$i]{low}, abs($b[$i]{high} - $before), abs($b[$i]{low} - $before);
		push @tr, $tr;
		if (@tr < 14) { next; }
		if (@tr == 14) { $atr = 0; $atr += $_ / 14 for @tr; next; }
		$atr = (13 * $atr + $tr) / 14;
	}
	return $atr;
}

my $e = QtsTest->engine(
	clock => '2026-11-20T07:00:00+09:00',
	conf => { 'qts.quotes' => 'on', 'qts.reference_data' => 'all', 'qts.naver_url' => '', 'qts.breaker_threshold' => 0 },
	sim => {
		options => { holidays => ['2026-11-26'] },
		holdings => [ map { { symbol => $_, name => "S$_", qty => 100, avg_price => '70000' } } (SAMSUNG, HYNIX) ],
		symbols => [
			{ symbol => SAMSUNG, name => 'moves', market => 'KOSPI', base => BASE, price => BASE, bars => \@bars },
			# it was split overnight: yesterday it closed at twice the base price of today
			{ symbol => HYNIX, name => 'split', market => 'KOSPI', base => BASE, price => BASE,
				bars => [ bar($days[-3], 139000, 138000, 137000, 140000), { date => $days[-2], hole => JSON::PP::true, close => 1 },
					bar($days[-1], 140000, 141000, 139000, 140000) ] },
			{ symbol => OTHER, name => 'young', market => 'KOSDAQ', base => BASE, price => BASE,
				bars => [ map { bar($_, 70000, 70000, 70000, 70000) } @days[ -3 .. -1 ] ] } ] });
my $sim = $e->{sim};

sub asked { my ($path, $since) = @_; return scalar $sim->requests($path, $since); }
sub sync { my ($column, $task, $symbol) = @_; return "(SELECT $column FROM market.reference_sync WHERE task = '$task' AND symbol = '$symbol')"; }
sub done { my ($task, $symbol, $day) = @_; return '(' . sync('done_date', $task, $symbol) . " = '$day')"; }

# Both clocks: they run on from there.
sub at { my ($iso) = @_; $sim->set_clock("2026-11-${iso}:00+09:00"); $e->follow_clock; return; }

# Nothing of it is under way or due any more: two turns without a question.
sub quiet
{
	my $before = -1;
	my $now = $sim->last_seq;
	for (1 .. 20)
	{
		$e->wait_turn('prices');
		($before, $now) = ($now, asked('chk-holiday') + asked('daily-itemchart') + asked('quotations/in'));
		return if $before == $now;
	}
	return;
}

subtest 'trading days' => sub {
	$e->until(done('CALENDAR', '', '2026-11-20'), 'the broker is asked for its calendar');
	is($e->sql("SELECT is_open || ' ' || source FROM market.calendar WHERE date = '2026-11-26'"), 'false KIS',
		'a holiday nobody entered is closed: it fails closed');
	is($e->sql("SELECT severity FROM system.alerts WHERE code = 'CALENDAR_CONFLICT' AND subject = '20261126'"), 'WARNING',
		'and the disagreement is told');
	is($e->sql("SELECT confirmed FROM market.calendar WHERE date = '2026-11-20'"), 't', 'today is confirmed');
	is(asked('chk-holiday'), 1, 'by one request');
};

subtest 'daily bars' => sub {
	$e->until(done('DAILY_BARS', SAMSUNG, '2026-11-19'), 'bars up to the last day that is over');
	is($e->sql("SELECT count(*) || ' ' || min(source) || ' ' || max(source) FROM market.ohlcv_1d WHERE symbol = '${\SAMSUNG}'"),
		scalar(@bars) . ' KIS KIS', 'all of them, as the broker\'s');
	is($e->sql("SELECT string_agg(concat_ws(',', to_char(date, 'YYYYMMDD'), open, high, low, close, volume), ' ' ORDER BY date)
		FROM market.ohlcv_1d WHERE symbol = '${\SAMSUNG}'"),
		join(' ', map { join ',', @$_{qw(date open high low close volume)} } @bars), 'as they were traded, not adjusted');
	$e->until('EXISTS (SELECT FROM market.indicators WHERE symbol = \'' . SAMSUNG . "' AND date = '2026-11-19')",
		'indicators follow by themselves');
	my $atr = $e->sql("SELECT atr14 FROM market.indicators WHERE symbol = '${\SAMSUNG}' AND date = '2026-11-19'");
	cmp_ok(abs($atr - atr14(@bars)), '<', 0.01, sprintf 'ATR14 is %s, by hand %.4f', $atr, atr14(@bars));
	is($e->sql("SELECT qts.previous_close('${\SAMSUNG}', '2026-11-20')"), BASE, 'and the previous close');
	$e->until(done('DAILY_BARS', HYNIX, '2026-11-19'), 'another one');
	is($e->sql('SELECT ' . sync("rejected || ' ' || stored", 'DAILY_BARS', HYNIX)), '1 1',
		'a bar that cannot be is rejected and counted, a hole is none');
	is($e->sql("SELECT value FROM qts.metrics WHERE name = 'qts_reference_rejected_total' AND labels = 'task=\"DAILY_BARS\"'"), 1,
		'and visible');
	$e->sql("INSERT INTO market.stocks (symbol, name, market) VALUES ('${\OTHER}', 'young', 'KOSDAQ'), ('${\UNKNOWN}', 'gone', 'KOSPI')");
	$e->until(done('DAILY_BARS', OTHER, '2026-11-19'), 'what nobody follows comes last, and comes');
	$e->until(sync('last_error', 'DAILY_BARS', UNKNOWN) . " LIKE '%no bar%'", 'what the broker does not know has no bar');
	is($e->sql('SELECT ' . sync('done_date IS NULL', 'DAILY_BARS', UNKNOWN)), 't', 'and will be asked for again');
};

subtest 'a restart' => sub {
	quiet();
	my ($days, $bars) = (asked('chk-holiday'), asked('daily-itemchart'));
	$e->{node}->restart;
	$e->follow_clock;
	$e->wait_trading;
	quiet();
	is(asked('chk-holiday'), $days, 'does not ask for trading days again');
	is(asked('daily-itemchart'), $bars, 'nor for bars');
	is($e->sql("SELECT string_agg(name || ' ' || state, ', ' ORDER BY name) FROM qts.status() WHERE kind = 'reference'"),
		'daily bars RETRYING, trading days DONE', 'and status() shows what is known');
};

subtest 'base prices' => sub {
	is(asked('quotations/in'), asked('daily-itemchart'), 'no price is asked for before 08:20');
	at('20T08:20');
	$e->until(done('BASE_PRICES', SAMSUNG, '2026-11-20'), 'at 08:20 base prices are');
	is($e->sql("SELECT concat_ws(' ', base_price, lower_limit, upper_limit, limits_date) FROM market.stocks WHERE symbol = '${\SAMSUNG}'"),
		join(' ', BASE, LOWER, UPPER, '2026-11-20'), 'with the limits of the day');
	$e->until("EXISTS (SELECT FROM system.alerts WHERE code = 'CORPORATE_ACTION' AND subject = '${\HYNIX}' AND severity = 'CRITICAL')",
		'a split is noticed before the open');
	is($e->sql("SELECT count(*) FROM trade.positions WHERE symbol = '${\HYNIX}' AND quarantine_reason IS NOT NULL"), 1,
		'its position is held');
	is($e->sql("SELECT count(*) FROM trade.positions WHERE symbol = '${\SAMSUNG}' AND quarantine_reason IS NOT NULL"), 0,
		'the other one is not');
	$e->until(done('BASE_PRICES', OTHER, '2026-11-20'), 'the rest of the master, too');
	$e->until(sync('last_error', 'BASE_PRICES', UNKNOWN) . " LIKE '%not know%'", 'what is unknown is told as such');
	is($e->sql("SELECT base_price IS NULL FROM market.stocks WHERE symbol = '${\UNKNOWN}'"), 't', 'and gets none');
};

# The day's own bar, and a worker that dies between answer and commit.
subtest 'killed' => sub {
	at('20T10:00');
	$sim->price(SAMSUNG, $_) for 70500, 71500, 70200, 70800;
	at('20T16:05');
	quiet();
	is($e->sql("SELECT count(*) FROM market.ohlcv_1d WHERE date = '2026-11-20' AND source = 'KIS'"), 0,
		'after the close the bar of the day is not asked for yet');
	my $since = $sim->last_seq;
	my $holder = $e->{node}->background_psql($e->{db});
	$holder->query_safe('BEGIN; LOCK TABLE market.ohlcv_1d IN SHARE MODE');
	at('20T16:10');
	my $pid = $e->pid('prices');
	$e->need("EXISTS (SELECT FROM pg_locks WHERE pid = $pid AND NOT granted)");
	kill 'KILL', $pid;
	$holder->{run}->finish;
	is(asked('daily-itemchart', $since) > 0, 1, 'answered, and killed before the commit');
	$e->{node}->poll_query_until('postgres', 'SELECT true');
	$e->follow_clock;
	$e->wait_trading;
	is($e->sql("SELECT count(*) FROM market.ohlcv_1d WHERE date = '2026-11-20' AND source = 'KIS'"), 0, 'nothing was stored');
	at('20T16:12');
	$e->until(done('DAILY_BARS', SAMSUNG, '2026-11-20'), 'it is asked for again');
	is($e->sql("SELECT concat_ws(' ', open, high, low, close, source) FROM market.ohlcv_1d
		WHERE symbol = '${\SAMSUNG}' AND date = '2026-11-20'"), '70500 71500 70200 70800 KIS', 'and stored');
	is(asked('chk-holiday'), 1, 'the calendar was not');
};

subtest 'errors' => sub {
	my $id = $sim->fault('html_502', times => 1, match => { path => 'chk-holiday' }, params => { http => 500 });
	at('21T07:10');
	$e->until(sync('failures', 'CALENDAR', '') . ' = 1', 'an answer of 500 on Saturday morning');
	$e->until(sync("last_error IS NOT NULL AND done_date = '2026-11-20'", 'CALENDAR', ''), 'is no success');
	quiet();
	is(asked('chk-holiday'), 2, 'and not asked again at once');
	at('21T07:16');
	$e->until(done('CALENDAR', '', '2026-11-21'), 'but five minutes later');
	is(asked('chk-holiday'), 3, 'once');
	is($sim->faults_fired($id), 1, 'the fault was met');
};

subtest 'missing before the open' => sub {
	$sim->fault('reshape', times => 0, match => { path => 'multprice' }, params => { set => {
		inter2_sdpr => '70000', inter2_llam => '49000', inter2_mxpr => '91000' } });
	at('23T08:20');
	$e->until(sync('last_error', 'BASE_PRICES', SAMSUNG) . " LIKE '%day before%'", 'the base price of Friday is not believed');
	is($e->sql("SELECT limits_date FROM market.stocks WHERE symbol = '${\SAMSUNG}'"), '2026-11-20', 'nor stored as today\'s');
	$sim->clear;
	$sim->fault('html_502', times => 0, match => { path => $_ }, params => { http => 500 }) for 'multprice', 'inquire-price';
	$e->until(done('BASE_PRICES', HYNIX, '2026-11-23'), 'one that can be true is');
	is($e->sql("SELECT count(*) FROM system.alerts WHERE code = 'REFERENCE_MISSING'"), 0, 'at 08:20 nobody misses it');
	at('23T08:50');
	$e->until("EXISTS (SELECT FROM system.alerts WHERE code = 'REFERENCE_MISSING' AND message LIKE '%: 2 symbols, 1 without a base price of today, 1 without a bar%')",
		'at 08:50 what is missing is told');
	$sim->clear;
	at('23T08:56');
	$e->until(done('BASE_PRICES', SAMSUNG, '2026-11-23'), 'and still asked for');
	is($e->sql("SELECT base_price FROM market.stocks WHERE symbol = '${\SAMSUNG}'"), 70800, 'until it is told');
};

subtest 'down for days' => sub {
	$e->stop;
	$e->{sim}->config(symbols => [ { symbol => SAMSUNG, bars => [ @bars, map { bar($_, 70000, 71000, 69000, 70300) }
		20261120, 20261123, 20261124 ] } ]);
	$sim->set_clock('2026-11-25T12:00:00+09:00');
	my $since = $sim->last_seq;
	$e->{node}->start;
	$e->follow_clock;
	$e->until(done('DAILY_BARS', SAMSUNG, '2026-11-24'), 'started in mid-day it catches up');
	is($e->sql("SELECT string_agg(to_char(date, 'MMDD') || source, ' ' ORDER BY date) FROM market.ohlcv_1d
		WHERE symbol = '${\SAMSUNG}' AND date > '2026-11-19'"), '1120KIS 1123KIS 1124KIS', 'with every day that was missed');
	$e->until(done('BASE_PRICES', SAMSUNG, '2026-11-25'), 'and gets the limits of today at once');
	$e->until(done('CALENDAR', '', '2026-11-25'), 'and the calendar');
	is(asked('chk-holiday', $since), 1, 'by one request');
};

# Sixty symbols to ask for, ten requests a second for everything: the order does not queue.
subtest 'an order between' => sub {
	quiet();
	$sim->config(options => { rate_per_second => 10 });
	$e->set_conf('qts.rest_rate_sim' => 10);
	$e->wait_turn('prices');
	my $since = $sim->last_seq;
	$e->sql("INSERT INTO market.stocks (symbol, name, market)
		SELECT (100000 + i)::text, 'many', 'KOSPI' FROM generate_series(1, 60) AS i");
	ok($sim->wait_path('daily-itemchart', 5, $since), 'bars of many symbols are asked for');
	my $before = $sim->last_seq;
	my $intent = $e->exit_position(SAMSUNG, ', 1');
	ok($sim->wait_posts(1, $since), 'an order is sent');
	my ($post) = $sim->requests('order-cash', $since);
	my $between = grep { $_->{seq} > $before && $_->{seq} < $post->{seq} } $sim->requests('daily-itemchart', $since);
	# some pass while psql starts; in a queue it would be sixty
	cmp_ok($between, '<', 40, 'not behind all of them');
	ok($sim->wait_path('daily-itemchart', $between + 10, $before), 'they go on behind it');
	is(scalar(grep { $_->{http_status} == 500 } $sim->requests('', $since)), 0, 'the limit is kept');
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')", 'and it is filled');
	$e->healthy('reference data');
};

done_testing();
