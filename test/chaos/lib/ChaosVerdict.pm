# ChaosVerdict.pm
#		Did the engine keep its promises?  The invariants I1-I13 that can be seen from
#		outside, against the simulator's record, which no fault touches.
#
# Each check returns lines that say what is wrong; none means all is well.
package ChaosVerdict;

use strict;
use warnings;

# Broker orders as the broker and as the engine know them: what it asked for, what was
# filled, whether it still rests.
sub broker_orders
{
	my ($truth) = @_;
	return map {
		my $amount = 0;
		$amount += $_->{qty} * $_->{price} for @{ $_->{fills} };
		join ' ', $_->{odno}, $_->{symbol}, $_->{side}, $_->{qty}, $_->{filled}, $amount,
		  $_->{remaining} > 0 ? 'open' : 'ended'
	} grep { $_->{kind} eq 'new' } @{ $truth->{orders} };
}

sub broker_holdings
{
	my ($truth, $account) = @_;
	return map { "$_->{symbol} holds $_->{qty}" } grep { $_->{qty} != 0 }
	  map { @{ $_->{holdings} } } grep { $_->{account} eq $account } @{ $truth->{accounts} };
}

my $ours = q{SELECT concat_ws(' ', o.broker_order_no, o.symbol, lower(o.side), o.qty, o.filled_qty,
		(SELECT coalesce(sum(f.qty * f.price), 0)::bigint FROM trade.fills AS f WHERE f.order_uid = o.order_uid),
		CASE WHEN o.status IN ('SUBMITTED', 'PARTIAL', 'UNKNOWN') THEN 'open' ELSE 'ended' END)
	FROM trade.orders AS o WHERE o.broker_order_no IS NOT NULL AND o.account_id = ?
	UNION ALL SELECT symbol || ' holds ' || sum(qty) FROM trade.positions WHERE qty > 0 AND account_id = ?
	GROUP BY symbol};

sub difference
{
	my ($theirs, $mine) = @_;
	my %count;
	$count{$_}++ for @$theirs;
	$count{$_}-- for @$mine;
	return map { ($count{$_} > 0 ? 'the broker alone has: ' : 'the engine alone has: ') . $_ }
	  grep { $count{$_} } sort keys %count;
}

# I13 (with I3 and I4): sets of orders, fills and positions are equal.
sub agrees
{
	my ($server, $truth, $account) = @_;
	my @mine = map { $_->[0] } @{ $server->sql($ours, $account, $account) };
	return difference([ broker_orders($truth), broker_holdings($truth, $account) ], \@mine);
}

# I2 at the broker: nothing was sold that was not held.
sub no_short
{
	my ($truth) = @_;
	return map { "I2 $_" } grep { / holds -/ } map { broker_holdings($truth, $_->{account}) } @{ $truth->{accounts} };
}

# I1: one POST per attempt, one broker order per order, and each of them known as ours.
sub posts
{
	my ($server, $account, @requests) = @_;
	my (%sent, %accepted, %allowed, %numbers, @bad);
	for my $r (grep { $_->{account} eq $account && ref $_->{body} } @requests)
	{
		my $key = join ' ', @{ $r->{body} }{qw(PDNO ORD_QTY)}, $r->{body}{ORD_UNPR} + 0;
		$sent{$key}++;
		next unless $r->{odno} =~ /[1-9]/;
		$accepted{$key}++;
		$numbers{ $r->{odno} } = $key;
	}
	my $orders = $server->sql(q{SELECT symbol, qty, coalesce(limit_price, 0), attempt, broker_order_no, origin,
		status, quarantined FROM trade.orders WHERE account_id = ?}, $account);
	my %known;
	for my $o (@$orders)
	{
		my ($symbol, $qty, $price, $attempt, $number, $origin) = @$o;
		$known{$number} = $origin if defined $number;
		next if $origin ne 'AUTO';
		my $allowed = $allowed{"$symbol $qty $price"} //= [ 0, 0 ];
		$allowed->[0] += $attempt;
		$allowed->[1]++;
	}
	for my $key (sort keys %sent)
	{
		my ($attempts, $count) = @{ $allowed{$key} // [ 0, 0 ] };
		push @bad, "I1 $sent{$key} POSTs of \"$key\", the engine knows $attempts attempts" if $sent{$key} > $attempts;
		push @bad, "I1 $accepted{$key} orders of \"$key\" at the broker for $count of ours"
		  if ($accepted{$key} // 0) > $count;
	}
	for my $number (sort keys %numbers)
	{
		my $origin = $known{$number} // 'nobody';
		push @bad, "I4 order $number ($numbers{$number}) was sent by us and belongs to $origin" if $origin ne 'AUTO';
	}
	return @bad;
}

# I8: the broker's limit was never met, except where the schedule says so.
sub rate
{
	my (@requests) = @_;
	return map { "I8 EGW00201 for $_->{path}" }
	  grep { $_->{msg_cd} eq 'EGW00201' && $_->{fault} eq '' } @requests;
}

# Errors of workers that no fault explains.  A crash of the server that was not asked for is one too.
sub log_lines
{
	my ($expected, @lines) = @_;
	my @bad;
	for my $line (@lines)
	{
		next unless $line =~ / qts \w+ (\w{5}) (?:ERROR|FATAL|PANIC|WARNING):/
		  || $line =~ /PANIC|TRAP|was terminated by signal (?!9\b)/;
		my $state = $1 // '';
		next if $line =~ /point "[\w.]+" fails/;
		# cancelled, lock time-out, deadlock avoided by its victim, ended by a crash or by order
		next if $state =~ /^(57014|55P03|57P01|57P02|57P03)$/;
		next if grep { $line =~ $_ } @$expected;
		chomp $line;
		push @bad, "log: $line";
	}
	return @bad;
}

sub invariants
{
	my ($server) = @_;
	return map { 'check_invariants: ' . join(' | ', map { $_ // '' } @$_) }
	  @{ $server->sql('SELECT * FROM qts.check_invariants()') };
}

# I10: what must not be seen by anybody who reads the log.
sub secrets
{
	my ($log, @secrets) = @_;
	open my $fh, '<', $log or return;
	my $all = join '|', map { quotemeta } @secrets;
	my @bad;
	while (<$fh>)
	{
		push @bad, "I10 line $. of the log shows a secret" if /$all/;
	}
	return @bad;
}

1;
