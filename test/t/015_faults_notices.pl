# 015_faults_notices.pl
#		What the WebSocket does wrong: notices and prices that do not come, come broken,
#		come twice, come in pieces.  The ledger is the arbiter of every fill, and a price
#		that cannot be believed decides nothing.  Numbers as in 016_faults_orders.pl.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use QtsFaults;
use QtsTest;

my $kakao = '035720';
my $t = QtsFaults->new(symbols => [ SAMSUNG, HYNIX, $kakao ],
	conf => { 'qts.exit_max_price_age' => '1s', 'qts.exit_interval' => '100ms' });
my ($e, $sim) = @$t{qw(e sim)};

sub sources
{
	return $e->sql("SELECT string_agg(DISTINCT f.source, ' ') FROM trade.fills f
		JOIN trade.orders o USING (order_uid) WHERE intent_id = '$t->{intent}'");
}

sub unreadable
{
	return $e->sql('SELECT malformed FROM qts._feeds()');
}

sub board
{
	my ($symbol) = @_;
	return $e->sql("SELECT last FROM qts.price('$symbol')");
}

# The socket works: a price comes through.
my $cents = 0;
sub alive
{
	my ($name) = @_;
	$e->wait_subscribed;
	$e->tick(HYNIX, 70000 + 100 * (++$cents % 9 + 1));
	ok(1, "$name: prices come");
	return;
}

subtest 'fault 13: two equal fills in one second' => sub {
	my $odno = $t->resting(SAMSUNG, 10);
	$sim->config(options => { clock_skew_ms => 0 });
	$t->fill($odno, 3, 80000) for 1 .. 2;
	$t->filled(6, 'both count');
	my $id = $sim->fault('duplicate_fill');
	$t->fill($odno, 1, 80000);
	$e->until("EXISTS (SELECT FROM trade.orders WHERE intent_id = '$t->{intent}'
		AND ledger_qty = 7)", 'the ledger was read');
	is($sim->faults_fired($id), 1, 'a third fill is told twice');
	is($t->of('filled_qty'), 7, 'and counts once');
	is($e->sql("SELECT sum(f.qty) FROM trade.fills f JOIN trade.orders o USING (order_uid)
		WHERE intent_id = '$t->{intent}'"), 7, 'R7: the order has what its fills have');
	$t->cancel;
	$t->ends_well('CANCELLED_PARTIAL', 'equal fills');
};

subtest 'fault 15: subscribed, but no notice comes' => sub {
	$sim->fault('ws_mute_notices', params => { ms => 3_600_000 });
	$t->order(SAMSUNG);
	$t->ends_well('FILLED', 'no notice');
	is(sources(), 'REST_DELTA', 'the ledger tells');
};

subtest 'fault 15: subscribed, but no price comes: the stop waits for one' => sub {
	$e->enable($kakao);
	$e->tick($kakao, 70000);
	$sim->fault('ws_mute_ticks', params => { ms => 3_600_000 });
	$sim->price($kakao, 60000);
	$e->advance(5);
	$e->wait_turn('exit');
	is(board($kakao), 70000, 'the last price stays');
	is($e->sql("SELECT is_stale FROM qts.price('$kakao')"), 't', 'R13: and is stale');
	is($e->sql("SELECT count(*) FROM trade.order_intents WHERE symbol = '$kakao'"), 0,
		'nothing is decided on it');
	$sim->clear;
	$t->{seq} = $sim->last_seq;
	$sim->price($kakao, 60000);
	$e->until("(SELECT status = 'CLOSED' FROM trade.positions WHERE symbol = '$kakao')",
		'the next price sells');
	is($sim->posts($t->{seq}), 1, 'once');
	$t->settled('a mute feed');
};

subtest 'fault 16: messages in pieces, several records in one, an endless one' => sub {
	$sim->fault('frame_pieces', times => 0, params => { bytes => 1 });
	$t->order(SAMSUNG);
	$t->ends('FILLED', 'one byte a frame');
	is(sources(), 'WS', 'put together again');
	alive('one byte a frame');
	$sim->clear;
	$sim->fault('notice_batch', params => { records => 2, ms => 200 });
	$t->order(SAMSUNG);
	$t->ends_well('FILLED', 'two notices in one frame');
	is(sources(), 'WS', 'both are read');
	my $epoch = $e->sql('SELECT epoch FROM qts._feeds()');
	$sim->fault('ws_oversize', params => { bytes => 64 << 20 });
	$e->until("(SELECT epoch > $epoch AND state = 'UP' FROM qts._feeds())",
		'F19: 64 MB in one message end the session, and a new one comes');
	$sim->clear;
	alive('after the endless message');
	$t->order(SAMSUNG);
	$t->ends_well('FILLED', 'after the endless message');
};

subtest 'fault 17: a notice that cannot be decrypted' => sub {
	for my $mode (qw(notice_base64 notice_cipher))
	{
		my $before = unreadable();
		$sim->fault($mode, times => 2);
		$t->order(SAMSUNG);
		$t->ends_well('FILLED', $mode);
		is(sources(), 'REST_DELTA', "$mode: the ledger tells");
		$e->until("(SELECT malformed > $before FROM qts._feeds())", "$mode: counted");
		$t->order(SAMSUNG);
		$t->ends_well('FILLED', "after $mode");
		is(sources(), 'WS', "$mode: the next is read");
	}
	$t->alerted('NOTICE_UNREADABLE', 'main');
};

subtest 'fault 17: the key changes' => sub {
	my $epoch = $e->sql('SELECT epoch FROM qts._feeds()');
	$sim->fault('key_rotate', params => { announce => JSON::PP::true });
	$t->order(SAMSUNG);
	$t->ends_well('FILLED', 'told');
	is(sources(), 'WS', 'the new key is used');
	is($e->sql('SELECT epoch FROM qts._feeds()'), $epoch, 'over the same session');
	$sim->fault('key_rotate');
	for (1 .. 2)
	{
		$t->order(SAMSUNG);
		$t->ends_well('FILLED', 'untold');
	}
	$e->until("(SELECT epoch > $epoch AND state = 'UP' FROM qts._feeds())",
		'a session whose notices stay unreadable is opened anew');
	$e->wait_subscribed;
	$t->order(SAMSUNG);
	$t->ends_well('FILLED', 'the key of the new session');
	is(sources(), 'WS', 'fits');
};

subtest 'fault 17: an acknowledgement with another key' => sub {
	my $epoch = $e->sql('SELECT epoch FROM qts._feeds()');
	$sim->fault('ack_other_key', times => 0, match => { tr_id => 'H0STCNT0' });
	$sim->fault('ws_close');
	$e->until("(SELECT epoch > $epoch AND state = 'UP' FROM qts._feeds())", 'connected again');
	alive('keys of prices');
	$t->order(SAMSUNG);
	$t->ends_well('FILLED', 'keys of prices');
	is(sources(), 'WS', 'the key is that of the notices');
};

subtest 'fault 18: notices of another width' => sub {
	for my $fields (23, 26, 27)
	{
		$sim->fault('notice_fields', times => 0, params => { fields => $fields });
		$t->order(SAMSUNG);
		$t->ends_well('FILLED', "$fields fields");
		is(sources(), 'WS', "$fields fields: read");
	}
	my $before = unreadable();
	$sim->fault('notice_fields', times => 0, params => { fields => 9 });
	$t->order(SAMSUNG);
	$t->ends_well('FILLED', '9 fields');
	is(sources(), 'REST_DELTA', '9 fields: left to the ledger');
	$e->until("(SELECT malformed > $before FROM qts._feeds())", '9 fields: counted');
};

subtest 'fault 18: notices with values that are none' => sub {
	for my $case ([ 9, '' ], [ 9, 'abc' ], [ 10, '-5' ], [ 9, '99999999999999999999' ],
		[ 2, '' ], [ 13, '7' ], [ 4, '03' ])
	{
		my ($index, $value) = @$case;
		my $name = "field $index is \"$value\"";
		$sim->fault('notice_field', times => 0, params => { index => $index, value => $value });
		$t->order(SAMSUNG);
		$t->ends_well('FILLED', $name);
		is(sources(), 'REST_DELTA', "$name: left to the ledger");
	}
};

subtest 'fault 18: prices of another width, and F20: prices that cannot be' => sub {
	$sim->fault('tick_fields', times => 0, params => { fields => 60 });
	alive('60 fields');
	$sim->clear;
	my $last = board(HYNIX);
	my $ticks = $e->sql("SELECT count(*) FROM market.prices_ticks WHERE symbol = '${\HYNIX}'");
	for my $case ([ tick_fields => { fields => 5 } ], [ tick_count => { count => 3 } ],
		map { [ tick_field => { index => 2, value => $_ } ] } '', '0', '-70000', 'x', '700000',
		'35000', '99999999999999999999')
	{
		my ($mode, $params) = @$case;
		my $frames = $e->sql('SELECT frames FROM qts._feeds()');
		my $id = $sim->fault($mode, params => $params);
		$sim->price(HYNIX, 70000);
		is($sim->faults_fired($id), 1, $mode . ' ' . ($params->{value} // '') . ': sent');
		$e->need("(SELECT frames > $frames FROM qts._feeds())");
	}
	$e->wait_turn('prices');
	is(board(HYNIX), $last, 'none reaches the board');
	is($e->sql("SELECT count(*) FROM market.prices_ticks WHERE symbol = '${\HYNIX}'"), $ticks,
		'or the tables');
	$sim->clear;
	alive('afterwards');
};

subtest 'F19: bytes that are no message' => sub {
	my $before = unreadable();
	for my $text ('', "0|H0STCNT0|001|\x{1}\x{2}", '{"header":', '1|H0STCNI0|001|', '0|' . 'x' x 5000,
		'0|H0STCNI0|001|a^b^c', '9|9|9|9')
	{
		$sim->call('POST', '/frame', { text => $text });
	}
	alive('junk');
	$e->until("(SELECT malformed > $before FROM qts._feeds())", 'counted');
	$t->order(SAMSUNG);
	$t->ends_well('FILLED', 'after the junk');
};

$e->healthy('at the end');
$e->agrees('at the end');
$e->stop;
done_testing();
