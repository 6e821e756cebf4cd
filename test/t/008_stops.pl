# 008_stops.pl
#		Three stops that do not need each other: a row, a setting, a file.  Each with a
#		trigger waiting behind it; nothing leaves until the stop is lifted.
use strict;
use warnings;
use Test::More;
use QtsTest;

my @symbols = (SAMSUNG, HYNIX, '035720', '051910', '068270');
my $e = QtsTest->engine(
	clock => KRX_OPEN,
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 100,
		avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } @symbols ] });
my $sim = $e->{sim};
my $halt = "$e->{dir}/halt";
my $posts = 0;

$e->enable(@symbols);

# The stop loss of this symbol is decided and stays where it is.
sub waits
{
	my ($symbol, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$e->tick($symbol, 66000);
	$e->until("(SELECT status = 'NEW' FROM trade.order_intents WHERE symbol = '$symbol'
		AND reason_code = 'SL2')", "$name: the intent waits");
	# the ledger is read every second, and every read looks for work
	$e->wait_turn('execution') for 1 .. 2;
	ok($sim->wait_path('daily-ccld', 2, $sim->last_seq), "$name: the worker is alive");
	is($sim->posts, $posts, "$name: no POST");
	return;
}

sub resumes
{
	my ($symbol, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$posts++;
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '$symbol')",
		"$name: it is sold once the stop is gone");
	is($sim->posts, $posts, "$name: by one POST");
	$e->healthy($name);
	return;
}

sub test_row
{
	$e->sql("SELECT qts.deactivate('test')");
	$e->until(q{(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker'
		AND state = 'INACTIVE')}, 'deactivate(): every worker stops');
	my $seq = $sim->last_seq;
	$sim->price(SAMSUNG, 66000);
	is($e->error("SELECT qts.exit('" . $e->position(SAMSUNG) . "')")->{state}, 'QT001',
		'deactivate(): a person is told: QT001');
	is($sim->last_seq, $seq, 'deactivate(): the broker hears nothing at all');
	$e->sql('SELECT qts.activate()');
	$e->wait_trading;
	$e->tick(SAMSUNG, 65900);
	resumes(SAMSUNG, 'activate()');
	return;
}

# Buys and the emergency stop: protective exits pass.
sub entry
{
	my ($key) = @_;
	return $e->sql(q{WITH i AS (INSERT INTO trade.order_intents (account_id, symbol, intent_type, qty,
		reason_code, action_key, source_module)
		VALUES ('} . ACCOUNT . q{', '} . HYNIX . qq{', 'ENTRY', 5, 'MANUAL', '$key',
			'MANUAL') RETURNING intent_id),
		a AS (INSERT INTO system.audit_log (action, object) SELECT 'test',
			intent_id FROM i) SELECT intent_id FROM i});
}

sub test_emergency
{
	$e->sql("SELECT qts.emergency_stop(true, 'test')");
	my $intent = entry('e1');
	$e->until("(SELECT status = 'CANCELLED' AND error_code = 'QT008' FROM trade.order_intents
		WHERE intent_id = '$intent')",
		'emergency stop: a buy is refused');
	is($sim->posts, $posts, 'emergency stop: no POST');
	$e->tick(HYNIX, 66000);
	resumes(HYNIX, 'emergency stop: a stop loss passes');
	$e->sql("SELECT qts.emergency_stop(false, 'test')");
	$intent = entry('e2');
	$posts++;
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')",
		'emergency stop lifted: a buy passes');
	is($sim->posts, $posts, 'by one POST');
	return;
}

sub test_setting
{
	my $session = $e->{node}->background_psql('trading');
	$session->query_safe('BEGIN; LOCK TABLE trade.orders, trade.order_intents, trade.exit_control,
		system.engine IN ACCESS EXCLUSIVE MODE');
	$e->{node}->append_conf('postgresql.conf', "qts.trading_mode = 'off'\n");
	$e->{node}->reload;
	$e->{node}->poll_query_until('postgres',
		q{SELECT setting = 'off' FROM pg_settings WHERE name = 'qts.trading_mode'})
	  or die 'the setting never came';
	pass('trading_mode off: set while every table is locked');
	$session->query_safe('COMMIT');
	$session->quit;
	$e->wait_trading;
	waits('035720', 'trading_mode off');
	is($e->error("SELECT qts.exit('" . $e->position('051910') . "')")->{state}, 'QT015',
		'trading_mode off: a person is told: QT015');
	$e->set_conf('qts.trading_mode' => 'paper');
	resumes('035720', 'trading_mode paper');
	return;
}

sub test_file
{
	$e->set_conf('qts.halt_file' => $halt);
	$e->wait_turn('execution');
	open my $fh, '>', $halt or die "$halt: $!";
	close $fh;
	waits('051910', 'halt_file');
	unlink $halt;
	resumes('051910', 'halt_file removed');
	return;
}

test_row();
test_emergency();
test_setting();
test_file();
$e->posts_are($posts, 'all stops');
$e->agrees('all stops');
$e->stop;
done_testing();
