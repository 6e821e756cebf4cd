# QtsFaults.pm
#		One order at a time through one fault at a time, and what must hold after each:
#		no order sent again unless it was provably refused, every share accounted for,
#		no invariant violated.  The simulator's record is the witness.
package QtsFaults;

use strict;
use warnings;
use Test::More;
use QtsTest;

# A broker with so many shares of each symbol, an engine beside it.
sub new
{
	my ($class, %o) = @_;
	my @symbols = @{ $o{symbols} };
	my $e = QtsTest->engine(
		clock => KRX_OPEN,
		conf => { 'qts.http_timeout' => '500ms', 'qts.unknown_grace_sell' => '60s',
			'qts.breaker_threshold' => 0,
			%{ $o{conf} // {} } },
		sim => { options => $o{options} // {}, holdings => [ map { { symbol => $_, name => "S$_",
			qty => 1000, avg_price => '70000' } } @symbols ],
			symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
				price => 70000 } } @symbols ] });
	return bless { e => $e, sim => $e->{sim}, seq => 0 }, $class;
}

# Ask for a sale; its POST has arrived when this returns.
sub order
{
	my ($self, $symbol, $how) = @_;
	$self->{seq} = $self->{sim}->last_seq;
	$self->{intent} = $self->{e}->exit_position($symbol, $how // ', 7');
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($self->{sim}->wait_posts(1, $self->{seq}), 'the order is received');
	return $self->{intent};
}

# The same, and it rests at a price the market does not reach.
sub resting
{
	my ($self, $symbol, $qty) = @_;
	$self->order($symbol, ", $qty, 'LMT', 80000");
	$self->{e}->need($self->intent_is('SUBMITTED'));
	return $self->odno;
}

sub odno
{
	my ($self) = @_;
	return $self->{e}->sql("SELECT broker_order_no FROM trade.orders
		WHERE intent_id = '$self->{intent}'");
}

sub cancel
{
	my ($self) = @_;
	return $self->{e}->sql("SELECT qts.cancel_order(order_uid, 'test') FROM trade.orders
		WHERE intent_id = '$self->{intent}'");
}

sub fill
{
	my ($self, $odno, $qty, $price) = @_;
	return $self->{sim}->call('POST', '/fill', { odno => $odno, qty => $qty, price => $price });
}

sub intent_is
{
	my ($self, $status) = @_;
	return "(SELECT status = '$status' FROM trade.order_intents
		WHERE intent_id = '$self->{intent}')";
}

# No answer came to its request; what became of it may be known already.
sub lost_answer
{
	my ($self) = @_;
	return "(SELECT error_message IS NOT NULL FROM trade.order_intents
		WHERE intent_id = '$self->{intent}')";
}

# A column of the order.
sub of
{
	my ($self, $column) = @_;
	return $self->{e}->sql("SELECT $column FROM trade.orders
		WHERE intent_id = '$self->{intent}'");
}

sub filled
{
	my ($self, $qty, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $self->{e}->until("(SELECT filled_qty = $qty FROM trade.orders
		WHERE intent_id = '$self->{intent}')", $name // "$qty are filled");
}

# The order's end, by so many POSTs, each an attempt that the engine knows.
sub ends
{
	my ($self, $status, $name, $posts) = @_;
	$posts //= 1;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$self->{e}->until($self->intent_is($status), "$name: the intent ends $status");
	is($self->{sim}->posts($self->{seq}), $posts, "$name: POSTs");
	is($self->of('attempt'), $posts, "$name: attempts");
	return;
}

# Nothing is open or unexplained, and the books are the broker's.
sub settled
{
	my ($self, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$self->{sim}->clear;
	$self->{e}->need(q{(SELECT count(*) = 0 FROM trade.orders
		WHERE status IN ('PENDING_SUBMIT', 'UNKNOWN') AND NOT quarantined)});
	$self->{e}->healthy($name);
	$self->{e}->agrees($name);
	return;
}

sub ends_well
{
	my ($self, $status, $name, $posts) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$self->ends($status, $name, $posts);
	$self->settled($name);
	return;
}

# How often an alert was raised, repetitions of an open one counted.
sub alerts
{
	my ($self, $code, $subject) = @_;
	my $of = defined $subject ? "AND subject = '$subject'" : '';
	return $self->{e}->sql("SELECT coalesce(sum(count), 0) FROM system.alerts
		WHERE code = '$code' $of");
}

sub alerted
{
	my ($self, $code, $subject, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $self->{e}->until("EXISTS (SELECT FROM system.alerts WHERE code = '$code'
		AND subject = '$subject')", $name // "alert $code");
}

1;
