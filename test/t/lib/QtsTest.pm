# QtsTest.pm
#		A server with the engine in it, its simulator, and questions about both.
#
# Needs, as PGXS's prove_installcheck sets them: perl -I of this folder and of
# $(pg_config --pgxs | xargs dirname)/../../src/test/perl; PATH with the server's
# bindir; PG_REGRESS = .../pgxs/src/test/regress/pg_regress; TESTDIR and TESTLOGDIR
# (writable, data and logs go below them); an unprivileged user.  QTS_KIS_SIM names the
# simulator's binary, test/kis_sim/kis_sim by default.  The extension is installed.
#
# Every wait polls for the event with a deadline; a wait that fails prints what
# the engine says about itself.
package QtsTest;

use strict;
use warnings;

BEGIN { $ENV{PG_TEST_TIMEOUT_DEFAULT} //= 30; }

use Exporter 'import';
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use QtsSim;

our @EXPORT = qw(KRX_OPEN SAMSUNG HYNIX ACCOUNT);

use constant KRX_OPEN => '2026-11-20T10:00:00+09:00';
use constant SAMSUNG => '005930';
use constant HYNIX => '000660';
use constant ACCOUNT => '12345678-01';

my $count = 0;

sub write_credentials
{
	my ($self, $text, $mode) = @_;
	my $file = "$self->{dir}/credentials.json";
	unlink $file;
	open my $fh, '>', $file or die "$file: $!";
	print $fh $text // encode_json({ credentials => { main => {
		app_key => 'PSAPPKEY' . '0' x 27 . 'A', app_secret => 'secretsecret',
		hts_id => 'myhtsid' } } });
	close $fh;
	chmod $mode // 0600, $file or die "$file: $!";
	return $file;
}

# The server's settings; own settings come last and win.
sub conf
{
	my ($self, %own) = @_;
	my %set = (
		shared_preload_libraries => 'qts', 'qts.database' => 'trading',
		'qts.credentials_file' => "$self->{dir}/credentials.json",
		'qts.sim_clock' => $self->{virtual} ? 'on' : 'off',
		'qts.http_timeout' => '5s', 'qts.ledger_interval' => '1s',
		'qts.ledger_idle_interval' => '1s', 'qts.balance_interval' => '1s',
		# prices are what the feed pushes, unless a test is about the others
		'qts.quotes' => 'off', 'qts.reference_data' => 'off', 'qts.exit_interval' => '60s', max_worker_processes => 16, max_connections => 20,
		log_statement => 'none', restart_after_crash => 'on', log_min_messages => 'info',
		%own);
	return join '', map { "$_ = '$set{$_}'\n" } grep { defined $set{$_} } sort keys %set;
}

# A server without the extension; options: name, conf, init, clock, sim.
sub new
{
	my ($class, %o) = @_;
	my $self = bless {
		dir => PostgreSQL::Test::Utils::tempdir(),
		virtual => defined $o{clock}, clock => $o{clock}, db => 'trading' }, $class;
	$self->{sim} = $o{share} // QtsSim->start($self->{dir}, clock => $o{clock}, %{ $o{sim} // {} })
	  unless $o{no_sim};
	$self->write_credentials;
	$self->{node} = PostgreSQL::Test::Cluster->new(($o{name} // 'engine') . ++$count);
	return $self if $o{bare};
	$self->{node}->init(%{ $o{init} // {} });
	$self->{node}->append_conf('postgresql.conf', $self->conf(%{ $o{conf} // {} }));
	$self->{node}->start;
	$self->{node}->safe_psql('postgres', 'CREATE DATABASE trading') unless $o{empty};
	return $self;
}

# The same, trading: activated, one account, holdings adopted, prices flowing.
sub engine
{
	my ($class, %o) = @_;
	my $self = $class->new(%o);
	$self->install;
	$self->add_account;
	$self->wait_trading;
	return $self;
}

sub install
{
	my ($self) = @_;
	$self->sql('CREATE EXTENSION qts');
	$self->follow_clock;
	$self->sql('SELECT qts.activate()');
	return;
}

# Virtual: the simulator's instant.  Real: today and tomorrow are open round the clock.
sub follow_clock
{
	my ($self) = @_;
	if ($self->{virtual})
	{
		my $us = $self->{sim} ? $self->{sim}->now_us : 0;
		$self->sql("SELECT qts.set_clock(to_timestamp($us / 1000000.0))");
		return;
	}
	$self->sql(q{INSERT INTO market.calendar (date, is_open, auction_at, open_at, closing_auction_at,
		close_at, end_at)
		SELECT timezone('Asia/Seoul',
			now())::date + d, true, '00:00', '00:00', '23:59:58', '23:59:59', '23:59:59'
		FROM generate_series(0, 1) AS d ON CONFLICT (date) DO UPDATE SET is_open = true,
		auction_at = excluded.auction_at, open_at = excluded.open_at,
		closing_auction_at = excluded.closing_auction_at, close_at = excluded.close_at,
		end_at = excluded.end_at});
	return;
}

# Move the broker and the engine by the same time; while the server is down only the broker.
sub advance
{
	my ($self, $seconds) = @_;
	$self->advance_broker($seconds);
	return $self->follow_clock;
}

sub advance_broker
{
	my ($self, $seconds) = @_;
	my $us = $self->{sim}->now_us + $seconds * 1_000_000;
	my @t = gmtime(int($us / 1_000_000) + 9 * 3600);
	my $iso = sprintf '%04d-%02d-%02dT%02d:%02d:%02d+09:00', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1,
		0 ];
	return $self->{sim}->set_clock($iso);
}

sub add_account
{
	my ($self, %o) = @_;
	my $rest = $o{rest} // $self->{sim}{rest};
	my $ws = $o{ws} // $self->{sim}{ws};
	my $more = join '', map { ", $_ => '$o{$_}'" } grep { defined $o{$_} } 'credentials';
	my $environment = $o{environment} // 'sim';
	$self->sql("SELECT qts.add_account('" . ACCOUNT . "', environment => '$environment',"
		  . " rest_url => 'http://127.0.0.1:$rest', ws_url => 'ws://127.0.0.1:$ws'$more)");
	return;
}

sub sql { my ($self, $sql) = @_; return $self->{node}->safe_psql($self->{db}, $sql); }

# The SQLSTATE of a statement that must fail, and its message.
sub error
{
	my ($self, $sql, $db) = @_;
	my ($rc, $out, $err) = $self->{node}->psql($db // $self->{db},
		"\\set VERBOSITY verbose\n$sql");
	my ($state, $message) = $err =~ /ERROR:\s+(\w{5}):\s*(.*)/;
	my ($hint) = $err =~ /HINT:\s*(.*)/;
	return { state => $state // '', message => $message // '', hint => $hint // '', text => $err };
}

sub report
{
	my ($self) = @_;
	for my $sql ('SELECT * FROM qts.status()', 'SELECT * FROM qts.health()',
		'SELECT severity, code, subject, count, message FROM system.alerts
			ORDER BY last_ts DESC LIMIT 10',
		'SELECT symbol, qty, filled_qty, reason_code, status, error_code, error_message
			FROM trade.order_intents ORDER BY created_ts DESC LIMIT 8',
		'SELECT broker_order_no, symbol, qty, filled_qty, status, attempt, cancel_state, error_code,
		error_message FROM trade.orders ORDER BY created_ts DESC LIMIT 8',
		'SELECT symbol, qty, status, exit_mode, quarantine_reason FROM trade.positions')
	{
		my ($rc, $out, $err) = $self->{node}->psql($self->{db}, $sql);
		diag("$sql\n$out$err");
	}
	return;
}

# A test: the condition becomes true before the deadline.
# A server in recovery turns psql away before it has read the question: ask again.
sub poll
{
	my ($self, $sql) = @_;
	while (1)
	{
		my $met = eval { $self->{node}->poll_query_until($self->{db}, $sql) };
		return $met unless $@;
		die $@ unless $@ =~ /Broken pipe/;
	}
}

sub until
{
	my ($self, $condition, $name) = @_;
	my $met = $self->poll("SELECT ($condition)");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($met, $name // $condition) or $self->report;
	return $met;
}

# The same where failing makes the rest pointless.
sub need
{
	my ($self, $condition) = @_;
	return if $self->poll("SELECT ($condition)");
	$self->report;
	die "never happened: $condition";
}

sub wait_running
{
	my ($self) = @_;
	$self->need(q{(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker'
		AND state = 'RUNNING')});
	return;
}

# Orders can leave and notices arrive.
sub wait_trading
{
	my ($self) = @_;
	$self->wait_running;
	$self->need(q{EXISTS (SELECT FROM qts.status() WHERE kind = 'feed' AND state = 'UP')});
	$self->need(q{EXISTS (SELECT FROM trade.account_sync WHERE state = 'READY')});
	$self->wait_subscribed if $self->{sim};
	return;
}

# The broker has the notices and every held symbol on its list.
sub wait_subscribed
{
	my ($self) = @_;
	my $n = $self->sql(q{SELECT count(DISTINCT symbol) + 1 FROM trade.positions
		WHERE status <> 'CLOSED'});
	my $deadline = time + 30;
	while (time < $deadline)
	{
		my @keys = map { @{ $_->{subscriptions} // [] } } @{ $self->{sim}->call('GET',
			'/sessions')->{sessions} };
		return if @keys >= $n;
		# the next frame from the engine, a request to subscribe, ends this wait
		$self->{sim}->call('GET', '/wait?timeout_ms=200&counter=frames_received&count='
			  . ($self->{sim}->stats->{frames_received} + 1));
	}
	die 'the feed never subscribed';
}

sub pid
{
	my ($self, $worker) = @_;
	return $self->sql("SELECT pid FROM qts._workers() WHERE worker = '$worker'");
}

sub position
{
	my ($self, $symbol) = @_;
	return $self->sql("SELECT position_id FROM trade.positions WHERE symbol = '$symbol'
		ORDER BY created_ts DESC LIMIT 1");
}

sub enable
{
	my ($self, @symbols) = @_;
	$self->sql("SELECT qts.set_position_exit_mode('" . $self->position($_)
		. "', 'ENABLED')") for @symbols;
	return;
}

# Asks for a sale; returns the intent.
sub exit_position
{
	my ($self, $symbol, $rest) = @_;
	return $self->sql("SELECT qts.exit('" . $self->position($symbol) . "'" . ($rest // '') . ')');
}

# A new price, seen by the engine: published, and looked at by whoever watches.
sub tick
{
	my ($self, $symbol, $price) = @_;
	my $before = $self->sql("SELECT count(*) FROM market.prices_ticks WHERE symbol = '$symbol'");
	$self->{sim}->price($symbol, $price);
	$self->need("(SELECT count(*) FROM market.prices_ticks WHERE symbol = '$symbol') > $before");
	$self->need("(SELECT last FROM qts.price('$symbol')) = $price");
	return;
}

sub metric
{
	my ($self, $name) = @_;
	return $self->sql("SELECT value FROM qts.metrics WHERE name = '$name'");
}

sub set_conf
{
	my ($self, %set) = @_;
	$self->{node}->append_conf('postgresql.conf', join '',
		map { "$_ = '$set{$_}'\n" } sort keys %set);
	$self->{node}->reload;
	# sessions show the postmaster's value, and it told its children before it started the session
	for my $name (sort keys %set)
	{
		$self->{node}->poll_query_until($self->{db},
			"SELECT setting = '$set{$name}' FROM pg_settings WHERE lower(name) = lower('$name')");
	}
	return;
}

# The worker has begun and ended a turn since now.
sub wait_turn
{
	my ($self, $worker) = @_;
	my $turns = $self->sql("SELECT turns FROM qts._workers() WHERE worker = '$worker'");
	$self->need("(SELECT turns > $turns + 1 FROM qts._workers() WHERE worker = '$worker')");
	return;
}

sub healthy
{
	my ($self, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $bad = $self->sql('SELECT * FROM qts.check_invariants()');
	return is($bad, '', ($name // 'state') . ': no invariant is violated') || $self->report;
}

# The engine's orders, fills and positions are the broker's, as sets.
sub agrees
{
	my ($self, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $truth = $self->{sim}->truth;
	my @theirs = map {
		my $amount = 0;
		$amount += $_->{qty} * $_->{price} for @{ $_->{fills} };
		join ' ', $_->{odno}, $_->{symbol}, $_->{side}, $_->{qty}, $_->{filled}, $amount
	} grep { $_->{kind} eq 'new' } @{ $truth->{orders} };
	push @theirs, map { "$_->{symbol} holds $_->{qty}" } grep { $_->{qty} > 0 }
	  map { @{ $_->{holdings} } } grep { $_->{account} eq ACCOUNT } @{ $truth->{accounts} };
	my $ours = $self->sql(q{SELECT concat_ws(' ', o.broker_order_no, o.symbol, lower(o.side), o.qty,
			o.filled_qty,
			(SELECT coalesce(sum(f.qty * f.price),
				0)::bigint FROM trade.fills f WHERE f.order_uid = o.order_uid))
		FROM trade.orders o WHERE o.broker_order_no IS NOT NULL
		UNION ALL SELECT symbol || ' holds ' || sum(qty) FROM trade.positions WHERE qty > 0
		GROUP BY symbol});
	return is(join("\n", sort split /\n/, $ours), join("\n", sort @theirs),
		($name // 'state')
			. ': orders, fills and positions are those of the broker') || $self->report;
}

# One request per attempt that the engine knows of.
sub posts_are
{
	my ($self, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($self->{sim}->posts, $expected, "$name: $expected orders were sent in all");
	is($self->sql(q{SELECT coalesce(sum(attempt), 0) FROM trade.orders WHERE origin = 'AUTO'}),
		$expected,
		"$name: each is an attempt the engine knows");
	return;
}

# A streaming standby, running; it reads the same credentials file and the same simulator.
sub standby
{
	my ($self, $name) = @_;
	my $c = ref($self)->new(name => $name, share => $self->{sim}, bare => 1);
	@$c{qw(virtual clock)} = @$self{qw(virtual clock)};
	$self->{node}->backup($name);
	$c->{node}->init_from_backup($self->{node}, $name, has_streaming => 1);
	$c->{node}->start;
	return $c;
}

# From now on commits wait for the standby.
sub need_standby
{
	my ($self, $level) = @_;
	$self->set_conf(synchronous_standby_names => '*', synchronous_commit => $level // 'on');
	# it is the checkpointer who tells everybody, and it reads its settings first
	$self->sql('CHECKPOINT');
	$self->need(q{EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')});
	return;
}

sub stop
{
	my ($self, $mode) = @_;
	$self->{node}->stop($mode);
	return;
}

1;
