# 016_faults_orders.pl
#		Lists that hide an order, cancels that race a fill, refusals of every kind,
#		answers in other spellings, clocks that differ, orders like ours.  The numbers
#		are those of the catalogue of simulator faults; F and R those of the matrix of
#		faults and the list of rules in docs/proof.md.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use QtsFaults;
use QtsTest;

my @spare = map { sprintf '%06d', $_ * 10 } 10101 .. 10112;
my $t = QtsFaults->new(symbols => [ SAMSUNG, HYNIX, @spare ]);
my ($e, $sim) = @$t{qw(e sim)};

# Unanswered, and no notice tells of it.
sub unanswered
{
	my ($symbol, $how) = @_;
	$sim->fault('lose_notices', times => 0);
	$sim->fault('accept_then_close');
	$t->order($symbol, $how);
	$e->need($t->lost_answer);
	return;
}

sub ledgers_read
{
	my ($n) = @_;
	my $seq = $sim->last_seq;
	$sim->wait_path('inquire-daily-ccld', $n, $seq) or die 'the ledger is not read';
	return;
}

sub quarantined
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$e->until("(SELECT quarantined AND status = 'UNKNOWN' FROM trade.orders
		WHERE intent_id = '$t->{intent}')", $name);
	is($sim->posts($t->{seq}), 1, 'and nothing is sent again');
	return;
}

sub resolve
{
	my ($outcome, $odno) = @_;
	my $number = defined $odno ? "'$odno'" : 'NULL';
	$e->sql("SELECT qts.resolve_order(order_uid, '$outcome', $number, 'test') FROM trade.orders
		WHERE intent_id = '$t->{intent}'");
	return;
}

sub last_of
{
	my ($symbol) = @_;
	my ($newest) = sort { $b->{odno} <=> $a->{odno} } grep { $_->{symbol} eq $symbol } $sim->orders;
	return $newest->{odno};
}

sub available
{
	my ($symbol) = @_;
	return $e->sql("SELECT qts.available_qty('" . $e->position($symbol) . "')");
}

subtest 'fault 9: the ledger shows the order late' => sub {
	$sim->fault('ledger_lag', times => 3, params => { ms => 3_600_000 });
	unanswered(SAMSUNG);
	ledgers_read(3);
	$t->ends_well('FILLED', 'late in the ledger');
};

subtest 'fault 9: the ledger leaves the row out, the balance moved' => sub {
	my $symbol = $spare[0];
	$sim->fault('row_missing', times => 0);
	unanswered($symbol, ", 5, 'LMT', 80000");
	$e->advance(70);
	quarantined('silence of the lists is not believed against the balance');
	$t->alerted('ORDER_AMBIGUOUS', $symbol);
	$sim->clear;
	ledgers_read(2);
	is($t->of('status'), 'UNKNOWN', 'from here on a person decides');
	resolve('ACCEPTED', last_of($symbol));
	$e->need($t->intent_is('SUBMITTED'));
	$t->fill($t->odno, 5, 80000);
	$t->ends_well('FILLED', 'resolved by hand');
};

subtest 'fault 9: only a notice tells of it' => sub {
	my $symbol = $spare[8];
	$sim->fault($_, times => 0) for qw(row_missing sellable_lag);
	$sim->fault('accept_then_close');
	$t->order($symbol, ", 5, 'LMT', 80000");
	$e->need($t->intent_is('UNKNOWN'));
	$e->advance(70);
	quarantined('neither taken for ours nor for not accepted');
	$sim->clear;
	resolve('ACCEPTED', last_of($symbol));
	$e->until(q{NOT EXISTS (SELECT FROM trade.notices WHERE order_uid IS NULL)},
		'the notice has its order');
	$t->settled('told by a notice');
};

subtest 'fault 9: the boundary of a page hides the row' => sub {
	$sim->config(options => { page_ledger => 1 });
	$sim->fault('page_hides_row', times => 2);
	unanswered(SAMSUNG);
	$t->ends_well('FILLED', 'hidden between pages');
};

subtest 'fault 9: a page comes for ever' => sub {
	$sim->fault('page_stuck', times => 0);
	unanswered(SAMSUNG);
	$e->advance(70);
	ledgers_read(4);
	is($t->of('status'), 'UNKNOWN', 'a list without an end proves nothing');
	is($t->of('complete_lists'), 0, 'and does not count');
	$sim->clear;
	$t->ends_well('FILLED', 'after the endless page');
	$sim->config(options => { page_ledger => 100 });
};

# The list that is due is refused, and asked for again when all is as it should be.
sub refuse_lists
{
	my $id = $sim->fault('html_502', times => 0, match => { path => 'inquire-daily-ccld' });
	ledgers_read(1);
	return $id;
}

sub allow_lists { return $sim->call('DELETE', "/faults?id=$_[0]"); }

subtest 'fault 9: what pages told counts though the list never ends' => sub {
	my $odno = $t->resting($spare[11], 5);
	my $refused = refuse_lists();
	$sim->config(options => { page_ledger => 1 });
	$sim->fault($_, times => 0) for qw(page_stuck lose_notices);
	$t->fill($odno, 5, 80000);
	allow_lists($refused);
	$e->until($t->intent_is('FILLED'), 'the newest order is on the first page');
	is($e->sql("SELECT source, ledger_ok_ts < f.created_ts FROM trade.fills AS f JOIN trade.orders USING (order_uid),
		trade.account_sync WHERE intent_id = '$t->{intent}'"), 'REST_DELTA|t', 'which tells of its fill before a list comes whole');
	$sim->config(options => { page_ledger => 100 });
	$t->settled('told by a page');
};

subtest 'fault 9: rows told twice are one order' => sub {
	$sim->config(options => { page_ledger => 2 });
	$sim->fault('page_repeats_row', times => 0);
	my $refused = refuse_lists();
	unanswered(SAMSUNG);
	# behind a newer one it ends the first page, and begins the second
	$sim->call('POST', '/order', { account => ACCOUNT, symbol => SAMSUNG, side => 'buy', qty => 1, price => 60000 });
	my $newer = last_of(SAMSUNG);
	allow_lists($refused);
	$t->ends('FILLED', 'repeated over pages');
	$sim->call('POST', '/kill_order', { odno => $newer, how => 'cancel' });
	$t->settled('repeated over pages');
	$sim->config(options => { page_ledger => 100 });
};

subtest 'fault 19: cancelled after a part' => sub {
	my $odno = $t->resting(HYNIX, 10);
	$t->fill($odno, 4, 80000);
	$t->filled(4);
	is(available(HYNIX), 990, 'ten less: four sold, six locked');
	$t->cancel;
	$t->ends_well('CANCELLED_PARTIAL', 'cancelled after a part');
	is(available(HYNIX), 996, 'F15: only what was sold is gone');
};

subtest 'fault 19: the cancel races a full fill' => sub {
	$t->resting(HYNIX, 10);
	$sim->fault('cancel_race', params => { at => 'check' });
	$t->cancel;
	$t->ends_well('FILLED', 'filled before the cancel');
	is($t->of('cancel_state'), 'REFUSED', 'nothing was left to cancel');
	is(scalar $sim->requests('order-rvsecncl', $t->{seq}), 1, 'it is not asked for again');
};

subtest 'fault 19: a part is filled before the cancel arrives' => sub {
	$t->resting(HYNIX, 10);
	$sim->fault('cancel_race', params => { at => 'check', qty => 3 });
	$t->cancel;
	$t->ends_well('CANCELLED_PARTIAL', 'part before cancel');
	is($t->of('filled_qty'), 3, 'three sold');
};

subtest 'fault 19: the answer to the cancel is lost' => sub {
	for my $mode (qw(accept_then_close drop_before_accept))
	{
		$t->resting(HYNIX, 10);
		$sim->fault('lose_notices', times => 0);
		$sim->fault($mode, match => { path => 'order-rvsecncl' });
		$t->cancel;
		ok($sim->wait_path('order-rvsecncl', 1, $t->{seq}), "$mode: asked for");
		$e->advance(3);
		$t->ends_well('CANCELLED', "$mode: the ledger tells");
	}
	is(scalar $sim->requests('order-rvsecncl', $t->{seq}), 2, 'a lost request is made again');
};

subtest 'R6: an accepted cancel is not a cancelled order' => sub {
	$sim->config(options => { cancel_delay_ms => 60_000 });
	my $odno = $t->resting(HYNIX, 10);
	$t->cancel;
	$e->need("(SELECT cancel_state = 'ACCEPTED' FROM trade.orders
		WHERE intent_id = '$t->{intent}')");
	is($t->of('status'), 'SUBMITTED', 'accepted, not yet cancelled');
	is(available(HYNIX), $e->sql("SELECT qty - 10 FROM trade.positions
		WHERE symbol = '${\HYNIX}'"), 'its shares stay locked');
	$t->fill($odno, 10, 80000);
	$t->ends_well('FILLED', 'filled in between');
	$sim->config(options => { cancel_delay_ms => 0 });
};

subtest 'fault 20: refused by the broker' => sub {
	my $before = available(SAMSUNG);
	$sim->fault('reject_sync', params => { msg_cd => 'APBK0400', msg1 => 'too many' });
	$t->order(SAMSUNG);
	$t->ends_well('REJECTED', 'refused');
	is($t->of('error_code'), 'APBK0400', 'with its code');
	is(available(SAMSUNG), $before, 'the shares are free again');
	$t->alerted('ORDER_REJECTED', SAMSUNG);
};

subtest 'fault 20: refused by the exchange after it was accepted' => sub {
	my $before = available(SAMSUNG);
	$sim->fault('reject_async');
	$t->order(SAMSUNG);
	$t->ends_well('REJECTED', 'with a notice');
	my $odno = $t->resting(SAMSUNG, 7);
	$sim->call('POST', '/kill_order', { odno => $odno, how => 'reject',
		notice => JSON::PP::false });
	$t->ends_well('REJECTED', 'without one');
	is(available(SAMSUNG), $before, 'the shares are free again');
};

subtest 'fault 22: refusals under every rt_cd' => sub {
	for my $rt_cd (qw(1 2 7 9))
	{
		$sim->fault('reject_sync', params => { msg_cd => 'APBK9999', rt_cd => $rt_cd });
		$t->order(SAMSUNG);
		$t->ends_well('REJECTED', "rt_cd $rt_cd");
	}
	for my $case ([ 'ZZZZ0001', '1' ], [ 'ZZZZ0001', '7' ], [ 'EGW99999', '1' ])
	{
		my ($code, $rt_cd) = @$case;
		$sim->fault('reject_sync', params => { msg_cd => $code, rt_cd => $rt_cd });
		$t->order(SAMSUNG);
		$e->need($t->intent_is('UNKNOWN'));
		$e->advance(70);
		$t->ends_well('FAILED', "a code nobody knows, $code");
		is($t->of('error_code'), 'NOT_ACCEPTED', 'looked for, not found, never sent again');
	}
};

subtest 'fault 23: other spellings' => sub {
	my %shapes = (
		'order answer without SOR_ODNO' => [ 'order-cash', { drop => ['SOR_ODNO'] } ],
		'order answer in lower case' => [ 'order-cash', { case => 'lower' } ],
		'order answer as an array' => [ 'order-cash', { output_array => JSON::PP::true } ],
		'order number without zeros' => [ 'order-cash', { strip_zeros => ['ODNO'] } ],
		'ledger in upper case' => [ 'daily-ccld', { case => 'upper' } ],
		'ledger with its sample keys' => [ 'daily-ccld', { rename => {
			cncl_cfrm_qty => 'cnc_cfrm_qty', excg_id_dvsn_cd => 'excg_id_dvsn_Cd' } } ],
		'balance in upper case' => [ 'inquire-balance', { case => 'upper' } ]);
	for my $name (sort keys %shapes)
	{
		my ($path, $params) = @{ $shapes{$name} };
		my $id = $sim->fault('reshape', times => 0, match => { path => $path },
			params => $params);
		$sim->fault('lose_notices', times => 0) if $path eq 'daily-ccld';
		$t->order(SAMSUNG);
		$e->need($t->intent_is('FILLED'));
		$sim->wait_path($path, 1, $t->{seq});
		cmp_ok($sim->faults_fired($id), '>', 0, "$name: seen");
		$t->ends_well('FILLED', $name);
	}
};

subtest 'fault 24: the broker clock differs by three seconds' => sub {
	for my $ms (-3000, 3000)
	{
		$sim->config(options => { clock_skew_ms => $ms });
		unanswered(SAMSUNG);
		$t->ends_well('FILLED', "skew $ms ms");
	}
	$sim->config(options => { clock_skew_ms => 0 });
};

subtest 'fault 24: leading zeros are dropped' => sub {
	$sim->config(options => { ledger_odno_width => 1, notice_odno_width => 1 });
	$t->order(SAMSUNG);
	$t->ends_well('FILLED', 'by notice');
	unanswered(SAMSUNG);
	$t->ends_well('FILLED', 'by ledger');
	$sim->config(options => { ledger_odno_width => 10, notice_odno_width => 10 });
};

subtest 'fault 25: a person has the same idea' => sub {
	my $symbol = $spare[1];
	$sim->fault('foreign_twin');
	$sim->fault('accept_then_close');
	$t->order($symbol, ", 5, 'LMT', 80000");
	$e->need($t->lost_answer);
	$e->until($t->intent_is('SUBMITTED'), 'the ledger names the channel of each');
	my ($ours) = grep { $_->{symbol} eq $symbol && $_->{channel} eq 'OpnAPI' } $sim->orders;
	is($t->odno, $ours->{odno}, 'so ours is bound, not the other');
	$e->until("EXISTS (SELECT FROM trade.orders WHERE symbol = '$symbol'
		AND origin = 'MANUAL')", 'the other is recorded');
	$t->settled('a twin');
};

subtest 'fault 25: only the other one was accepted' => sub {
	my $symbol = $spare[2];
	$sim->fault('drop_before_accept');
	$t->order($symbol, ", 5, 'LMT', 80000");
	$sim->call('POST', '/order', { account => ACCOUNT, symbol => $symbol, side => 'sell',
		qty => 5, price => 80000, ord_dvsn => '00', channel => 'Nsmart' });
	$e->need($t->intent_is('UNKNOWN'));
	ledgers_read(2);
	is($t->of('status'), 'UNKNOWN', "a person's order is not taken for ours");
	$e->advance(70);
	quarantined('the balance moved, so a person decides');
	resolve('NOT_ACCEPTED');
	$t->order(HYNIX);
	$e->until("EXISTS (SELECT FROM trade.orders WHERE symbol = '$symbol'
		AND origin = 'MANUAL')", 'then the other is recorded');
	is(available($symbol), 1000, 'and ours locks nothing');
	$t->settled('the other one');
};

subtest 'fault 25: two of one channel' => sub {
	my $symbol = $spare[3];
	$e->set_conf('qts.foreign_api_orders' => 'record');
	$sim->fault('foreign_twin', params => { channel => 'OpnAPI' });
	$sim->fault('accept_then_close');
	$t->order($symbol, ", 5, 'LMT', 80000");
	quarantined('two fit: a person decides');
	$t->alerted('ORDER_AMBIGUOUS', $symbol);
	resolve('ACCEPTED', last_of($symbol));
	$e->until("EXISTS (SELECT FROM trade.orders WHERE symbol = '$symbol'
		AND origin = 'MANUAL')", 'the other is recorded');
	$t->settled('two alike');
	$e->set_conf('qts.foreign_api_orders' => 'halt');
};

subtest 'fault 26: balances that lag do not oversell' => sub {
	my $symbol = $spare[4];
	for my $mode (qw(balance_lag sellable_lag balance_torn))
	{
		my $held = $e->sql("SELECT qty FROM trade.positions WHERE symbol = '$symbol'");
		$sim->fault($mode, times => 0, params => { ms => 2000 });
		$t->order($symbol, ', 300');
		$t->ends('FILLED', $mode);
		$sim->wait_path('inquire-balance', 2, $t->{seq});
		$e->wait_turn('execution');
		is($e->sql("SELECT qty FROM trade.positions WHERE symbol = '$symbol'"), $held - 300,
			"$mode: fills count, not the old balance");
		is($e->error("SELECT qts.exit('" . $e->position($symbol) . "', $held)")->{state}, 'QT005',
			"$mode: more than is left is refused");
		$t->settled($mode);
	}
};

subtest 'F19: a forged fill is found out' => sub {
	my $symbol = $spare[5];
	my $odno = $t->resting($symbol, 10);
	for my $qty (4, 6)
	{
		$sim->call('POST', '/notice', { odno => $odno, fields => { 9 => $qty, 10 => 80000,
			13 => '2', 14 => '2' } });
	}
	$t->filled(10, 'what a notice tells is booked at once');
	$e->advance(60);
	$e->until("(SELECT quarantine_reason IS NOT NULL FROM trade.positions
		WHERE symbol = '$symbol')", 'the ledger does not confirm it: the position is held');
	$t->alerted('FILL_DISPUTE', $symbol);
	is($t->alerts('FILL_DISPUTE', $symbol), 1, 'said once');
};

subtest 'F19: a forged end is found out' => sub {
	my $symbol = $spare[6];
	my $odno = $t->resting($symbol, 10);
	$sim->call('POST', '/notice', { odno => $odno, fields => { 5 => '2', 9 => 10, 13 => '1',
		14 => '2' } });
	$e->need($t->intent_is('CANCELLED'));
	$e->advance(60);
	$e->until("(SELECT quarantine_reason IS NOT NULL FROM trade.positions
		WHERE symbol = '$symbol')", 'the ledger shows it open: the position is held');
};

# Last: the broker's process ends.
subtest 'F12: no connection, so nothing was sent: tried again, not for ever' => sub {
	$e->set_conf('qts.max_order_attempts' => 2);
	$sim->stop;
	$t->{intent} = $e->exit_position($spare[7]);
	$e->need("(SELECT retry_ts IS NOT NULL FROM trade.orders WHERE intent_id = '$t->{intent}')");
	is($t->of('status'), 'PENDING_SUBMIT', 'provably not sent: waits to be sent again');
	$e->sql("SELECT qts.advance_clock('5 seconds')");
	$e->until($t->intent_is('FAILED'), 'and fails in the end');
	is($t->of('attempt'), 2, 'after two attempts');
	$t->alerted('ORDER_FAILED', $spare[7]);
};

$e->healthy('at the end');
$e->stop;
done_testing();
