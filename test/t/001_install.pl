# 001_install.pl
#		Installing, activating, dropping; and what an engine says that cannot trade.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use QtsTest;

my $workers = q{(SELECT count(*) FROM qts.status() WHERE kind = 'worker' AND state = 'RUNNING')};

sub test_lifecycle
{
	my $e = QtsTest->new(clock => KRX_OPEN);
	$e->sql('CREATE EXTENSION qts');
	$e->until(q{(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker' AND state = 'INACTIVE'
		AND detail LIKE '%qts.activate()%')}, 'created: every worker waits and says for what');
	is($e->error("SELECT qts.add_account('1', environment => 'sim')")->{state}, 'QT011',
		'an account number is checked');
	$e->follow_clock;
	$e->sql('SELECT qts.activate()');
	$e->until("$workers = 4", 'activated: four workers run');
	my $before = $e->sql('SELECT count(*) FROM pg_auth_members') . $e->sql('SELECT count(*)
		FROM trade.exit_profiles');
	$e->sql('SELECT qts.activate()');
	is($e->sql('SELECT count(*) FROM pg_auth_members') . $e->sql('SELECT count(*)
		FROM trade.exit_profiles'),
		$before, 'activating again changes nothing');
	$e->add_account;
	$e->wait_trading;
	is($e->sql('SELECT state FROM qts.health()'), 'ok', 'healthy');
	ok($e->sql('SELECT count(*) FROM system.audit_log') >= 3, 'every call left an audit row');
	my $pids = $e->sql('SELECT string_agg(pid::text, $$ $$ ORDER BY slot) FROM qts._workers()');

	# Dropped while it runs: the workers step aside at once and stay.
	$e->sql('DROP EXTENSION qts');
	is($e->sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'qts %'}), 4,
		'dropped live: the workers stay');
	$e->sql('CREATE EXTENSION qts');
	$e->until("$workers = 0", 'and trade nothing in the new one');
	$e->follow_clock;
	$e->sql('SELECT qts.activate()');
	$e->add_account;
	$e->wait_trading;
	is($e->sql('SELECT string_agg(pid::text, $$ $$ ORDER BY slot) FROM qts._workers()'), $pids,
		'created live: the same processes run it');
	is($e->sql('SELECT count(*) FROM trade.positions'), 2, 'the holdings are adopted again');

	$e->{node}->restart;
	$e->wait_running;
	$e->follow_clock;
	$e->wait_trading;
	is($e->sql('SELECT count(*) FROM trade.positions'), 2, 'restarted: the same positions');
	is($e->{sim}->posts, 0, 'nothing was traded by any of this');
	$e->healthy;
	$e->stop;
	$e->{sim}->stop;
	return;
}

sub test_refusals
{
	my $e = QtsTest->new(no_sim => 1, conf => { shared_preload_libraries => undef });
	$e->sql('CREATE EXTENSION qts');
	my $error = $e->error('SELECT qts.activate()');
	is($error->{state}, 'QT201', 'without preload: QT201');
	like($error->{hint}, qr/shared_preload_libraries/, 'and what to do');
	is($e->error('SELECT * FROM qts.status()')->{state}, 'QT201', 'status() says the same');
	$e->stop;

	$e->{node}->append_conf('postgresql.conf',
		"shared_preload_libraries = 'qts'\nmax_worker_processes = 2\n");
	$e->{node}->start;
	$e->sql('SELECT qts.activate()');
	$e->until(q{EXISTS (SELECT FROM qts.status() WHERE kind = 'worker' AND state = 'NOT_STARTED')},
		'too few worker slots: status() shows what was not started');
	unlike($e->sql(q{SELECT detail FROM qts.status() WHERE state = 'NOT_STARTED'
		AND coalesce(detail, '') NOT LIKE '%max_worker_processes%'
		UNION ALL SELECT 'silent' WHERE EXISTS (SELECT FROM qts.status()
		WHERE state = 'NOT_STARTED' AND coalesce(detail, '') = '')}),
		qr/\S/, 'and each says why');
	is($e->sql('SELECT state FROM qts.health()'), 'down', 'health() says down');
	like($e->sql('SELECT reasons FROM qts.health()'), qr/NOT_STARTED/, 'and names it');

	$e->{node}->safe_psql('postgres', 'CREATE EXTENSION qts');
	$error = $e->error('SELECT qts.activate()', 'postgres');
	is($error->{state}, 'QT202', 'in another database: QT202');
	like($error->{hint}, qr/qts\.database/, 'and what to do');
	$e->stop;
	return;
}

# Start afresh with this file and account; the alert that comes, with its hint.
sub said
{
	my ($e, $name, $code, $message, %o) = @_;
	$e->sql("SELECT qts.deactivate('test')");
	$e->need(q{(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker'
		AND state = 'INACTIVE')});
	$e->sql('SELECT qts.acknowledge_alert(alert_id) FROM system.alerts
		WHERE acknowledged_ts IS NULL');
	$e->sql(q{SELECT qts.remove_account(account_id) FROM trade.accounts
		WHERE status <> 'REMOVED'});
	$e->write_credentials(@{ $o{file} // [] });
	unlink "$e->{dir}/credentials.json" if $o{missing};
	$e->add_account(%{ $o{account} // {} });
	$e->sql('SELECT qts.activate()');
	$e->until("EXISTS (SELECT FROM system.alerts WHERE code ~ '$code' AND severity = 'CRITICAL'"
		  . " AND message ~ '$message' AND acknowledged_ts IS NULL
			AND coalesce(hint, '') <> '')", "$name: an alert with a hint");
	isnt($e->sql('SELECT state FROM qts.health()'), 'ok', "$name: health() is not ok");
	is($e->{sim}->posts, 0, "$name: nothing is traded");
	return;
}

sub test_broken_setups
{
	my $e = QtsTest->new(clock => KRX_OPEN);
	my $key = 'PSAPPKEY' . '0' x 27;
	my $entry = '{"credentials":{"main":{"app_key":"%s","app_secret":"%s","hts_id":"myhtsid"}}}';
	$e->install;
	said($e, 'credentials file missing', 'CREDENTIALS', 'cannot be opened', missing => 1);
	said($e, 'readable by others', 'CREDENTIALS', 'can be read by others',
		file => [ undef, 0644 ]);
	said($e, 'malformed', 'CREDENTIALS', 'not valid JSON at line',
		file => ['{"credentials": {"main": ']);
	said($e, 'no such entry', 'CREDENTIALS', 'no entry "nobody"',
		account => { credentials => 'nobody' });
	said($e, 'wrong app key', 'BROKER_REFUSED', '.',
		file => [ sprintf $entry, $key . 'Z', 'secretsecret' ]);
	said($e, 'wrong secret', 'BROKER_REFUSED', '.',
		file => [ sprintf $entry, $key . 'A', 'notmysecret1' ]);
	# a port nobody listens on: the one of a simulator that has just gone
	my $gone = QtsSim->start(PostgreSQL::Test::Utils::tempdir(), clock => KRX_OPEN);
	my ($rest, $ws) = @$gone{qw(rest ws)};
	$gone->stop;
	said($e, 'broker unreachable', 'BROKER_UNREACHABLE', '.',
		account => { rest => $rest, ws => $ws });
	is($e->sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'qts %'}), 4,
		'the workers are up through all of it');
	my $log = slurp_file($e->{node}->logfile);
	unlike($log, qr/\Q$key\E|secretsecret|notmysecret1/, 'no key in the log');
	unlike($e->sql('SELECT string_agg(a::text, chr(10)) FROM system.alerts a'),
		qr/\Q$key\E|secretsecret|notmysecret1/,
		'no key in the alerts');

	# Mended: it trades without being told.
	$e->sql("SELECT qts.deactivate('test')");
	$e->need(q{(SELECT count(*) = 4 FROM qts.status() WHERE kind = 'worker'
		AND state = 'INACTIVE')});
	$e->sql("SELECT qts.remove_account('" . ACCOUNT . "')");
	$e->write_credentials('{}');
	$e->add_account;
	$e->sql('SELECT qts.activate()');
	$e->need(q{EXISTS (SELECT FROM qts.status() WHERE kind = 'feed' AND state = 'FAILED')});
	$e->write_credentials;
	$e->wait_trading;
	is($e->sql('SELECT count(*) FROM trade.positions'), 2,
		'a mended file is read without a restart');
	$e->healthy;
	$e->stop;
	$e->{sim}->stop;
	return;
}

test_lifecycle();
test_refusals();
test_broken_setups();
done_testing();
