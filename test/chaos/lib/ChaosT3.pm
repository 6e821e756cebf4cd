# ChaosT3.pm
#		A schedule of tier 3: prepare an account, trade and break things, come to rest, judge.
package ChaosT3;

use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use JSON::PP;
use Time::HiRes qw(time sleep);
use ChaosEvents;
use ChaosFaults;
use ChaosRandom;
use ChaosServer;
use ChaosVerdict;
use QtsSim;

use constant HASTE => 20;
use constant SYMBOLS => ChaosEvents::SYMBOLS;
use constant BASE => ChaosEvents::BASE;
use constant START => '2026-11-20T09:10:00+09:00';
use constant ROUNDS => 60;
use constant SIM_RATE => 18 * HASTE;    # the broker's second is as short as the engine's

sub new
{
	my ($class, $dir) = @_;
	mkdir $dir or die "$dir: $!";
	my $sim = QtsSim->start($dir, clock => START, holdings => [],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => BASE, price => BASE } } SYMBOLS ],
		options => { pingpong_ms => 500 });
	my $server = ChaosServer->new(dir => $dir, sim => $sim, haste => HASTE);
	my $self = bless { sim => $sim, server => $server, dir => $dir, accounts => 0 }, $class;
	$server->init($self->settings);
	$server->start;
	$self->create;
	return $self;
}

sub settings { return (); }

# The database, the engine in it, and what the drivers need.
sub create
{
	my ($self) = @_;
	my $server = $self->{server};
	{
		local $server->{db} = 'postgres';
		$server->sql('CREATE DATABASE trading');
		$server->{dbh}->disconnect;
		$server->{dbh} = undef;
	}
	$server->sql('CREATE EXTENSION qts');
	for my $file ("$ENV{CHAOS_SQL}/points.sql", "$ENV{CHAOS_SQL}/lib/engine.sql")
	{
		open my $fh, '<', $file or die "$file: $!";
		local $/;
		$server->dbh->do(scalar <$fh>);
	}
	$server->follow_clock;
	$server->sql('SELECT qts.activate()');
	$server->need("(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker' AND state = 'RUNNING')");
	return;
}

sub end
{
	my ($self) = @_;
	my @bad = ChaosVerdict::secrets($self->{server}{log}, ChaosServer::APP_KEY, ChaosServer::APP_SECRET,
		$self->tokens);
	print "# $_\n" for @bad;
	$self->{server}->stop('immediate');
	$self->{sim}->stop;
	system 'rm', '-rf', "$self->{dir}/data";
	die "I10 is broken, see $self->{server}{log}\n" if @bad;
	return;
}

# The access token as the engine keeps it.
sub tokens
{
	my ($self) = @_;
	my @found;
	for my $file (glob "$self->{dir}/*token*")
	{
		open my $fh, '<', $file or next;
		local $/;
		push @found, (<$fh> // '') =~ /"(?:access_)?token"\s*:\s*"([^"]{20,})"/g;
	}
	return @found;
}

sub keep
{
	my ($self, $to) = @_;
	my $server = $self->{server};
	mkdir $to;
	ChaosServer::write_file("$to/trace", join '', map { "$_\n" } @{ $self->{trace} });
	ChaosServer::write_file("$to/truth", JSON::PP->new->canonical->pretty->ascii->encode($self->truth));
	ChaosServer::write_file("$to/requests", join '', map { JSON::PP->new->canonical->ascii->encode($_) . "\n" } $self->requests);
	my @tables = map { ("SELECT '$_'", "SELECT to_jsonb(t) FROM $_ AS t") } qw(trade.accounts trade.account_sync
		trade.positions trade.holdings trade.order_intents trade.orders trade.fills trade.notices trade.exit_events
		system.alerts qts.pending);
	s/qts\.pending/qts_test.pending/g for @tables;
	system "cp $self->{dir}/*log $to/";
	$self->unlock;
	ChaosServer::write_file("$to/tables", join '', map { map { "$_->[0]\n" } @{ $server->sql($_) } } @tables)
	  if $server && ($server->{pid} || $server->postmaster);
	return 1;
}

sub truth { my ($self) = @_; return $self->{sim}->call('GET', "/truth?account=$self->{account}"); }

sub requests
{
	my ($self) = @_;
	return @{ $self->{sim}->call('GET', "/requests?since=$self->{since}")->{requests} };
}

sub note
{
	my ($self, $text) = @_;
	push @{ $self->{trace} }, sprintf '%.4f %s', time - $self->{began}, $text;
	return;
}

#----- before

# Noon is far from the session's ends: a schedule takes some minutes.
sub next_morning
{
	my ($self) = @_;
	my $server = $self->{server};
	my $now = int($self->{sim}->now_us / 1_000_000) + 9 * 3600;
	return if $now % 86400 < 13 * 3600;
	my $morning = $server->value(q{SELECT extract(epoch FROM min(date) + time '09:10')::bigint FROM market.calendar
		WHERE is_open AND date > to_timestamp(?)::date}, int($now / 86400) * 86400) // die 'no open day';
	$server->set_clock($morning - 9 * 3600);
	return;
}

sub prepare
{
	my ($self, $random) = @_;
	my ($sim, $server) = @$self{qw(sim server)};
	my $account = $self->{account} = sprintf '%08d-01', 10_000_000 + ++$self->{accounts};
	$sim->clear;
	$server->sql("UPDATE trade.accounts SET status = 'REMOVED'");
	$server->need("(SELECT bool_and(detail LIKE '0 %') FROM qts._workers() WHERE worker IN ('execution', 'prices'))");
	$self->next_morning;
	$server->sql('SELECT qts_test.forget()');
	$server->sql('VACUUM') if $self->{accounts} % 50 == 0;
	$server->sql("SELECT qts.set_exit_mode('RUNNING', 'start')");
	my %qty = map { $_ => $random->from(2, 30) * 10 } SYMBOLS;
	$sim->config(
		options => { partial_fills => $random->pick(1, 1, 2, 3), accept_before_reply => $random->pick(\0, \0, \1),
			ledger_lag_ms => $random->pick(0, 0, 0, 100), fill_delay_ms => $random->pick(0, 0, 0, 5),
			piece_delay_ms => $random->pick(0, 0, 3), ws_fragment => $random->pick(0, 0, 0, 7),
			page_ledger => $random->pick(1, 2, 100),
			rate_per_second => SIM_RATE },
		accounts => [ { account => $account, cash => 100_000_000, holdings => [
			map { { symbol => $_, name => "S$_", qty => $qty{$_}, avg_price => BASE } } SYMBOLS ] } ],
		apps => [ { app_key => ChaosServer::APP_KEY, app_secret => ChaosServer::APP_SECRET, hts_id => 'myhtsid',
			accounts => [$account] } ]);
	$sim->call('POST', '/price', { prices => [ map { { symbol => $_, price => BASE } } SYMBOLS ] });
	$self->{price} = { map { $_ => BASE } SYMBOLS };
	$server->sql(q{SELECT qts.add_account(?, environment => 'sim', rest_url => ?, ws_url => ?)}, $account,
		"http://127.0.0.1:$sim->{rest}", "ws://127.0.0.1:$sim->{ws}");
	$server->need(q{(SELECT ready = 1 AND feeds = 1 FROM qts_test.pending)
		AND (SELECT count(*) = 4 FROM trade.positions)});
	$self->wait_subscribed;
	for my $symbol (SYMBOLS)
	{
		$server->sql('SELECT qts.set_position_exit_mode(position_id, ?) FROM trade.positions WHERE symbol = ?',
			$random->chance(75) ? 'ENABLED' : 'MANUAL_ONLY', $symbol);
	}
	$self->{since} = $sim->last_seq;
	$server->log_since;
	return;
}

sub wait_subscribed
{
	my ($self) = @_;
	my $deadline = time + 10;
	while (time < $deadline)
	{
		my @keys = map { @{ $_->{subscriptions} // [] } } @{ $self->{sim}->call('GET', '/sessions')->{sessions} };
		return if @keys >= 5;
		sleep ChaosServer::POLL;
	}
	die "the feed never subscribed\n";
}

#----- stops

# A refusal by the engine's own rules is an outcome, anything else a finding.
sub act
{
	my ($self, $sql, @bind) = @_;
	my $rows = $self->{server}->try($sql, @bind);
	my $state = $self->{server}{state};
	push @{ $self->{bad} }, "event failed: $self->{server}{error}"
	  if !$rows && $state !~ /^(QT0(01|04|05|06|07|08|11|12|13|14|15)|55P03|57P0[123]|40P01)$/;
	return $rows;
}

# I9: what was claimed when the halt had committed is all that is claimed until it ends.
my $claims = q{SELECT coalesce(string_agg(order_uid || ':' || attempt, ' ' ORDER BY order_uid), '')
	FROM trade.orders WHERE origin = 'AUTO'};

sub halt
{
	my ($self) = @_;
	$self->unlock;
	$self->act('SELECT qts.pause_account(?, ?)', $self->{account}, 'chaos') or return 'refused';
	$self->{halted} = { claims => $self->{server}->value($claims) };
	return 'halted';
}

sub resume
{
	my ($self) = @_;
	my $halted = delete $self->{halted};
	$self->unlock;
	my $now = $self->{server}->value($claims);
	push @{ $self->{bad} }, "I9 claimed after the halt: $now, not $halted->{claims}" if $now ne $halted->{claims};
	for (1 .. 20)
	{
		last if $self->act('SELECT qts.resume_account(?)', $self->{account});
	}
	return 'resumed';
}

#----- faults

sub fired { my ($self, $fault) = @_; $self->{fired}{"$fault->{name}\t$fault->{step}"}++; return; }

sub kill_worker
{
	my ($self, $random) = @_;
	my $worker = $random->pick(qw(execution execution prices exit monitor));
	my $pid = $self->{server}->value('SELECT pid FROM qts._workers() WHERE worker = ?', $worker);
	return "$worker is away" unless $pid;
	$self->{killed} = { name => "SIGKILL $worker", step => 'any' };
	kill 'KILL', $pid;
	return "$worker $pid";
}

sub signal_worker
{
	my ($self, $random, $function) = @_;
	my $worker = $random->pick(qw(execution execution prices exit));
	$self->{server}->try("SELECT $function(pid) FROM qts._workers() WHERE worker = ? AND pid > 0", $worker);
	$self->fired({ name => "$function $worker", step => 'any' });
	return $worker;
}

# Somebody's DDL or careless LOCK, held over the next events.
sub lock_storm
{
	my ($self, $random) = @_;
	return 'already' if $self->{locker};
	my $table = $random->pick(qw(trade.orders trade.positions trade.order_intents trade.accounts trade.notices
		system.engine market.prices_ticks));
	my $mode = $random->pick('EXCLUSIVE', 'ACCESS EXCLUSIVE', 'SHARE');
	my $dbh = eval { DBI->connect("dbi:Pg:host=$self->{dir};port=5432;dbname=trading", 'postgres', '',
		{ RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 0 }) } or return 'no session';
	$self->{locker} = $dbh;
	if (!eval { $dbh->do("SET client_min_messages = error; SET lock_timeout = 100; LOCK TABLE $table IN $mode MODE") })
	{
		$self->unlock;
		return 'not had';
	}
	$self->{lock_left} = $random->from(2, 8);
	$self->fired({ name => "lock $mode", step => 'any' });
	return "$table $mode";
}

sub unlock
{
	my ($self) = @_;
	my $dbh = delete $self->{locker} or return;
	local $SIG{__WARN__} = sub { };    # its server may have crashed meanwhile
	eval { $dbh->rollback };
	eval { $dbh->disconnect };
	return;
}

sub broker_strike
{
	my ($self, $random) = @_;
	my $f = ChaosFaults::broker_fault($random);
	my %match = %{ $f->{match} };
	my $id = $self->{sim}->fault($f->{mode}, match => \%match, params => $f->{params}, times => $f->{times});
	$self->{rules}{$id} = $f;
	return "$f->{name} from the $match{nth}. on, $f->{times} times" if $match{nth};
	return $f->{name};
}

sub strike
{
	my ($self, $random) = @_;
	my $kind = $random->weighted([ 12, 'broker' ], [ 4, 'kill point' ], [ 4, 'error point' ], [ 1, 'SIGKILL' ],
		[ 2, 'cancel' ], [ 1, 'terminate' ], [ 2, 'lock' ])->[1];
	return $self->broker_strike($random) if $kind eq 'broker';
	if ($kind =~ /^(\w+) point/)
	{
		my $f = ChaosFaults::point_fault($random, $1);
		# noted before: it may act before the answer comes
		$self->{armed}{"$f->{point} $f->{how}"} = $f;
		$self->act('SELECT qts_test.arm(?, ?, ?)', $f->{point}, $f->{how}, $f->{skip}) or return 'refused';
		return "$f->{name} after $f->{skip}";
	}
	return $self->kill_worker($random) if $kind eq 'SIGKILL';
	return $self->signal_worker($random, 'pg_cancel_backend') if $kind eq 'cancel';
	return $self->signal_worker($random, 'pg_terminate_backend') if $kind eq 'terminate';
	return $self->lock_storm($random);
}

# A session was lost: the whole server came back.  Somebody must have asked for it.
sub crashed
{
	my ($self) = @_;
	my @kills = grep { $_->{how} eq 'kill' } values %{ $self->{armed} };
	my $killed = delete $self->{killed};
	$self->note('the server came back');
	push @{ $self->{bad} }, 'the server crashed and nobody killed it' unless $killed || @kills;
	$self->fired($killed) if $killed;
	# of several armed ones the first to be met; which one, the log does not tell
	$self->fired($kills[0]) if !$killed && @kills;
	$self->{armed} = {};
	$self->unlock;
	$self->{server}->follow_clock;
	return;
}

#----- the end

# Nothing breaks any more; what was stopped may go on.
sub calm
{
	my ($self) = @_;
	my ($sim, $server) = @$self{qw(sim server)};
	$self->unlock;
	for my $f (@{ $sim->call('GET', '/faults')->{faults} })
	{
		$self->fired($self->{rules}{ $f->{id} }) if $f->{fired} > 0 && $self->{rules}{ $f->{id} };
	}
	$sim->clear;
	$sim->release;
	# a copy: the server may come back meanwhile, and then none is armed
	my @points = map { $_->{point} } values %{ $self->{armed} };
	$server->sql("SELECT qts_test.arm(?, 'nothing')", $_) for @points;
	$self->resume if $self->{halted};
	$server->sql("SELECT qts.resume_account(account_id) FROM trade.accounts WHERE status = 'PAUSED'");
	$server->sql("SELECT qts.set_exit_mode('RUNNING', 'calm')");
	$server->sql("SELECT qts.emergency_stop(false, 'calm')");
	# what died at its point just before may be noticed only now: it stays armed here
	$server->need(q{(SELECT workers = 4 FROM qts_test.pending)});
	return;
}

# What the operator's page says a person does: look at the broker, and settle it.
sub person
{
	my ($self) = @_;
	my $server = $self->{server};
	my $open = $server->sql(q{SELECT order_uid, symbol, side, qty, broker_order_no FROM trade.orders
		WHERE status = 'UNKNOWN' AND quarantined});
	my %sent = map { $_->{odno} => 1 } grep { $_->{path} =~ /order-cash/ && $_->{odno} =~ /[1-9]/ } $self->requests;
	for my $o (@$open)
	{
		my ($uid, $symbol, $side, $qty, $number) = @$o;
		my %taken = map { $_->[0] => 1 } @{ $server->sql(q{SELECT broker_order_no FROM trade.orders
			WHERE broker_order_no IS NOT NULL AND origin = 'AUTO'}) };
		my ($found) = grep { $_->{kind} eq 'new' && $sent{ $_->{odno} } && !$taken{ $_->{odno} }
			&& $_->{symbol} eq $symbol && $_->{side} eq lc $side && $_->{qty} == $qty } @{ $self->truth->{orders} };
		$self->{people}++;
		$self->note('a person settles ' . ($found ? $found->{odno} : 'what never arrived') . " of $symbol");
		$self->act('SELECT qts.resolve_order(?, ?, ?, ?)', $uid, $found || $number ? 'ACCEPTED' : 'NOT_ACCEPTED',
			$number // ($found ? $found->{odno} : undef), 'chaos');
	}
	$self->act(q{SELECT qts.release_position(position_id, 'chaos') FROM trade.positions
		WHERE quarantine_reason IS NOT NULL AND status <> 'CLOSED'});
	# OTHER_ENGINE: compared, and nobody else trades here any more
	$self->act(q{SELECT qts.resume_account(account_id) FROM trade.accounts WHERE status = 'PAUSED'});
	return;
}

sub cancel_all
{
	my ($self) = @_;
	for my $row (@{ $self->{server}->sql("SELECT intent_id FROM trade.order_intents WHERE $ChaosEvents::live") })
	{
		$self->act("SELECT qts.cancel_intent(?, 'rest')", $row->[0]);
	}
	$self->note('a person cancels what rests');
	return;
}

# Until every witness was asked again and agrees, or it takes too long.
sub rest
{
	my ($self) = @_;
	my $server = $self->{server};
	my @differ;
	for my $round (1 .. ROUNDS)
	{
		my $asked = $server->value('SELECT qts._now()');
		$server->advance($round < 4 ? 2 : 17);
		my $met = $server->until(q{SELECT ready = 1 AND workers = 4 AND feeds = 1
			AND ledger_at > $1::timestamptz AND balance_at > $1::timestamptz FROM qts_test.pending}, 0.5, $asked);
		$self->person if $round > 3;
		# while an order of ours rests, a holding that somebody else changed is not corrected
		$self->cancel_all if $round == 8;
		next unless $met && $server->value('SELECT orders + intents + cancels = 0 FROM qts_test.pending');
		@differ = ChaosVerdict::agrees($server, $self->truth, $self->{account});
		return unless @differ;
	}
	my $pending = $server->dbh->selectrow_hashref('SELECT * FROM qts_test.pending');
	return ('I13 never came to rest: ' . join(', ', map { "$_ " . ($pending->{$_} // 'null') } sort keys %$pending), @differ);
}

sub judge
{
	my ($self) = @_;
	my $server = $self->{server};
	my @requests = $self->requests;
	my @lines = $server->log_since;
	my %points = ChaosFaults::points();
	for my $point (map { /point "([\w.]+)" fails/ ? $1 : () } @lines)
	{
		$self->fired({ name => "error at $point", step => $points{$point} });
	}
	my @cash = grep { $_->{path} =~ /order-cash/ } @requests;
	return (ChaosVerdict::posts($server, $self->{account}, @cash), ChaosVerdict::rate(@requests),
		ChaosVerdict::no_short($self->truth), ChaosVerdict::invariants($server),
		ChaosVerdict::log_lines($self->{expected} // [], @lines));
}

# For other tiers: before the account is made, and more of the plan.
sub set_up { return; }
sub extend { return; }

sub schedule
{
	my ($self, $seed) = @_;
	my $random = ChaosRandom->new($seed);
	@$self{qw(bad fired rules armed trace began people)} = ([], {}, {}, {}, [], time, 0);
	$self->unlock;
	delete @$self{qw(halted killed)};
	$self->set_up($random);
	my $server = $self->{server};
	$server->{on_crash} = sub { push @{ $self->{bad} }, 'the server crashed before the schedule' };
	$self->prepare($random);
	$self->note('prepared');
	$server->{on_crash} = sub { $self->crashed };
	my $events = $random->from(50, 70);
	my %strikes = map { $random->below($events - 5) => 1 } 1 .. $random->from(2, 7);
	my @plan;
	for my $i (0 .. $events - 1)
	{
		push @plan, 'strike' if $strikes{$i};
		push @plan, ChaosEvents::draw($random);
	}
	$self->extend($random, \@plan);
	for my $name (@plan)
	{
		# numbers are drawn from the seed and the place, not from what happened
		my $drawn = ChaosRandom->new($random->next64);
		my $said = ChaosEvents::happens($self, $name, $drawn) // $self->$name($drawn);
		$self->note("$name: $said");
		$self->unlock if $self->{locker} && --$self->{lock_left} <= 0;
	}
	$self->note('calm');
	$self->calm;
	# a schedule without a fault proves nothing
	if (!%{ $self->{fired} })
	{
		$self->{sim}->fault('ws_rst');
		$self->fired({ name => 'feed reset', step => 'S6' });
	}
	my @bad = $self->rest;
	push @bad, $self->judge;
	$self->note('judged');
	return { bad => [ @{ $self->{bad} }, @bad ], fired => { %{ $self->{fired} } }, events => scalar @plan,
		hash => md5_hex("@plan"), seconds => time - $self->{began}, people => $self->{people} };
}

1;
