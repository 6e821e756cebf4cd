# QtsDayVerdict.pm
#		What can be said of a day only at its end: orders, requests, memory; and figures.
package QtsDayVerdict;

use strict;
use warnings;
use QtsDay;

use constant S => 1_000_000;
use constant DECIDES_S => 10;         # qts.exit_max_price_age
use constant LATE => 0.02;
use constant GROWTH_KB => 1024;       # of a worker, from the first to the last quarter, for each hour, two at least
use constant MOST_KB => 24 * 1024;     # private memory of a worker at any time

# Every exit was decided on a price that was true, and that price called for it.
sub exits
{
	my ($day) = @_;
	my $truth = $day->{truth};
	my @intents = $day->rows(q{SELECT i.symbol, i.reason_code, i.decided_price::bigint,
		(date_part('epoch', i.created_ts) * 1e6)::bigint, p.avg_price::bigint
		FROM trade.order_intents AS i JOIN trade.positions AS p USING (position_id) ORDER BY i.created_ts});
	for (@intents)
	{
		my ($symbol, $reason, $price, $at, $avg) = @$_;
		my $base = $day->{base}{$symbol};
		my $from = $at - (DECIDES_S + QtsDayServer::SKEW_S + 1) * S;
		my $called = $reason eq 'TP1' ? $price >= $base * QtsDayServer::PROFIT : $price <= $base * QtsDayServer::STOP;
		my $what = sprintf '%s %s %s at %d, average %d', QtsDay::clock($at), $symbol, $reason, $price, $avg;
		$day->fail('exit on a price that never was', $what)
		  unless defined $truth->ended($symbol, $price, $from, $at);
		$day->fail('exit that its price does not call for', $what) unless $called;
		$day->{decided}{$symbol} //= $at;
	}
	my ($orders) = $day->rows(q{SELECT count(*) FROM trade.orders});
	$day->fail('orders', "$orders->[0] orders for " . @intents . ' intents') if $orders->[0] > @intents;
	$day->{count}{exits} = @intents;
	return;
}

# With all feeds well, a price that calls for an exit has one soon.
sub protected
{
	my ($day) = @_;
	my $promise = QtsDay::TIERS->{held} + 2 * $day->{machine};
	for my $symbol (@{ $day->{held} })
	{
		my $base = $day->{base}{$symbol};
		my $calls = sub { $_[0] <= $base * QtsDayServer::STOP || $_[0] >= $base * QtsDayServer::PROFIT };
		my $end = QtsDay::at($day->{to});
		my @stretches = $day->{truth}->stretches($symbol, $calls, QtsDay::at('09:01'),
			$end < QtsDay::at('15:20') ? $end : QtsDay::at('15:20'));
		for my $healthy (@{ $day->{healthy} // [] })
		{
			for (@stretches)
			{
				my $from = $_->[0] > $healthy->[0] ? $_->[0] : $healthy->[0];
				my $to = $_->[1] < $healthy->[1] ? $_->[1] : $healthy->[1];
				my $sold = $day->{ordered}{$symbol};
				next if $to - $from < $promise || defined $sold && $sold < $from || $day->was_busy($from, $from + $promise);
				$day->{count}{'breaches with feeds well'}++;
				$day->note('breach to order', $sold - $from) if defined $sold;
				$day->fail('breach without an order in time', sprintf '%s %s %s', QtsDay::clock($from), $symbol,
					defined $sold ? sprintf('sold %.1f s later', ($sold - $from) / S) : 'never sold')
				  unless defined $sold && $sold - $from <= $promise;
			}
		}
	}
	return;
}

# The most requests in any window of so many seconds.
sub most
{
	my ($asked, $seconds) = @_;
	my ($first, $most) = (0, 0);
	for my $i (0 .. $#$asked)
	{
		$first++ while $asked->[$i] - $asked->[$first] >= $seconds * S;
		$most = $i - $first + 1 if $i - $first + 1 > $most;
	}
	return $most;
}

# Never refused for the rate; and over a minute no more than we allow ourselves, whatever
# order the machine hands requests over in.
sub limited
{
	my ($day) = @_;
	my @asked = sort { $a <=> $b } @{ $day->{asked} };
	# requests that stood still in a machine without time arrive together
	my $refused = grep { !$day->was_busy($_ - 60 * S, $_ + S) } @{ $day->{refused} // [] };
	$day->{count}{'requests refused for their rate'} = $day->{sim}->stats->{rate_refusals};
	$day->{most} = { map { $_ => most(\@asked, $_) } 1, 10, 60 };
	$day->fail('limiter', "$refused requests refused for their rate") if $refused;
	for my $seconds (10, 60)
	{
		my $limit = QtsDayServer::RATE * ($seconds + $day->{machine} / S) + 1;
		$day->fail('limiter', "$day->{most}{$seconds} requests in $seconds s") if $day->{most}{$seconds} > $limit;
	}
	return;
}

# What the machine takes now and then is forgiven, not what happens all the time.
sub punctual
{
	my ($day) = @_;
	for my $tier (sort keys %{ +QtsDay::TIERS })
	{
		my $n = $day->{worst}{"healthy $tier"} or next;
		$day->fail('later than promised', sprintf '%s: %d of %d prices looked at were late', $tier, $n->{late}, $n->{n})
		  if ($n->{late} // 0) > LATE * $n->{n};
	}
	return;
}

sub mean { my $sum = 0; $sum += $_->[1] for @_; return @_ ? $sum / @_ : 0; }

# kB per hour by least squares.
sub slope
{
	my (@points) = @_;
	my ($n, $x, $y, $xx, $xy) = (scalar @points, 0, 0, 0, 0);
	for (@points)
	{
		my $h = ($_->[0] - $points[0][0]) / S / 3600;
		$x += $h;
		$y += $_->[1];
		$xx += $h * $h;
		$xy += $h * $_->[1];
	}
	my $under = $n * $xx - $x * $x;
	return $under ? ($n * $xy - $x * $y) / $under : 0;
}

# A process has its size when it has done each of its tasks once: half an hour after its start and after the open, or
# after half of a shorter run.  From then on it may not grow, and what it holds is bounded from the start.
sub flat
{
	my ($day) = @_;
	my ($open, $to) = map { QtsDay::at($_) } '09:00', $day->{to};
	for my $worker (sort keys %{ $day->{memory} })
	{
		for my $points (values %{ $day->{memory}{$worker} })
		{
			my $start = $points->[0][0] > $open ? $points->[0][0] : $open;
			my $half = ($to - $start) / 2;
			my $warm = $start + ($half < 1800 * S ? $half : 1800 * S);
			my @later = grep { $_->[0] >= $warm } @$points;
			my ($most) = sort { $b <=> $a } map { $_->[1] } @$points;
			$day->fail('memory', "$worker held $most kB") if $most > MOST_KB;
			my $quarter = int(@later / 4);
			next if $quarter < 3;
			my $hours = ($later[-1][0] - $later[0][0]) / S / 3600;
			my $grown = mean(@later[ -$quarter .. -1 ]) - mean(@later[ 0 .. $quarter - 1 ]);
			$day->{grown}{$worker} = [ $most, $grown, $hours, slope(@later) ]
			  if !$day->{grown}{$worker} || $hours > $day->{grown}{$worker}[2];
			$day->fail('memory', sprintf '%s grew by %d kB in %.1f hours', $worker, $grown, $hours)
			  if $grown > GROWTH_KB * ($hours > 2 ? $hours : 2);
		}
	}
	$day->fail('memory', 'shared memory is ' . $day->shared . ", was $day->{memory_shared}")
	  if $day->shared ne $day->{memory_shared};
	return;
}

sub of
{
	my ($day) = @_;
	$day->look($day->now);
	exits($day);
	protected($day);
	limited($day);
	punctual($day);
	flat($day);
	return;
}

# The figures, line by line.
sub figures
{
	my ($day) = @_;
	my @lines = sprintf '%s to %s at %d times the speed, seed %d: %d symbols, at most %d pushed, %d held', $day->{from},
	  $day->{to}, @$day{qw(speed seed)}, scalar @{ $day->{all} }, $day->{most_pushed}, scalar @{ $day->{held} };
	my $stats = $day->{sim}->stats;
	push @lines, "prices that changed: $day->{truth}{changes}, prints: $stats->{price_changes}, pushed: $stats->{ticks_sent}";
	push @lines, map { "$_: $day->{count}{$_}" } sort keys %{ $day->{count} };
	push @lines, sprintf 'most requests in 1, 10, 60 s: %d, %d, %d', @{ $day->{most} }{ 1, 10, 60 };
	for (sort keys %{ $day->{worst} })
	{
		my $n = $day->{worst}{$_};
		push @lines, sprintf '%s: %d, no longer true %d (%.2f %%), then for %.2f s on average, at most %.2f s%s', $_,
		  $n->{n}, $n->{wrong}, 100 * $n->{wrong} / $n->{n}, $n->{wrong} ? $n->{sum} / $n->{wrong} / S : 0, $n->{max} / S,
		  /^healthy/ ? sprintf(', late %d', $n->{late} // 0) : '';
	}
	push @lines, map { sprintf 'memory of %s: %d kB at most, grown by %d kB in %.1f hours, %.0f kB an hour', $_,
		@{ $day->{grown}{$_} } } sort keys %{ $day->{grown} };
	my $done = $day->{done_faults} // {};
	my $faults = 0;
	$faults += $_ for values %$done;
	push @lines, "faults: $faults: " . join ', ', map { $done->{$_} > 1 ? "$_ ($done->{$_})" : $_ } sort keys %$done;
	return @lines;
}

1;
