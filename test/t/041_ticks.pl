# 041_ticks.pl
#		Prices of several sources and of no use: each is stored once, shown or counted, and
#		nothing impossible, late or repeated reaches the board.
use strict;
use warnings;
use Test::More;
use QtsTest;

use constant FRIDAY => '20261120';
use constant { BASE => 70000, UPPER => 91000, LOWER => 49000, LEVELS => 10 };

my $e = QtsTest->engine(
	clock => KRX_OPEN,
	conf => { 'qts.max_clock_skew' => '60s' },
	sim => {
		holdings => [ map { { symbol => $_, name => "S$_", qty => 10, avg_price => '70000' } } (SAMSUNG, HYNIX) ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => BASE, price => BASE } }
			(SAMSUNG, HYNIX) ] });
my $sim = $e->{sim};
my %volume;

# A record of H0STCNT0; at = seconds after ten o'clock, bid = another than one step below.
sub record
{
	my ($symbol, $price, %o) = @_;
	my $at = 36000 + ($o{at} // 0);
	my $change = $o{change} // $price - BASE;
	my $volume = $o{volume} // ++$volume{$symbol};
	my @field = ('') x 47;
	@field[ 0 .. 4 ] = ($symbol, sprintf('%02d%02d%02d', $at / 3600, $at / 60 % 60, $at % 60), $price,
		$change < 0 ? 5 : 2, abs $change);
	@field[ 10 .. 14 ] = ($price + 100, $o{bid} // $price - 100, 1, $volume, $volume * BASE);
	@field[ 33, 35, 46 ] = (FRIDAY, 'N', 2);
	return join '^', @field;
}

sub frame
{
	my (@records) = @_;
	$sim->call('POST', '/frame', { text => sprintf('0|H0STCNT0|%03d|%s', scalar @records, join '^', @records) });
	return;
}

sub count { return $e->metric("qts_ticks_${\$_[0]}_total"); }
sub rows { return $e->sql("SELECT count(*) FROM market.prices_ticks WHERE symbol = '$_[0]'"); }
sub last_of { return $e->sql("SELECT last FROM qts.price('$_[0]')"); }

# The engine has taken this price: whatever was sent before it has been judged.
sub taken
{
	my ($symbol, $price, %o) = @_;
	frame(record($symbol, $price, %o));
	$e->need("(SELECT last FROM qts.price('$symbol')) = $price");
	return;
}

# So many more of one kind, no other change.
sub counts
{
	my ($kind, $n, $name, @records) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($symbol) = $records[0] =~ /^(\w+)\^/;
	my ($was, $rows, $last) = (count($kind), rows($symbol), last_of($symbol));
	frame(@records);
	$e->until("(SELECT value = $was + $n FROM qts.metrics WHERE name = 'qts_ticks_${kind}_total')", "$name: counted");
	is(rows($symbol), $rows, "$name: no row");
	is(last_of($symbol), $last, "$name: not on the board");
	return;
}

subtest 'what is news' => sub {
	taken(SAMSUNG, 70100);
	is($e->sql("SELECT bid, ask, volume, source, exch_ts = '2026-11-20 10:00:00+09', is_stale, stale_reason IS NULL
		FROM qts.price('${\SAMSUNG}')"), '70000|70200|1|KIS_WS|t|f|t', 'is shown with all it says');
	is($e->sql("SELECT last_price, bid_price, ask_price, volume, acml_volume, source, exch_ts = '2026-11-20 10:00:00+09'
		FROM market.prices_ticks WHERE symbol = '${\SAMSUNG}'"), '70100|70000|70200|1|1|KIS_WS|t', 'and stored');
	is($e->sql("SELECT best_price, change_price, prev_close, acml_volume, best_source, is_stale
		FROM market.prices_best WHERE symbol = '${\SAMSUNG}'"), '70100|100|70000|1|KIS_WS|f', 'as the best price');
	is($e->sql("SELECT source, last_price, bid_price, ask_price, acml_volume FROM market.freshness
		WHERE symbol = '${\SAMSUNG}'"), 'KIS_WS|70100|70000|70200|1', 'and as the last of its source');
};

subtest 'B-P3: the same again is only fresher' => sub {
	my $before = $e->sql("SELECT best_ts FROM market.prices_best WHERE symbol = '${\SAMSUNG}'");
	counts('repeated', 3, 'the same print', (record(SAMSUNG, 70100, volume => 1)) x 3);
	ok($e->sql("SELECT best_ts > '$before' AND NOT is_stale FROM market.prices_best
		WHERE symbol = '${\SAMSUNG}'") eq 't', 'its price counts as heard again');
	taken(SAMSUNG, 70100, volume => ($volume{+SAMSUNG} = 50));
	$e->until("(SELECT count(*) FROM market.prices_ticks WHERE symbol = '${\SAMSUNG}') = 2",
		'the same price at another volume is another print');
};

subtest 'what comes too late' => sub {
	counts('late', 1, 'less volume in the same second', record(SAMSUNG, 69000, volume => 49));
	counts('late', 1, 'an earlier second', record(SAMSUNG, 69000, volume => 10, at => -5));
	taken(SAMSUNG, 70300, volume => 20, at => 1);
	pass('less volume at a later second is news: no absurd volume silences a symbol');
	$volume{+SAMSUNG} = 100;
};

subtest 'F20: what cannot be a price of the day' => sub {
	taken(SAMSUNG, UPPER);
	taken(SAMSUNG, LOWER);
	taken(SAMSUNG, $_) for 70000, 70100;
	counts('refused', 1, 'above the upper limit', record(SAMSUNG, UPPER + 100));
	counts('refused', 1, 'below the lower limit', record(SAMSUNG, LOWER - 100));
	counts('refused', 20, 'a forged previous close, twenty times',
		map { record(SAMSUNG, 200000, change => 0) } 1 .. 20);
	counts('unknown', 1, 'a symbol nobody follows', record('999999', 1000));
	my $malformed = $e->sql('SELECT malformed FROM qts._feeds()');
	frame(record(SAMSUNG, 0 + 70000) =~ s/\^70000\^/^$_^/r) for 0, -70000, '7e4', '', '9999999999999';
	frame(record(SAMSUNG, 70000, change => '9999999999999'));
	taken(SAMSUNG, 70200);
	$e->until("(SELECT malformed = $malformed + 6 FROM qts._feeds())",
		'zero, negative, no numbers and numbers beyond all reckoning: counted');
};

subtest 'a bid that cannot be' => sub {
	for my $bid (1, 700_000, 70_300)
	{
		taken(SAMSUNG, 70200 + $bid % 7, bid => $bid);
		is($e->sql("SELECT bid IS NULL FROM qts.price('${\SAMSUNG}')"), 't', "$bid is not shown, so nothing is sold on it");
	}
	is($e->sql("SELECT count(bid_price) FROM market.prices_ticks WHERE symbol = '${\SAMSUNG}'"), 1, 'nor stored');
	taken(SAMSUNG, 70100);
};

subtest 'F20: a first price from nowhere does not decide the day' => sub {
	frame(record(HYNIX, 200000, change => 0));
	$e->need("(SELECT last FROM qts.price('${\HYNIX}')) = 200000");
	counts('refused', 2, 'two that disagree', map { record(HYNIX, $_) } 70000, 70100);
	taken(HYNIX, 70200);
	pass('three that agree on another previous close are believed');
	taken(HYNIX, 70300);
	counts('refused', 5, 'then a forgery is not, however often it comes', map { record(HYNIX, 200000, change => 0) } 1 .. 5);
};

subtest 'the limits of the master' => sub {
	$e->sql("UPDATE market.stocks SET base_price = 70000, lower_limit = 60000, upper_limit = 80000,
		limits_date = '2026-11-20' WHERE symbol = '${\HYNIX}'");
	$e->{node}->restart;
	$e->wait_trading;
	taken(HYNIX, 80000);
	counts('refused', 6, 'beyond them', map { record(HYNIX, $_) } (80100) x 3, (59900) x 3);
};

subtest 'clocks that disagree' => sub {
	counts('skewed', 1, 'an hour ahead', record(SAMSUNG, 70000, at => 3600));
	counts('skewed', 1, 'an hour ago', record(SAMSUNG, 70000, at => -3600));
};

subtest 'a burst' => sub {
	my ($ticks, $rows, $lost) = (count('lost') + rows(SAMSUNG) + rows(HYNIX), undef, count('lost'));
	my $frames = 40;
	my $n = 200;
	for my $f (1 .. $frames)
	{
		frame(map { record($_ % 2 ? SAMSUNG : HYNIX, 70000 + 100 * (($f + $_) % 7)) } 1 .. $n);
	}
	taken($_, 71100) for SAMSUNG, HYNIX;
	$e->until("(SELECT sum(value) FROM qts.metrics WHERE name = 'qts_ticks_lost_total')
		+ (SELECT count(*) FROM market.prices_ticks) = $ticks + $frames * $n + 2",
		'each of ' . $frames * $n . ' prints is a row, or counted as lost');
	is(count('lost'), $lost, 'none was');
	is($e->sql("SELECT best_price FROM market.prices_best WHERE symbol = '${\SAMSUNG}'"), 71100, 'the newest is the best');
};

subtest 'tables that are locked' => sub {
	my $lost = count('lost');
	my $lock = $e->{node}->background_psql($e->{db});
	$lock->query_safe('BEGIN; LOCK TABLE market.prices_ticks IN ACCESS EXCLUSIVE MODE');
	frame(record(SAMSUNG, 72000));
	$e->until("(SELECT value = $lost + 1 FROM qts._metrics() WHERE name = 'qts_ticks_lost_total')",
		'lost, and counted') if $lock;
	is(last_of(SAMSUNG), 71100, 'what is in no table is not on the board');
	$lock->query_safe('COMMIT');
	$lock->quit;
	$e->need(q{(SELECT count(*) = 1 FROM qts.status() WHERE kind = 'worker' AND name = 'prices' AND state = 'RUNNING')
		AND (SELECT bool_and(state = 'UP') FROM qts._feeds())});
	taken(SAMSUNG, 72100);
};

subtest 'several sources, and feeds that die' => sub {
	# ahead of the clock, so that the restart takes no time from their lives
	my $now = '2026-11-20 11:00:00+09';
	$e->sql("SELECT qts.set_clock('$now'::timestamptz - interval '5 minutes')");
	$e->sql(qq{INSERT INTO market.stocks (symbol, name, market) VALUES ('123450', 'Three sources', 'KOSPI');
		INSERT INTO market.prices_best (symbol, best_price, best_source, best_ts, updated_ts)
		VALUES ('123450', 1000, 'KIS_WS', '$now', '$now');
		INSERT INTO market.freshness (symbol, source, last_ts, last_price, bid_price, exch_ts)
		VALUES ('123450', 'KIS_WS', '$now', 1000, 999, '$now'), ('123450', 'KIS_REST', '$now', 1001, NULL, NULL),
			('123450', 'NAVER', '$now', 1002, NULL, NULL);
		INSERT INTO market.stocks (symbol, name, market) VALUES ('123460', 'An older answer', 'KOSPI');
		INSERT INTO market.prices_best (symbol, best_price, best_source, best_ts, updated_ts)
		VALUES ('123460', 1000, 'KIS_WS', '$now', '$now');
		INSERT INTO market.freshness (symbol, source, last_ts, last_price)
		VALUES ('123460', 'KIS_WS', '$now', 1000), ('123460', 'KIS_REST', '$now'::timestamptz - interval '5 seconds', 1001)});
	$e->{node}->restart;
	$e->wait_running;
	$e->need("(SELECT last FROM qts.price('123450')) IS NOT NULL");
	my $judged = sub {
		my ($second) = @_;
		$e->sql("SELECT qts.set_clock('$now'::timestamptz + interval '$second seconds')");
		return $e->sql(qq{SELECT last, source, coalesce(bid::text, '-'), is_stale, coalesce(stale_reason, '-')
			FROM qts.price('${\($_[1] // '123450')}')});
	};
	my $best = sub { return $e->until(qq{(SELECT concat_ws('|', best_price, best_source, is_stale)
		FROM market.prices_best WHERE symbol = '${\($_[1] // '123450')}') = '$_[0]'}, "the table says so too: $_[0]"); };
	is($judged->(0), '1000|KIS_WS|999|f|-', 'the push feed first');
	is($judged->(3), '1001|KIS_REST|-|f|-', 'B-P3b: it dies: the polled price, without any write; B-P11: no bid is invented');
	$best->('1001|KIS_REST|f');
	is($judged->(4, '123460'), '1000|KIS_WS|-|f|-', 'an answer from before the last print does not bring its price back');
	$best->('1000|KIS_WS|f', '123460');
	is($judged->(6, '123460'), '1000|KIS_WS|-|t|ALL_SOURCES_STALE', 'and vouches for the print no longer than for itself');
	$best->('1000|KIS_WS|t', '123460');
	is($judged->(11), '1002|NAVER|-|f|-', 'then the fallback');
	$best->('1002|NAVER|f');
	is($judged->(31), '1002|NAVER|-|t|ALL_SOURCES_STALE', 'B-P1: then none, and it says so');
	$best->('1002|NAVER|t');
	is($judged->(-5), '1001|KIS_REST|-|t|CLOCK_MOVED', 'a clock set back');
	$judged->(0);
};

subtest 'reads are counted' => sub {
	my $counted = sub { return $e->sql("SELECT hits, misses, stale FROM qts.cache_stats() WHERE cache = '$_[0]'"); };
	my ($hits, $misses, $stale) = split /\|/, $counted->('price');
	$e->sql("SELECT qts.price('123450') FROM generate_series(1, 3000)");
	$e->sql("SELECT qts.price('nobody') FROM generate_series(1, 5)");
	my ($hits_now, $misses_now) = split /\|/, $counted->('price');
	cmp_ok($hits_now, '>=', $hits + 3000, 'hits, of a session that has ended too');
	is($misses_now, $misses + 5, 'misses');
	is($e->sql(q{SELECT count(*) FROM qts.book('123450')}), 0, 'no book');
	like($counted->('book'), qr/^0\|[1-9]\d*\|0$/, 'is a miss');
	is($e->sql(q{SELECT count(*) FROM qts.metrics WHERE name = 'qts_cache_reads_total'}), 6, 'and metrics show them');
};

$e->healthy('at the end');
$e->stop;
done_testing();
