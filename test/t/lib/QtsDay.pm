# QtsDay.pm
#		A trading day in accelerated time: server and simulator share a clock that runs
#		so many times faster, and every price the engine shows is held against the
#		simulator's record of what was true.
#
# All times are us of that clock (QtsDayServer.pm).
#
# What a price promises.  Fresh: received no longer ago than its source allows, or than a
# lesser source allows whose own price is fresh and was received before.  True: it was the
# price at some instant since it was asked for, with a second for the two clocks a worker
# reads one after the other; or pushed, since so long before its receipt as a frame may lag
# (qts.max_clock_skew, and a second, for the frame's time has no fractions).  With all feeds well, a price that is no longer
# true is followed within its tier's interval, and what the machine itself takes.
package QtsDay;

use strict;
use warnings;
use parent -norequire, 'QtsDayServer';
use QtsDayFaults;
use QtsDayTruth;
use QtsDayServer;

use constant S => QtsDayServer::S;
use constant RATE => QtsDayServer::RATE;
use constant MACHINE_S => 0.5;    # real: what a busy machine may take between two of our processes
use constant WATCHED => 100;
use constant SAMPLE_S => 0.1;     # real
use constant BUSY_S => 0.35;      # real: looks further apart than this tell of a machine that is taken
use constant TRUE_WITHIN => { KIS_WS => (QtsDayServer::SKEW_S + 1) * S, KIS_REST => S, NAVER => S };
use constant FRESH => {
	1 => { KIS_WS => 2 * S, KIS_REST => 10 * S, NAVER => 30 * S },
	0 => { KIS_WS => 10 * S, KIS_REST => 30 * S, NAVER => 60 * S } };
# the slower tiers wait for a slot of the limiter too, at worst behind all others
use constant SWEEP_S => 1000 / 30 / (RATE - 2);
use constant TIERS => { pushed => 2 * S, held => 3 * S, watched => (10 + SWEEP_S) * S, others => (30 + SWEEP_S) * S };

BEGIN { *at = \&QtsDayServer::at; }
sub clock { my ($us) = @_; my $s = int(($us - QtsDayServer::MIDNIGHT) / S);
	return sprintf '%02d:%02d:%02d', $s / 3600, $s / 60 % 60, $s % 60; }

# speed, seed, from and to ("08:00"), symbols, held, prints (a second, of all), shortest,
# longest and rest (seconds of and between faults), library.
sub new
{
	my ($class, %o) = @_;
	my $self = bless { symbols => 1000, held => 30, prints => 100, shortest => 30, longest => 120, rest => 120,
		breaches => 10, %o }, $class;
	my $held = $self->{held};
	$self->{held} = [ map { sprintf '5%05d', $_ } 0 .. $held - 1 ];
	$self->{all} = [ map { sprintf '5%05d', $_ } 0 .. $self->{symbols} - 1 ];
	$self->{tier} = { map { $_ => 'others' } @{ $self->{all} } };
	$self->{tier}{$_} = 'watched' for @{ $self->{all} }[ $held .. $held + WATCHED - 1 ];
	$self->{tier}{$_} = 'held' for @{ $self->{held} };
	$self->{bad} = [];
	$self->{count} = {};
	$self->{machine} = MACHINE_S * S * $o{speed};
	$self->{faults} = QtsDayFaults->plan(%$self, from => at($o{faults_from}), to => at($o{faults_to}));
	return $self;
}

sub fail
{
	my ($self, $kind, $text) = @_;
	push @{ $self->{bad} }, "$kind: $text" if $self->{count}{"bad $kind"}++ < 10;
	return;
}

# A price near this one that the exchange takes at any height used here.
sub on_grid { my ($price) = @_; return int($price) - int($price) % ($price < 50000 ? 50 : 500); }

# ----------------------------------------------------------------------- what happens

# A held symbol falls through its stop, or rises through its profit: true, and to be acted on.
sub breach
{
	my ($self) = @_;
	my ($symbol) = grep { !$self->{sold}{$_} && !$self->{breached}{$_} } @{ $self->{held} };
	return unless defined $symbol;
	$self->{breached}{$symbol} = 1;
	$self->{count}{'breaches made'}++;
	my $factor = ++$self->{breached_n} % 3 ? QtsDayServer::STOP - 0.05 : QtsDayServer::PROFIT + 0.05;
	$self->{sim}->price($symbol, on_grid($self->{base}{$symbol} * $factor));
	return;
}

# The single price of an auction: a little off for every symbol.
sub auction
{
	my ($self) = @_;
	my $n = 0;
	$self->{sim}->call('POST', '/price', { prices => [ map { {
		symbol => $_, price => on_grid($self->{truth}->price($_) * (0.995 + ($n++ % 11) / 1000)) } } @{ $self->{all} } ] });
	return;
}

# Everything that happens by itself, in order of time: [us, what].
sub agenda
{
	my ($self) = @_;
	my @agenda;
	for my $f (@{ $self->{faults}{plan} })
	{
		push @agenda, [ $f->{begin}, sub { $self->{lied} = 1 if $f->{kind}{lies}; $self->{fault} = $f->{name};
			$f->{kind}{begin}->($self); $self->{done_faults}{ $f->{name} }++; } ];
		push @agenda, [ $f->{end}, sub { $self->calm } ];
	}
	my ($from, $to) = (at($self->{faults_from}), at($self->{faults_to}));
	# the first while all is well
	push @agenda, [ $_ == 0 ? at('09:02') : $from + ($to - $from) * ($_ - 0.5) / $self->{breaches}, sub { $self->breach } ]
	  for 0 .. $self->{breaches};
	push @agenda, [ at($_) + S, sub { $self->auction } ] for qw(09:00 15:30);
	return sort { $a->[0] <=> $b->[0] } grep { $_->[0] < at($self->{to}) && $_->[0] > $self->now } @agenda;
}

sub calm
{
	my ($self) = @_;
	$self->{sim}->clear;
	$self->{sim}->config(options => { clock_skew_ms => 0 });
	$self->walk(1);
	$self->{lied_until} = $self->now if delete $self->{lied};
	$self->{fault} = '';
	return;
}

# From now to the end of the day.
sub live
{
	my ($self) = @_;
	my @agenda = $self->agenda;
	my $end = at($self->{to});
	my $next_look = 0;
	$self->{began} = $self->now;
	my $last = $self->now;
	while ((my $now = $self->now) < $end)
	{
		$self->busy($last, $now);
		$last = $now;
		(shift @agenda)->[1]->() while @agenda && $agenda[0][0] <= $now;
		$self->sample;
		if ($now >= $next_look)
		{
			$self->look($now);
			$next_look = $now + S * $self->{speed};
		}
		# the pace of looking: nothing is waited for
		my $left = SAMPLE_S - ($self->now - $now) / S / $self->{speed};
		select undef, undef, undef, $left if $left > 0;
	}
	$self->calm;
	return;
}

# Where the machine had no time for us, nor for the engine, nothing is said of how quick it is.
sub busy
{
	my ($self, $from, $to) = @_;
	return if $to - $from <= BUSY_S * S * $self->{speed};
	$self->{count}{'seconds in which the machine was taken'} += ($to - $from) / S;
	my $calm = $to + 90 * S;
	my $latest = $self->{taken}[-1];
	return $latest->[1] = $calm if $latest && $latest->[1] >= $from;
	push @{ $self->{taken} }, [ $from, $calm ];
	return;
}

# Share of the day.
sub taken
{
	my ($self) = @_;
	return ($self->{count}{'seconds in which the machine was taken'} // 0) * S / ($self->now - $self->{began});
}

sub was_busy
{
	my ($self, $from, $to) = @_;
	return scalar grep { $_->[0] < $to && $_->[1] > $from } @{ $self->{taken} // [] };
}

# ----------------------------------------------------------------------- what is looked at

use constant ALL_PRICES => q{SELECT s.symbol, (date_part('epoch', s.before) * 1e6)::bigint, (s.p).last, (s.p).source,
	(date_part('epoch', (s.p).recv_ts) * 1e6)::bigint, (s.p).is_stale, (date_part('epoch', s.after) * 1e6)::bigint,
	(date_part('epoch', r.last_ts) * 1e6)::bigint, (date_part('epoch', n.last_ts) * 1e6)::bigint
	FROM (SELECT symbol, clock_timestamp() AS before, qts.price(symbol) AS p, clock_timestamp() AS after
		FROM market.stocks OFFSET 0) AS s
	LEFT JOIN market.freshness AS r ON r.symbol = s.symbol AND r.source = 'KIS_REST'
	LEFT JOIN market.freshness AS n ON n.symbol = s.symbol AND n.source = 'NAVER'};

# Every price as the engine shows it, against the truth.
sub sample
{
	my ($self) = @_;
	my @rows = $self->rows(ALL_PRICES);
	return $self->{count}{'samples without an answer'}++ unless @rows;
	$self->{sim}->call('GET', "/prices?symbol=$self->{all}[0]");
	$self->{truth}->follow;
	$self->{count}{samples}++;
	my $healthy = $self->is_healthy($rows[0][1]);
	for my $row (@rows)
	{
		my ($symbol, $before, $last, $source, $recv, $stale, $after) = @$row;
		next unless defined $self->{base}{$symbol};
		my $vouchers = [ [ KIS_REST => $row->[7] ], [ NAVER => $row->[8] ] ];
		my $vouchers_before = $self->{vouchers}{$symbol} // [];
		$self->{vouchers}{$symbol} = $vouchers;
		$self->unvouched($symbol, $vouchers);
		if (!defined $last)
		{
			$self->{count}{'no price yet'}++;
			next;
		}
		$self->{count}{compared}++;
		$self->{count}{"shown fresh $source"}++ unless $stale;
		$self->vouched($row, [ @$vouchers, @$vouchers_before ])
		  unless $stale || $self->is_fresh($source, $recv, $before, $after);
		my $ended = $self->true($row) // next;
		my $wrong = $ended > $before ? 0 : $before - $ended;    # for how long it has been wrong
		$self->note($stale ? "stale $source" : "fresh $source", $wrong);
		$self->promised($symbol, $wrong, $row) if $healthy;
	}
	return;
}

sub is_trading { my ($t) = @_; return $t >= at('09:00') && $t < at('15:20'); }

sub is_fresh
{
	my ($self, $source, $recv, $before, $after) = @_;
	return $before - $recv <= FRESH->{ is_trading($before) && is_trading($after) ? 1 : 0 }{$source};
}

# Stale is never shown as fresh: what is older than its source allows needs the word of
# another.  The tables have it a moment before the price is shown, and are read as they
# were when the look began, so that of the samples before and after counts too.
sub vouched
{
	my ($self, $row, $vouchers) = @_;
	$self->{count}{'fresh by the word of another source'}++;
	$self->{unvouched}{ $row->[0] } = $row unless $self->has_word($row, $vouchers);
	return;
}

sub has_word
{
	my ($self, $row, $vouchers) = @_;
	my (undef, $before, undef, $source, $recv, undef, $after) = @$row;
	return scalar grep { defined $_->[1] && $_->[0] ne $source && $_->[1] <= $recv
		  && $self->is_fresh(@$_, $before, $after) } @$vouchers;
}

sub unvouched
{
	my ($self, $symbol, $vouchers) = @_;
	my $row = delete $self->{unvouched}{$symbol} // return;
	return if $self->has_word($row, $vouchers);
	my (undef, $before, $last, $source, $recv) = @$row;
	return $self->fail('stale shown as fresh', sprintf '%s %s %d of %s received %.3f s ago', clock($before), $symbol,
		$last, $source, ($before - $recv) / S);
}

# When the price shown ended to be true; undef when that is not to be asked.
sub true
{
	my ($self, $row) = @_;
	my ($symbol, $before, $last, $source, $recv, $stale, $after) = @$row;
	my $what = "$last $source $recv";
	my $seen = $self->{seen}{$symbol};
	# looked at before: only when a true price ended may not have been known
	return $seen->[1] if $seen && $seen->[0] eq $what && ($seen->[1] // 0) < QtsDayTruth::FOREVER;
	my $from = $recv - TRUE_WITHIN->{$source};
	my $ended = $self->{truth}->ended($symbol, $last, $from, $after);
	$self->{seen}{$symbol} = [ $what, $ended ];
	if (!defined $ended && $source eq 'NAVER' && ($self->{lied} || $recv < ($self->{lied_until} // 0)))
	{
		$self->{count}{'lies of Naver shown'}++;
		return undef;
	}
	$self->fail('never true', sprintf '%s %s %d of %s received %.1f s ago%s, true is %d (%s)', clock($before), $symbol,
		$last, $source, ($before - $recv) / S, $stale ? ', shown stale' : '', $self->{truth}->price($symbol),
		$self->{fault} // '') unless defined $ended;
	return $ended;
}

sub note
{
	my ($self, $what, $us) = @_;
	my $n = $self->{worst}{$what} //= { n => 0, max => 0, wrong => 0, sum => 0 };
	$n->{n}++;
	return if $us == 0;
	$n->{wrong}++;
	$n->{sum} += $us;
	$n->{max} = $us if $us > $n->{max};
	return;
}

sub is_healthy
{
	my ($self, $t) = @_;
	$self->{healthy} //= [ $self->{faults}->healthy(at('09:01') > $self->{began} + 120 * S ? at('09:01')
		: $self->{began} + 120 * S, at('15:20')) ];
	return 0 if $t < at('09:00') + 60 * S || $t >= at('15:20') || $self->{taken} && $self->{taken}[-1][1] > $t;
	return scalar grep { $t >= $_->[0] && $t < $_->[1] } @{ $self->{healthy} };
}

# With all feeds well: followed within the interval of its tier.
sub promised
{
	my ($self, $symbol, $wrong, $row) = @_;
	my $tier = $self->{tier}{$symbol};
	$tier = $self->{sold}{$symbol} ? 'others' : $tier;
	$tier = 'pushed' if ($self->{pushed}{$symbol} // 0) >= 2;
	$self->note("healthy $tier", $wrong);
	$self->{worst}{"healthy $tier"}{late}++ if $wrong > TIERS->{$tier};
	$self->fail('later than promised', sprintf '%s %s (%s) %d of %s is wrong since %.1f s', clock($row->[1]), $symbol,
		$tier, $row->[2], $row->[3], $wrong / S) if $wrong > TIERS->{$tier} + $self->{machine};
	return;
}

# What changes slowly: who is pushed, what is sold, memory, requests.
sub look
{
	my ($self, $now) = @_;
	my %pushed = map { $_->{tr_key} => 1 } grep { $_->{tr_id} eq 'H0STCNT0' }
	  map { @{ $_->{subscriptions} // [] } } @{ $self->{sim}->call('GET', '/sessions')->{sessions} };
	$self->{pushed} = { map { $_ => ($self->{pushed}{$_} // 0) + 1 } keys %pushed };
	my $n = keys %pushed;
	$self->{most_pushed} = $n if $n > ($self->{most_pushed} // 0);
	$self->{sold}{ $_->[0] } = 1
	  for $self->rows(q{SELECT symbol FROM trade.positions WHERE status = 'CLOSED'});
	$self->{count}{"seconds of \L$_->[0]\E: $_->[1]"} += $self->{speed}
	  for $self->rows(q{SELECT name, state FROM qts.status() WHERE name IN ('best prices', 'NAVER', 'exit mode') OR kind = 'feed'});
	my $pids = $self->pids;
	for my $worker (sort keys %$pids)
	{
		open my $fh, '<', "/proc/$pids->{$worker}/status" or next;
		my ($kb) = map { /^RssAnon:\s+(\d+)/ } <$fh>;
		push @{ $self->{memory}{$worker}{ $pids->{$worker} } }, [ $now, $kb ] if defined $kb;
	}
	$self->requests;
	return;
}

# The times of all requests to the broker, from its own record.
sub requests
{
	my ($self) = @_;
	my $answer = $self->{sim}{http}->get("http://127.0.0.1:$self->{sim}{control}/requests?since="
		  . ($self->{seq} // 0))->{content};
	for (split /(?=\{"seq":)/, $answer)
	{
		my ($seq, $t, $path) = /^\{"seq":(\d+),"t_us":(\d+),"conn":\d+,"method":"\w+","path":"([^"]*)"/ or next;
		my $broker = index($path, '/uapi/') == 0;
		$self->{seq} = $seq;
		$self->{count}{ $broker ? 'requests to the broker' : index($path, '/api/') == 0 ? 'requests to Naver'
			: 'other requests' }++;
		push @{ $self->{asked} }, $t if $broker;
		push @{ $self->{refused} }, $t if /"msg_cd":"EGW00201"/ && /"fault":""/;
		$self->{ordered}{$1} //= $t if $path =~ /order-cash/ && /"PDNO":"(\d+)"/;
	}
	return;
}

1;
