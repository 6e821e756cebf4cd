# ChaosEvents.pm
#		What people, the market and other programs do in a schedule of tiers 3 and 4.
#
# Part of ChaosT3: every event gets the schedule and its own random numbers, and says what it did.
package ChaosEvents;

use strict;
use warnings;
use Time::HiRes qw(sleep);

use constant SYMBOLS => qw(000660 005380 005930 035720);
use constant BASE => 70000;

my $any_position = q{(SELECT position_id FROM trade.positions WHERE symbol = ? AND status <> 'CLOSED' LIMIT 1)};
our $live = q{status IN ('NEW', 'SUBMITTING', 'UNKNOWN', 'SUBMITTED', 'PARTIAL')};

sub price_near
{
	my ($price, $percent) = @_;
	my $p = int($price * (100 + $percent) / 100);
	return $p - $p % 100;
}

my %event = (
	price => sub {
		my ($self, $r) = @_;
		my $symbol = $r->pick(SYMBOLS);
		my $p = price_near($r->chance(60) ? $self->{price}{$symbol} : BASE,
			$r->chance(60) ? $r->from(-3, 3) : $r->from(-12, 18));
		$p = BASE if $p < BASE * 0.75 || $p > BASE * 1.25;
		$self->{price}{$symbol} = $p;
		$self->{sim}->price($symbol, $p);
		return "$symbol $p";
	},
	sell => sub {
		my ($self, $r) = @_;
		my ($symbol, $qty) = ($r->pick(SYMBOLS), $r->chance(10) ? undef : $r->from(1, 40));
		$self->act("SELECT qts.exit($any_position, ?)", $symbol, $qty);
		return "$symbol " . ($qty // 'all');
	},
	limit => sub {
		my ($self, $r) = @_;
		my ($symbol, $qty) = ($r->pick(SYMBOLS), $r->from(1, 60));
		my $price = price_near($self->{price}{$symbol}, $r->from(-1, 4));
		$self->act("SELECT qts.exit($any_position, ?, 'LMT', ?)", $symbol, $qty, $price);
		return "$symbol $qty at $price";
	},
	cancel => sub {
		my ($self, $r) = @_;
		my $place = $r->below(8);
		$self->act("SELECT qts.cancel_intent(intent_id, 'chaos') FROM (SELECT intent_id FROM trade.order_intents
			WHERE $live ORDER BY created_ts DESC, intent_id OFFSET $place LIMIT 1) AS i");
		return $place;
	},
	foreign => sub {
		my ($self, $r) = @_;
		my ($symbol, $qty, $side) = ($r->pick(SYMBOLS), $r->from(1, 15), $r->pick('sell', 'sell', 'buy'));
		my $price = $r->chance(50) ? 0 : price_near($self->{price}{$symbol}, $r->from(-2, 4));
		eval { $self->{sim}->call('POST', '/order', { account => $self->{account}, symbol => $symbol, side => $side,
			qty => $qty, price => $price }) };
		return "$side $qty $symbol at $price";
	},
	fill => sub {
		my ($self, $r) = @_;
		my ($order) = grep { $_->{kind} eq 'new' && $_->{remaining} > 0 } reverse @{ $self->truth->{orders} };
		return 'nothing' unless $order;
		my $qty = $r->from(1, 5);
		eval { $self->{sim}->call('POST', '/fill', { odno => $order->{odno} + 0, qty => $qty,
			price => $self->{price}{ $order->{symbol} } }) };
		return "$qty of $order->{odno}";
	},
	kill_order => sub {
		my ($self, $r) = @_;
		my ($order) = grep { $_->{kind} eq 'new' && $_->{remaining} > 0 } @{ $self->truth->{orders} };
		return 'nothing' unless $order;
		my $how = $r->pick(qw(reject expire cancel));
		eval { $self->{sim}->call('POST', '/kill_order', { odno => $order->{odno} + 0, how => $how }) };
		return "$how $order->{odno}";
	},
	exit_mode => sub {
		my ($self, $r) = @_;
		my $mode = $r->pick(qw(RUNNING RUNNING PAUSE_PROFIT PAUSE_ALL));
		$self->act("SELECT qts.set_exit_mode(?, 'chaos')", $mode);
		return $mode;
	},
	position_mode => sub {
		my ($self, $r) = @_;
		my ($symbol, $mode) = ($r->pick(SYMBOLS), $r->pick(qw(ENABLED ENABLED MANUAL_ONLY DISABLED)));
		$self->act("SELECT qts.set_position_exit_mode($any_position, ?)", $symbol, $mode);
		return "$symbol $mode";
	},
	emergency => sub {
		my ($self, $r) = @_;
		my $on = $r->chance(50) ? 'true' : 'false';
		$self->act("SELECT qts.emergency_stop($on, 'chaos')");
		return $on;
	},
	halt => sub { my ($self, $r) = @_; return $self->{halted} ? $self->resume : $self->halt; },
	clock => sub {
		my ($self, $r) = @_;
		my $seconds = $r->from(1, 20);
		$self->unlock;    # the clock has a row too
		$self->{server}->advance($seconds);
		return $seconds;
	},
	breath => sub { my ($self, $r) = @_; my $ms = $r->from(1, 25); sleep $ms / 1000; return "$ms ms"; },
);
my @mix = ([ 30, 'price' ], [ 16, 'sell' ], [ 14, 'limit' ], [ 9, 'cancel' ], [ 4, 'foreign' ], [ 4, 'fill' ],
	[ 3, 'kill_order' ], [ 3, 'exit_mode' ], [ 3, 'position_mode' ], [ 1, 'emergency' ], [ 3, 'halt' ],
	[ 8, 'clock' ], [ 14, 'breath' ]);

# Its name in the plan.
sub draw { my ($random) = @_; return $random->weighted(@mix)->[1]; }

sub happens
{
	my ($schedule, $name, $random) = @_;
	my $does = $event{$name} // return;
	return $does->($schedule, $random);
}

1;
