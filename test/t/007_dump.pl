# 007_dump.pl
#		Copies of a trading database: a promoted standby and a restored dump hold the
#		same rows and trade only when they may.  Whoever asks the broker is seen there.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use QtsTest;

my @symbols = (SAMSUNG, HYNIX, '035720', '051910');
my $first = QtsTest->engine(
	init => { allows_streaming => 1 },
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100, avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000, price => 70000 } } @symbols ] });
my $sim = $first->{sim};

# process_locks is each running worker's own row; partitions count on their own.
my $tables = q{SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname IN ('system', 'market', 'trade') AND c.relkind IN ('r', 'p') AND c.relname <> 'process_locks' ORDER BY 1};
my $sequences = q{SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname IN ('system', 'market', 'trade') AND c.relkind = 'S' ORDER BY 1};
my $triggers = q{SELECT concat_ws(' ', tgrelid::regclass, tgenabled, pg_get_triggerdef(oid)) FROM pg_trigger
	WHERE NOT tgisinternal ORDER BY 1};

# One statement that describes every row and counter of the engine in a few lines.
sub contents_query
{
	my ($c) = @_;
	my @parts = map { qq{SELECT '$_ ' || count(*) || ' ' || coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")), '') FROM $_ AS t} }
	  split /\n/, $c->sql($tables);
	push @parts, map { "SELECT '$_ ' || last_value || ' ' || is_called FROM $_" } split /\n/, $c->sql($sequences);
	return join(' UNION ALL ', @parts) . ' ORDER BY 1';
}

sub make_history
{
	my ($c) = @_;
	$c->sql(q{SELECT count(*) FROM qts.import_minute_bars(E'symbol,ts,open,high,low,close,volume\n'
		'005930,2026-10-30T15:30,1,1,1,1,1\n005930,2026-11-02T09:00,1,1,1,1,1\n')});
	$c->sql(q{SELECT count(*) FROM qts.import_daily_bars(E'symbol,date,open,high,low,close,volume\n005930,2026-10-30,1,1,1,1,1\n')});
	$c->enable(SAMSUNG);
	$c->tick(SAMSUNG, 70000);
	$c->tick(SAMSUNG, 67900);
	$c->need(q{EXISTS (SELECT FROM trade.order_intents WHERE symbol = '005930' AND reason_code = 'SL1' AND status = 'FILLED')});
	$c->tick(SAMSUNG, 66500);
	$c->need(q{EXISTS (SELECT FROM trade.exit_events WHERE symbol = '005930')});
	my $rests = $c->exit_position(HYNIX, ", 40, 'LMT', 72000");
	$c->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE intent_id = '$rests')");
	$c->exit_position('035720', ', 30');
	$c->need(q{(SELECT count(*) = 0 FROM trade.orders WHERE status NOT IN ('FILLED', 'SUBMITTED'))});
	$c->sql("SELECT qts.set_exit_mode('PAUSE_PROFIT', 'for the dump')");
	return;
}

# Every worker has made two more turns; a reload wakes the idle ones.
sub all_look
{
	my ($c) = @_;
	my $turns = $c->sql(q{SELECT string_agg(format('(%s, %s)', slot, turns), ', ') FROM qts._workers()});
	$c->need("(SELECT pg_reload_conf()) AND (SELECT bool_and(w.turns > b.turns + 1) FROM qts._workers() AS w"
		  . " JOIN (VALUES $turns) AS b (slot, turns) USING (slot))");
	return;
}

# All four look, and none of them asks the broker for anything.
sub stays_quiet
{
	my ($c, $hint, $name) = @_;
	$c->until("(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker' AND state = 'FENCED' AND detail ~ '$hint')",
		"$name: FENCED, and says what to do");
	my $seq = $sim->last_seq;
	$c->sql('UPDATE trade.accounts SET updated_ts = clock_timestamp()');
	all_look($c);
	is($sim->last_seq, $seq, "$name: the broker hears nothing of it");
	is(scalar @{ $sim->call('GET', '/sessions')->{sessions} }, 0, "$name: and nobody listens to its feed");
	is($c->error("SELECT qts.exit('" . $c->position('051910') . "', 1)")->{state}, 'QT204', "$name: nor is an exit taken");
	is(($c->sql('SELECT state FROM qts.health()')), 'down', "$name: health() says down");
	return;
}

sub sells_one
{
	my ($c, $name) = @_;
	my $seq = $sim->last_seq;
	my $intent = $c->exit_position('051910', ', 1');
	$c->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')", "$name: it sells");
	is($sim->posts($seq), 1, "$name: with one POST");
	$c->healthy($name);
	$c->agrees($name);
	return;
}

# An order is under way when its server dies; the answer is lost with it.
sub dies_in_flight
{
	my ($from, $to, $qty) = @_;
	my $seq = $sim->last_seq;
	$sim->fault('hold_reply');
	my $intent = $from->exit_position('051910', ", $qty");
	ok($sim->wait_posts(1, $seq), "an order for $qty is under way");
	$from->{node}->wait_for_catchup($to->{node}, 'replay', $from->{node}->lsn('insert'));
	is($to->sql('SELECT count(*) FROM qts._workers() WHERE pid IS NOT NULL AND pid <> 0'), 0, 'a standby has no workers');
	$from->stop('immediate');
	$sim->release;
	return ($intent, $seq);
}

# The new server finds what became of the order and sends nothing again.
sub follows
{
	my ($c, $intent, $seq, $qty, $name) = @_;
	$c->wait_trading;
	$c->until("(SELECT status = 'FILLED' AND filled_qty = $qty FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: the order under way is found filled");
	is($sim->posts($seq), 1, "$name: and was not sent again");
	return;
}

sub test_promotion
{
	my ($from) = @_;
	my $manual = $from->standby('manual');
	my ($intent, $seq) = dies_in_flight($from, $manual, 7);
	$manual->{node}->promote;
	stays_quiet($manual, 'timeline 1, this is timeline 2.*qts.activate', 'promoted, manual');
	is($manual->sql("SELECT status FROM trade.orders WHERE intent_id = '$intent'"), 'PENDING_SUBMIT', 'promoted, manual: the order waits');
	$manual->sql(q{SELECT qts.activate(failover => 'auto')});
	follows($manual, $intent, $seq, 7, 'activated after promotion');

	my $auto = $manual->standby('auto');
	($intent, $seq) = dies_in_flight($manual, $auto, 8);
	$auto->{node}->promote;
	follows($auto, $intent, $seq, 8, 'promoted, auto');
	is($auto->sql('SELECT timeline FROM system.engine'), 3, 'promoted, auto: it is bound to the new timeline');
	sells_one($auto, 'promoted, auto');
	return $auto;
}

# pg_dump of the trading engine; the checksums are of the same snapshot.
sub dump_live
{
	my ($c) = @_;
	my $file = "$c->{dir}/trading.sql";
	my $query = contents_query($c);
	my $session = $c->{node}->background_psql('trading');
	$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	my $snapshot = $session->query_safe('SELECT pg_export_snapshot()');
	my $contents = $session->query_safe($query);
	$c->{node}->command_ok([ 'pg_dump', '--snapshot', $snapshot, '-f', $file, '-d', $c->{node}->connstr('trading') ],
		'pg_dump of the trading engine');
	$session->quit;
	return ($file, $contents);
}

# Roles are the cluster's, not the database's: a restore brings them first.
sub restore_roles
{
	my ($from, $to) = @_;
	my ($out, $err) = run_command([ 'pg_dumpall', '--roles-only', '-d', $from->{node}->connstr('postgres') ]);
	my $me = $from->{node}->safe_psql('postgres', 'SELECT current_user');
	$to->{node}->safe_psql('postgres', join "\n", grep { !/^(CREATE|ALTER) ROLE "?\Q$me\E"?[ ;]/ && !/^\\/ } split /\n/, $out);
	return;
}

sub test_guards
{
	my ($r) = @_;
	is($r->error('UPDATE trade.fills SET qty = qty + 1')->{state}, 'QT010', 'restored: fills are append-only');
	is($r->error("UPDATE trade.order_intents SET qty = qty + 1 WHERE symbol = '000660'")->{state}, 'QT010',
		'restored: what an intent wanted is frozen');
	is($r->error("UPDATE trade.orders SET status = 'SUBMITTED' WHERE status = 'FILLED'")->{state}, 'QT004',
		'restored: a filled order stays filled');
	my $day = $r->sql(q{SELECT min(tableoid::regclass::text) FROM market.prices_ticks});
	is($r->error("TRUNCATE $day")->{state}, 'QT010', 'restored: a partition is not truncated');
	is($r->error("DELETE FROM $day")->{state}, 'QT010', 'restored: nor emptied');
	# by hand around the API: the sum of live exits is guarded by the table itself
	is($r->error(q{INSERT INTO trade.order_intents (account_id, position_id, symbol, intent_type, qty, reason_code, action_key, source_module)
		SELECT account_id, position_id, symbol, 'EXIT_PARTIAL', 61, 'MANUAL', 'too much', 'MANUAL'
		FROM trade.positions WHERE symbol = '000660'})->{state}, 'QT005', 'restored: no more than what is free can be sold');
	return;
}

sub test_restore
{
	my ($from) = @_;
	my ($file, $contents) = dump_live($from);
	my $source_triggers = $from->sql($triggers);
	my $r = QtsTest->new(name => 'restored', share => $sim);
	restore_roles($from, $r);
	$from->stop;
	my $seq = $sim->last_seq;
	$r->{node}->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $r->{node}->connstr('trading') ],
		'restored without an error');
	is($r->sql(contents_query($r)), $contents, 'restored: every table and sequence is equal');
	like($contents, qr/^market\.prices_ticks_\d{8} [1-9]/m, 'with ticks in partitions');
	is($r->sql($triggers), $source_triggers, 'restored: the same triggers');
	cmp_ok($r->sql(q{SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'qts_%'}), '>', 30, 'and not few');
	is($sim->last_seq, $seq, 'the restore told the broker nothing');
	test_guards($r);
	stays_quiet($r, 'another cluster.*qts.activate', 'restored');
	$r->sql('SELECT qts.activate()');
	$r->wait_trading;
	is($r->sql('SELECT mode FROM trade.exit_control'), 'PAUSE_PROFIT', 'activated: control modes are kept');
	is($r->sql("SELECT status FROM trade.orders WHERE symbol = '000660'"), 'SUBMITTED', 'activated: the resting order is known');
	$sim->price(HYNIX, 72000);
	$r->until("(SELECT status = 'FILLED' AND filled_qty = 40 FROM trade.orders WHERE symbol = '000660')",
		'activated: and its fill booked');
	sells_one($r, 'activated');
	$r->stop;
	return;
}

make_history($first);
test_restore(test_promotion($first));
done_testing();
