#!/usr/bin/perl
# selftest.pl
#		Drives the simulator over its own ports and checks what a client would see.
#		Usage: selftest.pl ./kis_sim
use strict;
use warnings;
use File::Basename qw(dirname);
use IO::Select;
use JSON::PP;
use Test::More;
use lib dirname(__FILE__);
use SimClient;
use SimTest;

sub test_oauth
{
	my $sim = start_sim();
	my $first = $sim->{token};
	ok(length($first) > 300, 'token is long');
	is($sim->{approval} =~ /^[0-9a-f-]{36}$/, 1, 'approval key has 36 characters');
	my $again = token($sim);
	is("$again->{status} $again->{json}{error_code}", '403 EGW00133', 'second token in a minute');
	clock($sim, '2026-11-20T10:01:30');
	is(token($sim)->{json}{access_token}, $first, 'the same token within six hours');
	clock($sim, '2026-11-20T16:30:00');
	isnt(token($sim)->{json}{access_token}, $first, 'a new one after that');
	is($sim->balance->{json}{rt_cd}, '0', 'the older token still works');
	clock($sim, '2026-11-21T10:00:01');
	my $late = $sim->balance;
	is("$late->{status} $late->{json}{msg_cd}", '500 EGW00123', 'an old token expires');
	is(oauth($sim, 'revokeP', appsecret => $app_secret, token => $first)->{json}{code},
		200, 'revoke answers a number');
	is($sim->balance->{json}{msg_cd}, 'EGW00121', 'a revoked token is invalid');
	my $log = SimClient::call($sim->{control}, 'GET', '/requests', {})->{text};
	unlike($log, qr/\Q$app_secret\E|\Q$first\E/, 'no secret in the witness log');
	is($sim->stop, 0, 'clean end on SIGTERM');
	return;
}

sub test_trade
{
	my $sim = start_sim();
	my $ws = $sim->ws_open;
	is($ws->{accept}, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'upgrade answers the RFC example');
	is($sim->ws_subscribe($ws, 'H0STCNI0', 'tester'), 'OPSP0000', 'notices subscribed');
	my $answer = $sim->order(qty => 10, price => 70100);
	is("$answer->{status} $answer->{json}{msg_cd}", '200 APBK0013', 'limit buy accepted');
	my $odno = $answer->{json}{output}{ODNO};
	like($odno, qr/^\d{8}00$/, 'a real order number ends in 00');
	my $accept = SimClient::ws_record($ws);
	is(scalar @$accept, 26, 'a real notice has 26 fields');
	is(join(' ', marks($accept), @$accept[ 0, 1, 2, 4, 8, 9, 10, 16 ]),
		"1/0/0/1 tester 1234567801 $odno 02 005930 0000000010 000070100 000000010", 'accept notice');
	my $fill = SimClient::ws_record($ws);
	is(join(' ', marks($fill), @$fill[ 2, 9, 10 ]), "2/0/0/2 $odno 0000000010 000070100",
		'fill notice');
	my $ledger = $sim->ledger(ODNO => $odno)->{json};
	my $row = $ledger->{output1}[0];
	is(join(' ', @$row{qw(odno tot_ccld_qty tot_ccld_amt avg_prvs rmn_qty ordr_empno)}),
		"$odno 10 701000 70100 0 OpnAPI", 'ledger row');
	# 701000 won at 0.0140527 % is 98.5 won: 98, then down to tens.
	is($ledger->{output2}{prsm_tlex_smtl}, '90', 'commission rounding');
	my $balance = $sim->balance->{json};
	is($balance->{output1}[0]{hldg_qty}, '110', 'shares booked');
	is($balance->{output2}[0]{prvs_rcdl_excc_amt}, 100000000 - 701000 - 90, 'cash booked');
	is($balance->{output2}[0]{dnca_tot_amt}, 100000000, 'the deposit ignores unsettled trades');
	$sim->order(side => 'sell', qty => 10, type => '01');
	is(marks(SimClient::ws_record($ws)), '1/0/0/1', 'market sell accepted');
	is(SimClient::ws_record($ws)->[10], '000070000', 'and filled at the bid');
	my ($account) = @{ $sim->control('GET', '/truth')->{accounts} };
	# 700000 won: fee 98.4 -> 90; tax 350 + 1050.
	is($account->{cash}, 100000000 - 701000 - 90 + 700000 - 90 - 1400, 'sell proceeds, fee, tax');
	is($account->{reserved}, 0, 'nothing stays reserved');
	test_cancel($sim, $ws);
	test_revise($sim, $ws);
	test_script($sim, $ws);
	test_close($sim, $ws);
	$sim->stop;
	return;
}

sub test_cancel
{
	my ($sim, $ws) = @_;
	my $odno = $sim->order(qty => 5, price => 60000)->{json}{output}{ODNO};
	is(marks(SimClient::ws_record($ws)), '1/0/0/1', 'resting buy accepted');
	my ($account) = @{ $sim->control('GET', '/truth')->{accounts} };
	is($account->{reserved}, 300000 + 40, 'cash reserved with its fee');
	is($sim->get('trading/inquire-psbl-rvsecncl', 'TTTC0084R',
			{ CANO => '12345678', ACNT_PRDT_CD => '01', INQR_DVSN_1 => '0', INQR_DVSN_2 => '0' })
		  ->{json}{output}[0]{psbl_qty}, '5', 'listed as cancellable');
	is($sim->cancel($odno, excg => 'NXT')->{json}{msg_cd}, 'APBK0344', 'wrong venue');
	my $new = $sim->cancel($odno)->{json}{output}{ODNO};
	isnt($new, $odno, 'a cancel has its own number');
	my $notice = SimClient::ws_record($ws);
	is(join(' ', marks($notice), @$notice[ 2, 3, 9, 10 ]),
		"1/2/0/2 $new $odno 0000000005 000000000", 'cancel notice');
	my %row = map { $_->{odno} => $_ } @{ $sim->ledger->{json}{output1} };
	is(join(' ', @{ $row{$odno} }{qw(rmn_qty cncl_cfrm_qty rjct_qty cncl_yn)}), '0 0 0 ',
		'live ledger shape of a cancelled order');
	is($row{$new}{orgn_odno}, $odno, 'a row for the cancel itself');
	$sim->control('POST', '/config', { options => { ledger_shape => 'documented' } });
	is($sim->ledger(ODNO => $odno)->{json}{output1}[0]{cncl_cfrm_qty}, '5', 'documented shape');
	is(join(' ', @{ $sim->cancel($odno)->{json} }{qw(rt_cd msg_cd)}), '7 APBK0927', 'nothing left');
	return;
}

sub test_revise
{
	my ($sim, $ws) = @_;
	my $odno = $sim->order(qty => 5, price => 60000)->{json}{output}{ODNO};
	my $new = $sim->cancel($odno, kind => '01', qty => 2, price => 60100)->{json}{output}{ODNO};
	my %order = map { $_->{odno} => $_ } @{ orders($sim) };
	is("$order{$odno}{remaining} $order{$new}{remaining} $order{$new}{price}", '3 2 60100',
		'part of an order revised');
	is(join(',', map { marks($_) } drain($sim, $ws)), '1/0/0/1,1/1/0/2', 'revise notices');
	$sim->cancel($_) for $odno, $new;
	drain($sim, $ws);
	return;
}

sub test_script
{
	my ($sim, $ws) = @_;
	my $odno = $sim->order(qty => 6, price => 60000)->{json}{output}{ODNO};
	fault($sim, mode => 'duplicate_fill');
	$sim->control('POST', '/fill', { odno => $odno, qty => 2, price => 60000 });
	is(join(',', map { marks($_) } drain($sim, $ws)), '1/0/0/1,2/0/0/2,2/0/0/2', 'a doubled fill');
	fault($sim, mode => 'lose_notices', params => { which => 'fills' });
	$sim->control('POST', '/fill', { odno => $odno, qty => 1, price => 60000 });
	is(scalar drain($sim, $ws), 0, 'a lost fill');
	fault($sim, mode => 'reorder_fills');
	$sim->control('POST', '/fill', { odno => $odno, qty => 1, price => 59900 });
	$sim->control('POST', '/fill', { odno => $odno, qty => 2, price => 59800 });
	is(join(',', map { $_->[10] + 0 } drain($sim, $ws)), '59800,59900', 'fills out of order');
	is($sim->ledger(ODNO => $odno)->{json}{output1}[0]{tot_ccld_amt}, 180000 + 59900 + 119600,
		'the ledger has each once');
	fault($sim, mode => 'fill_before_accept');
	$sim->order(qty => 1, type => '01');
	is(join(',', map { marks($_) } drain($sim, $ws)), '2/0/0/2,1/0/0/1', 'fill before accept');
	fault($sim, mode => 'reject_async');
	my $bad = $sim->order(qty => 1, type => '01')->{json}{output}{ODNO};
	is(join(',', map { marks($_) } drain($sim, $ws)), '1/0/0/1,1/0/1/1', 'refused by the exchange');
	is($sim->ledger(ODNO => $bad)->{json}{output1}[0]{rjct_qty}, '1', 'and in the ledger');
	is($sim->control('POST', '/notice', { raw => 'tester^spoof' })->{sent}, 1, 'spoofed notice');
	is(SimClient::ws_record($ws)->[1], 'spoof', 'arrives as written');
	is($sim->control('POST', '/order', { account => '12345678-01', symbol => '005930',
		side => 'buy', qty => 1, price => 60000 })->{rt_cd}, '0', 'order from another channel');
	is($sim->ledger->{json}{output1}[0]{ordr_empno}, 'Nsmart', 'is marked so');
	drain($sim, $ws);
	return;
}

sub test_close
{
	my ($sim, $ws) = @_;
	my $odno = $sim->order(side => 'sell', qty => 3, price => 75000)->{json}{output}{ODNO};
	drain($sim, $ws);
	clock($sim, '2026-11-20T15:31:00');
	is(scalar drain($sim, $ws), 0, 'the session end says nothing');
	my $row = $sim->ledger(ODNO => $odno)->{json}{output1}[0];
	is("$row->{rmn_qty} $row->{rjct_qty}", '0 3', 'unfilled shares counted as rejected');
	is($sim->balance->{json}{output1}[0]{ord_psbl_qty},
		$sim->balance->{json}{output1}[0]{hldg_qty}, 'the lock is gone');
	is($sim->order(qty => 1, price => 60000)->{json}{msg_cd}, 'APBK0918', 'closed');
	return;
}

sub test_validation
{
	my $sim = start_sim();
	my @cases = (
		[ 'unknown symbol', 'APBK0656', symbol => '999999', price => 1000 ],
		[ 'bad type', 'APBK0963', type => '99', price => 70000 ],
		[ 'off the grid', 'APBK0506', price => 70050 ],
		[ 'above the limit', 'APBK0406', price => 91100 ],
		[ 'below the limit', 'APBK0407', price => 48900 ],
		[ 'too little cash', 'APBK0952', price => 70000, qty => 2000 ],
		[ 'short sale', 'APBK0400', side => 'sell', price => 70000, qty => 101 ]);
	for my $case (@cases)
	{
		my ($name, $code, %o) = @$case;
		is(join(' ', @{ $sim->order(%o)->{json} }{qw(rt_cd msg_cd)}), "7 $code", $name);
	}
	is($sim->order(price => 91000)->{json}{rt_cd}, '0', 'the upper limit itself is valid');
	is($sim->order(price => 49000)->{json}{rt_cd}, '0', 'and the lower one');
	my $h = $sim->headers('TTTC0012U');
	delete $h->{custtype};
	is(SimClient::call($sim->{rest}, 'POST', "$trading/order-cash", $h, $sim->order_body(price => 70000))
		  ->{json}{msg_cd}, 'IGW00002', 'custtype is demanded');
	is(SimClient::call($sim->{rest}, 'POST', "$trading/order-cash", $sim->headers('VTTC0012U'), '{}')
		  ->{json}{msg_cd}, 'EGW02004', 'a paper id on the real domain');
	is(SimClient::call($sim->{rest}, 'POST', "$trading/order-cash", $sim->headers('TTTC0012U'), '{"CANO":')
		  ->{json}{msg_cd}, 'IGW00007', 'broken JSON');
	is($sim->get('trading/inquire-balance', 'TTTC8434R', { CANO => '87654321', ACNT_PRDT_CD => '01' })
		  ->{json}{msg_cd}, 'OPSQ2000', 'a foreign account');
	clock($sim, '2026-11-21T10:01:00');
	is($sim->order(price => 70000)->{json}{msg_cd}, 'EGW00123', 'the token is checked before the day');
	clock($sim, '2026-11-20T08:00:00');
	is($sim->order(price => 70000)->{json}{msg_cd}, 'APBK0918', 'before hours');
	$sim->control('POST', '/config', { options => { holidays => ['2026-11-20'] } });
	is($sim->order(price => 70000)->{json}{msg_cd}, 'APBK0919', 'holiday');
	is($sim->control('POST', '/config', { options => { no_such => 1 } })->{error},
		'option no_such: unknown', 'unknown options are refused');
	my $quote = $sim->get('quotations/inquire-price', 'FHKST01010100',
		{ FID_COND_MRKT_DIV_CODE => 'J', FID_INPUT_ISCD => '005930' })->{json}{output};
	is(join(' ', @$quote{qw(stck_prpr stck_mxpr stck_llam aspr_unit)}), '70000 91000 49000 100', 'quote');
	$sim->stop;
	return;
}

sub test_paging
{
	my $sim = start_sim(options => { page_ledger => 3 });
	my @odno = map { $sim->order(price => 60000)->{json}{output}{ODNO} } 1 .. 7;
	my (@seen, @marks);
	my %next;
	for (1 .. 5)
	{
		my $page = $sim->ledger(%next);
		push @seen, map { $_->{odno} } @{ $page->{json}{output1} };
		push @marks, $page->{headers}{tr_cont};
		is(length $page->{json}{ctx_area_fk100}, 100, 'context padded to 100');
		# A row added between two pages must not shift the next one.
		$sim->order(price => 60000) if @marks == 1;
		last unless $page->{headers}{tr_cont} =~ /[fm]/i;
		%next = (tr_cont => 'N', map { (uc($_) => $page->{json}{$_}) } qw(ctx_area_fk100 ctx_area_nk100));
	}
	is("@seen", "@{[reverse @odno]}", 'three pages, each row once');
	is(lc "@marks", 'f m e', 'tr_cont of the pages');
	$sim->stop;
	return;
}

sub test_faults
{
	my $sim = start_sim();
	my $line = SimClient::connect_to($sim->{rest});
	my @post = ('POST', "$trading/order-cash", $sim->headers('TTTC0012U'));

	fault($sim, mode => 'accept_then_close', match => { path => 'order-cash', nth => 2 });
	SimClient::send_request($line, @post, $sim->order_body(price => 60000));
	is(SimClient::read_answer($line)->{json}{rt_cd}, '0', 'first order on a kept-alive connection');
	SimClient::send_request($line, @post, $sim->order_body(price => 60000));
	is(SimClient::read_some($line), '', 'then closed without a byte');
	is(posts($sim) . ' ' . @{ orders($sim) }, '2 2', 'both arrived and both were accepted');
	fault($sim, mode => 'drop_before_accept');
	is($sim->order(price => 60000), undef, 'dropped');
	is(posts($sim) . ' ' . @{ orders($sim) }, '3 2', 'arrived, not accepted');
	fault($sim, mode => 'accept_then_close');
	my $headers = join ' ', map { "-H '$_: $post[2]{$_}'" } sort keys %{ $post[2] };
	my $body = $sim->order_body(price => 60000);
	system("curl -s -o $dir/out $headers -d '$body' http://127.0.0.1:$sim->{rest}$post[1]");
	is($? >> 8, 52, 'curl reports an empty reply');
	is(posts($sim) . ' ' . @{ orders($sim) }, '4 3', 'one post, one order');
	for my $case ([ 'truncated_json', 200 ], [ 'html_502', 502 ], [ 'empty_200', 200 ])
	{
		my $before = @{ orders($sim) };
		fault($sim, mode => $case->[0]);
		my $answer = $sim->order(price => 60000);
		is("$answer->{status} " . (defined $answer->{json} ? 'json' : 'junk'), "$case->[1] junk", $case->[0]);
		is(scalar @{ orders($sim) }, $before + 1, 'yet accepted');
	}
	fault($sim, mode => 'gateway_error', params => { msg_cd => 'EGW00302', accept => JSON::PP::true });
	my $before = @{ orders($sim) };
	is($sim->order(price => 60000)->{json}{msg_cd}, 'EGW00302', 'gateway error');
	is(scalar @{ orders($sim) }, $before + 1, 'with acceptance');
	fault($sim, mode => 'rate_limit', params => { http => 200 });
	my $limited = $sim->order(price => 60000);
	is("$limited->{status} $limited->{json}{msg_cd}", '200 EGW00201', 'rate refusal under HTTP 200');
	fault($sim, mode => 'ledger_lag', params => { ms => 3600000 });
	is(scalar @{ $sim->ledger->{json}{output1} }, 0, 'lagging ledger');
	ok(scalar @{ $sim->ledger->{json}{output1} } > 0, 'once');
	is_deeply([ map { $_->{fired} } @{ $sim->control('GET', '/faults')->{faults} } ],
		[ (1) x 9 ], 'every fault fired once');
	test_hold($sim);
	$sim->stop;
	return;
}

sub test_hold
{
	my ($sim) = @_;
	my $line = SimClient::connect_to($sim->{rest});
	my $wait = SimClient::connect_to($sim->{control});
	my $count = posts($sim);
	my $id = fault($sim, mode => 'hold_reply');

	SimClient::send_request($wait, 'GET', '/wait?path=order-cash&count=' . ($count + 1), {});
	SimClient::send_request($line, 'POST', "$trading/order-cash", $sim->headers('TTTC0012U'),
		$sim->order_body(price => 60000));
	is(SimClient::read_answer($wait)->{json}{ok}, JSON::PP::true, 'the long poll answers on arrival');
	is(IO::Select->new($line)->can_read(0), undef, 'the reply is held');
	is($sim->control('POST', '/release', { id => $id })->{released}, 1, 'released');
	is(SimClient::read_answer($line)->{json}{rt_cd}, '0', 'and arrives');
	fault($sim, mode => 'hold_reply');
	SimClient::send_request($line, 'POST', "$trading/order-cash", $sim->headers('TTTC0012U'),
		$sim->order_body(price => 60000));
	$sim->control('GET', '/wait?path=order-cash&count=' . ($count + 2));
	close $line;
	is($sim->control('POST', '/release', {})->{released}, 1, 'a dead client does no harm');
	is($sim->control('GET', '/wait?path=nowhere&timeout_ms=1')->{ok}, JSON::PP::false, 'a wait can end');
	fault($sim, mode => 'late_response', params => { ms => 30 });
	is($sim->order(price => 60000)->{json}{rt_cd}, '0', 'a late answer comes');
	return;
}

sub test_rate
{
	my $sim = start_sim(rate => 5);
	my @codes = map { my $a = $sim->balance; "$a->{status} $a->{json}{msg_cd}" } 1 .. 8;
	is(scalar(grep { $_ eq '200 KIOK0510' } @codes), 5, 'five calls admitted');
	is(scalar(grep { $_ eq '500 EGW00201' } @codes), 3, 'the rest refused');
	is($sim->control('GET', '/stats')->{rate_refusals}, 3, 'and counted');
	$sim->stop;
	return;
}

sub test_websocket
{
	my $sim = start_sim(options => { pingpong_ms => 40, ws_fragment => 7 });
	my $ws = $sim->ws_open;
	is($sim->ws_subscribe($ws, 'H0STCNT0', '005930'), 'OPSP0000', 'tick subscription, in pieces');
	is($sim->ws_subscribe($ws, 'H0STCNT0', '005930'), 'OPSP0002', 'twice');
	is($sim->ws_subscribe($ws, 'H0STCNT0', '000660', '2'), 'OPSP0003', 'not subscribed');
	is($sim->ws_subscribe($ws, 'XXXXXXXX', '000660'), 'OPSP8991', 'unknown channel');
	my $sent = price($sim, '005930', 71000);
	my $tick = SimClient::ws_record($ws);
	is(scalar @$tick, 47, 'a tick has 47 fields');
	is(join(' ', @$tick[ 0, 2, 3, 4, 10, 11, 33, 46 ]), '005930 71000 2 1000 71100 71000 20261120 2', 'tick');
	ok($sent->{t_us} > 1.6e15, 'with its send time');
	$sim->ws_subscribe($ws, 'H0STCNT0', sprintf '9%05d', $_) for 1 .. 40;
	is($sim->ws_subscribe($ws, 'H0STCNT0', '900099'), 'OPSP0008', 'the 42nd registration');
	is($sim->ws_subscribe($ws, 'H0STCNT0', '900001', '2'), 'OPSP0001', 'room made');
	my $other = $sim->ws_open;
	is($sim->ws_subscribe($other, 'H0STCNT0', '005930'), 'OPSP8996', 'one session per key');
	my $ping;
	do { $ping = SimClient::ws_read($ws) } until !$ping || $ping->[1] =~ /PINGPONG/;
	like($ping->[1], qr/"datetime":"20261120\d{6}"/, 'PINGPONG comes');
	SimClient::ws_send($ws, $ping->[1], 10);
	ok($sim->control('GET', '/wait?counter=pongs&count=1')->{ok}, 'its pong is counted');
	is($sim->ws_subscribe($ws, 'H0STCNI0', 'nobody'), undef, 'a wrong HTS id drops the connection');
	$sim->control('POST', '/config', { options => { pingpong_ms => 0, ws_fragment => 0 } });
	test_ws_faults($sim);
	$sim->stop;
	return;
}

# A client that vanished keeps its key occupied until the server lets go.
sub test_linger
{
	my $sim = start_sim(options => { ws_linger_ms => 3600000 });
	my $ws = $sim->ws_open;
	$sim->ws_subscribe($ws, 'H0STCNT0', '005930');
	close $ws->{socket};
	ok($sim->control('GET', '/wait?counter=ws_open&at_most=0')->{ok}, 'the drop was noticed');
	is($sim->ws_subscribe($sim->ws_open, 'H0STCNT0', '005930'), 'OPSP8996', 'a lingering session');
	like($sim->control('POST', '/clock', { now => '0001-01-01T00:00:00' })->{error}, qr/ISO/, 'a bad clock');
	like($sim->control('POST', '/clock', { speed => 1e18 })->{error}, qr/speed/, 'a bad speed');
	$sim->stop;
	return;
}

# Whatever happens, shares and won add up and the ledger agrees with the truth.
sub test_conservation
{
	my $sim = start_sim(options => { partial_fills => 2, page_ledger => 1000 });
	my %done = (buy => 0, sell => 0);
	my ($cash, $shares) = (100000000, 100);
	srand 42;
	for my $round (1 .. 150)
	{
		my $p = 68000 + 100 * int rand 40;
		my $answer = $sim->order(
			side => rand() < 0.5 ? 'buy' : 'sell',
			qty => 1 + int rand 9,
			type => rand() < 0.2 ? '01' : '00',
			price => $p);
		my $odno = $answer->{json}{output}{ODNO};
		$sim->cancel($odno) if $odno && rand() < 0.3;
		price($sim, '005930', 68000 + 100 * int rand 40);
	}
	my %row = map { $_->{odno} => $_ } @{ $sim->ledger->{json}{output1} };
	my $bad = 0;
	for my $o (@{ orders($sim) })
	{
		my ($qty, $amount) = (0, 0);
		($qty, $amount) = ($qty + $_->{qty}, $amount + $_->{qty} * $_->{price}) for @{ $o->{fills} };
		my $sign = $o->{side} eq 'buy' ? 1 : -1;
		$cash -= $sign * $amount + $o->{fee} + $o->{tax};
		$shares += $sign * $qty;
		$done{ $o->{side} } += $qty;
		my $r = $row{ $o->{odno} };
		$bad++ if $qty != $o->{filled} || $amount != $o->{amount}
		  || $r->{tot_ccld_qty} != $qty || $r->{tot_ccld_amt} != $amount || $r->{rmn_qty} != $o->{remaining}
		  || ($o->{kind} ne 'cancel' && $o->{qty} != $o->{filled} + $o->{killed} + $o->{remaining});
	}
	my ($account) = @{ $sim->control('GET', '/truth')->{accounts} };
	is($bad, 0, 'every order adds up and the ledger agrees');
	ok($done{buy} > 50 && $done{sell} > 50, 'enough was traded both ways');
	is("$account->{cash} $account->{holdings}[0]{qty}", "$cash $shares", 'cash and shares are conserved');
	clock($sim, '2026-11-20T15:30:00');
	($account) = @{ $sim->control('GET', '/truth')->{accounts} };
	is("$account->{reserved} $account->{holdings}[0]{sellable}", "0 $account->{holdings}[0]{qty}",
		'the session end frees every reservation');
	$sim->stop;
	return;
}

sub test_ws_faults
{
	my ($sim) = @_;
	my $ws = $sim->ws_open;
	$sim->ws_subscribe($ws, 'H0STCNT0', '005930');
	fault($sim, mode => 'ws_close');
	is(SimClient::ws_read($ws)->[0], 8, 'a close frame');
	$ws = $sim->ws_open;
	$sim->ws_subscribe($ws, 'H0STCNT0', '005930');
	fault($sim, mode => 'ws_rst');
	is(SimClient::ws_read($ws), undef, 'a reset');
	$ws = $sim->ws_open;
	$sim->ws_subscribe($ws, 'H0STCNT0', '005930');
	fault($sim, mode => 'ws_silence');
	price($sim, '005930', 71100);
	is(IO::Select->new($ws->{socket})->can_read(0.05), undef, 'silence');
	$sim->control('DELETE', '/faults');
	price($sim, '005930', 71200);
	is(SimClient::ws_record($ws)->[2], '71200', 'until it is lifted');
	close $ws->{socket};
	$sim->control('GET', '/wait?counter=ws_open&at_most=0');
	fault($sim, mode => 'ws_refuse', times => 1);
	$ws = $sim->ws_open;
	is($sim->ws_subscribe($ws, 'H0STCNT0', '005930'), 'OPSP8996', 'a refused session');
	$ws = $sim->ws_open;
	is($sim->ws_subscribe($ws, 'H0STCNT0', '005930'), 'OPSP0000', 'the next one is served');
	return;
}

sub test_market
{
	my $sim = start_sim(options => { partial_fills => 3 });
	my $odno = $sim->order(qty => 10, price => 69000)->{json}{output}{ODNO};
	price($sim, '005930', 68800);
	my ($order) = grep { $_->{odno} eq $odno } @{ orders($sim) };
	is(join(',', map { "$_->{qty}\@$_->{price}" } @{ $order->{fills} }), '3@69000,3@69000,4@69000',
		'a crossed limit fills in pieces at its own price');
	open my $fh, '>', "$dir/bars.csv" or die $!;
	print $fh "symbol,ts,open,high,low,close,volume\n",
	  "005930,2026-11-20T10:01:00+09:00,0,0,0,0,0\n",
	  "000660,2026-11-20T10:02:00+09:00,200000,203000,199000,202000,400\n",
	  "000660,2026-11-20T10:01:00+09:00,199000,201000,198000,200000,101\n";
	close $fh;
	system("gzip -kf $dir/bars.csv");
	for my $file ("$dir/bars.csv", "$dir/bars.csv.gz")
	{
		is($sim->control('POST', '/play', { file => $file, bars_per_second => 1000, clock => JSON::PP::true })->{bars},
			2, 'halted bars are skipped');
		ok($sim->control('GET', '/wait?counter=bars_played&count=' . ($file =~ /gz/ ? 4 : 2))->{ok}, 'played');
	}
	my $quote = $sim->get('quotations/inquire-price', 'FHKST01010100',
		{ FID_COND_MRKT_DIV_CODE => 'J', FID_INPUT_ISCD => '000660' })->{json}{output};
	is(join(' ', @$quote{qw(stck_prpr stck_hgpr stck_lwpr acml_vol)}), '202000 203000 198000 1002', 'bar path');
	like($sim->control('GET', '/clock')->{now}, qr/T10:02:/, 'the clock followed');
	$sim->stop;
	return;
}

sub test_paper
{
	my $sim = start_sim(profile => 'paper');
	my $ws = $sim->ws_open;
	is($sim->ws_subscribe($ws, 'H0STCNI0', 'tester'), 'OPSP8991', 'no real notices on paper');
	is($sim->ws_subscribe($ws, 'H0STCNI9', 'tester'), 'OPSP0000', 'paper notices');
	my $id = fault($sim, mode => 'hold_reply');
	my $answer = $sim->{rest};
	my $line = SimClient::connect_to($answer);
	SimClient::send_request($line, 'POST', "$trading/order-cash", $sim->headers('VTTC0012U'),
		$sim->order_body(qty => 1, type => '01'));
	my ($accept, $fill) = map { SimClient::ws_record($ws) } 1 .. 2;
	is(scalar @$accept, 23, 'a paper notice has 23 fields');
	is("$accept->[18] $accept->[21] $fill->[22]", '1Y Samsung 000000000', 'their places');
	$sim->control('POST', '/release', { id => $id });
	is(SimClient::read_answer($line)->{json}{msg_cd}, '40600000', 'paper success code');
	is($sim->get('trading/inquire-psbl-rvsecncl', 'VTTC0084R', { CANO => '12345678', ACNT_PRDT_CD => '01' })
		  ->{json}{msg_cd}, 'EGW02006', 'no open-order list on paper');
	$sim->control('POST', '/config', { options => { paper_ledger_empty => JSON::PP::true } });
	my $ledger = $sim->ledger->{json};
	is(@{ $ledger->{output1} } . " $ledger->{msg_cd} $ledger->{output2}{tot_ccld_qty}", '0 70070000 1',
		'the paper defect: totals without rows');
	is($sim->order(price => 70050)->{json}{msg_cd}, '40030000', 'paper tick code');
	clock($sim, '2026-11-20T08:45:00');
	is($sim->order(price => 70000)->{json}{msg_cd}, '40570000', 'paper before hours');
	$sim->stop;
	return;
}

sub test_seed
{
	my @runs = map {
		my $sim = start_sim(seed => $_);
		my @odno = map { $sim->order(price => 60000)->{json}{output}{ODNO} } 1 .. 5;
		$sim->control('POST', '/quit', {});
		$sim->stop;
		"@odno";
	} 11, 11, 12;
	is($runs[0], $runs[1], 'one seed, one sequence');
	isnt($runs[0], $runs[2], 'another seed, another');
	return;
}

test_oauth();
test_trade();
test_validation();
test_paging();
test_faults();
test_rate();
test_websocket();
test_linger();
test_market();
test_conservation();
test_paper();
test_seed();
done_testing();
