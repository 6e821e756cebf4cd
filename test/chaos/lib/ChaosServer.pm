# ChaosServer.pm
#		A private cluster with the engine, one session to it that survives crashes,
#		and the virtual clock it shares with the simulator.
#
# The programs of $ENV{CHAOS_BIN} have named points.  Every wait polls with a deadline.
package ChaosServer;

use strict;
use warnings;
use DBI;
use JSON::PP;
use POSIX qw(WNOHANG);
use Time::HiRes qw(time sleep);

use constant PATIENCE => 30;
use constant POLL => 0.003;
use constant APP_KEY => 'PSAPPKEY' . '0' x 27 . 'A';
use constant APP_SECRET => 'secretsecret';

my %running;    # data directory => program that stops its server

# dir: ours alone.  haste: how much faster the engine's intervals pass.
sub new
{
	my ($class, %o) = @_;
	my $self = bless { port => 5432, haste => 20, %o }, $class;
	$self->{data} //= "$self->{dir}/data";
	$self->{log} //= "$self->{dir}/log";
	return $self;
}

sub run
{
	my ($self, $program, @args) = @_;
	my $out = "$self->{dir}/out";
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		open STDOUT, '>', $out or die "$out: $!";
		open STDERR, '>&', \*STDOUT or die "$out: $!";
		$ENV{QTS_HASTE} = $self->{haste};
		exec "$ENV{CHAOS_BIN}/$program", @args or die "$program: $!";
	}
	waitpid $pid, 0;
	return $? == 0;
}

sub said { my ($self) = @_; open my $fh, '<', "$self->{dir}/out" or return ''; local $/; return <$fh>; }

sub write_file
{
	my ($file, $text) = @_;
	open my $fh, '>:utf8', $file or die "$file: $!";
	print $fh $text;
	close $fh or die "$file: $!";
	chmod 0600, $file;
	return;
}

# Settings of the file; own ones come last and win.
sub conf
{
	my ($self, %own) = @_;
	my %set = (
		port => $self->{port}, unix_socket_directories => $self->{dir}, listen_addresses => '',
		shared_preload_libraries => 'qts', max_worker_processes => 16, max_connections => 20,
		shared_buffers => '16MB', dynamic_shared_memory_type => 'mmap', fsync => 'off', autovacuum => 'off', jit => 'off',
		recovery_init_sync_method => 'syncfs', max_wal_size => '64MB', min_wal_size => '8MB',
		log_line_prefix => '%m [%p] %b %a %e ', log_min_messages => 'info', log_checkpoints => 'off',
		log_timezone => 'UTC', timezone => 'UTC', update_process_title => 'off',
		'qts.database' => 'trading', 'qts.sim_clock' => 'on',
		'qts.credentials_file' => "$self->{dir}/credentials.json", 'qts.http_timeout' => '500ms',
		'qts.ledger_interval' => '1s', 'qts.ledger_idle_interval' => '1s', 'qts.balance_interval' => '1s',
		'qts.unknown_grace_sell' => '30s', 'qts.exit_interval' => '1s', 'qts.rest_rate_sim' => 12,
		# a price comes when the schedule says, not once more when all is at rest
		'qts.quotes' => 'off',
		'qts.error_limit' => 1000, %own);
	return join '', map { "$_ = '$set{$_}'\n" } sort keys %set;
}

sub init
{
	my ($self, %own) = @_;
	$self->run('initdb', '-D', $self->{data}, qw(-U postgres -A trust -E UTF8 --locale=C --no-sync
		--wal-segsize=1)) or die 'initdb: ' . $self->said;
	write_file("$self->{dir}/credentials.json", encode_json({ credentials => { main => {
		app_key => APP_KEY, app_secret => APP_SECRET, hts_id => 'myhtsid' } } }));
	$self->append($self->conf(%own));
	return $self;
}

sub append
{
	my ($self, $text) = @_;
	open my $fh, '>>', "$self->{data}/postgresql.conf" or die "postgresql.conf: $!";
	print $fh $text;
	close $fh;
	return;
}

sub start
{
	my ($self) = @_;
	$self->run('pg_ctl', '-D', $self->{data}, '-l', $self->{log}, qw(-w -s -t 60 start))
	  or die 'start: ' . $self->said;
	$running{ $self->{data} } = $self;
	return $self;
}

# The same as a child of ours, whose end we see; ready as soon as it takes a session.
sub launch
{
	my ($self, %o) = @_;
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $self->{log} or die "$self->{log}: $!";
		open STDERR, '>&', \*STDOUT or die "$self->{log}: $!";
		$ENV{QTS_HASTE} = $self->{haste};
		exec "$ENV{CHAOS_BIN}/postgres", '-D', $self->{data} or die "postgres: $!";
	}
	$self->{pid} = $pid;
	$running{ $self->{data} } = $self;
	local $self->{db} = 'postgres';
	$self->dbh;
	$self->disconnect;
	return $self;
}

sub disconnect
{
	my ($self) = @_;
	my $dbh = delete $self->{dbh} or return;
	eval { $dbh->disconnect };
	return;
}

# Processes of this server alone: the postmaster's children.
sub children
{
	my ($self) = @_;
	my @found;
	for my $file (glob '/proc/[0-9]*/stat')
	{
		open my $fh, '<', $file or next;
		my $line = <$fh> // next;
		push @found, $1 if $line =~ /^(\d+) \(.*\) \S (\d+) / && $2 == $self->{pid};
	}
	return @found;
}

# As when the machine loses power: nobody gets to say goodbye.
sub power_off
{
	my ($self) = @_;
	return unless $self->{pid};
	my @children = $self->children;
	kill 'KILL', $self->{pid}, @children;
	$self->reap;
	my $deadline = time + PATIENCE;
	for my $child (@children)
	{
		sleep POLL while -d "/proc/$child" && time < $deadline;
	}
	return;
}

sub reap
{
	my ($self) = @_;
	waitpid $self->{pid}, 0;
	delete $running{ $self->{data} };
	delete $self->{pid};
	my $dbh = delete $self->{dbh};
	$dbh->{InactiveDestroy} = 1 if $dbh;
	return;
}

# mode: fast or immediate
sub halt
{
	my ($self, $mode) = @_;
	kill $mode eq 'fast' ? 'INT' : 'QUIT', $self->{pid};
	$self->reap;
	return;
}

sub stop
{
	my ($self, $mode) = @_;
	if ($self->{pid})
	{
		$self->power_off;
		return;
	}
	$self->{dbh} = undef;
	delete $running{ $self->{data} };
	return unless -e "$self->{data}/postmaster.pid";
	return $self->run('pg_ctl', '-D', $self->{data}, qw(-w -s -m), $mode // 'immediate', 'stop');
}

sub postmaster
{
	my ($self) = @_;
	open my $fh, '<', "$self->{data}/postmaster.pid" or return 0;
	my $pid = <$fh>;
	return int($pid // 0);
}

END
{
	my $status = $?;
	$_->stop('immediate') for values %running;
	$? = $status;
}

sub dbh
{
	my ($self) = @_;
	return $self->{dbh} if $self->{dbh};
	my $deadline = time + PATIENCE;
	my $dsn = "dbi:Pg:host=$self->{dir};port=$self->{port};dbname=" . ($self->{db} // 'trading');
	for (;;)
	{
		$self->{dbh} = eval { DBI->connect($dsn, 'postgres', '', {
			RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_server_prepare => 0 }) };
		last if $self->{dbh};
		die "no connection: $@" if time > $deadline;
		# a child of ours that has ended will never answer
		die "the server has ended\n" if $self->{pid} && waitpid($self->{pid}, WNOHANG) != 0;
		sleep POLL;
	}
	# a test's own lock must not stop the test
	$self->{dbh}->do('SET client_min_messages = error; SET lock_timeout = 300; SET synchronous_commit = local');
	return $self->{dbh};
}

# The rows, or undef with {state} set.  A session that was lost is opened again.
sub try
{
	my ($self, $sql, @bind) = @_;
	my $rows = eval {
		my $asked = $self->dbh->prepare($sql);
		$asked->execute(@bind);
		$asked->{NUM_OF_FIELDS} ? $asked->fetchall_arrayref : [];
	};
	if ($rows)
	{
		$self->{state} = '';
		return $rows;
	}
	my ($state, $error) = ($self->{dbh} ? $self->{dbh}->state : '08006', $@);
	if ($state =~ /^(08|57P)/ || !$self->{dbh} || !$self->{dbh}->ping)
	{
		$state = '57P02';
		$self->{dbh} = undef;
		$self->dbh;
		$self->{on_crash}->() if $self->{on_crash};
	}
	@$self{qw(state error)} = ($state, $error);
	return;
}

# What must work, across a crash too: ask only what may be asked twice.
sub sql
{
	my ($self, $sql, @bind) = @_;
	for (1 .. 20)
	{
		my $rows = $self->try($sql, @bind);
		return $rows if $rows;
		next if $self->{state} eq '57P02' || $self->{state} eq '55P03';
		die "$sql: $self->{error}";
	}
	die "$sql: never worked: $self->{error}";
}

sub value { my ($self, @ask) = @_; my $rows = $self->sql(@ask); return $rows->[0] ? $rows->[0][0] : undef; }

# True as soon as the condition is, false at the deadline.
sub until
{
	my ($self, $condition, $seconds, @bind) = @_;
	my $deadline = time + ($seconds // PATIENCE);
	while (time < $deadline)
	{
		return 1 if $self->value("SELECT ($condition)", @bind);
		sleep POLL;
	}
	return 0;
}

sub need
{
	my ($self, $condition, @bind) = @_;
	$self->until($condition, PATIENCE, @bind) or die "never happened: $condition\n";
	return;
}

# Both clocks at the simulator's instant.
sub follow_clock
{
	my ($self, $us) = @_;
	$us //= $self->{sim}->now_us;
	$self->sql('SELECT qts.set_clock(to_timestamp(?::float8 / 1000000))', $us);
	return;
}

sub set_clock
{
	my ($self, $second) = @_;
	my @t = gmtime($second + 9 * 3600);
	my $answer = $self->{sim}->set_clock(sprintf '%04d-%02d-%02dT%02d:%02d:%02d+09:00',
		$t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ]);
	$self->follow_clock($answer->{us});
	return;
}

sub advance
{
	my ($self, $seconds) = @_;
	return $self->set_clock(int($self->{sim}->now_us / 1_000_000) + $seconds);
}

# What the log says since the last time, line by line.
sub log_since
{
	my ($self) = @_;
	open my $fh, '<', $self->{log} or return;
	seek $fh, $self->{log_at} // 0, 0;
	my @lines = <$fh>;
	$self->{log_at} = tell $fh;
	return @lines;
}

1;
