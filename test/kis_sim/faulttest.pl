#!/usr/bin/perl
# faulttest.pl
#		The thirty fault modes a client must survive, each produced through the control
#		port and seen from outside.  What selftest.pl shows already is only named here.
#		Usage: faulttest.pl ./kis_sim
use strict;
use warnings;
use File::Basename qw(dirname);
use IO::Select;
use JSON::PP;
use Test::More;
use lib dirname(__FILE__);
use SimClient;
use SimTest;

my $N = 0;

# Every check names its mode.
sub check { my ($got, $wanted, $name) = @_; return is($got, $wanted, "fault $N: $name"); }
sub odno { return $_[0]->{json}{output}{ODNO}; }
sub code { my ($a) = @_; return $a ? "$a->{status} " . ($a->{json}{msg_cd} // '') : 'none'; }
sub rows { my ($sim, %q) = @_; return @{ $sim->ledger(%q)->{json}{output1} }; }
sub config { my ($sim, %o) = @_; return $sim->control('POST', '/config', { options => \%o }); }

sub notices
{
	my ($sim) = @_;
	my $ws = $sim->ws_open;
	$sim->ws_subscribe($ws, $sim->{letter} eq 'V' ? 'H0STCNI9' : 'H0STCNI0', 'tester');
	return $ws;
}

sub ticks
{
	my ($sim, $ws) = @_;
	$ws //= $sim->ws_open;
	$sim->ws_subscribe($ws, 'H0STCNT0', '005930');
	return $ws;
}

# Answers lost, late or broken: 1 to 5.  Accepted or not is what the truth says.
sub lost_answers
{
	my ($sim) = @_;
	my @cases = (
		[ 1, 'accept_then_close', 'none', 1 ], [ 2, 'accept_then_rst', 'none', 1 ],
		[ 3, 'drop_before_accept', 'none', 0 ], [ 4, 'late_response', '200 APBK0013', 1, { ms => 20 } ],
		[ 5, 'truncated_json', '200 ', 1 ], [ 5, 'malformed_json', '200 ', 1 ],
		[ 5, 'html_502', '502 ', 1 ], [ 5, 'empty_200', '200 ', 1 ],
		[ 5, 'malformed_json', '200 ', 0, { accept => JSON::PP::false } ]);
	for my $case (@cases)
	{
		($N, my ($mode, $answer, $accepted, $params)) = @$case;
		my $before = @{ orders($sim) };
		fault($sim, mode => $mode, $params ? (params => $params) : ());
		check(code($sim->order(price => 60000)), $answer, "$mode: the answer");
		check(@{ orders($sim) } - $before, $accepted, "$mode: accepted or not");
	}
	# The same to a cancel: path order-rvsecncl.
	($N) = (19);
	my $odno = odno($sim->order(price => 60000));
	fault($sim, mode => 'accept_then_close', match => { path => 'order-rvsecncl' });
	check(code($sim->cancel($odno)), 'none', 'a cancel whose answer is lost');
	check(code($sim->cancel($odno)), '200 APBK0927', 'was done');
	return;
}

sub gateway
{
	my ($sim) = @_;
	$N = 6;
	fault($sim, mode => 'rate_limit', times => 2, match => { path => 'order-cash' });
	my $before = @{ orders($sim) };
	check(join(',', map { code($sim->order(price => 60000)) } 1 .. 3),
		'500 EGW00201,500 EGW00201,200 APBK0013', 'twice refused, then taken');
	check(@{ orders($sim) } - $before, 1, 'one order');
	$N = 7;
	for my $accept (0, 1)
	{
		$before = @{ orders($sim) };
		fault($sim, mode => 'gateway_error', params => {
			msg_cd => 'EGW00301', accept => $accept ? true() : JSON::PP::false });
		check(code($sim->order(price => 60000)), '500 EGW00301', 'gateway error');
		check(@{ orders($sim) } - $before, $accept, $accept ? 'and taken' : 'and not taken');
	}
	$N = 8;
	fault($sim, mode => 'token_expired');
	check(code($sim->balance), '500 EGW00123', 'token expired in the middle');
	check(code($sim->balance), '200 KIOK0510', 'once');
	fault($sim, mode => 'revoke_tokens');
	check(code($sim->balance), '500 EGW00121', 'revoked elsewhere');
	fault($sim, mode => 'egw00133', times => 2);
	check(join(',', map { token($sim)->{json}{error_code} } 1 .. 2), 'EGW00133,EGW00133', 'no token yet, again and again');
	config($sim, token_interval_s => 0);
	$sim->{token} = token($sim)->{json}{access_token};
	check(code($sim->balance), '200 KIOK0510', 'a new one works');
	$N = 22;
	for my $case ([ '1', 'EGW99999' ], [ '2', 'OPSQ2000' ], [ '7', 'ZZZZ0000' ], [ '9', '' ])
	{
		fault($sim, mode => 'reject_sync', params => { rt_cd => $case->[0], msg_cd => $case->[1] });
		check(join(' ', @{ $sim->order(price => 60000)->{json} }{qw(rt_cd msg_cd)}), "@$case", 'an unknown refusal');
	}
	return;
}

sub ledger_lies
{
	my $sim = start_sim(options => { page_ledger => 3 });
	my @odno = map { odno($sim->order(price => 60000)) } 1 .. 7;
	my $walk = sub {
		my (@seen, %next);
		for (1 .. 5)
		{
			my $page = $sim->ledger(%next);
			push @seen, map { $_->{odno} } @{ $page->{json}{output1} };
			last unless $page->{headers}{tr_cont} =~ /[fm]/i;
			%next = (tr_cont => 'N', map { (uc($_) => $page->{json}{$_}) } qw(ctx_area_fk100 ctx_area_nk100));
		}
		return "@seen";
	};
	$N = 9;
	my @newest = reverse @odno;
	check($walk->(), "@newest", 'all rows');
	fault($sim, mode => 'row_missing', params => { odno => $odno[3] }, times => 2);
	check($walk->(), join(' ', grep { $_ ne $odno[3] } @newest), 'a row missing');
	fault($sim, mode => 'row_missing', params => { newest => 2 });
	check($walk->(), "@newest[2 .. 6]", 'the newest rows missing');
	fault($sim, mode => 'page_hides_row');
	check($walk->(), "@newest[0 .. 2, 4 .. 6]", 'hidden by the page boundary');
	fault($sim, mode => 'page_repeats_row');
	check($walk->(), "@newest[0 .. 2, 2 .. 6]", 'shown on both pages');
	fault($sim, mode => 'page_stuck', times => 3);
	check($walk->(), "@newest[0 .. 2, 0 .. 2, 0 .. 2, 0 .. 2, 3 .. 5]", 'the first page for ever');
	fault($sim, mode => 'ledger_empty');
	check($walk->(), '', 'an empty ledger');
	fault($sim, mode => 'open_missing');
	my $open = sub { return scalar @{ $sim->get('trading/inquire-psbl-rvsecncl', 'TTTC0084R',
		{ CANO => '12345678', ACNT_PRDT_CD => '01', INQR_DVSN_1 => '0', INQR_DVSN_2 => '0' })->{json}{output} } };
	check($open->() . ' ' . $open->(), '6 7', 'missing among the open orders');
	$sim->control('POST', '/config', { accounts => [ { account => '12345678-01', ledger_lag_ms => 3600000 } ] });
	check($walk->(), '', 'one account lags');
	$sim->control('POST', '/config', { accounts => [ { account => '12345678-01', ledger_lag_ms => 0 } ] });
	fault($sim, mode => 'ledger_fill_lag', times => 1);
	$sim->control('POST', '/fill', { odno => $odno[0], qty => 1 });
	check(join('/', @{ (rows($sim, ODNO => $odno[0]))[0] }{qw(tot_ccld_qty rmn_qty)}), '0/1', 'a row without its fill');
	check(join('/', @{ (rows($sim, ODNO => $odno[0]))[0] }{qw(tot_ccld_qty rmn_qty)}), '1/0', 'and with it');
	$sim->stop;
	return;
}

sub notice_order
{
	my ($sim) = @_;
	my $ws = notices($sim);
	$N = 10;
	fault($sim, mode => 'duplicate_accept');
	fault($sim, mode => 'duplicate_fill');
	$sim->order(type => '01', excg => 'SOR');
	check(join(',', map { marks($_) } drain($sim, $ws)), '1/0/0/1,1/0/0/1,2/0/0/2,2/0/0/2', 'both doubled');
	$N = 11;
	fault($sim, mode => 'lose_notices', times => 2);
	$sim->order(type => '01');
	check(scalar drain($sim, $ws), 0, 'all lost');
	$N = 12;
	fault($sim, mode => 'fill_before_reply');
	fault($sim, mode => 'fill_before_accept');
	my $held = fault($sim, mode => 'reorder_fills');
	$sim->order(type => '01');
	check(join(',', map { marks($_) } drain($sim, $ws)), '1/0/0/1', 'the fill is kept back');
	$sim->order(type => '01', qty => 2);
	check(join(',', map { $_->[9] + 0 } grep { $_->[13] == 2 } drain($sim, $ws)), '2,1', 'older fill after newer');
	$N = 13;
	my $odno = odno($sim->order(qty => 4, price => 60000));
	drain($sim, $ws);
	$sim->control('POST', '/fill', { odno => $odno, qty => 2, price => 60000 }) for 1 .. 2;
	my @equal = map { join '^', @$_ } drain($sim, $ws);
	check($equal[0] eq $equal[1] ? 'equal' : 'differ', 'equal', 'two genuine fills without a difference');
	check((rows($sim, ODNO => $odno))[0]{tot_ccld_qty}, 4, 'which the ledger counts as two');
	return;
}

sub sessions
{
	my ($sim) = @_;
	$N = 14;
	my $ws;
	for my $case ([ 'ws_close', 'closed' ], [ 'ws_drop', 'ended' ], [ 'ws_rst', 'reset' ])
	{
		$ws = ticks($sim);
		fault($sim, mode => $case->[0]);
		my $m = SimClient::ws_read($ws);
		check(!defined $m ? 'reset' : @$m ? 'closed' : 'ended', $case->[1], $case->[0]);
		close $ws->{socket};
		$sim->control('GET', '/wait?counter=ws_open&at_most=0');
	}
	for my $how (qw(close stay drop))
	{
		fault($sim, mode => 'ws_refuse', params => { how => $how });
		$ws = $sim->ws_open;
		check($sim->ws_subscribe($ws, 'H0STCNT0', '005930') // 'ended', $how eq 'drop' ? 'ended' : 'OPSP8996', "refused: $how");
		my $m = $how eq 'drop' ? [8] : SimClient::ws_read($ws, $how eq 'stay' ? 0.05 : 5);
		check(defined $m ? 'over' : 'open', $how eq 'stay' ? 'open' : 'over', "and then: $how");
	}
	check($sim->ws_subscribe($ws = $sim->ws_open, 'H0STCNT0', '005930'), 'OPSP0000', 'served again');
	for my $how (qw(http hang))
	{
		fault($sim, mode => 'upgrade_refuse', params => { how => $how });
		my $socket = SimClient::connect_to($sim->{ws});
		SimClient::send_request($socket, 'GET', '/tryitout',
			{ Upgrade => 'websocket', 'Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZQ==' });
		check((SimClient::read_some($socket, $how eq 'hang' ? 0.05 : 5) // 'silence') =~ /^HTTP\S+ 400|^silence/ ? $& : '',
			$how eq 'hang' ? 'silence' : 'HTTP/1.1 400', "the upgrade: $how");
	}
	$N = 15;
	close $ws->{socket};
	$sim->control('GET', '/wait?counter=ws_open&at_most=0');
	fault($sim, mode => 'ack_mute', match => { tr_id => 'H0STCNT0' });
	$ws = notices($sim);
	ticks($sim, $ws);
	price($sim, '005930', 71000);
	check(scalar drain($sim, $ws), 0, 'acknowledged and mute');
	fault($sim, mode => 'ws_no_ping');
	fault($sim, mode => 'ws_mute_notices');
	$sim->order(type => '01');
	check(scalar drain($sim, $ws), 0, 'no notices');
	$sim->control('DELETE', '/faults');
	price($sim, '005930', 71100);
	check((drain($sim, $ws))[0][2], 71100, 'everything lifted');
	fault($sim, mode => 'ws_mute_ticks', match => { symbol => '005930' });
	price($sim, '005930', 71200);
	check(scalar drain($sim, $ws), 0, 'one symbol is mute');
	$sim->control('DELETE', '/faults');
	return $ws;
}

sub frames
{
	my ($sim, $ws) = @_;
	$N = 16;
	fault($sim, mode => 'frame_pieces', params => { bytes => 1 }, match => { tr_id => 'H0STCNT0' });
	price($sim, '005930', 71000);
	check(SimClient::ws_record($ws)->[2], 71000, 'in frames of one byte');
	fault($sim, mode => 'tick_batch', params => { records => 3, ms => 5000 });
	price($sim, '005930', 71000 + 100 * $_) for 1 .. 3;
	my $text = SimClient::ws_text($ws);
	check(substr($text, 0, 15), '0|H0STCNT0|003|', 'three records in one frame');
	check(scalar(split /\^/, $text, -1), 3 * 47, 'of equal width');
	fault($sim, mode => 'notice_batch', params => { records => 2, ms => 5000 });
	$sim->order(type => '01');
	my $pair = SimClient::ws_record($ws);
	check(scalar(@$pair) . " $pair->[13] $pair->[39]", '52 1 2', 'accept and fill in one sealed frame');
	fault($sim, mode => 'ws_oversize', params => { bytes => 300000 });
	my $big = '';
	{
		my $bytes = $ws->{bytes};
		$bytes .= SimClient::read_some($ws->{socket}) while length $bytes < 300000 + 15 + 10;
		$big = length($bytes) - 10;
	}
	check($big, 300015, 'an oversized message');
	$ws->{bytes} = '';
	$N = 18;
	for my $case ([ { fields => 20 }, 20 ], [ { fields => 60 }, 60 ])
	{
		fault($sim, mode => 'tick_fields', params => $case->[0]);
		price($sim, '005930', 71000);
		check(scalar @{ SimClient::ws_record($ws) }, $case->[1], 'another number of fields');
	}
	for my $value ('', 'abc', "7\0" . '1', '-1', '0')
	{
		fault($sim, mode => 'tick_field', params => { index => 2, value => $value });
		price($sim, '005930', 71000);
		check(SimClient::ws_record($ws)->[2], $value, 'a price that is none: ' . ($value =~ s/\0/NUL/r));
	}
	fault($sim, mode => 'tick_count', params => { count => 7 });
	price($sim, '005930', 71000);
	check(substr(SimClient::ws_text($ws), 0, 15), '0|H0STCNT0|007|', 'a count that lies');
	fault($sim, mode => 'tick_twice');
	fault($sim, mode => 'tick_lost', match => { nth => 2 });
	price($sim, '005930', $_) for 71000, 71100, 71200;
	check(join(',', map { $_->[2] } drain($sim, $ws)), '71000,71000,71200', 'twice, lost, once');
	for my $n (23, 27)
	{
		fault($sim, mode => 'notice_fields', params => { fields => $n });
		$sim->order(price => 60000);
		check(scalar @{ SimClient::ws_record($ws) }, $n, 'a notice of so many fields');
	}
	fault($sim, mode => 'notice_field', params => { index => 9, value => '' });
	$sim->order(price => 60000);
	check(SimClient::ws_record($ws)->[9], '', 'a notice without quantity');
	check($sim->control('POST', '/notice', { raw => "tester^\0^x" })->{sent}, 1, 'a NUL byte in a notice');
	check(length(SimClient::ws_record($ws)->[1]), 1, 'arrives');
	return;
}

sub sealed
{
	my ($sim, $ws) = @_;
	$N = 17;
	fault($sim, mode => 'notice_base64');
	$sim->order(price => 60000);
	my $bad = (split /\|/, SimClient::ws_text($ws), 4)[3];
	check($bad =~ /\*/ && length($bad) % 4 != 0 ? 'bad' : 'good', 'bad', 'broken base64');
	fault($sim, mode => 'notice_cipher');
	$sim->order(price => 60000);
	isnt(SimClient::ws_record($ws)->[0], 'tester', 'fault 17: another key');
	$sim->ws_subscribe($ws, 'H0STCNI0', 'tester', '2');
	fault($sim, mode => 'ack_other_key');
	$sim->ws_subscribe($ws, 'H0STCNI0', 'tester');
	$sim->order(price => 60000);
	isnt(SimClient::ws_record($ws)->[0], 'tester', 'fault 17: the acknowledgement told other keys');
	$sim->ws_subscribe($ws, 'H0STCNI0', 'tester', '2');
	delete $ws->{keys}{H0STCNI0};
	fault($sim, mode => 'ack_no_key');
	check($sim->ws_subscribe($ws, 'H0STCNI0', 'tester'), 'OPSP0000', 'an acknowledgement');
	check(defined $ws->{keys}{H0STCNI0} ? 'keys' : 'none', 'none', 'without keys');
	fault($sim, mode => 'key_rotate', params => { announce => true() });
	my @acks = map { decode_json(SimClient::ws_text($ws)) } 1 .. 2;
	my ($ack) = grep { $_->{header}{tr_id} eq 'H0STCNI0' } @acks;
	$ws->{keys}{H0STCNI0} = $ack->{body}{output};
	$sim->order(price => 60000);
	check(SimClient::ws_record($ws)->[0], 'tester', 'new keys, announced');
	fault($sim, mode => 'key_rotate');
	$sim->order(price => 60000);
	isnt(SimClient::ws_record($ws)->[0], 'tester', 'fault 17: new keys nobody was told');
	fault($sim, mode => 'ack_lost', match => { symbol => '000660' });
	fault($sim, mode => 'ack_error', match => { symbol => '000660', nth => 2 }, params => { msg_cd => 'OPSP0007' });
	SimClient::ws_send($ws, encode_json({
		header => { approval_key => $sim->{approval}, custtype => 'P', tr_type => '1' },
		body => { input => { tr_id => 'H0STCNT0', tr_key => '000660' } } }));
	check($sim->ws_subscribe($ws, 'H0STCNT0', '000660'), 'OPSP0002', 'an acknowledgement lost');
	fault($sim, mode => 'ack_error', params => { msg_cd => 'OPSP9993' });
	check($sim->ws_subscribe($ws, 'H0STCNT0', '035720'), 'OPSP9993', 'a subscription refused');
	check($sim->ws_subscribe($ws, 'H0STCNT0', '035720'), 'OPSP0000', 'and not kept');
	return;
}

sub races
{
	my $sim = start_sim();
	my $ws = notices($sim);
	$N = 19;
	my $odno = odno($sim->order(qty => 5, price => 60000));
	fault($sim, mode => 'cancel_race', params => { at => 'check' });
	check(code($sim->cancel($odno)), '200 APBK0927', 'filled before the cancel was looked at');
	$odno = odno($sim->order(qty => 5, price => 60000));
	drain($sim, $ws);
	fault($sim, mode => 'cancel_race', params => { at => 'exchange' });
	check(code($sim->cancel($odno)), '200 APBK0013', 'a cancel taken');
	check(join(',', map { marks($_) } drain($sim, $ws)), '2/0/0/2,1/2/1/1', 'and filled in between: refused by the exchange');
	$odno = odno($sim->order(qty => 5, price => 60000));
	fault($sim, mode => 'cancel_race', params => { at => 'exchange', qty => 2 });
	$sim->cancel($odno);
	my ($o) = grep { $_->{odno} eq $odno } @{ orders($sim) };
	check("$o->{filled} $o->{killed} $o->{remaining}", '2 3 0', 'part filled, the rest cancelled');
	$odno = odno($sim->order(qty => 5, price => 60000));
	$sim->control('POST', '/fill', { odno => $odno, qty => 2 });
	$sim->cancel($odno);
	($o) = grep { $_->{odno} eq $odno } @{ orders($sim) };
	check("$o->{filled} $o->{killed} $o->{remaining}", '2 3 0', 'cancel after a part');
	$odno = odno($sim->order(qty => 5, price => 60000));
	drain($sim, $ws);
	fault($sim, mode => 'reject_async', match => { path => 'order-rvsecncl' });
	check(code($sim->cancel($odno)), '200 APBK0013', 'a cancel the exchange will refuse');
	check(join(',', map { marks($_) } drain($sim, $ws)), '1/2/1/1', 'is refused');
	$sim->cancel($odno);
	drain($sim, $ws);
	$N = 20;
	for my $notice (1, 0)
	{
		fault($sim, mode => 'reject_async', params => { notice => $notice ? true() : JSON::PP::false });
		$odno = odno($sim->order(type => '01'));
		check(join(',', map { marks($_) } drain($sim, $ws)), $notice ? '1/0/0/1,1/0/1/1' : '1/0/0/1', 'refused by the exchange');
		check((rows($sim, ODNO => $odno))[0]{rjct_qty}, 1, 'and in the ledger');
	}
	check(account_truth($sim)->{accounts}[0]{reserved}, 0, 'nothing stays reserved');
	$N = 25;
	fault($sim, mode => 'foreign_twin');
	fault($sim, mode => 'accept_then_close');
	check(code($sim->order(qty => 3, price => 60000)), 'none', 'an unanswered order');
	my @twins = grep { $_->{ord_qty} == 3 && $_->{orgn_odno} eq '' } rows($sim);
	check(join(',', map { $_->{ordr_empno} } @twins), 'OpnAPI,Nsmart', 'and its twin from another channel');
	check(join(',', map { $twins[0]{$_} eq $twins[1]{$_} ? 1 : 0 } qw(pdno ord_qty ord_unpr ord_dvsn_cd sll_buy_dvsn_cd)), '1,1,1,1,1', 'alike');
	my %seq = map { $_->{channel} => $_->{request_seq} } grep { $_->{qty} == 3 && $_->{kind} eq 'new' } @{ orders($sim) };
	check($seq{Nsmart} . ' ' . ($seq{OpnAPI} > 0 ? 'ours' : ''), '0 ours', 'which the truth tells apart');
	$sim->stop;
	return;
}

sub shapes
{
	my $sim = start_sim();
	my $ws = notices($sim);
	$N = 23;
	fault($sim, mode => 'reshape', match => { path => 'order-cash' },
		params => { output_array => true(), case => 'lower', drop => ['SOR_ODNO'] });
	my $output = $sim->order(price => 60000)->{json}{output};
	check(ref($output) . ' ' . join(',', sort keys %{ $output->[0] }), 'ARRAY krx_fwdg_ord_orgno,odno,ord_tmd', 'an array, lower case, one key missing');
	config($sim, ledger_keys => 'sample');
	check(join(',', grep { /^cnc_|_Cd$/ } sort keys %{ (rows($sim))[0] }), 'cnc_cfrm_qty,excg_id_dvsn_Cd', 'the spellings of the sample code');
	config($sim, ledger_keys => 'live');
	fault($sim, mode => 'reshape', match => { path => 'daily-ccld' },
		params => { set => { tot_ccld_amt => '', avg_prvs => 0 }, rename => { rmn_qty => 'RMN_QTY' } });
	my $row = (rows($sim))[0];
	check("$row->{tot_ccld_amt}|$row->{avg_prvs}|" . ($row->{RMN_QTY} // ''), '|0|1', 'empty text, a bare number, another case');
	$N = 24;
	config($sim, clock_skew_ms => 3000);
	drain($sim, $ws);
	clock($sim, '2026-11-20T11:00:00');
	$sim->order(type => '01');
	my $hour = (drain($sim, $ws))[0][11];
	check($hour >= 110003 && $hour <= 110005 ? 'ahead' : $hour, 'ahead', 'notices of a clock three seconds ahead');
	config($sim, clock_skew_ms => -3000);
	clock($sim, '2026-11-20T12:00:00');
	my $tmd = $sim->order(type => '01')->{json}{output}{ORD_TMD};
	check($tmd >= 115957 && $tmd <= 115959 ? 'behind' : $tmd, 'behind', 'orders of one behind');
	config($sim, clock_skew_ms => 0, next_odno => 117057);
	check(odno($sim->order(price => 60000)), '0000117057', 'a number');
	config($sim, ledger_odno_width => 1, notice_odno_width => 1);
	check((rows($sim))[0]{odno}, '117057', 'without leading zeros in the ledger');
	drain($sim, $ws);
	fault($sim, mode => 'reshape', match => { path => 'order-cash' }, params => { strip_zeros => ['ODNO'] });
	like(odno($sim->order(price => 60000)), qr/^[1-9]/, 'fault 24: and in answers');
	like((drain($sim, $ws))[0][2], qr/^[1-9]/, 'fault 24: and in notices');
	clock($sim, '2026-11-23T10:00:00');
	config($sim, next_odno => 117057, token_interval_s => 0);
	$sim->{token} = token($sim)->{json}{access_token};
	check(odno($sim->order(price => 60000)), '0000117057', 'the same number on the next day');
	check(scalar(grep { $_->{odno} eq '0000117057' } @{ orders($sim) }), 2, 'two orders of one number');
	$sim->stop;
	return;
}

sub balances
{
	my $sim = start_sim();
	my $seen = sub {
		my $b = $sim->balance->{json};
		return join ' ', @{ $b->{output1}[0] }{qw(hldg_qty ord_psbl_qty)}, $b->{output2}[0]{prvs_rcdl_excc_amt};
	};
	$N = 26;
	my $before = $seen->();
	$sim->order(side => 'sell', qty => 40, type => '01');
	$sim->order(side => 'sell', qty => 10, price => 75000);
	my $after = $seen->();
	check($before, '100 100 100000000', 'before');
	like($after, qr/^60 50 /, 'fault 26: after');
	fault($sim, mode => 'balance_lag');
	check($seen->(), $before, 'a balance that lags');
	check($seen->(), $after, 'and is right again');
	fault($sim, mode => 'balance_torn');
	check($seen->(), '60 50 100000000', 'rows and totals of two instants');
	fault($sim, mode => 'sellable_lag');
	like($seen->(), qr/^60 60 /, 'fault 26: locks not yet seen');
	$sim->control('POST', '/config', { accounts => [ { account => '12345678-01', balance_lag_ms => 3600000 } ] });
	check($seen->(), $before, 'one account lags');
	check($sim->get('trading/inquire-psbl-sell', 'TTTC8408R', { CANO => '12345678', ACNT_PRDT_CD => '01', PDNO => '005930' })
		  ->{json}{output}{ord_psbl_qty}, 100, 'also in the sellable quantity');
	check($sim->order(side => 'sell', qty => 60, price => 75000)->{json}{msg_cd}, 'APBK0400', 'but orders are checked against the truth');
	$N = 9;
	$sim->control('POST', '/config', {
		accounts => [ { account => '12345678-01', balance_lag_ms => 0, holdings => [ { symbol => '035720', qty => 7 } ] } ] });
	my $codes = sub { return join ',', map { $_->{pdno} } @{ $sim->balance->{json}{output1} } };
	fault($sim, mode => 'row_missing', match => { path => 'inquire-balance' }, params => { symbol => '005930' });
	check($codes->(), '035720', 'a holding missing');
	check($codes->(), '005930,035720', 'and there again');
	fault($sim, mode => 'gateway_error', match => { path => 'inquire-balance' }, params => { msg_cd => 'EGW00215' });
	check(code($sim->balance), '500 EGW00215', 'the cap of the whole house');
	$sim->stop;
	return;
}

sub slow
{
	my ($sim) = @_;
	$N = 27;
	my $before = @{ orders($sim) };
	fault($sim, mode => 'no_answer');
	my $line = SimClient::connect_to($sim->{rest});
	SimClient::send_request($line, 'POST', "$trading/order-cash", $sim->headers('TTTC0012U'), $sim->order_body(price => 60000));
	$sim->control('GET', '/wait?path=order-cash&count=1');
	check(IO::Select->new($line)->can_read(0.05) // 'silence', 'silence', 'no answer, and no end');
	check(@{ orders($sim) } - $before, 1, 'yet taken');
	fault($sim, mode => 'conn_stall');
	$line = SimClient::connect_to($sim->{rest});
	SimClient::send_request($line, 'GET', '/', {});
	check(IO::Select->new($line)->can_read(0.05) // 'silence', 'silence', 'a connection nobody reads');
	fault($sim, mode => 'conn_rst');
	check(code(scalar eval { $sim->balance }), 'none', 'a connection reset at once');
	fault($sim, mode => 'drip', match => { path => 'inquire-balance' }, params => { ms => 0 });
	check(code($sim->balance), '200 KIOK0510', 'byte by byte');
	return;
}

sub quotes
{
	my ($sim) = @_;
	my $get = sub { return $sim->get('quotations/inquire-price', 'FHKST01010100',
		{ FID_COND_MRKT_DIV_CODE => 'J', FID_INPUT_ISCD => '005930' })->{json}{output}{stck_prpr} };
	$N = 28;
	price($sim, '005930', 71000);
	fault($sim, mode => 'quote_freeze', match => { symbol => '005930' });
	price($sim, '005930', 72000);
	check($get->(), 71000, 'a frozen quote');
	$sim->control('DELETE', '/faults');
	check($get->(), 72000, 'thawed');
	fault($sim, mode => 'reshape', match => { path => 'inquire-price' }, params => { set => { stck_prpr => '0' } });
	check($get->(), 0, 'a zero price');
	$N = 29;
	config($sim, closed_unexpectedly => true());
	check(code($sim->order(price => 70000)), '200 APBK0919', 'closed although the calendar says open');
	check($sim->get('quotations/chk-holiday', 'CTCA0903R', { BASS_DT => '20261120' })->{json}{output}[0]{opnd_yn}, 'Y', 'as it does');
	config($sim, closed_unexpectedly => JSON::PP::false, session_open => '10:00', preopen => '09:30',
		closing_auction => '16:20', session_close => '16:30', after_open => '17:00');
	clock($sim, '2026-11-20T09:15:00');
	check(code($sim->order(price => 70000)), '200 APBK0918', 'a late opening');
	clock($sim, '2026-11-20T16:10:00');
	check(code($sim->order(price => 70000)), '200 APBK0013', 'and a late close');
	return;
}

# 30, a client killed at any moment, needs answers held at a known place.
sub killed_client
{
	my ($sim) = @_;
	$N = 30;
	my $held = fault($sim, mode => 'hold_reply');
	my $seq = $sim->control('GET', '/stats')->{last_seq};
	my $line = SimClient::connect_to($sim->{rest});
	SimClient::send_request($line, 'POST', "$trading/order-cash", $sim->headers('TTTC0012U'), $sim->order_body(price => 70000));
	check($sim->control('GET', "/wait?path=order-cash&account=12345678-01&since=$seq")->{count}, 1, 'sent, and not answered');
	close $line;
	my ($log) = @{ $sim->control('GET', "/requests?since=$seq&account=12345678-01")->{requests} };
	my ($o) = grep { $_->{request_seq} == $log->{seq} } @{ orders($sim) };
	check($o->{odno}, $log->{odno}, 'the truth knows which request made which order');
	return;
}

# The same seed and the same occasions give the same faults, whatever else happens.
sub seeded
{
	my $run = sub {
		my ($seed, $noise, %rule) = @_;
		my $sim = start_sim(seed => $seed);
		fault($sim, mode => 'reject_sync', times => 0, match => { probability => 0.4 }, %rule);
		my $text = '';
		for (1 .. 20)
		{
			$sim->balance if $noise;
			$text .= $sim->order(price => 60000)->{json}{rt_cd} eq '0' ? '.' : 'X';
		}
		$sim->stop;
		return $text;
	};
	my $first = $run->(5, 0);
	is($run->(5, 1), $first, 'seeded: other requests change nothing');
	isnt($run->(6, 0), $first, 'seeded: another seed, other faults');
	is($run->(6, 0, seed => 99), $run->(5, 1, seed => 99), 'seeded: a rule with a seed of its own');
	like($first, qr/X.*\./, 'seeded: some of each');
	my $sim = start_sim();
	my $ids = $sim->control('POST', '/fault', { rules => [
		{ mode => 'reject_sync', times => 0 }, { mode => 'rate_limit', match => { path => 'order-cash' } } ] })->{ids};
	is(scalar @$ids, 2, 'a plan of several rules');
	is(code($sim->order(price => 60000)), '200 APBK0400', 'the first that fits');
	$sim->control('DELETE', "/faults?id=$ids->[0]");
	is(join(',', map { code($sim->order(price => 60000)) } 1 .. 2), '500 EGW00201,200 APBK0013', 'and without it the next');
	is($sim->control('POST', '/fault', { mode => 'nothing' })->{error}, 'unknown mode', 'an unknown mode is refused');
	$sim->stop;
	return;
}

my $sim = start_sim();
lost_answers($sim);
gateway($sim);
notice_order($sim);
$sim->stop;
$sim = start_sim();
my $ws = sessions($sim);
frames($sim, $ws);
sealed($sim, $ws);
$sim->stop;
ledger_lies();
races();
shapes();
balances();
$sim = start_sim();
slow($sim);
quotes($sim);
$sim->stop;
$sim = start_sim();
killed_client($sim);
$sim->stop;
seeded();
done_testing();
