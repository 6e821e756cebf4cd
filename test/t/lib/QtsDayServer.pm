# QtsDayServer.pm
#		The server and the simulator of a day in accelerated time, on a clock of their own.
#
# Nothing in the engine knows of it: qts.sim_clock is off, and every clock, timer and
# time-out of both programs is scaled by dilate.c.
package QtsDayServer;

use strict;
use warnings;
use DBI;
use File::Basename qw(dirname);
use QtsDayTruth;
use QtsSim;
use QtsTest;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant S => 1_000_000;
use constant MIDNIGHT => 1_795_100_400 * 1_000_000;    # of 2026-11-20 in Seoul
use constant HTTP_S => 5;
use constant SKEW_S => 5;
use constant RATE => 8;           # requests a second we allow ourselves, two of them not for quotes
use constant BROKER_RATE => 18;
use constant STOP => 0.85;        # of the average price
use constant PROFIT => 1.2;

sub at { my ($hhmm) = @_; my ($h, $m) = split /:/, $hhmm; return MIDNIGHT + ($h * 60 + $m) * 60 * S; }

# The library that makes time pass faster, or undef without a compiler.
sub library
{
	my ($dir) = @_;
	my $out = "$dir/dilate.so";
	my $cc = $ENV{CC} // 'cc';
	system("$cc -std=gnu11 -O2 -shared -fPIC -o $out " . dirname(__FILE__) . '/dilate.c -ldl >/dev/null 2>&1') == 0
	  or return undef;
	return $out;
}

sub now { my ($self) = @_; return int(($self->{start_ns}
	+ (clock_gettime(CLOCK_MONOTONIC) * 1e9 - $self->{origin_ns}) * $self->{speed}) / 1000); }

sub base_of
{
	my ($i) = @_;
	my $price = 3000 + ($i * 7919) % 300_000;
	return $price - $price % ($price < 5000 ? 5 : $price < 20000 ? 10 : $price < 50000 ? 50 : $price < 200000 ? 100 : 500);
}

# What takes long and no part in the day: a server with the extension and all symbols.
sub prepare
{
	my ($self) = @_;
	my $i = 0;
	$self->{base} = { map { $_ => base_of($i++) } @{ $self->{all} } };
	my $e = $self->{e} = QtsTest->new(
		name => 'day', no_sim => 1,
		conf => { 'qts.quotes' => 'on', 'qts.http_timeout' => HTTP_S . 's', 'qts.max_clock_skew' => SKEW_S . 's',
			'qts.rest_rate_sim' => RATE, 'qts.exit_interval' => '2s', 'qts.ledger_interval' => '10s',
			'qts.ledger_idle_interval' => '30s', 'qts.balance_interval' => '30s', jit => 'off' });
	my $values = sub { my ($row) = @_; return join ', ', map { $row->($_) } @{ $self->{all} }; };
	my $all_at = sub { return sprintf '{"base_pct": %g, "min_pct": %g, "max_pct": %g, "qty_pct": 1.0}', ($_[0]) x 3; };
	my ($loss, $gain) = (STOP - 1, PROFIT - 1);
	$e->sql('CREATE EXTENSION qts');
	$e->sql('INSERT INTO market.stocks (symbol, name, market) VALUES ' . $values->(sub { "('$_[0]', 'S$_[0]', 'KOSPI')" }));
	$e->sql('INSERT INTO market.watchlist (symbol, kind) VALUES '
		  . $values->(sub { "('$_[0]', '" . ($self->{tier}{ $_[0] } eq 'watched' ? 'WATCH' : 'RANKING') . "')" }));
	# two rules and nothing else
	$e->sql(sprintf q{SELECT qts.save_exit_profile('day', 'day', '{"sl1": {"qty_pct": 0}, "sl2": %s, "tp1": %s,
		"tp2": {"qty_pct": 0}, "tp3": {"qty_pct": 0}, "gap_down": {"enabled": false},
		"time_stop": {"max_hold_days": 0, "no_momentum_days": 0}, "hardstop": {"enabled": true, "pct": %g}}')},
		$all_at->($loss), $all_at->($gain), $loss);
	$e->stop;
	return;
}

# Server and simulator on the fast clock, holding some of the symbols.
sub begin
{
	my ($self) = @_;
	my $e = $self->{e};
	$self->{origin_ns} = int(clock_gettime(CLOCK_MONOTONIC) * 1e9);
	$self->{start_ns} = at($self->{from}) * 1000;
	local $ENV{LD_PRELOAD} = $self->{library};
	local $ENV{QTS_DILATE} = "$self->{speed} $self->{origin_ns} $self->{start_ns}";
	local $ENV{PGCTLTIMEOUT} = 60 * $self->{speed};
	$self->{sim} = $e->{sim} = QtsSim->start($e->{dir}, keeps_hours => 1,
		options => { rate_per_second => BROKER_RATE, token_interval_s => 60 },
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => $self->{base}{$_},
			price => $self->{base}{$_} } } @{ $self->{all} } ],
		holdings => [ map { { symbol => $_, name => "S$_", qty => 10, avg_price => "$self->{base}{$_}" } }
			@{ $self->{held} } ]);
	$self->{log} = "$e->{dir}/prices.log";
	$self->walk(1);
	$self->{truth} = QtsDayTruth->new(file => $self->{log}, first => $self->{base}, whole => $self->{held});
	$e->{node}->start;
	$e->sql('SELECT qts.activate()');
	$e->add_account;
	$e->wait_trading;
	$e->need("(SELECT count(*) = " . @{ $self->{held} } . " FROM trade.positions WHERE status <> 'CLOSED')");
	$e->sql(q{SELECT qts.set_position_profile(position_id, 'day'), qts.set_position_exit_mode(position_id, 'ENABLED')
		FROM trade.positions});
	$self->{memory_shared} = $self->shared;
	return;
}

# So many times the usual prints.
sub walk
{
	my ($self, $times) = @_;
	return $self->{sim}->call('POST', '/walk', { ticks_per_second => $self->{prints} * $times,
		seed => $self->{seed} + ++$self->{walks}, $self->{truth} ? () : (log => $self->{log}) });
}

sub shared { return $_[0]{e}->sql(q{SELECT string_agg(name || ' ' || allocated_size, ', ' ORDER BY name)
	FROM pg_shmem_allocations WHERE name LIKE 'qts%'}); }

# End or kill the worker that has this name; a kill takes the whole server through recovery.
sub kill_worker
{
	my ($self, $signal) = @_;
	my $pid = $self->pids->{prices} or return;
	$self->{blind_until} = $self->now + 60 * S;
	kill $signal, $pid;
	return;
}

sub connection
{
	my ($self) = @_;
	return $self->{dbh} if $self->{dbh} && $self->{dbh}->ping;
	my $node = $self->{e}{node};
	$self->{dbh} = DBI->connect('dbi:Pg:dbname=trading;host=' . $node->host . ';port=' . $node->port, undef, undef,
		{ RaiseError => 0, PrintError => 0, AutoCommit => 1 });
	return $self->{dbh};
}

# Rows, or an empty list while the server recovers.
sub rows
{
	my ($self, $sql) = @_;
	my $dbh = $self->connection or return;
	my $rows = $dbh->selectall_arrayref($sql);
	$self->{dbh} = undef unless $rows;
	return @{ $rows // [] };
}

sub pids { my ($self) = @_; return { map { @$_ } $self->rows('SELECT worker, pid FROM qts._workers() WHERE pid > 0') }; }

1;
