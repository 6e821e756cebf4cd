# DemoMarket.pm
#		The demo's market: a written minute in which every exit rule has its turn,
#		or one day of real bars played by the simulator.
package DemoMarket;

use strict;
use warnings;

# name, market, sector, price, shares, then [second, per cent from the price] of a minute
my @script = (
	[ '005930', 'Samsung Elec', 'KOSPI', 'Semiconductors', 72_000, 120,
		[ 0, 0 ], [ 6, 7.4 ], [ 9, 7.2 ], [ 14, 10.5 ], [ 18, 10.3 ], [ 24, 16.6 ], [ 30, 19 ], [ 36, 13.4 ], [ 60, 12 ] ],
	[ '000660', 'SK hynix', 'KOSPI', 'Semiconductors', 212_000, 40,
		[ 0, 0 ], [ 10, -3.4 ], [ 16, -3.2 ], [ 22, -5.7 ], [ 60, -4.5 ] ],
	[ '035420', 'NAVER', 'KOSPI', 'Internet', 198_000, 40,
		[ 0, 0 ], [ 4, 1 ], [ 12, 7.4 ], [ 16, 7.6 ], [ 30, 0.2 ], [ 60, -0.8 ] ],
	[ '005380', 'Hyundai Motor', 'KOSPI', 'Automobiles', 245_000, 30,
		[ 0, 0 ], [ 20, -1.5 ], [ 20, -11 ], [ 60, -9.5 ] ],
	[ '068270', 'Celltrion', 'KOSPI', 'Biotech', 182_000, 60,
		[ 0, 0 ], [ 8, 7.5 ], [ 14, 10.8 ], [ 18, 10.5 ], [ 26, 5.4 ], [ 33, 5.2 ], [ 44, 16.6 ], [ 60, 17.5 ] ],
	[ '105560', 'KB Financial', 'KOSPI', 'Banks', 84_500, 80,
		[ 0, 0 ], [ 25, -3.5 ], [ 32, -2 ], [ 60, 2 ] ],
	[ '051910', 'LG Chem', 'KOSPI', 'Chemicals', 305_000, 20, [ 0, 0 ], [ 60, 3 ] ],
	[ '247540', 'EcoPro BM', 'KOSDAQ', 'Batteries', 128_000, 50, [ 0, 0 ], [ 35, 7.6 ], [ 45, 8 ], [ 60, 6 ] ]);

# The exchange's price steps: [below, step].
my @steps = ([ 2_000, 1 ], [ 5_000, 5 ], [ 20_000, 10 ], [ 50_000, 50 ], [ 200_000, 100 ], [ 500_000, 500 ], [ 9e15, 1_000 ]);

sub on_grid
{
	my ($price) = @_;
	my ($step) = map { $_->[1] } grep { $price < $_->[0] } @steps;
	return $step * int($price / $step + 0.5);
}

sub script
{
	my ($class, $seconds) = @_;
	my @stocks = map {
		my ($symbol, $name, $market, $sector, $price, $qty, @path) = @$_;
		{ symbol => $symbol, name => $name, market => $market, sector => $sector,
			price => $price, qty => $qty, path => \@path }
	} @script;
	srand 7;
	return bless { stocks => \@stocks, seconds => $seconds, moved => -1, title => 'a written market' }, $class;
}

# The day of the file with the most bars, and of its symbols the eight that are
# there most of the day, livelier ones first.
sub bars
{
	my ($class, $file, $dir, $seconds) = @_;
	my (%count, %seen, @lines);

	open(my $in, '-|', 'gzip', '-dcf', $file) or die "DATA: $!\n";
	while (my $line = <$in>)
	{
		my ($symbol, $day, $open, $high, $low, $close) =
		  $line =~ /^(\w+),(\d{4}-\d\d-\d\d)[^,]*,(\d+),(\d+),(\d+),(\d+),/ or next;
		next if $low == 0;
		$count{$day}++;
		my $s = $seen{$day}{$symbol} //= { open => $open, high => $high, low => $low, bars => 0, close => $open };
		$s->{bars}++;
		$s->{high} = $high if $high > $s->{high};
		$s->{low} = $low if $low < $s->{low};
	}
	close $in;
	my ($day) = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
	die "DATA: no bar in $file\n" unless $day;
	my $of = $seen{$day};
	my ($most) = sort { $b <=> $a } map { $_->{bars} } values %$of;
	my $range = sub { ($_[0]{high} - $_[0]{low}) / $_[0]{open} };
	my @symbols = sort { $range->($of->{$b}) <=> $range->($of->{$a}) || $a cmp $b }
	  grep { $of->{$_}{bars} >= 0.95 * $most } keys %$of;
	splice @symbols, 8;
	my %wanted = map { $_ => 1 } @symbols;

	open($in, '-|', 'gzip', '-dcf', $file) or die "DATA: $!\n";
	open(my $out, '>', "$dir/bars.csv") or die "bars.csv: $!\n";
	while (my $line = <$in>)
	{
		print $out $line if $line =~ /^(\w+),\Q$day\E/ && $wanted{$1};
	}
	close $in;
	close $out or die "bars.csv: $!\n";
	my $bars = 0;
	$bars += $of->{$_}{bars} for @symbols;
	my @stocks = map {
		{ symbol => $_, name => $_, market => 'KOSPI', price => on_grid($of->{$_}{open}),
			qty => int(5_000_000 / $of->{$_}{open}) + 4 }
	} @symbols;
	return bless {
		stocks => \@stocks, seconds => $seconds, moved => -1, file => "$dir/bars.csv", bars => $bars,
		title => "bars of $day, ${seconds} s for the day" }, $class;
}

sub title { return $_[0]{title} }
sub stocks { return @{ $_[0]{stocks} } }
sub expects_trades { return !$_[0]{file} && $_[0]{seconds} >= 60 }

sub start
{
	my ($self, $sim) = @_;
	$self->{sim} = $sim;
	$sim->('POST', '/play', {
		file => $self->{file}, symbols => [], bars_per_second => $self->{bars} / $self->{seconds} }) if $self->{file};
	return;
}

sub is_over
{
	my ($self, $elapsed) = @_;
	return $elapsed >= $self->{seconds} unless $self->{file};
	return $elapsed >= $self->{seconds} && !$self->{sim}->('GET', '/play')->{playing};
}

sub progress
{
	my ($self, $elapsed) = @_;
	my $share = $elapsed / $self->{seconds};
	return $share < 1 ? $share : 1;
}

# Half of a quiet position is sold by hand, so that a person's order is seen too.
sub manual_sale
{
	my ($self, $elapsed) = @_;
	return undef if $self->{file} || $elapsed < 0.75 * $self->{seconds};
	return '051910';
}

sub path_at
{
	my ($path, $second) = @_;
	my $from = $path->[0];
	for my $to (@$path)
	{
		return $from->[1] + ($to->[1] - $from->[1]) * ($second - $from->[0]) / (($to->[0] - $from->[0]) || 1)
		  if $to->[0] >= $second;
		$from = $to;
	}
	return $from->[1];
}

# Five times a second.  After the written minute prices stay where they are, but for the noise.
sub move
{
	my ($self, $elapsed) = @_;
	return if $self->{file} || $elapsed - $self->{moved} < 0.2;
	$self->{moved} = $elapsed;
	my $second = 60 * $elapsed / $self->{seconds};
	$self->{sim}->('POST', '/price', { prices => [ map { {
		symbol => $_->{symbol}, volume => 10 + int(rand 500),
		price => on_grid($_->{price} * (1 + (path_at($_->{path}, $second) + 0.2 * (rand() - 0.5)) / 100)) }
	} @{ $self->{stocks} } ] });
	return;
}

1;
