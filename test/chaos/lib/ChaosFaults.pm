# ChaosFaults.pm
#		Every fault a schedule can draw, with the step of a submission it strikes
#		(S0 intent, S1 claim, S2 first byte, S3 request, S4 reply, S5 answer stored,
#		S6 notice, S7 fill and books).  A new mode of the simulator is one line here.
package ChaosFaults;

use strict;
use warnings;

my $cash = { path => 'order-cash' };
my $cancel = { path => 'order-rvsecncl' };
my $ledger = { path => 'daily-ccld' };
my $balance = { path => 'inquire-balance' };

# [weight, name, step, mode, match, params]
my @broker = (
	[ 6, 'accepted, closed', 'S3', 'accept_then_close', $cash ],
	[ 3, 'accepted, reset', 'S3', 'accept_then_rst', $cash ],
	[ 4, 'never accepted', 'S2', 'drop_before_accept', $cash ],
	[ 3, 'answer late', 'S4', 'late_response', $cash, { ms => 700 } ],
	[ 3, 'answer slow', 'S4', 'late_response', $cash, { ms => 60 } ],
	[ 3, 'answer held', 'S4', 'hold_reply', $cash ],
	[ 1, 'answer drips', 'S4', 'drip', $cash, { ms => 1 } ],
	[ 3, 'answer truncated', 'S4', 'truncated_json', $cash ],
	[ 2, 'truncated, refused', 'S4', 'truncated_json', $cash, { accept => 0 } ],
	[ 3, '502 after accept', 'S4', 'html_502', $cash, { http => 502 } ],
	[ 2, 'empty answer', 'S4', 'empty_200', $cash ],
	[ 3, 'gateway error', 'S3', 'gateway_error', $cash, { msg_cd => 'EGW00301', http => 500, accept => 1 } ],
	[ 3, 'gateway, refused', 'S3', 'gateway_error', $cash, { msg_cd => 'EGW00300', http => 500, accept => 0 } ],
	[ 3, 'refused', 'S3', 'reject_sync', $cash, { msg_cd => 'APBK0400', msg1 => 'no', http => 200 } ],
	[ 3, 'refused later', 'S6', 'reject_async', $cash ],
	[ 3, 'filled before reply', 'S4', 'fill_before_reply', $cash ],
	[ 4, 'rate limit', 'S3', 'rate_limit', $cash, { http => 500 } ],
	[ 2, 'rate limit, 200', 'S3', 'rate_limit', $cash, { http => 200 } ],
	[ 2, 'token expired', 'S3', 'token_expired', $cash, { http => 500 } ],
	[ 1, 'token invalid', 'S3', 'token_invalid', $cash ],
	[ 1, 'token expired, list', 'S7', 'token_expired', $ledger, { http => 500 } ],
	[ 2, 'cancel, closed', 'S3', 'accept_then_close', $cancel ],
	[ 2, 'cancel lost', 'S2', 'drop_before_accept', $cancel ],
	[ 2, 'cancel late', 'S4', 'late_response', $cancel, { ms => 700 } ],
	[ 2, 'cancel truncated', 'S4', 'truncated_json', $cancel ],
	[ 2, 'cancel rate limit', 'S3', 'rate_limit', $cancel, { http => 500 } ],
	[ 3, 'ledger lag', 'S7', 'ledger_lag', $ledger, { ms => 1500 } ],
	[ 2, 'ledger closed', 'S7', 'accept_then_close', $ledger ],
	[ 2, 'ledger truncated', 'S7', 'truncated_json', $ledger ],
	[ 2, 'ledger rate limit', 'S7', 'rate_limit', $ledger, { http => 500 } ],
	[ 2, 'balance truncated', 'S7', 'truncated_json', $balance ],
	[ 2, 'balance late', 'S7', 'late_response', $balance, { ms => 700 } ],
	[ 4, 'fill twice', 'S6', 'duplicate_fill' ],
	[ 2, 'accept twice', 'S6', 'duplicate_accept' ],
	[ 4, 'notices lost', 'S6', 'lose_notices', undef, { which => 'all' } ],
	[ 3, 'fills lost', 'S6', 'lose_notices', undef, { which => 'fills' } ],
	[ 2, 'accepts lost', 'S6', 'lose_notices', undef, { which => 'accepts' } ],
	[ 3, 'fill before accept', 'S6', 'fill_before_accept' ],
	[ 3, 'fills reordered', 'S6', 'reorder_fills', undef, { ms => 20 } ],
	[ 2, 'feed closed', 'S6', 'ws_close' ],
	[ 2, 'feed dropped', 'S6', 'ws_drop' ],
	[ 2, 'feed reset', 'S6', 'ws_rst' ],
	[ 1, 'feed silent', 'S6', 'ws_silence', undef, { ms => 400 } ],
	[ 1, 'feed without ping', 'S6', 'ws_no_ping', undef, { ms => 400 } ],
	[ 1, 'ticks muted', 'S0', 'ws_mute_ticks', undef, { ms => 100 } ],
	[ 1, 'feed refused', 'S6', 'ws_refuse' ],
);

# point => step
my %points = (
	'exit.commit' => 'S0', 'exit.stored' => 'S0', 'claim.begin' => 'S0', 'claim.commit' => 'S1',
	'claim.stored' => 'S1', 'net.body' => 'S2', 'net.sent' => 'S3', 'net.answered' => 'S4',
	'answer.commit' => 'S4', 'answer.stored' => 'S5', 'notice.commit' => 'S6', 'notice.stored' => 'S7',
	'fill.booked' => 'S7', 'ledger.commit' => 'S7', 'unknown.commit' => 'S4', 'balance.commit' => 'S7',
	'effect.commit' => 'S7', 'tick.commit' => 'S0', 'tick.stored' => 'S0',
);
my @often = qw(claim.commit claim.stored net.body net.sent net.answered answer.commit answer.stored
	notice.commit notice.stored fill.booked);

sub points { return %points; }

sub broker_fault
{
	my ($random) = @_;
	my (undef, $name, $step, $mode, $match, $params) = @{ $random->weighted(@broker) };
	my %match = %{ $match // {} };
	my %params = map { $_ => $_ eq 'accept' ? ($params->{accept} ? \1 : \0) : $params->{$_} } keys %{ $params // {} };
	$match{nth} = $random->pick(1, 1, 1, 2, 3) unless $mode =~ /^ws_/;
	return { name => $name, step => $step, mode => $mode, match => \%match, params => \%params,
		times => $random->from(1, 2) };
}

# A point where a process dies or fails once, after it was passed so many times.
sub point_fault
{
	my ($random, $how) = @_;
	for (;;)
	{
		my $point = $random->chance(70) ? $random->pick(@often) : $random->pick(sort keys %points);
		next if $how eq 'error' && $point =~ /^net/;    # nothing may throw inside a library
		return { name => "$how at $point", step => $points{$point}, point => $point, how => $how,
			skip => $random->from(0, 2) };
	}
}

1;
