# 049_shared_key.pl
#		The execution and the prices worker share an app key: both start cold, and the broker
#		sees one token call and never more requests than its limit, whoever they are from.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use QtsTest;

use constant { LIMIT => 8, SYMBOLS => 300 };

my $e = QtsTest->engine(clock => KRX_OPEN,
	conf => { 'qts.quotes' => 'on', 'qts.naver_url' => '', 'qts.rest_rate_sim' => LIMIT },
	sim => { options => { rate_per_second => LIMIT, token_interval_s => 60, page_ledger => 3,
		symbols_generate => SYMBOLS } });
my $sim = $e->{sim};

sub tokens { return $sim->requests('tokenP', $_[0]); }

# Most requests in any second that the broker saw, by class of who asks.
sub busiest
{
	my ($seq) = @_;
	my @at = sort { $a <=> $b } map { $_->{t_us} } $sim->requests('/uapi/', $seq);
	my ($most, $first) = (0, 0);
	for my $last (0 .. $#at)
	{
		$first++ while $at[$last] - $at[$first] >= 1_000_000;
		$most = $last - $first + 1 if $last - $first + 1 > $most;
	}
	return $most;
}

# Both workers at work: so many requests of each, none refused, never too many.
sub shared
{
	my ($name, $seq) = @_;
	ok($sim->wait_path('quotations/', 12, $seq), "$name: quotes are asked for");
	ok($sim->wait_path('trading/inquire-', 12, $seq), "$name: and lists");
	for (1 .. 20)
	{
		last if busiest($seq) >= LIMIT - 3;
		$sim->wait_path('/uapi/', LIMIT, $sim->last_seq) or last;
	}
	my $most = busiest($seq);
	cmp_ok($most, '>=', LIMIT - 3, "$name: the limit is used, as both want more than there is");
	cmp_ok($most, '<=', LIMIT, "$name: and never more in any second");
	is(scalar(grep { $_->{http_status} != 200 } $sim->requests('/uapi/', $seq)), 0, "$name: nothing was refused");
	return;
}

# More symbols than the limit lets ask for, and lists of many pages.
$e->sql('INSERT INTO market.stocks (symbol, name, market) SELECT (500000 + 10 * n)::text, n, $$KOSPI$$ FROM generate_series(0, '
	  . (SYMBOLS - 1) . ') n');
$e->sql(q{SELECT count(qts.watch(symbol)) FROM market.stocks WHERE symbol LIKE '5%'});
is(scalar tokens(0), 1, 'the first start: one token');
my @intents = map { $e->exit_position(SAMSUNG, ', 1') } 1 .. 6;
$e->until("(SELECT count(*) = 6 FROM trade.order_intents WHERE status = 'FILLED')", 'orders go first');
shared('the first start', $sim->last_seq);

subtest 'both cold at once' => sub {
	$e->{node}->stop;
	unlink glob "$e->{dir}/.qts-token-*";
	is(scalar(() = glob "$e->{dir}/.qts-token-*"), 0, 'no token is left');
	$e->advance_broker(61);
	my $seq = $sim->last_seq;
	# the answer takes long enough for the other to look for a token, too
	$sim->fault('late_response', params => { ms => 2000 }, match => { path => 'tokenP' });
	$e->{node}->start;
	$e->follow_clock;
	ok($sim->wait_path('tokenP', 1, $seq), 'one asks');
	$e->wait_trading;
	shared('cold', $seq);
	is(scalar tokens($seq), 1, 'the other waits: one token for both');
};

subtest 'one of them afresh' => sub {
	my $seq = $sim->last_seq;
	for my $worker (qw(execution prices))
	{
		my $pid = $e->pid($worker);
		kill 'TERM', $pid;
		$e->need("(SELECT pid <> $pid AND state = 'RUNNING' FROM qts._workers() WHERE worker = '$worker')");
	}
	$e->wait_trading;
	shared('afresh', $seq);
	is(scalar tokens($seq), 0, 'the token is still there');
};

subtest 'the token ends for both' => sub {
	$e->advance(61);
	my $seq = $sim->last_seq;
	$sim->fault('revoke_tokens');
	ok($sim->wait_path('tokenP', 1, $seq), 'one asks');
	# each finds out by a refusal of its own
	ok($sim->wait_path($_, 24, $seq), "$_ goes on") for 'quotations/', 'trading/inquire-';
	shared('a new token', $sim->last_seq);
	is(scalar tokens($seq), 1, 'one token for both');
	is(scalar(grep { $_->{http_status} != 200 } tokens(0)), 0, 'and never one too soon');
};

$e->healthy('at the end');
$e->agrees('at the end');
$e->stop;
done_testing();
