# 012_broker.pl
#		A broker that does not answer, limits the rate or is slow for one key only:
#		what leaves, and what does not.  The simulator's request log is the witness.
use strict;
use warnings;
use IO::Socket::INET;
use Test::More;
use PostgreSQL::Test::Utils;
use QtsSim;
use QtsTest;

my $e = QtsTest->engine(conf => { 'qts.breaker_threshold' => 3, 'qts.breaker_open' => '60s' });
my $sim = $e->{sim};

sub breaker
{
	my ($class) = @_;
	return "(SELECT ${class}_breaker FROM qts._sessions())";
}

sub log_says
{
	my ($text, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($e->{node}->wait_for_log($text), $name);
}

subtest 'an order gateway that does not answer is left alone' => sub {
	my $seq = $sim->last_seq;
	$sim->fault('html_502', times => 0, params => { accept => JSON::PP::false }, match => { path => 'order-cash' });
	# an unresolved order blocks its symbol and side: a person settles them to make room for the third
	my @intents = map { $e->exit_position($_, ', 1') } SAMSUNG, HYNIX;
	$e->need("(SELECT count(*) = 2 FROM trade.orders WHERE status = 'UNKNOWN')");
	is($e->sql('SELECT ' . breaker('order')), 'CLOSED', 'two failures are not three');
	$e->sql("SELECT qts.resolve_order(order_uid, 'NOT_ACCEPTED', reason => 'not at the broker') FROM qts.open_orders
		WHERE status = 'UNKNOWN'");
	push @intents, $e->exit_position(SAMSUNG, ', 1');
	$e->until(breaker('order') . " = 'OPEN'", 'the third opens the breaker');
	is($sim->posts($seq), 3, 'after three POSTs');
	$sim->clear;
	my $waiting = $e->exit_position(HYNIX, ', 2');
	$e->until("EXISTS (SELECT FROM system.alerts WHERE code = 'BREAKER_OPEN' AND subject = 'main/order')", 'an alert');
	like($e->sql("SELECT detail FROM qts.status() WHERE kind = 'session'"), qr/order breaker OPEN/, 'status() shows it');
	like($e->sql('SELECT reasons FROM qts.health()'), qr/session main is READY: order breaker OPEN/, 'so does health()');
	is($e->sql(q{SELECT value FROM qts.metrics WHERE name = 'qts_breaker_state'
		AND labels = 'credentials="main",class="order"'}), 1, 'and the metrics');
	my $lists = $sim->requests('inquire-daily-ccld');
	ok($sim->wait_path('inquire-daily-ccld', $lists + 2), 'lists are read all the while');
	is($sim->posts($seq), 3, 'no order leaves');
	is($e->sql("SELECT status FROM trade.order_intents WHERE intent_id = '$waiting'"), 'NEW', 'the exit waits');
	is($e->sql('SELECT ' . breaker('account')), 'CLOSED', 'the other breakers are closed');

	$e->set_conf('qts.breaker_open' => 100);
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$waiting')",
		'a shorter time reaches the open session; the probe is answered');
	is($sim->posts($seq), 4, 'one probe');
	$e->until(breaker('order') . " = 'CLOSED'", 'it closes the breaker');
	log_says(qr/the order breaker of "main" is closed/, 'the log says so');
	$e->sql("SELECT qts.resolve_order(order_uid, 'NOT_ACCEPTED', reason => 'not at the broker') FROM qts.open_orders
		WHERE status = 'UNKNOWN'");
	$e->sql('SELECT qts.acknowledge_alert(alert_id) FROM system.alerts WHERE acknowledged_ts IS NULL');
	$e->healthy('after the outage');
	$e->set_conf('qts.breaker_open' => 60000);
};

subtest 'lists that are not answered do not hold orders back' => sub {
	my $seq = $sim->last_seq;
	$sim->fault('html_502', times => 0, match => { path => 'inquire-' });
	$e->until(breaker('account') . " = 'OPEN'", 'the breaker of lists opens');
	my $intent = $e->exit_position(SAMSUNG, ', 1');
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')",
		'an order leaves and its notice fills it');
	is($sim->posts($seq), 1, 'with one POST');
	$sim->clear;
	$e->set_conf('qts.breaker_open' => 100);
	$e->until(breaker('account') . " = 'CLOSED'", 'lists come again');
	$e->set_conf('qts.breaker_open' => 60000);
	$e->healthy('after the lists');
};

$e->agrees('after the breakers');

# A thousand calls: each in one piece, or the peer's delayed acknowledgement costs 40 ms.
sub calls
{
	my ($path, @bodies) = @_;
	for my $body (map { JSON::PP::encode_json($_) } @bodies)
	{
		my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $sim->{control}) or die "control port: $@";
		print $socket "POST $path HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nContent-Length: "
		  . length($body) . "\r\n\r\n$body";
		my $answer = <$socket>;
		die "$path: $answer" unless $answer =~ / 200 /;
	}
	return;
}

# Lists of open orders in whole rounds of pages, after everything asked so far has come.
sub pages_of
{
	my ($path, $lists) = @_;
	my $done = $e->metric('qts_open_lists_total');
	$e->need("(SELECT value > $done FROM qts.metrics WHERE name = 'qts_open_lists_total')");
	my $seq = $sim->last_seq;
	my $from = $e->metric('qts_open_lists_total');
	$e->need("(SELECT value >= $from + $lists FROM qts.metrics WHERE name = 'qts_open_lists_total')");
	my $to = $sim->last_seq;
	my $whole = $e->metric('qts_open_lists_total') - $from;
	return (scalar(grep { $_->{seq} <= $to } $sim->requests($path, $seq)), $whole, $seq, $to);
}

subtest 'a thousand open orders' => sub {
	# nothing but lists tells of them
	$sim->fault('lose_notices', times => 0, params => { which => 'all' });
	calls('/order', map { { account => ACCOUNT, symbol => HYNIX, side => 'buy', qty => 1, price => 99000,
		ord_dvsn => '00', channel => 'HTS' } } 1 .. 1000);
	$e->until("(SELECT count(*) = 1000 FROM trade.orders WHERE account_id = '" . ACCOUNT . "' AND origin = 'MANUAL'
		AND status = 'SUBMITTED')", 'somebody else has a thousand orders open: all are known');
	$e->set_conf('qts.ledger_interval' => 3600, 'qts.ledger_idle_interval' => 3600, 'qts.unfilled_interval' => 300);
	my ($pages, $lists) = pages_of('inquire-psbl-rvsecncl', 4);
	cmp_ok($pages, '>=', 20 * $lists, "lists of 1 000 orders come in pages of 50 ($lists lists, $pages pages)");
	cmp_ok($pages, '<=', 20 * ($lists + 1), 'and take no request more than that');
	(my $ledgers, $lists) = pages_of('inquire-daily-ccld', 3);
	is($ledgers, 0, 'a list that shows nothing new has no ledger read');
	my $intent = $e->exit_position(SAMSUNG, ", 1, 'LMT', 75000");
	$e->need("(SELECT status = 'SUBMITTED' FROM trade.order_intents WHERE intent_id = '$intent')");
	my $odno = $e->sql("SELECT broker_order_no FROM trade.orders WHERE intent_id = '$intent'");
	my $done = $e->metric('qts_open_lists_total');
	$e->need("(SELECT value >= $done + 3 FROM qts.metrics WHERE name = 'qts_open_lists_total')");
	my $seq = $sim->last_seq;
	$sim->call('POST', '/fill', { odno => $odno, qty => 1, price => 75000 });
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')",
		'a fill without a notice is missed on the list and found in the ledger');
	cmp_ok(scalar $sim->requests('inquire-daily-ccld', $seq), '<=', 22, 'in at most two readings of it');
	$sim->clear;
	$e->healthy('with a thousand orders');
	calls('/kill_order', map { { odno => $_->{odno}, how => 'cancel' } }
		grep { $_->{symbol} eq HYNIX && $_->{side} eq 'buy' } $sim->orders);
	$e->set_conf('qts.ledger_interval' => 1, 'qts.ledger_idle_interval' => 1, 'qts.unfilled_interval' => 3000);
};

# The most requests the broker saw in any second, tokens and approvals aside: they count apart.
sub busiest
{
	my ($seq) = @_;
	my @at = sort { $a <=> $b } map { $_->{t_us} } grep { $_->{path} =~ m{^/uapi/} } $sim->requests('/uapi/', $seq);
	my ($most, $first) = (0, 0);
	for my $last (0 .. $#at)
	{
		$first++ while $at[$last] - $at[$first] >= 1_000_000;
		$most = $last - $first + 1 if $last - $first + 1 > $most;
	}
	return $most;
}

sub refused
{
	my ($seq) = @_;
	return scalar grep { $_->{http_status} == 500 } $sim->requests('/uapi/', $seq);
}

subtest 'the rate limit is a row, and open sessions follow it' => sub {
	is($e->sql('SELECT rate IS NULL FROM qts._sessions()'), 't', 'a simulator without a row has no limit');
	$e->sql("SELECT qts.set_rate_limit('sim', 'standard', '2020-01-01', 5, 'like a broker');
		SELECT qts.set_rate_limit('sim', 'standard', (qts._now() + interval '2 days')::date, 3, 'not yet');
		SELECT qts.set_rate_limit('sim', 'new', '2020-01-01', 2, 'for the new')");
	$e->until('(SELECT rate = 5 FROM qts._sessions())', 'five a second from now on');
	$e->sql("SELECT qts.set_account_rate('" . ACCOUNT . "', 'new', 'just opened')");
	$e->until('(SELECT rate = 2 FROM qts._sessions())', 'two for a new customer');
	$e->sql("SELECT qts.set_account_rate('" . ACCOUNT . "', 'standard', 'three days are over')");
	$e->set_conf('qts.rest_rate_sim' => 4);
	$e->until('(SELECT rate = 4 FROM qts._sessions())', 'our share when it is lower');
	$e->set_conf('qts.rest_rate_sim' => 0);
	$e->until('(SELECT rate = 5 FROM qts._sessions())', '0: as the row says');
	# what left without a limit has passed
	$sim->call('POST', '/config', { options => { rate_per_second => 5 } });
	my $seq = $sim->last_seq;
	my $reads = scalar $sim->requests('inquire-balance');
	ok($sim->wait_path('inquire-balance', $reads + 2), 'balances go on');
	$seq = $sim->last_seq;
	my @intents = map { $e->exit_position($_ % 2 ? SAMSUNG : HYNIX, ', 1') } 1 .. 12;
	$e->until("(SELECT count(*) = 12 FROM trade.order_intents WHERE status = 'FILLED' AND intent_id IN ('"
		  . join("','", @intents) . "'))", 'twelve orders and the lists between them');
	is($sim->posts($seq), 12, 'twelve POSTs: no order was refused');
	my $pid = $e->pid('execution');
	kill 'TERM', $pid;
	$e->need("(SELECT pid <> $pid AND state = 'RUNNING' FROM qts._workers() WHERE worker = 'execution')");
	$e->need("(SELECT state = 'READY' FROM trade.account_sync)");
	my $last = $e->exit_position(SAMSUNG, ', 1');
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$last')",
		'and one after the worker began afresh');
	cmp_ok(busiest($seq), '<=', 5, 'never more than five in a second');
	is(refused($seq), 0, 'the broker had nothing to refuse');
	$e->healthy('with a limit');
	$e->agrees('with a limit');
};

subtest 'names of one app key share its limit' => sub {
	$e->write_credentials(JSON::PP::encode_json({ credentials => { map { $_ => {
		app_key => 'PSAPPKEY' . '0' x 27 . 'A', app_secret => 'secretsecret', hts_id => 'myhtsid' } } qw(main alias) } }));
	$sim->call('POST', '/config', {
		apps => [ { app_key => 'PSAPPKEY' . '0' x 27 . 'A', app_secret => 'secretsecret', hts_id => 'myhtsid',
			accounts => [ ACCOUNT, '22222222-01' ] } ],
		accounts => [ { account => '22222222-01', cash => 100_000_000,
			holdings => [ { symbol => SAMSUNG, name => 'Samsung', qty => 100, avg_price => '70000' } ] } ] });
	# lists of many pages: each session alone asks as fast as it may
	$sim->call('POST', '/config', { options => { page_ledger => 1 } });
	my $seq = $sim->last_seq;
	$e->sql("SELECT qts.add_account('22222222-01', environment => 'sim', order_credentials => 'alias',
		rest_url => 'http://127.0.0.1:$sim->{rest}', ws_url => 'ws://127.0.0.1:$sim->{ws}')");
	$e->until("(SELECT state = 'READY' FROM trade.account_sync WHERE account_id = '22222222-01')", 'a second session');
	is($e->sql('SELECT count(*) FROM qts._sessions()'), 2, 'under another name');
	ok($sim->wait_path('inquire-', 20, $seq), 'both read their lists');
	cmp_ok(busiest($seq), '<=', 5, 'together never more than five in a second');
	is(refused($seq), 0, 'nothing was refused');
	$sim->call('POST', '/config', { options => { page_ledger => 100 } });
	$e->sql("SELECT qts.pause_account('22222222-01', 'seen enough')");
};

# The position of an account.
sub position_of
{
	my ($account) = @_;
	return $e->sql("SELECT position_id FROM trade.positions WHERE account_id = '$account' AND symbol = '"
		  . SAMSUNG . "' AND status <> 'CLOSED'");
}

sub add_key
{
	my ($on, $key, @accounts) = @_;
	$on->call('POST', '/config', {
		apps => [ { app_key => $key, app_secret => 'secretsecret', hts_id => 'myhtsid', accounts => \@accounts } ],
		accounts => [ map { { account => $_, cash => 100_000_000,
			holdings => [ { symbol => SAMSUNG, name => 'Samsung', qty => 100, avg_price => '70000' } ] } } @accounts ] });
	return;
}

sub credentials
{
	my (%key) = @_;
	$e->write_credentials(JSON::PP::encode_json({ credentials => { map { $_ => {
		app_key => $key{$_}, app_secret => 'secretsecret', hts_id => 'myhtsid' } } keys %key } }));
	return;
}

my $main_key = 'PSAPPKEY' . '0' x 27 . 'A';
my $order_key = 'PSAPPKEY' . '0' x 27 . 'B';
my $slow_key = 'PSAPPKEY' . '0' x 27 . 'C';
credentials(main => $main_key, alias => $main_key, orders => $order_key, slow => $slow_key);

# The broker knows account 4 under the second key only: whatever asked with the first would be refused.
subtest 'orders on a key of their own, accounts of one HTS id' => sub {
	$e->sql("SELECT qts.set_rate_limit('sim', 'standard', '2020-01-01', NULL, 'enough')");
	$sim->call('POST', '/config', { options => { rate_per_second => 0 } });
	add_key($sim, $order_key, '44444444-01');
	$e->sql("SELECT qts.add_account('44444444-01', environment => 'sim', order_credentials => 'orders',
		rest_url => 'http://127.0.0.1:$sim->{rest}', ws_url => 'ws://127.0.0.1:$sim->{ws}')");
	$e->until("(SELECT state = 'READY' FROM trade.account_sync WHERE account_id = '44444444-01')",
		'lists and balance come over the second key');
	is($e->sql('SELECT count(*) FROM qts._feeds()'), 1, 'prices and notices over one socket');
	is(scalar @{ $sim->call('GET', '/sessions')->{sessions} }, 1, 'of the first key');
	my $others = $e->sql("SELECT string_agg(qty::text, ',' ORDER BY position_id) FROM trade.positions
		WHERE account_id <> '44444444-01'");
	my $intent = $e->sql("SELECT qts.exit('" . position_of('44444444-01') . "', 7)");
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')", 'its order is filled');
	is($e->sql("SELECT source FROM trade.fills f JOIN trade.orders o USING (order_uid) WHERE intent_id = '$intent'"),
		'WS', 'by the notice');
	$e->until("(SELECT qty = 93 FROM trade.positions WHERE position_id = '" . position_of('44444444-01') . "')",
		'its position shrinks');
	is($e->sql("SELECT string_agg(qty::text, ',' ORDER BY position_id) FROM trade.positions
		WHERE account_id <> '44444444-01'"), $others, 'the others do not: notices tell accounts apart');
	$e->healthy('on two keys');
};

subtest 'a broker that answers one key no more' => sub {
	my $slow = QtsSim->start(PostgreSQL::Test::Utils::tempdir());
	add_key($slow, $slow_key, '33333333-01', '33333334-01');
	$e->sql("SELECT qts.add_account('$_', environment => 'sim', credentials => 'slow',
		rest_url => 'http://127.0.0.1:$slow->{rest}', ws_url => 'ws://127.0.0.1:$slow->{ws}')")
	  for qw(33333333-01 33333334-01);
	$e->until("(SELECT count(*) = 2 FROM trade.account_sync WHERE state = 'READY' AND account_id LIKE '3333333%')",
		'two accounts at another address');
	# a minute: whatever waits for an answer waits longer than this test runs
	$e->set_conf('qts.http_timeout' => 60000);
	my $before = $slow->last_seq;
	$slow->fault('hold_reply', times => 0, match => { path => '/uapi/' });
	my @held = map { $e->sql("SELECT qts.exit('" . position_of($_) . "', 1)") } qw(33333333-01 33333334-01);
	ok($slow->wait_posts(2), 'two orders arrive there and are not answered');
	ok($slow->wait_path('inquire-', 2, $before), 'nor are lists');
	my $seq = $sim->last_seq;
	for my $i (1 .. 20)
	{
		my $intent = $e->sql("SELECT qts.exit('" . position_of(ACCOUNT) . "', 1)");
		$e->need("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')");
	}
	is($sim->posts($seq), 20, 'twenty orders of the other key left, one after the other, and were filled');
	is($e->sql("SELECT string_agg(DISTINCT status, ',') FROM trade.orders WHERE intent_id IN ('"
		  . join("','", @held) . "')"), 'PENDING_SUBMIT', 'while the two still wait');
	my $reads = scalar $sim->requests('inquire-balance');
	ok($sim->wait_path('inquire-balance', $reads + 4), 'and its lists went on');
	is($slow->posts, 2, 'nothing was sent twice');
	$slow->clear;
	$slow->release;
	$e->until("(SELECT count(*) = 2 FROM trade.order_intents WHERE status = 'FILLED' AND intent_id IN ('"
		  . join("','", @held) . "'))", 'answered at last, they are filled');
	is($slow->posts, 2, 'still one POST each');
	$slow->stop;
};

$e->healthy('at the end');
$e->stop;
done_testing();
