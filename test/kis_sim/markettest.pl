#!/usr/bin/perl
# markettest.pl
#		The market and the accounts: windows of the day, interruptions, other channels and
#		accounts, order types, daily bars, forgetting, and the price of a long run.
#		Usage: markettest.pl ./kis_sim
use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use lib dirname(__FILE__);
use SimClient;
use SimTest;

sub odno { return $_[0]->{json}{output}{ODNO}; }
sub code { return $_[0]->{json}{msg_cd}; }
sub market { my ($sim, %m) = @_; return $sim->control('POST', '/market', \%m); }
sub config { my ($sim, %c) = @_; return $sim->control('POST', '/config', \%c); }

sub state_of
{
	my ($sim, $odno) = @_;
	my ($o) = grep { $_->{odno} eq $odno } @{ orders($sim) };
	return "$o->{state} $o->{filled}";
}

sub fills_of
{
	my ($sim, $odno) = @_;
	my ($o) = grep { $_->{odno} eq $odno } @{ orders($sim) };
	return join ',', map { "$_->{qty}\@$_->{price}" } @{ $o->{fills} };
}

# A token for whatever day the clock shows.
sub renew { my ($sim) = @_; $sim->{token} = token($sim)->{json}{access_token}; return; }

sub test_ids
{
	my $sim = start_sim();
	my $call = sub {
		my ($tr_id, $drop, %change) = @_;
		my $body = { %{ decode_json($sim->order_body(price => 60000)) }, NEW_KEY => 'x', %change };
		delete $body->{$drop} if $drop;
		return code(SimClient::call($sim->{rest}, 'POST', "$trading/order-cash", $sim->headers($tr_id), encode_json($body)));
	};
	is($call->('TTTC0802U'), 'APBK0013', 'the old id of a buy, an unknown key in the body');
	is($call->('TTTC0801U'), 'APBK0013', 'the old id of a sell');
	is(join(',', map { $_->{side} } @{ orders($sim) }), 'buy,sell', 'the side comes from the id');
	is($call->('TTTC0012U', $_), 'IGW00007', "without $_") for qw(CANO ACNT_PRDT_CD PDNO ORD_DVSN ORD_QTY ORD_UNPR);
	is($call->('TTTC0012U', 'CANO', cano => '12345678'), 'IGW00007', 'body keys in lower case do not count');
	is($call->('TTTC9999U'), 'OPSQ0002', 'an unknown id');
	my $headers = $sim->headers('TTTC0012U');
	my $body = $sim->order_body(price => 60000);
	my $hash = SimClient::call($sim->{rest}, 'POST', '/uapi/hashkey', $headers, $body)->{json}{HASH};
	my $send = sub { return code(SimClient::call($sim->{rest}, 'POST', "$trading/order-cash", { %$headers, hashkey => $_[0] }, $body)); };
	is($send->($hash), 'APBK0013', 'the right hash');
	is($send->('0' x 64), 'EGW00131', 'a wrong one');
	is($sim->cancel('0000000000')->{json}{msg_cd}, 'APBK0344', 'no such original');
	config($sim, apps => [ { app_key => 'elsewhere', app_secret => 's', profile => 'paper' } ]);
	is(code(SimClient::call($sim->{rest}, 'GET', '/uapi/domestic-stock/v1/trading/inquire-balance', { appkey => 'elsewhere' })),
		'EGW02004', 'a key of the other domain');
	config($sim, options => { strict_query => true() });
	is(code($sim->ledger), 'KIOK0460', 'every documented key of a query');
	is(code($sim->balance), 'OPSQ2001', 'a key missing');
	$sim->stop;
	return;
}

sub test_day
{
	my $sim = start_sim(clock => '2026-11-20T07:59:00+09:00', options => { token_interval_s => 0 });
	my $ws = $sim->ws_open;
	$sim->ws_subscribe($ws, 'H0STCNI0', 'tester');
	my $gtp = sub { return $sim->order(type => '27', excg => 'NXT', price => $_[0], qty => 2); };
	is(code($gtp->(60000)), 'APBK0918', 'before the pre-market');
	clock($sim, '2026-11-20T08:10:00');
	my $odno = odno($gtp->(60000));
	like(fills_of($sim, odno($gtp->(71000))), qr/^2\@/, 'the pre-market trades');
	drain($sim, $ws);
	clock($sim, '2026-11-20T08:50:00');
	my ($n) = drain($sim, $ws);
	is(join(' ', marks($n), @$n[ 2, 3 ]), "1/2/0/3 $odno ", 'the rest is removed with a notice at 08:50');
	my $row = $sim->ledger(ODNO => $odno, EXCG_ID_DVSN_CD => 'ALL')->{json}{output1}[0];
	is(join('/', @$row{qw(tot_ccld_qty rmn_qty cncl_cfrm_qty rjct_qty)}), '0/0/0/0', 'and leaves four zeros');
	is(scalar @{ $sim->ledger(ODNO => $odno, EXCG_ID_DVSN_CD => 'KRX')->{json}{output1} }, 0, 'not among the orders of KRX');
	my $off = odno($sim->order(type => '01', qty => 3));
	my $limit = odno($sim->order(price => 60000));
	is(fills_of($sim, $off), '', 'orders wait in the opening auction');
	price($sim, '005930', 69000);
	clock($sim, '2026-11-20T09:00:00');
	is(fills_of($sim, $off), '3@69000', 'and trade at its one price');
	is(fills_of($sim, $limit), '', 'if they reach it');
	my $stop = odno($sim->order(side => 'sell', type => '22', price => 67900, trigger => 68000, qty => 4));
	price($sim, '005930', 68500);
	is(fills_of($sim, $stop), '', 'a stop waits');
	price($sim, '005930', 68000);
	is(fills_of($sim, $stop), '4@67900', 'for its price');
	is(code($sim->order(side => 'sell', type => '22', price => 67900)), 'APBK0506', 'which it must have');
	clock($sim, '2026-11-20T15:21:00');
	$off = odno($sim->order(price => 70000, qty => 5));
	is(code($sim->order(type => '03')), 'APBK0963', 'not every type in an auction');
	price($sim, '005930', 68300);
	clock($sim, '2026-11-20T15:30:00');
	is(fills_of($sim, $off), '5@68300', 'the closing auction');
	is(state_of($sim, $limit), 'expired 0', 'the rest expires');
	$off = odno($sim->order(type => '06', qty => 1));
	is(fills_of($sim, $off), '', 'at the close: entered early');
	clock($sim, '2026-11-20T15:41:00');
	is(fills_of($sim, $off), '1@68300', 'traded from 15:40');
	clock($sim, '2026-11-20T16:05:00');
	is(code($sim->order(type => '01')), 'APBK3013', 'no market orders after hours');
	is(code($sim->order(type => '41', price => 60000)), 'APBK0013', 'but limits');
	drain($sim, $ws);
	clock($sim, '2026-11-20T20:00:00');
	is(scalar drain($sim, $ws), 0, 'which end silently');
	clock($sim, '2026-11-23T08:35:00');
	renew($sim);
	is(fills_of($sim, odno($sim->order(type => '05', qty => 1))), '1@68300', 'yesterday\'s close before the open');
	$sim->stop;
	return;
}

sub test_interruptions
{
	my $sim = start_sim(options => { auto_vi => true() });
	my $ws = $sim->ws_open;
	$sim->ws_subscribe($ws, 'H0STMKO0', '005930');
	my $status = sub { return join ',', map { "$_->[1]$_->[8]$_->[3]" } drain($sim, $ws); };
	price($sim, '005930', 77000);
	is($status->(), 'NY', 'ten per cent: a volatility interruption');
	my $odno = odno($sim->order(qty => 2, type => '01'));
	is(fills_of($sim, $odno), '', 'orders wait');
	is($sim->get('quotations/inquire-price', 'FHKST01010100', { FID_COND_MRKT_DIV_CODE => 'J', FID_INPUT_ISCD => '005930' })
		  ->{json}{output}{vi_cls_code}, 'Y', 'the quote says so');
	clock($sim, '2026-11-20T10:03:00');
	is(fills_of($sim, $odno), '2@77000', 'one price at its end');
	is($status->(), 'NN', 'which is told');
	market($sim, event => 'vi', symbol => '005930', seconds => 0);
	$odno = odno($sim->order(qty => 1, type => '01'));
	clock($sim, '2026-11-20T11:00:00');
	is(fills_of($sim, $odno), '', 'one without an end');
	config($sim, symbols => [ { symbol => '005930', vi => JSON::PP::false } ]);
	is(fills_of($sim, $odno) =~ /^1\@/ ? 'filled' : 'waits', 'filled', 'is lifted by hand');
	market($sim, event => 'halt', symbol => '005930');
	is(code($sim->order(type => '01')), 'APBK0066', 'halted');
	market($sim, event => 'resume', symbol => '005930');
	my $rest = odno($sim->order(price => 70000));
	drain($sim, $ws);
	market($sim, event => 'circuit_breaker');
	is($status->(), 'NN174', 'the circuit breaker');
	is(code($sim->order(type => '01')), 'APBK0918', 'no orders');
	is(code($sim->cancel($rest)), 'APBK0013', 'but cancels');
	clock($sim, '2026-11-20T11:21:00');
	$odno = odno($sim->order(qty => 1, type => '01'));
	is(fills_of($sim, $odno), '', 'then orders wait');
	clock($sim, '2026-11-20T11:31:00');
	like(fills_of($sim, $odno), qr/^1\@/, 'and trade');
	$rest = odno($sim->order(price => 70000));
	market($sim, event => 'circuit_breaker', level => 3);
	is(state_of($sim, $rest), 'expired 0', 'the third level ends the day');
	is(code($sim->order(type => '01')), 'APBK0918', 'closed');
	ok(account_truth($sim)->{accounts}[0]{conserved}, 'all of it adds up');
	$sim->stop;
	return;
}

sub test_others
{
	my $sim = start_sim();
	my $ws = $sim->ws_open;
	$sim->ws_subscribe($ws, 'H0STCNI0', 'tester');
	config($sim, accounts => [ { account => '55556666-01', hts_id => 'tester' } ]);
	is($sim->control('POST', '/order', { account => '55556666-01', symbol => '005930', side => 'buy', qty => 1,
		channel => 'Phone' })->{rt_cd}, '0', 'an order of another account of the HTS id');
	is(join(',', map { $_->[1] } drain($sim, $ws)), '5555666601,5555666601', 'its notices come too');
	is($sim->get('trading/inquire-balance', 'TTTC8434R', { CANO => '55556666', ACNT_PRDT_CD => '01' })->{json}{msg_cd},
		'OPSQ2000', 'its balance does not');
	$sim->control('POST', '/order', { account => '12345678-01', symbol => '005930', side => 'buy', qty => 1,
		price => 60000, excg => 'SOR' });
	my $row = $sim->ledger(EXCG_ID_DVSN_CD => 'SOR')->{json}{output1}[0];
	is(join(' ', @$row{qw(ordr_empno inqr_ip_addr excg_dvsn_cd excg_id_dvsn_cd)}), 'Nsmart 127.0.0.9 12 SOR', 'an app\'s order by SOR');
	is((drain($sim, $ws))[0][19], '3', 'and in the notice');
	$sim->control('POST', '/kill_order', { odno => $row->{odno}, how => 'cancel' });
	is(marks((drain($sim, $ws))[0]), '1/2/0/2', 'cancelled there as well');
	my $odno = odno($sim->order(side => 'sell', qty => 100, type => '01'));
	is($sim->balance->{json}{output1}[0]{hldg_qty}, '0', 'a row of nothing stays listed');
	drain($sim, $ws);
	$sim->ws_subscribe($ws, 'H0STASP0', '005930');
	for my $n (63, 59)
	{
		config($sim, options => { book_fields => $n });
		price($sim, '005930', 70100);
		my ($book) = drain($sim, $ws);
		is(scalar(@$book) . " $book->[3] $book->[13]", "$n 70200 70100", 'the order book');
	}
	$sim->stop;
	return;
}

sub test_bars
{
	my $sim = start_sim();
	my @bars = map { { date => 20260600 + $_, open => 100 + $_, high => 200 + $_, low => 50, close => 150 + $_, volume => 10 } } 1 .. 30;
	push @bars, map { { date => 20260700 + $_, close => 1000 + $_, volume => 1, hole => $_ == 5 ? true() : JSON::PP::false } } 1 .. 31;
	push @bars, map { { date => 20260800 + $_, close => 2000 } } 1 .. 31;
	push @bars, map { { date => 20260900 + $_, close => 500, factor => 0.5 } } 1 .. 30;
	config($sim, symbols => [ { symbol => '000660', base => 2000, bars => \@bars } ]);
	my $get = sub {
		my ($from, $to, $unit, $raw) = @_;
		return $sim->get('quotations/inquire-daily-itemchartprice', 'FHKST03010100', {
			FID_COND_MRKT_DIV_CODE => 'J', FID_INPUT_ISCD => '000660', FID_INPUT_DATE_1 => $from,
			FID_INPUT_DATE_2 => $to, FID_PERIOD_DIV_CODE => $unit // 'D', FID_ORG_ADJ_PRC => $raw // '0' })->{json}{output2};
	};
	my $all = $get->('20260101', '20261231');
	is(scalar(@$all) . " $all->[0]{stck_bsop_date} $all->[-1]{stck_bsop_date}", '100 20260930 20260623', 'a hundred, newest first');
	is($get->('20260101', '20260622')->[0]{stck_bsop_date}, '20260622', 'the next window goes on');
	is(scalar @{ $get->('20260901', '20260903') }, 3, 'both ends count');
	is($get->('20260930', '20260930', 'D', $_)->[0]{stck_clpr}, $_ ? 500 : 250, $_ ? 'raw' : 'adjusted') for 0, 1;
	is_deeply($get->('20260705', '20260705'), [ {} ], 'a hole');
	my ($june) = grep { $_->{stck_bsop_date} =~ /^202606/ } @{ $get->('20260101', '20261231', 'M') };
	is(join(' ', @$june{qw(stck_bsop_date stck_oprc stck_hgpr stck_lwpr stck_clpr acml_vol)}), '20260630 101 230 50 180 300', 'a month');
	is($get->('20260616', '20260616')->[0]{prdy_vrss}, 1, 'the change counts from the day before the window');
	price($sim, '000660', 2100);
	is($get->('20261120', '20261120')->[0]{stck_clpr}, 2100, 'today while it trades');
	clock($sim, '2026-11-21T10:00:00');
	clock($sim, '2026-11-23T08:00:00');
	config($sim, options => { token_interval_s => 0 });
	renew($sim);
	is($get->('20261101', '20261231')->[0]{stck_bsop_date}, '20261120', 'and when it is over');
	$sim->stop;
	return;
}

# A driver can run any number of schedules in one process and leave nothing behind.
sub test_forget
{
	my $sim = start_sim(options => { fill_delay_ms => 3600000 });
	$sim->order(qty => 2, price => 60000);
	$sim->order(qty => 1, type => '01', side => 'sell');
	my $before = $sim->control('GET', '/truth');
	is(scalar @{ $before->{orders} }, 2, 'two orders, one on its way');
	my $gone = $sim->control('DELETE', '/account?account=12345678-01&keep=1');
	is("$gone->{orders} $gone->{requests}", '2 2', 'forgotten');
	my $truth = account_truth($sim);
	is(scalar(@{ $truth->{orders} }) . " $truth->{accounts}[0]{cash} $truth->{accounts}[0]{reserved}", '0 100000000 0', 'a fresh account');
	is(scalar @{ $sim->control('GET', '/requests?path=order-cash')->{requests} }, 0, 'no requests');
	is($sim->ledger->{json}{msg_cd}, 'KIOK0560', 'an empty ledger');
	fault($sim, mode => 'accept_then_close', times => 0, match => { account => '12345678-01' });
	$sim->control('DELETE', '/account?account=12345678-01');
	is(scalar @{ $sim->control('GET', '/faults')->{faults} }, 0, 'its rules go with it');
	is(code($sim->balance), 'OPSQ2000', 'the account is no more');
	is($sim->control('DELETE', '/account?account=12345678-01')->{error}, 'no such account', 'and cannot go twice');
	config($sim, options => { fill_delay_ms => 0, spread_ticks => 0 });
	for my $i (1 .. 60)
	{
		my $account = sprintf '%08d-01', 70000000 + $i;
		config($sim, accounts => [ { account => $account, cash => 1000000 } ],
			apps => [ { app_key => "key$i", app_secret => 's', hts_id => "h$i", accounts => [$account] } ]);
		$sim->control('POST', '/order', { account => $account, symbol => '005930', side => 'buy', qty => 1 });
		my $one = account_truth($sim, $account);
		ok(@{ $one->{accounts} } == 1 && @{ $one->{orders} } == 1 && $one->{accounts}[0]{conserved}
			  && $one->{orders}[0]{filled} == 1, 'an account of its own') if $i == 60;
		$sim->control('DELETE', "/account?account=$account");
		$sim->control('DELETE', "/app?app_key=key$i");
	}
	my $end = $sim->control('GET', '/truth');
	is(@{ $end->{orders} } . ' ' . @{ $end->{accounts} }, '0 0', 'nothing is left');
	$sim->stop;
	return;
}

# One account's question does not become dearer with the orders of the others.
sub test_scale
{
	my $sim = start_sim();
	config($sim, accounts => [ { account => '99999999-01', cash => '900000000000' } ], options => { auto_fill => JSON::PP::false });
	my $line = SimClient::connect_to($sim->{control});
	my $ask = sub {
		my $n = 0;
		my $start = time;
		while (time - $start < 0.15)
		{
			$sim->ledger;
			$sim->control('GET', '/truth?account=12345678-01');
			$sim->control('GET', '/requests?account=12345678-01&limit=1&since=' . $_[0]);
			$n++;
		}
		return $n;
	};
	$sim->order(price => 60000);
	my $seq = $sim->control('GET', '/stats')->{last_seq};
	my $small = $ask->($seq);
	for (1 .. 20000)
	{
		SimClient::send_request($line, 'POST', '/order', {}, '{"account":"99999999-01","symbol":"005930","side":"buy","qty":1,"price":50000}');
		SimClient::read_answer($line);
	}
	is($sim->control('GET', '/stats')->{orders_accepted}, 20001, 'twenty thousand orders of another account');
	my $large = $ask->($sim->control('GET', '/stats')->{last_seq});
	ok($large * 5 > $small, "questions cost the same: $small, then $large in the same time");
	is($sim->control('DELETE', '/account?account=99999999-01')->{orders}, 20000, 'forgotten');
	$sim->stop;
	return;
}

sub test_paper
{
	my $sim = start_sim(profile => 'paper', options => { fill_delay_ms => 20, fill_delay_max_ms => 40 });
	is(code($sim->order(type => '11', price => 60000)), '40910000', 'few order types');
	is(code($sim->order(excg => 'SOR', price => 60000)), '40910000', 'KRX only');
	is($sim->get('quotations/chk-holiday', 'VTCA0903R', { BASS_DT => '20261120' })->{json}{msg_cd}, 'EGW02006', 'no calendar');
	is($sim->get('trading/inquire-psbl-sell', 'VTTC8408R', {})->{json}{msg_cd}, 'EGW02006', 'no sellable query');
	is(code(SimClient::call($sim->{rest}, 'POST', "$trading/order-cash", $sim->headers('VTTC0802U'),
		$sim->order_body(price => 60000))), '40600000', 'the old paper id');
	my $ws = $sim->ws_open;
	$sim->ws_subscribe($ws, 'H0STCNI9', 'tester');
	my $odno = odno($sim->order(type => '01'));
	ok($sim->control('GET', "/wait?odno=$odno&filled=1&closed=1")->{ok}, 'filled a while after the answer');
	is(join(',', map { marks($_) } drain($sim, $ws)), '1/0/0/1,2/0/0/2', 'accept before it');
	$sim->stop;
	return;
}

test_ids();
test_day();
test_interruptions();
test_others();
test_bars();
test_forget();
test_scale();
test_paper();
done_testing();
