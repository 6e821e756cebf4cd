# QtsDayTruth.pm
#		What prices really were, as the simulator wrote it down change by change, and
#		the questions about it.  Times are us of the clock that all share.
package QtsDayTruth;

use strict;
use warnings;

use constant KEPT_US => 1_200_000_000;
use constant FOREVER => 9e18;

# file: the simulator's log.  first: the prices before its first line.  whole: symbols
# whose past is kept to the end of the run; of the others the last twenty minutes.
sub new
{
	my ($class, %o) = @_;
	my $self = bless { changes => 0, newest => 0, rest => '', %o }, $class;
	open $self->{fh}, '<', $o{file} or die "$o{file}: $!";
	$self->{whole} = { map { $_ => 1 } @{ $o{whole} // [] } };
	for my $symbol (keys %{ $o{first} })
	{
		$self->{at}{$symbol} = [0];
		$self->{price}{$symbol} = [ $o{first}{$symbol} ];
	}
	return $self;
}

# Takes in what was written since; an unfinished line waits.
sub follow
{
	my ($self) = @_;
	my ($at, $price) = @$self{qw(at price)};
	while (read $self->{fh}, my $bytes, 1 << 20)
	{
		my @lines = split /\n/, $self->{rest} . $bytes, -1;
		$self->{rest} = pop @lines;
		$self->{changes} += @lines;
		for (@lines)
		{
			my ($t, $symbol, $now) = split / /;
			push @{ $at->{$symbol} }, $t;
			push @{ $price->{$symbol} }, $now;
			$self->{newest} = $t;
		}
	}
	seek $self->{fh}, 0, 1;    # past the end once more
	$self->forget if $self->{newest} - ($self->{forgot} // 0) > KEPT_US / 2;
	return;
}

sub forget
{
	my ($self) = @_;
	my $before = $self->{newest} - KEPT_US;
	$self->{forgot} = $self->{newest};
	for my $symbol (keys %{ $self->{at} })
	{
		my $at = $self->{at}{$symbol};
		my $old = 0;
		$old++ while $old < $#$at && $at->[ $old + 1 ] < $before;
		next if $old == 0 || $self->{whole}{$symbol};
		splice @$at, 0, $old;
		splice @{ $self->{price}{$symbol} }, 0, $old;
	}
	return;
}

sub price { my ($self, $symbol) = @_; return $self->{price}{$symbol}[-1]; }

# The end of the price's latest reign that touches from..to: FOREVER when it goes on,
# undef when there was none.
sub ended
{
	my ($self, $symbol, $price, $from, $to) = @_;
	my ($at, $was) = ($self->{at}{$symbol}, $self->{price}{$symbol});
	for (my $i = $#$at; $i >= 0; $i--)
	{
		next if $at->[$i] > $to;
		return $i == $#$at ? FOREVER : $at->[ $i + 1 ] if $was->[$i] == $price;
		last if $at->[$i] <= $from;
	}
	return undef;
}

# The stretches from..to during which the condition held: [begin, end], begin never before from.
sub stretches
{
	my ($self, $symbol, $condition, $from, $to) = @_;
	my ($at, $was) = ($self->{at}{$symbol}, $self->{price}{$symbol});
	my (@found, $begin);
	for my $i (0 .. $#$at)
	{
		last if $at->[$i] >= $to;
		next if $i < $#$at && $at->[ $i + 1 ] <= $from;
		my $holds = $condition->($was->[$i]);
		my $t = $at->[$i] > $from ? $at->[$i] : $from;
		push @found, [ $begin, $t ] if defined $begin && !$holds;
		$begin = $holds ? $begin // $t : undef;
	}
	push @found, [ $begin, $to ] if defined $begin;
	return @found;
}

1;
