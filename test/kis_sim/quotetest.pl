#!/usr/bin/perl
# quotetest.pl
#		Prices from every side: the fallback source and its faults, thirty symbols at once,
#		books, generated symbols, a walk, and the list of what was true.
#		Usage: quotetest.pl ./kis_sim
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use lib dirname(__FILE__);
use SimClient;
use SimTest;

my $path = '/api/realtime/domestic/stock';

sub naver { my ($sim, $codes) = @_; return SimClient::call($sim->{rest}, 'GET', "$path/$codes", {}); }

sub multi
{
	my ($sim, @codes) = @_;
	my %q = map { ("FID_COND_MRKT_DIV_CODE_$_" => 'J', "FID_INPUT_ISCD_$_" => $codes[ $_ - 1 ]) } 1 .. @codes;
	return $sim->get('quotations/intstock-multprice', 'FHKST11300006', \%q)->{json}{output};
}

sub test_naver
{
	my $sim = start_sim();
	price($sim, '005930', 68500);
	my $answer = naver($sim, '005930,999999,035720');
	my ($a, $b, @more) = @{ $answer->{json}{datas} };
	is("$answer->{status} $answer->{json}{pollingInterval}", '200 7000', 'no key is needed');
	is("$a->{itemCode} $a->{closePrice} $a->{closePriceRaw} $b->{itemCode}", '005930 68,500 68500 035720', 'prices');
	is(scalar @more, 0, 'an unknown code is left out');
	is("$a->{compareToPreviousClosePrice} $a->{compareToPreviousPrice}{code} $a->{compareToPreviousPrice}{name}",
		'-1,500 5 FALLING', 'the change');
	is("$a->{marketStatus} $a->{tradeStopType}{name} $b->{stockExchangeType}{code} $b->{openPrice}",
		'OPEN TRADING KQ -', 'the market, and no open price without a print');
	like($a->{localTradedAt}, qr/^2026-11-20T10:00:\d\d\+09:00$/, 'when it was traded');
	$sim->control('POST', '/config', { options => { naver_raw => JSON::PP::false } });
	ok(!exists naver($sim, '005930')->{json}{datas}[0]{closePriceRaw}, 'an older answer');
	$sim->control('POST', '/market', { event => 'halt', symbol => '005930' });
	is(naver($sim, '005930')->{json}{datas}[0]{tradeStopType}{name}, 'HALTED', 'a halt');
	is(scalar @{ $sim->control('GET', "/requests?path=$path")->{requests} }, 3, 'the witness saw them');
	$sim->stop;
	return;
}

sub test_naver_faults
{
	my $sim = start_sim();
	for my $status (403, 429, 503)
	{
		fault($sim, mode => 'html_502', match => { path => $path }, params => { http => $status });
		is(naver($sim, '005930')->{status}, $status, "HTTP $status");
	}
	is(naver($sim, '005930')->{status}, 200, 'and then an answer');
	fault($sim, mode => 'quote_skew', match => { symbol => '005930' }, params => { percent => -3 });
	fault($sim, mode => 'quote_missing', match => { symbol => '035720' });
	my $rows = naver($sim, '005930,035720')->{json}{datas};
	is(join(' ', map { "$_->{itemCode} $_->{closePriceRaw}" } @$rows), '005930 67900', 'a wrong price, a missing one');
	is(join(' ', map { $_->{closePriceRaw} } @{ naver($sim, '005930,035720')->{json}{datas} }), '70000 40000', 'once');
	fault($sim, mode => 'quote_skew', match => { path => 'multprice', symbol => '005930' }, params => { percent => 10 });
	is(join(' ', map { $_->{inter2_prpr} } @{ multi($sim, '035720', '005930') }), '40000 77000', 'the broker, wrong');
	my $id = fault($sim, mode => 'hold_reply', match => { path => $path });
	my $socket = SimClient::connect_to($sim->{rest});
	SimClient::send_request($socket, 'GET', "$path/005930", {});
	is($sim->control('GET', "/wait?path=$path&count=6&timeout_ms=5000")->{ok}, true(), 'a request is held');
	$sim->control('POST', '/release', { id => $id });
	is(SimClient::read_answer($socket)->{status}, 200, 'a late answer');
	$sim->stop;
	return;
}

# Every way to ask shows one truth.
sub test_one_truth
{
	my $sim = start_sim(options => { symbols_generate => 1000 });
	my $truth = $sim->control('GET', '/prices')->{prices};
	is(scalar @$truth, 1002, 'a thousand symbols of its own');
	is(scalar(grep { $_->{price} <= 0 || $_->{bid} > $_->{ask} } @$truth), 0, 'each with a price');
	my @codes = map { $_->{symbol} } @$truth[ 2 .. 31 ];
	my $ws = $sim->ws_open;
	$sim->ws_subscribe($ws, $_, $codes[7]) for qw(H0STCNT0 H0STASP0);
	my $before = $truth->[9]{price};
	price($sim, $codes[7], $before + 5000);
	my ($tick, $book) = drain($sim, $ws);
	is($tick->[2], $before + 5000, 'the tick');
	my ($true) = @{ $sim->control('GET', "/prices?symbol=$codes[7]")->{prices} };
	is("$book->[13] $book->[3]", "$true->{bid} $true->{ask}", 'the book follows the price');
	is(scalar @$book, 63, 'of 63 fields');
	$sim->control('POST', '/config', { options => { book_fields => 62 } });
	price($sim, $codes[7], $before);
	(undef, $book) = drain($sim, $ws);
	is(scalar @$book, 62, 'or of 62');
	my $rows = multi($sim, @codes);
	my %true = map { ($_->{symbol} => $_) } @{ $sim->control('GET', '/prices')->{prices} };
	is(scalar @$rows, 30, 'thirty at once');
	is(scalar(grep {
		my $t = $true{ $_->{inter_shrn_iscd} };
		"$_->{inter2_prpr} $_->{inter2_bidp} $_->{inter2_askp}" ne "$t->{price} $t->{bid} $t->{ask}"
	} @$rows), 0, 'as true as the ticks');
	is(scalar(grep { $_->{closePriceRaw} != $true{ $_->{itemCode} }{price} }
			@{ naver($sim, join ',', @codes)->{json}{datas} }), 0, 'and as the fallback');
	my $history = $sim->control('GET', "/prices?symbol=$codes[7]&history_ms=60000")->{prices}[0]{history};
	is(join(' ', map { $_->[2] } @$history), join(' ', $before + 5000, $before), 'what it was, and when');
	ok($history->[0][0] <= $history->[1][0] && $history->[1][0] <= time * 1e6 + 1e6, 'in order of time');
	$history = $sim->control('GET', "/prices?symbol=$codes[7]&history_ms=0")->{prices}[0]{history};
	is(join(' ', map { $_->[2] } @$history), $before, 'what it is now');
	$sim->stop;
	return;
}

# A walk of at least 2000 prints.
sub walked
{
	my ($seed) = @_;
	my $sim = start_sim(options => { symbols_generate => 50 });
	my $end = time + 10;
	my $status;
	$sim->control('POST', '/walk', { ticks_per_second => 100, speed => 600, seed => $seed });
	do { $status = $sim->control('GET', '/walk') } until $status->{printed} >= 2000 || time > $end;
	$sim->control('POST', '/clock', { speed => 0 });
	my $prices = $sim->control('GET', '/prices?history_ms=1000000')->{prices};
	$sim->stop;
	return ($status, $prices);
}

# The beginnings of all paths.
sub beginnings
{
	return join "\n", map {
		my $h = $_->{history};
		join ' ', $_->{symbol}, map { $h->[$_][2] // '' } 0 .. 9
	} @_;
}

sub test_walk
{
	my ($status, $prices) = walked(5);
	ok($status->{walking} && $status->{symbols} == 52 && $status->{printed} >= 2000, 'a walk of all symbols');
	cmp_ok(scalar(grep { $_->{since_us} > 0 } @$prices), '>', 45, 'which moves nearly all of them');
	is(beginnings(@{ (walked(5))[1] }), beginnings(@$prices), 'the same seed walks the same way');
	isnt(beginnings(@{ (walked(6))[1] }), beginnings(@$prices), 'another does not');
	my $sim = start_sim();
	$sim->control('POST', '/walk', { symbols => ['005930'], ticks_per_second => 1000, speed => 1000 });
	$sim->control('GET', '/wait?counter=price_changes&count=500&timeout_ms=5000');
	my ($a, $b) = @{ $sim->control('GET', '/prices')->{prices} };
	ok($b->{volume} == 0 && $b->{price} == 40000, 'the others stand still');
	ok($a->{volume} > 0 && $a->{price} >= 49000 && $a->{price} <= 91000, 'inside the limits');
	is($sim->control('POST', '/walk', { ticks_per_second => 0 })->{walking}, JSON::PP::false, 'until it is ended');
	is($sim->control('POST', '/walk', { symbols => 1, ticks_per_second => 1 })->{symbols}, 1, 'the first so many');
	ok(defined $sim->control('POST', '/walk', { symbols => ['nope'], ticks_per_second => 1 })->{error}, 'unknown symbols');
	ok(defined $sim->control('POST', '/walk', { ticks_per_second => -1 })->{error}, 'a rate that is none');
	ok(defined $sim->control('POST', '/walk', { ticks_per_second => 0, log => '/nowhere/log' })->{error}, 'a log that is none');
	my $log = tempdir(CLEANUP => 1) . '/prices';
	$sim->control('POST', '/walk', { symbols => ['005930'], ticks_per_second => 1000, speed => 1000, log => $log });
	$sim->control('GET', '/wait?counter=price_changes&count=1000&timeout_ms=5000');
	my ($last) = map { $_->{history}[-1] } @{ $sim->control('GET', '/prices?symbol=005930&history_ms=0')->{prices} };
	open my $fh, '<', $log or die "$log: $!";
	ok(scalar(grep { $_ eq "$last->[0] 005930 $last->[2]\n" } <$fh>), 'what it tells is in the log');
	# at a thousandfold speed the auction would be over before anybody looks
	$sim->control('POST', '/walk', { ticks_per_second => 0, speed => 1 });
	clock($sim, '2026-11-20T15:25:00');
	my $before = $sim->control('GET', '/stats')->{price_changes};
	$sim->control('POST', '/walk', { ticks_per_second => 10000, speed => 10 });
	my $until = time + 0.05;
	1 while time < $until && $sim->control('GET', '/walk');
	is($sim->control('GET', '/stats')->{price_changes}, $before, 'and not in an auction');
	$sim->stop;
	return;
}

test_naver();
test_naver_faults();
test_one_truth();
test_walk();
done_testing();
