# ChaosT4.pm
#		Tier 4: a schedule of tier 3 in which the server itself is lost once.
#
# The servers of a schedule are copies of one stopped cluster: a standby of its own needs
# no base backup.  "a" trades first; "b" is its standby where the disaster wants one.
package ChaosT4;

use strict;
use warnings;
use parent -norequire, 'ChaosT3';
use Time::HiRes qw(time sleep);
use ChaosFaults;
use ChaosServer;
use ChaosT3;
use ChaosVerdict;

# [weight, name, method, options]; standby: async or sync; failover; lost: rows may be missing
my @disasters = (
	[ 4, 'power off', 'lose_power' ],
	[ 3, 'immediate', 'restart', { mode => 'immediate' } ],
	[ 2, 'fast', 'restart', { mode => 'fast' } ],
	[ 4, 'disk full', 'fill_disk' ],
	[ 3, 'promoted, async', 'promote', { standby => 'async', failover => 'auto' } ],
	[ 2, 'promoted, async, manual', 'promote', { standby => 'async', failover => 'manual' } ],
	[ 3, 'promoted, rows lost', 'promote', { standby => 'async', failover => 'auto', lost => 1 } ],
	[ 3, 'promoted, sync', 'promote', { standby => 'sync', failover => 'auto' } ],
	[ 2, 'promoted, sync, manual', 'promote', { standby => 'sync', failover => 'manual' } ],
	[ 3, 'split, sync', 'promote', { standby => 'sync', failover => 'auto', split => 1 } ],
	[ 2, 'copy beside it', 'copy_beside', { standby => 'async', failover => 'manual' } ],
);

sub settings { return (wal_level => 'replica', max_wal_senders => 4, hot_standby => 'on', wal_keep_size => '32MB'); }

# A template: the cluster as it was when it was stopped.
sub new
{
	my ($class, $dir) = @_;
	my $self = $class->SUPER::new($dir);
	$self->{server}->stop('fast');
	rename $self->{server}{data}, "$dir/template" or die "$dir/template: $!";
	$self->{server} = undef;
	return $self;
}

sub instance
{
	my ($self, $name, $port, $conf) = @_;
	my $server = ChaosServer->new(dir => $self->{dir}, sim => $self->{sim}, haste => ChaosT3::HASTE, port => $port,
		data => "$self->{dir}/$name", log => "$self->{dir}/$name.log", name => $name);
	system('cp', '-r', '--reflink=auto', "$self->{dir}/template", $server->{data}) == 0 or die "cp: $?";
	chmod 0700, $server->{data};
	unlink $server->{log};
	$server->append("port = $port\n$conf");
	return $server;
}

sub set_up
{
	my ($self, $random) = @_;
	$self->tear_down;
	$self->{disaster} = $random->weighted(@disasters);
	my $o = $self->{o} = $self->{disaster}[3] // {};
	my $sync = ($o->{standby} // '') eq 'sync';
	my $a = $self->{a} = $self->{server} = $self->instance('a', 5432, $sync ? "synchronous_standby_names = '*'\n" : '');
	$a->launch;
	if ($o->{standby})
	{
		my $b = $self->{b} = $self->instance('b', 5433, "primary_conninfo = 'host=$self->{dir} port=5432 user=postgres'\n"
			. "wal_retrieve_retry_interval = 100\n");
		ChaosServer::write_file("$b->{data}/standby.signal", '');
		$b->launch;
		$a->need("EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND (sync_state = 'sync') = ?)",
			$sync ? 'true' : 'false');
	}
	$a->need(q{EXISTS (SELECT FROM qts_test.pending WHERE workers = 4)});
	# the template's clock is that of the first schedule
	$a->follow_clock;
	$a->sql('SELECT qts.activate(failover => ?)', $o->{failover}) if $o->{failover};
	return;
}

# Nothing of the schedule before is left.
sub tear_down
{
	my ($self) = @_;
	for my $name (qw(a b))
	{
		my $server = delete $self->{$name} or next;
		$server->disconnect if $server->{pid};
		$server->stop;
		system 'rm', '-rf', $server->{data};
	}
	return;
}

sub end
{
	my ($self) = @_;
	for my $name (qw(a b))
	{
		my @bad = ChaosVerdict::secrets("$self->{dir}/$name.log", ChaosServer::APP_KEY, ChaosServer::APP_SECRET, $self->tokens);
		die "@bad\n" if @bad;
	}
	$self->tear_down;
	$self->{sim}->stop;
	system 'rm', '-rf', "$self->{dir}/template";
	return;
}

# One disaster, somewhere in the second third; what the broker does wrong comes on top.
sub extend
{
	my ($self, $random, $plan) = @_;
	my $third = int(@$plan / 3);
	splice @$plan, $third + $random->below($third), 0, 'disaster';
	return;
}

sub strike
{
	my ($self, $random) = @_;
	return $self->broker_strike($random);
}

sub disaster
{
	my ($self, $random) = @_;
	my (undef, $name, $method) = @{ $self->{disaster} };
	my $server = $self->{server};
	$self->resume if $self->{halted};
	$self->{step} = 'any';
	local $server->{on_crash} = sub { };
	my $reached = $method eq 'fill_disk' || $name eq 'fast' ? '' : $self->reach($random);
	$self->$method($random);
	$self->fired({ name => $name, step => $self->{step} });
	return "$name at $self->{step} $reached";
}

# An order is brought to a named point and stays there.
sub reach
{
	my ($self, $random) = @_;
	my $server = $self->{server};
	my %points = ChaosFaults::points();
	# the worst for lost rows: the intent is on the standby, its claim will not be
	my $point = $self->{o}{lost} && $random->chance(50) ? 'claim.begin' : $random->pick(grep { !/^(exit|effect|tick|balance|unknown)/ } sort keys %points);
	$server->try('SELECT qts_test.arm(?, ?, 0)', $point, 'wait') or return 'not armed';
	$server->try(q{SELECT qts.exit(position_id, 3) FROM trade.positions WHERE status <> 'CLOSED'
		AND exit_mode <> 'DISABLED' ORDER BY symbol LIMIT 1});
	my $deadline = time + 0.5;
	while (time < $deadline)
	{
		if ($server->value('SELECT qts_test.waiting(?)', $point))
		{
			$self->{step} = $points{$point};
			return $point;
		}
		sleep 0.002;
	}
	return "$point was not met";
}

# The session that trades goes on with this server.
sub continue_on
{
	my ($self, $server) = @_;
	$server->{on_crash} = sub { $self->crashed };
	$self->{server} = $server;
	$server->follow_clock;
	return;
}

sub lose_power
{
	my ($self) = @_;
	$self->{server}->power_off;
	$self->{server}->launch;
	$self->continue_on($self->{server});
	return;
}

sub restart
{
	my ($self) = @_;
	my $server = $self->{server};
	$server->disconnect;
	$server->halt($self->{o}{mode});
	$server->launch;
	$self->continue_on($server);
	return;
}

# A limit on the size of files that any of its processes may write stands for a full disk.
sub limit
{
	my ($self, $bytes) = @_;
	my $server = $self->{server};
	for my $pid ($server->{pid}, $server->children)
	{
		system "prlimit --pid $pid --fsize=$bytes: 2>/dev/null";
	}
	return;
}

sub fill_disk
{
	my ($self, $random) = @_;
	my $server = $self->{server};
	my $bytes = $random->pick(0, 0, 8192, 262144);
	$self->limit($bytes);
	for (1 .. $random->from(3, 12))
	{
		eval { $server->try(q{SELECT qts.exit(position_id, 2) FROM trade.positions WHERE status <> 'CLOSED'
			AND exit_mode <> 'DISABLED' ORDER BY random() LIMIT 1}); 1 } or last;
		sleep 0.004;
	}
	# PANIC may have ended it: then somebody makes room and starts it again
	if (kill(0, $server->{pid}) && waitpid($server->{pid}, ChaosServer::WNOHANG) == 0)
	{
		$self->limit('unlimited');
	}
	else
	{
		$server->{ended} = 1;
	}
	$self->{expected} = [ qr/File too large/, qr/terminated by signal 6/ ];
	$self->revive($server);
	return;
}

# Alive with a session, or started anew.
sub revive
{
	my ($self, $server) = @_;
	my $alive = !delete $server->{ended} && eval { $server->sql('SELECT 1'); 1 };
	if (!$alive)
	{
		$server->reap;
		$server->launch;
	}
	$self->continue_on($server);
	return;
}

sub disarm
{
	my ($self, $server) = @_;
	my %points = ChaosFaults::points();
	$server->try("SELECT qts_test.arm(p, 'nothing') FROM unnest(?::text[]) AS p", [ sort keys %points ]);
	return;
}

# The standby hears no more; then the primary trades a little longer and is gone.
sub cut_off
{
	my ($self, $random) = @_;
	my ($a, $b) = @$self{qw(a b)};
	$b->sql("ALTER SYSTEM SET primary_conninfo = 'host=$self->{dir} port=1'");
	$b->sql('SELECT pg_reload_conf()');
	$b->need('NOT EXISTS (SELECT FROM pg_stat_wal_receiver)');
	$self->disarm($a);
	for (1 .. $random->from(1, 6))
	{
		$a->try(q{SELECT qts.exit(position_id, 4) FROM trade.positions WHERE status <> 'CLOSED'
			AND exit_mode <> 'DISABLED' ORDER BY random() LIMIT 1});
		sleep $random->from(1, 20) / 1000;
	}
	$self->{claimed} = { map { $_->[0] => $_->[1] } @{ $a->sql(q{SELECT intent_id, order_uid FROM trade.orders
		WHERE intent_id IS NOT NULL}) } };
	$a->power_off;
	$self->{lost} = 1;
	$self->{cut} = $self->{sim}->last_seq;
	return;
}

# F22: what the broker accepted from the old primary is not sent a second time by the new one.
sub claimed_again
{
	my ($self) = @_;
	my $claimed = $self->{claimed} or return;
	my $orders = $self->{server}->sql(q{SELECT intent_id, order_uid, symbol, qty, broker_order_no FROM trade.orders
		WHERE intent_id IS NOT NULL});
	my %known = map { $_->[4] => 1 } grep { defined $_->[4] } @$orders;
	my %stray = map { ("$_->{symbol} $_->{qty}" => $_->{odno}) } grep { $_->{kind} eq 'new' && $_->{request_seq} > 0
		&& $_->{request_seq} <= $self->{cut} && !$known{ $_->{odno} } } @{ $self->truth->{orders} };
	return map { "F22 intent $_->[0] was claimed by both ($_->[2] $_->[3])" }
	  grep { exists $claimed->{ $_->[0] } && $claimed->{ $_->[0] } ne $_->[1] && $stray{"$_->[2] $_->[3]"} } @$orders;
}

sub promote
{
	my ($self, $random) = @_;
	my ($a, $b, $o) = @$self{qw(a b o)};
	$self->cut_off($random) if $o->{lost};
	if ($o->{standby} eq 'async' && !$o->{lost})
	{
		my $at = $a->value('SELECT pg_current_wal_insert_lsn()');
		$a->until("EXISTS (SELECT FROM pg_stat_replication WHERE replay_lsn >= '$at')", 0.5) or $self->{lost} = 1;
	}
	$a->power_off unless $o->{split};
	my $seq = $self->{sim}->last_seq;
	$b->sql('SELECT pg_promote(true, 20)');
	if ($o->{split})
	{
		# the old one is alive and wants to trade; it cannot commit a claim any more
		$self->disarm($a);
		$a->try(q{SELECT qts.exit(position_id, 5) FROM trade.positions WHERE status <> 'CLOSED' ORDER BY symbol LIMIT 1});
		$a->disconnect;
	}
	if ($o->{failover} eq 'manual')
	{
		$b->need(q{(SELECT count(*) = 4 FROM qts._workers() WHERE state = 'FENCED')});
		push @{ $self->{bad} }, 'F22 a fenced engine asked the broker' if $self->{sim}->last_seq != $seq && !$o->{split};
		$b->sql('SELECT qts.activate()');
	}
	$self->continue_on($b);
	return;
}

# A promoted copy that nobody activated stays silent while the original trades on.
sub copy_beside
{
	my ($self) = @_;
	my ($a, $b) = @$self{qw(a b)};
	$b->sql('SELECT pg_promote(true, 20)');
	$b->need(q{(SELECT count(*) = 4 FROM qts._workers() WHERE state = 'FENCED')});
	$self->disarm($a);
	$self->continue_on($a);
	return;
}

# Whoever split the two has noticed by now.
sub calm
{
	my ($self) = @_;
	$self->{a}->power_off if $self->{o}{split} && $self->{a}{pid};
	return $self->SUPER::calm;
}

# Rows that never reached the new primary: its orders there are somebody's, by number.
sub judge
{
	my ($self) = @_;
	my @bad = $self->SUPER::judge;
	return @bad unless $self->{lost};
	return ($self->claimed_again, grep { !/^I[14] / } @bad);
}

sub schedule
{
	my ($self, $seed) = @_;
	@$self{qw(lost expected claimed)} = (0, []);
	return $self->SUPER::schedule($seed);
}

1;
