# ChaosRandom.pm
#		The numbers of a schedule: the same seed gives the same ones everywhere.
package ChaosRandom;

use strict;
use warnings;
no warnings 'portable';    # 64-bit integers are needed

# splitmix64: neighbouring seeds have nothing in common.
sub new
{
	my ($class, $seed) = @_;
	return bless { state => $seed & ~0, seed => $seed }, $class;
}

sub next64
{
	my ($self) = @_;
	use integer;
	my $z = $self->{state} += 0x9E3779B97F4A7C15;
	$z = ($z ^ (($z >> 30) & 0x3FFFFFFFF)) * 0xBF58476D1CE4E5B9;
	$z = ($z ^ (($z >> 27) & 0x1FFFFFFFFF)) * 0x94D049BB133111EB;
	return $z ^ (($z >> 31) & 0x1FFFFFFFF);
}

# 0 .. n-1
sub below
{
	my ($self, $n) = @_;
	return ($self->next64 >> 11) % $n;
}

# low .. high, both included
sub from { my ($self, $low, $high) = @_; return $low + $self->below($high - $low + 1); }
sub chance { my ($self, $percent) = @_; return $self->below(100) < $percent; }
sub pick { my ($self, @list) = @_; return $list[ $self->below(scalar @list) ]; }

# Of [weight, what...] rows.
sub weighted
{
	my ($self, @rows) = @_;
	my $sum = 0;
	$sum += $_->[0] for @rows;
	my $at = $self->below($sum);
	for my $row (@rows)
	{
		return $row if ($at -= $row->[0]) < 0;
	}
	return $rows[-1];
}

1;
