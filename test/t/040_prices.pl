# 040_prices.pl
#		Who is asked for a price and when: tiers by request beside the feed, on demand,
#		when the feed falls silent, and what is never decided on.
use strict;
use warnings;
use Test::More;
use QtsTest;

my @watched = map { sprintf '1%05d', $_ } 1 .. 35;
my $e = QtsTest->engine(clock => KRX_OPEN, conf => { 'qts.quotes' => 'on', 'qts.breaker_open' => '1s' },
	sim => { symbols => [
		{ symbol => HYNIX, name => 'Hynix', market => 'KOSPI', base => 100000, price => 100000 },
		map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000,
			price => 70000 } } SAMSUNG, @watched ] });
my $sim = $e->{sim};

sub requests { return scalar $sim->requests('intstock-multprice', $_[0]); }

# A price by request, published.
sub quoted
{
	my ($symbol, $price, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $e->until("(SELECT last FROM qts.price('$symbol')) = $price", $name);
}

sub test_on_demand
{
	$e->sql("INSERT INTO market.stocks (symbol, name, market) VALUES ('$watched[0]', 'W', 'KOSPI')");
	is($e->sql("SELECT last FROM qts.price('$watched[0]')"), '', 'a symbol nobody follows has no price');
	$e->sql("SELECT qts.refresh_price('$watched[0]')");
	quoted($watched[0], 70000, 'refresh_price() asks at once');
	$e->until("(SELECT bool_and(status = 'DONE' AND attempts = 1) FROM market.sync_jobs)",
		'its job is done');
	is($e->error("SELECT qts.refresh_price('999999')")->{state}, 'QT012', 'an unknown symbol: QT012');
	return;
}

sub test_watch
{
	$e->sql('INSERT INTO market.stocks (symbol, name, market) VALUES '
		  . join(', ', map { "('$_', 'W', 'KOSPI')" } @watched[ 1 .. 34 ]));
	$e->sql("SELECT qts.watch(symbol) FROM market.stocks WHERE symbol LIKE '1%'");
	$e->until("(SELECT count(*) = 35 FROM market.stocks, qts.price(symbol) p
		WHERE symbol LIKE '1%' AND p.last = 70000)", 'watched symbols get their first price at once');
	$e->until(q{(SELECT detail LIKE '35 symbols%' FROM qts.status() WHERE name = 'tier 1')},
		'they are tier 1');
	is($e->sql("SELECT qts.unwatch('$watched[34]')"), 't', 'unwatch()');
	$e->until(q{(SELECT detail LIKE '34 symbols%' FROM qts.status() WHERE name = 'tier 1')},
		'takes one out');
	return;
}

# B-P3: nothing trades and the price stays; it is fresh because somebody asked.
sub test_quiet
{
	$e->advance(60);
	$e->until("(SELECT bool_and(age_ms < 1000 AND NOT is_stale AND source = 'KIS_REST' AND last = 70000)
		FROM market.stocks, qts.price(symbol) WHERE symbol BETWEEN '$watched[0]' AND '$watched[33]')",
		'B-P3: a quiet stock is not a stale one');
	$sim->price($watched[3], 70100);
	$e->advance(11);
	quoted($watched[3], 70100, 'a moved price is seen when its tier is asked');
	return;
}

# B-P5: what leaves is what the limiter lets through.
sub test_limit
{
	$e->set_conf('qts.rest_rate_sim' => 5);
	my $seq = $sim->last_seq;
	for my $round (1 .. 6)
	{
		$e->advance(31);
		$e->need("(SELECT max(age_ms) < 2000 FROM market.stocks, qts.price(symbol)
			WHERE symbol BETWEEN '$watched[0]' AND '$watched[33]')");
	}
	my @at = sort { $a <=> $b } map { $_->{t_us} } grep { $_->{path} =~ m{^/uapi/} }
	  @{ $sim->call('GET', "/requests?since=$seq")->{requests} };
	cmp_ok(scalar @at, '>', 8, 'requests were made');
	is(scalar(grep { $at[ $_ + 5 ] - $at[$_] < 1_000_000 } 0 .. $#at - 5), 0,
		'B-P5: never more than the limit in any second, all tiers together');
	$e->set_conf('qts.rest_rate_sim' => 0);
	return;
}

# The feed is gone: what is held is asked for, and its stop is decided on that.
sub test_feed_down
{
	$e->enable(SAMSUNG);
	$sim->fault('upgrade_refuse', times => 0);
	$sim->fault('ws_drop');
	$e->need(q{EXISTS (SELECT FROM qts.status() WHERE kind = 'feed' AND state <> 'UP')});
	$e->until(q{(SELECT detail LIKE '2 symbols every 1.5 s%' FROM qts.status() WHERE name = 'tier 0')},
		'without the feed what is held is asked for every 1.5 s');
	$sim->price(SAMSUNG, 67900);
	$e->advance(2);
	$e->until(q{EXISTS (SELECT FROM trade.order_intents WHERE symbol = '005930' AND reason_code = 'SL1')},
		'and a stop is decided on it');
	$sim->clear;
	$e->need(q{EXISTS (SELECT FROM qts.status() WHERE kind = 'feed' AND state = 'UP')});
	$e->wait_subscribed;
	$e->tick(SAMSUNG, 68000);
	$e->until(q{(SELECT detail LIKE '2 symbols every 3.0 s%' FROM qts.status() WHERE name = 'tier 0')},
		'back to 3 s when it speaks again');
	return;
}

# Feed and quotes are gone: Naver is shown, and decides nothing unless told so.
sub test_naver_decides
{
	$e->enable(HYNIX);
	$sim->fault('upgrade_refuse', times => 0);
	$sim->fault('ws_drop');
	$sim->fault('html_502', times => 0, match => { path => '/quotations/' });
	$e->need(q{EXISTS (SELECT FROM qts.status() WHERE kind = 'feed' AND state <> 'UP')});
	$sim->price(HYNIX, 88000);
	my $before = $e->metric('qts_exit_stale_holds_total');
	$e->advance(15);
	$e->until(q{(SELECT last = 88000 AND source = 'NAVER' FROM qts.price('000660'))},
		'B-P8: one source fails, the next is shown, symbol by symbol');
	$e->need("(SELECT value > $before FROM qts.metrics WHERE name = 'qts_exit_stale_holds_total')");
	is($e->sql(q{SELECT count(*) FROM trade.order_intents WHERE symbol = '000660'}), 0,
		'a fall of 12 % that only Naver tells decides nothing');
	is($e->sql(q{SELECT bool_or(triggered AND blocked_by IS NULL) FROM qts.explain_exit('}
			  . $e->position(HYNIX) . q{')}), 'f', 'explain_exit() agrees');
	$e->set_conf('qts.naver_decides' => 'on');
	$e->advance(6);
	$e->until(q{EXISTS (SELECT FROM trade.order_intents WHERE symbol = '000660')},
		'with qts.naver_decides it does');
	$e->set_conf('qts.naver_decides' => 'off');
	return;
}

# B-P1, B-P3b: nothing arrives any more, from anywhere.
sub test_all_dead
{
	$sim->fault('html_502', times => 0, match => { path => '/api/realtime' });
	$e->advance(61);
	$e->until(q{(SELECT bool_and(is_stale) FROM market.stocks, qts.price(symbol) WHERE last IS NOT NULL)},
		'B-P1: no fresh source, no fresh price');
	$e->until(q{(SELECT bool_and(is_stale AND stale_reason IS NOT NULL) FROM market.prices_best)},
		'B-P3b: the tables say so although nothing arrives');
	$e->until(q{(SELECT state = 'EMERGENCY' FROM qts.status() WHERE name = 'best prices')}, 'emergency mode');
	$e->until(q{(SELECT count(*) = 2 FROM qts.alerts WHERE code IN ('PRICES_STALE', 'PRICE_MISSING'))},
		'alerts say so');
	$e->until(q{(SELECT detail LIKE '35 symbols%' FROM qts.status() WHERE name = 'tier 0')},
		'every symbol is in tier 0');
	$sim->clear;
	$e->advance(4);
	$e->until(q{(SELECT state = 'OK' FROM qts.status() WHERE name = 'best prices')}, 'over when they answer');
	return;
}

# Naver tells another price than the broker.
sub test_discrepancy
{
	$e->advance(58);
	$e->need(q{(SELECT age_ms < 1000 FROM qts.price('005930'))});
	$sim->fault('quote_skew', times => 0, params => { percent => 2 }, match => { symbol => SAMSUNG });
	$e->advance(4);
	$e->until(q{EXISTS (SELECT FROM market.discrepancies WHERE symbol = '005930' AND severity = 'HIGH'
		AND diff_pct BETWEEN 1.5 AND 2.5 AND kis_source LIKE 'KIS%')}, 'a difference of 2 % is recorded');
	$e->until(q{(SELECT state = 'OFF' FROM qts.status() WHERE name = 'NAVER')}, 'and Naver is off');
	is($e->sql(q{SELECT string_agg(DISTINCT code, ',' ORDER BY code) FROM qts.alerts
		WHERE code IN ('DISCREPANCY', 'NAVER_OFF')}), 'DISCREPANCY,NAVER_OFF', 'alerts say so');
	is($e->sql(q{SELECT source FROM qts.price('005930')}) =~ /^KIS/, 1, "the broker's price counts");
	$sim->clear;
	return;
}

# The broker quotes nothing: a job is tried three times, then it has failed.
sub test_job_fails
{
	$sim->fault('quote_missing', times => 0, match => { path => '/quotations/', symbol => $watched[5] });
	my $job = $e->sql("SELECT qts.refresh_price('$watched[5]')");
	$e->until("(SELECT status = 'FAILED' AND attempts = 3 AND last_error IS NOT NULL FROM market.sync_jobs
		WHERE job_id = $job)", 'a job without an answer fails after three attempts');
	$sim->clear;
	return;
}

# Killed with a job in hand: the next one takes it over.
sub test_job_survives
{
	$sim->fault('hold_reply', times => 0, match => { path => '/quotations/' });
	my $seq = $sim->last_seq;
	my $job = $e->sql("SELECT qts.refresh_price('$watched[6]')");
	ok($sim->wait_path('quotations', 1, $seq), 'it is being asked');
	$e->{node}->stop('immediate');
	$sim->clear;
	$sim->release;
	$e->{node}->start;
	$e->follow_clock;
	$e->wait_running;
	# the claim may or may not have reached the disk
	$e->sql("UPDATE market.sync_jobs SET lease_until_ts = clock_timestamp()
		WHERE job_id = $job AND status = 'RUNNING'");
	$e->until("(SELECT status = 'DONE' FROM market.sync_jobs WHERE job_id = $job)",
		'after a crash somebody else does it');
	return;
}

test_on_demand();
test_watch();
test_quiet();
test_limit();
test_feed_down();
test_naver_decides();
test_all_dead();
test_discrepancy();
test_job_fails();
test_job_survives();
$e->healthy('all stories');
$e->stop;
done_testing();
