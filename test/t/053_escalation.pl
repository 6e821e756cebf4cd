# 053_escalation.pl
#		Stale data holds exits back by itself and lets them go by itself (runtime 4.16): L3
#		when nothing is fresh or nobody works on prices, L2 when half of them are stale, L1 of
#		a single symbol, what a person sets meanwhile, and a worker that starts afresh in between.  The clock steps by less than the age of a
#		stale price, and the worker looks after every step; after the first story that
#		age is a minute, so that three minutes are few steps.
use strict;
use warnings;
BEGIN { $ENV{PG_TEST_TIMEOUT_DEFAULT} = 60; }
use Test::More;
use QtsTest;

my @held = qw(100001 100002 100003 100004 100005);
my $e = QtsTest->engine(clock => KRX_OPEN,
	conf => { 'qts.quotes' => 'on', 'qts.naver_url' => '', 'qts.breaker_threshold' => 0, 'qts.balance_interval' => '600s' },
	sim => { symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 100000, price => 100000 } } @held ],
		holdings => [ map { { symbol => $_, name => "S$_", qty => 100, avg_price => '100000' } } @held ] });
my $sim = $e->{sim};
my %p = map { $_ => $e->position($_) } @held;
my $n = 0;
my $step = 6;

sub control { return $e->sql('SELECT ' . ($_[0] // 'mode') . ' FROM trade.exit_control'); }
sub intents { return $e->sql("SELECT coalesce(string_agg(reason_code || ' ' || status, ', ' ORDER BY created_ts), '')
	FROM trade.order_intents WHERE symbol = '$_[0]'"); }
sub alert { return $e->sql("SELECT coalesce(string_agg(severity, ','), '') FROM qts.alerts WHERE code = '$_[0]' AND subject = '$_[1]'"); }
sub hold { return $e->sql("SELECT coalesce(hold, '') FROM trade.position_state WHERE position_id = '$p{$_[0]}'"); }
sub level { return $e->sql(q{SELECT coalesce(auto_level, 'NONE') FROM trade.exit_control}); }

# A whole turn of the worker, begun after this is called.  It is woken as by ticks: what is
# stale is looked at once a second of the engine's clock, however busy or idle the worker is.
sub look
{
	my $row = q{FROM qts._workers() WHERE worker = 'exit'};
	my ($pid, $turns) = split /\|/, $e->sql("SELECT pid, turns $row");
	for (1 .. 2)
	{
		kill 'USR1', $pid or die "no exit worker to wake: $!";
		$e->need("(SELECT turns > $turns $row)");
		$turns++;
	}
	return;
}

sub step { $e->advance(shift // $step); look(); return; }

# Nothing comes any more, or nothing of one symbol.
sub silence
{
	my ($symbol) = @_;
	my %match = defined $symbol ? (symbol => $symbol) : ();
	$sim->fault('ws_mute_ticks', match => {%match}, params => { ms => 36_000_000 });
	$sim->fault(defined $symbol ? 'quote_missing' : 'rate_limit', times => 0,
		match => { %match, path => defined $symbol ? 'multprice' : '/quotations/' });
	return;
}

# Other prices of these, by whatever way; those that are given come back to where nothing is sold.
sub prices
{
	my (@symbols) = @_;
	my $price = 100100 + 100 * ($n++ % 2);
	$sim->price($_, $price) for @symbols;
	$e->need("(SELECT last = $price AND NOT is_stale FROM qts.price('$_'))") for @symbols;
	return;
}

sub steps_until
{
	my ($condition, $name, @fresh) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $met = '';
	for (1 .. 60)
	{
		step();
		prices(@fresh) if @fresh;
		last if ($met = $e->sql("SELECT $condition")) eq 't';
	}
	return is($met, 't', $name) || $e->report;
}

sub live { return grep { $e->sql("SELECT status FROM trade.positions WHERE position_id = '$p{$_}'") ne 'CLOSED' } @held; }

sub restart_exit
{
	my $pid = $e->pid('exit');
	kill 'TERM', $pid;
	$e->need("(SELECT pid <> $pid AND state = 'RUNNING' FROM qts._workers() WHERE worker = 'exit')");
	look();
	return;
}

sub escalate { my ($name) = @_; silence(); return steps_until(q{auto_level = 'L3' FROM trade.exit_control}, $name); }

sub recover
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$sim->clear;
	$e->wait_subscribed;
	prices(live());
	return steps_until('auto_level IS NULL FROM trade.exit_control', $name, live());
}

sub test_failure
{
	silence();
	step(11);
	is(level(), 'NONE', 'nothing comes any more: not yet');
	steps_until(q{auto_level = 'L3' FROM trade.exit_control}, 'L3 when nothing was fresh for half a minute');
	my $waited = $e->sql("SELECT extract(epoch FROM (SELECT auto_ts FROM trade.exit_control) - max((qts.price(symbol)).recv_ts))
		FROM trade.positions");
	ok($waited >= 40 && $waited <= 60, 'ten seconds of age and thirty of waiting') || diag("L3 came after $waited s");
	is(control(q{concat_ws(' ', mode, updated_by, auto_mode, person_mode)}), 'PAUSE_ALL qts_exit PAUSE_ALL RUNNING',
		'PAUSE_ALL, set by the worker');
	is(alert('ESCALATION_L3', ''), 'CRITICAL', 'a person is called');
	like($e->sql(q{SELECT state || ' ' || detail FROM qts.status() WHERE kind = 'escalation'}),
		qr/^L3 PAUSE_ALL, then RUNNING again: 5 of 5 held symbols have no fresh price$/, 'qts.status() says so');
	like($e->sql(q{SELECT array_to_string(reasons, ';') FROM qts.health()}), qr/exit mode is PAUSE_ALL: 5 of 5/, 'and health()');
	is($e->sql(q{SELECT concat_ws(' ', actor, before ->> 'mode', after ->> 'mode', after ->> 'level') FROM system.audit_log
		WHERE action = 'escalate'}), 'qts_exit RUNNING PAUSE_ALL L3', 'an audit row');
	return;
}

# A worker that starts afresh knows what stands, and sets nothing twice.
sub test_restart
{
	restart_exit();
	step();
	is(level() . ' ' . control(), 'L3 PAUSE_ALL', 'the exit worker starts afresh: the level stands');
	is($e->sql(q{SELECT count(*) FROM system.audit_log WHERE action = 'escalate'}), 1, 'and is not set again');
	return;
}

sub test_return
{
	$sim->clear;
	$e->wait_subscribed;
	$sim->price('100001', 93000);
	$sim->price('100002', 88000);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE position_id = '$p{'100002'}')",
		'prices are back: HARD_STOP acts at once');
	is(intents('100002'), 'HARD_STOP FILLED', 'by itself');
	$e->need("(SELECT last = 93000 AND NOT is_stale FROM qts.price('100001'))");
	look();
	is($e->sql("SELECT blocked_by FROM qts.explain_exit('$p{'100001'}') WHERE rule = 'SL2' AND triggered"), 'CONTROL_MODE',
		'a stop loss on the first odd price waits');
	is(intents('100001'), '', 'nothing is sold');
	is(level(), 'L3', 'until it is over');
	restart_exit();
	prices(live());
	steps_until('auto_level IS NULL FROM trade.exit_control', 'half a minute of good prices ends it', live());
	is(control(q{concat_ws(' ', mode, auto_mode, person_mode)}), 'RUNNING', 'RUNNING by itself');
	is(control('updated_by'), $e->sql('SELECT updated_by FROM trade.exit_control_history WHERE updated_by <> $$qts_exit$$
		UNION ALL SELECT session_user LIMIT 1'), 'as a person had set it');
	is($e->sql('SELECT string_agg(mode, $$ $$ ORDER BY history_id) FROM trade.exit_control_history'), 'PAUSE_ALL RUNNING',
		'its history');
	is(alert('ESCALATION_L3', ''), 'INFO', 'the alert says that it is over');
	is($e->sql(q{SELECT count(*) FROM qts.status() WHERE kind = 'escalation'}), 0, 'nothing stands');
	is(intents('100001'), '', 'the odd price is gone');
	$sim->price('100001', 93000);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE position_id = '$p{'100001'}')",
		'the next price that calls for it sells');
	return;
}

# Two of three are stale, then the third.
sub test_unstable
{
	$sim->price('100003', 100000);
	silence($_) for qw(100004 100005);
	steps_until(q{auto_level = 'L2' FROM trade.exit_control}, 'L2 when most are stale for a minute', '100003');
	is(control(q{concat_ws(' ', mode, updated_by, person_mode)}), 'PAUSE_PROFIT qts_exit RUNNING', 'PAUSE_PROFIT, set by the worker');
	is(alert('ESCALATION_L2', ''), 'WARNING', 'a person is told');
	like($e->sql(q{SELECT detail FROM qts.status() WHERE kind = 'escalation'}), qr/: 2 of 3 held symbols have no fresh price$/,
		'qts.status() says so');
	$sim->price('100003', 130000);
	$e->need(q{(SELECT last = 130000 AND NOT is_stale FROM qts.price('100003'))});
	look();
	is($e->sql("SELECT blocked_by FROM qts.explain_exit('$p{'100003'}') WHERE rule = 'TP1' AND triggered"), 'CONTROL_MODE',
		'no profit is taken');
	prices('100003');
	$sim->clear;
	escalate('L2 becomes L3');
	is(control(), 'PAUSE_ALL', 'which is stricter');
	recover('and all of it ends at once');
	is(control(), 'RUNNING', 'with what a person had set');
	is(intents('100003'), '', 'nothing was sold');
	return;
}

# Prices are still fresh, but nobody would tell when they are not.
sub test_nobody
{
	my $lock = $e->sql("SELECT classid || ', ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = " . $e->pid('prices'));
	my $other = $e->{node}->background_psql($e->{db});
	$other->query_until(qr/asked/, "\\echo asked\nSELECT pg_advisory_lock($lock);\n");
	kill 'TERM', $e->pid('prices');
	$e->until(q{(SELECT state = 'WAITING' FROM qts._workers() WHERE worker = 'prices')}, 'the prices worker may not work');
	look();
	step(20);
	is(level(), 'NONE', 'not yet');
	step(15);
	is(level() . ' ' . control(), 'L3 PAUSE_ALL', 'L3 after half a minute');
	is($e->sql("SELECT string_agg(DISTINCT coalesce(blocked_by, ''), ' ') ~ 'STALE' FROM qts.explain_exit('$p{'100003'}')"), 'f',
		'with prices that are fresh');
	like($e->sql(q{SELECT detail FROM qts.status() WHERE kind = 'escalation'}), qr/the prices worker has not worked for 30 s$/,
		'for what it is');
	$other->quit;
	$e->need(q{(SELECT state = 'RUNNING' FROM qts._workers() WHERE worker = 'prices')});
	recover('it works again');
	is(control(), 'RUNNING', 'and the mode is what it was');
	return;
}

sub test_people
{
	$e->set_conf('qts.exit_max_price_age' => 60000);
	$step = 50;
	$e->sql(q{SELECT qts.set_exit_mode('PAUSE_PROFIT', 'earnings')});
	escalate('L3 again');
	is(control(), 'PAUSE_ALL', 'stricter than what a person had set');
	recover('and it recovers');
	is(control(q{concat_ws(' ', mode, reason)}), 'PAUSE_PROFIT earnings', 'to what a person had set');

	escalate('a third time');
	$e->sql(q{SELECT qts.set_exit_mode('RUNNING', 'I am looking')});
	is(control(q{concat_ws(' ', mode, auto_level)}), 'RUNNING L3', 'a person overrules it');
	step();
	step();
	is(control(), 'RUNNING', 'and is not overruled');
	like($e->sql(q{SELECT detail FROM qts.status() WHERE kind = 'escalation'}), qr/^left at RUNNING, overruled by /, 'which is seen');
	recover('it recovers');
	is(control(q{concat_ws(' ', mode, reason, overruled_by)}), 'RUNNING I am looking', 'nothing is taken back from a person');

	escalate('a fourth time');
	is(control(), 'PAUSE_ALL', 'the next time it acts again');
	$e->sql(q{SELECT qts.set_exit_mode('PAUSE_ALL', 'me too')});
	recover('it recovers');
	is(control(q{concat_ws(' ', mode, reason)}), 'PAUSE_ALL me too', 'what a person set meanwhile stays');
	$e->sql(q{SELECT qts.set_exit_mode('RUNNING', 'test')});
	return;
}

sub test_symbol
{
	my @others = grep { $_ ne '100003' } live();
	silence('100003');
	steps_until("hold = 'HELD' FROM trade.position_state WHERE position_id = '$p{'100003'}'", 'L1: a single symbol is stale', @others);
	is(level() . ' ' . control(), 'NONE RUNNING', 'the others go on');
	is(alert('ESCALATION_L1', '100003'), 'CRITICAL', 'a person is called');
	is($e->sql(q{SELECT name || ' ' || state FROM qts.status() WHERE kind = 'escalation'}), '100003 L1', 'qts.status() says so');
	is($e->sql("SELECT exits FROM qts.positions WHERE symbol = '100003'"), 'held', 'and qts.positions');
	$sim->clear;
	$sim->price('100003', 93000);
	$e->need("(SELECT last = 93000 AND NOT is_stale FROM qts.price('100003'))");
	look();
	is($e->sql("SELECT blocked_by FROM qts.explain_exit('$p{'100003'}') WHERE rule = 'SL2' AND triggered"), 'HELD_BACK',
		'its first price is held back');
	is(intents('100003'), '', 'nothing is sold');
	restart_exit();
	is(hold('100003'), 'HELD', 'the exit worker starts afresh: still held');
	prices(live());
	steps_until("hold IS NULL FROM trade.position_state WHERE position_id = '$p{'100003'}'", 'half a minute of good prices ends it',
		live());
	is(alert('ESCALATION_L1', '100003'), 'INFO', 'which is told');
	silence('100003');
	steps_until("hold = 'HELD' FROM trade.position_state WHERE position_id = '$p{'100003'}'", 'held back again', @others);
	$sim->clear;
	$sim->price('100003', 88000);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE position_id = '$p{'100003'}')", 'but HARD_STOP acts');
	is(intents('100003'), 'HARD_STOP FILLED', 'by itself');
	return;
}

# Two are left: one of two is a single symbol, too.
sub test_symbol_overruled
{
	silence('100004');
	steps_until("hold = 'HELD' FROM trade.position_state WHERE position_id = '$p{'100004'}'", 'one of two is held back', '100005');
	$e->enable('100004');
	is(hold('100004'), 'OVERRULED', 'a person overrules it');
	step();
	prices('100005');
	is(hold('100004'), 'OVERRULED', 'and is not overruled');
	$sim->clear;
	$sim->price('100004', 93000);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE position_id = '$p{'100004'}')", 'its stop loss sells');
	return;
}

# One is left, and nothing but alerts is wanted; then the session ends.
sub test_setting
{
	$e->set_conf('qts.escalation' => 'alert');
	escalate('qts.escalation = alert: the level is known');
	is(control(), 'RUNNING', 'but nothing is held back');
	is(alert('ESCALATION_L3', ''), 'CRITICAL', 'and a person is called');
	$e->set_conf('qts.escalation' => 'act');
	$e->until('(SELECT auto_level IS NULL FROM trade.exit_control)', 'changed: it begins anew');
	steps_until(q{auto_level = 'L3' FROM trade.exit_control}, 'and now it acts');
	is(control(), 'PAUSE_ALL', 'as set');
	$e->set_conf('qts.escalation' => 'off');
	$e->until(q{(SELECT mode = 'RUNNING' AND auto_level IS NULL FROM trade.exit_control)}, 'off takes it back');
	$e->set_conf('qts.escalation' => 'act');
	steps_until(q{auto_level = 'L3' FROM trade.exit_control}, 'L3 in the session');
	$sim->set_clock('2026-11-20T15:20:01+09:00');
	$e->follow_clock;
	$e->until(q{(SELECT mode = 'RUNNING' AND auto_level IS NULL FROM trade.exit_control)}, 'ends with it');
	return;
}

$e->enable(@held);
prices(@held);
step(2);
is(level(), 'NONE', 'all is well');
test_failure();
test_restart();
test_return();
test_unstable();
test_people();
test_nobody();
test_symbol();
test_symbol_overruled();
test_setting();
is($e->sql(q{SELECT coalesce(string_agg(verdict, ','), '') FROM trade.positions AS p, qts.replay(p.position_id)
	WHERE p.status = 'CLOSED' AND verdict <> 'SAME'}), '', 'a replay decides the same, held back where live was');
$e->healthy('at the end');
$e->agrees('at the end');
$e->stop;
done_testing();
