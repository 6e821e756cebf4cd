# 014_paper.pl
#		A paper account whose ledger stays empty: notices tell the fills, balances the rest.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use QtsTest;

my $e = QtsTest->new(
	clock => KRX_OPEN,
	conf => { 'qts.rest_rate_paper' => 60, 'qts.unknown_grace_sell' => '1s', 'qts.http_timeout' => '500ms' },
	sim => { profile => 'paper', options => { paper_ledger_empty => JSON::PP::true,
		rate_per_second => 60 } });
my $sim = $e->{sim};
$e->install;
$e->sql(q{SELECT qts.set_rate_limit('paper', 'standard', '2020-01-01', 60, 'a test');
	SELECT qts.set_rate_limit('paper', 'standard', '2026-04-20', 60, 'a test')});
$e->add_account(environment => 'paper');
$e->wait_trading;

sub intent_is
{
	my ($intent, $status, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $e->until("(SELECT status = '$status' FROM trade.order_intents
		WHERE intent_id = '$intent')", $name);
}

sub source
{
	my ($intent) = @_;
	return $e->sql("SELECT string_agg(DISTINCT f.source, ' ') FROM trade.fills f
		JOIN trade.orders o USING (order_uid) WHERE intent_id = '$intent'");
}

subtest 'fault 9: the ledger is empty, notices tell' => sub {
	my $intent = $e->exit_position(SAMSUNG, ', 10');
	intent_is($intent, 'FILLED', 'filled by its notice');
	is(source($intent), 'WS', 'and by nothing else');
};

subtest 'fault 11: no notice and no ledger: two balances tell' => sub {
	$sim->fault('lose_notices', times => 0);
	my $intent = $e->exit_position(SAMSUNG, ', 20');
	intent_is($intent, 'SUBMITTED', 'accepted');
	$e->advance(11);
	intent_is($intent, 'FILLED', 'filled by what the holding lost');
	is(source($intent), 'BALANCE', 'inferred');
	is($e->sql("SELECT count(*) FROM system.alerts WHERE code = 'FILL_INFERRED'"), 1,
		'with an alert');
	is($e->sql("SELECT qty FROM trade.positions WHERE symbol = '${\SAMSUNG}'"), 70,
		'once');
};

subtest 'fault 1: accepted without an answer, nobody tells: a person decides' => sub {
	$sim->fault('accept_then_close');
	my $seq = $sim->last_seq;
	my $intent = $e->exit_position(HYNIX, ", 5, 'LMT', 110000");
	intent_is($intent, 'UNKNOWN', 'unknown');
	$e->advance(10);
	$e->until("EXISTS (SELECT FROM trade.orders WHERE intent_id = '$intent' AND quarantined)",
		'silence proves nothing where no ledger speaks: quarantined');
	is($sim->posts($seq), 1, 'it is not sent again');
	$sim->clear;
	my ($odno) = map { $_->{odno} } grep { $_->{symbol} eq HYNIX } $sim->orders;
	$e->sql("SELECT qts.resolve_order((SELECT order_uid FROM trade.orders
		WHERE intent_id = '$intent'), 'ACCEPTED', '$odno', 'seen in the HTS')");
	intent_is($intent, 'SUBMITTED', 'found by a person');
};

subtest 'fault 21: the session ends silently' => sub {
	$sim->set_clock('2026-11-20T15:31:00+09:00');
	$e->follow_clock;
	$e->until("(SELECT bool_and(status = 'EXPIRED') FROM trade.order_intents
		WHERE symbol = '${\HYNIX}')", 'three ledgers after the close without it: expired');
	is($e->sql("SELECT qty FROM trade.positions WHERE symbol = '${\HYNIX}'"), 50, 'nothing was sold');
};

$e->healthy('at the end');
$e->stop;
done_testing();
