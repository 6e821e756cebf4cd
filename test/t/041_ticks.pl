# 041_ticks.pl
#		Prices of several sources and of no use: each is stored once, shown or counted, and
#		nothing impossible, late or repeated reaches the board.
use strict;
use warnings;
use Test::More;
use QtsFrames;
use QtsTest;

use constant { BASE => 70000, UPPER => 91000, LOWER => 49000 };

my $e = QtsTest->engine(
	clock => KRX_OPEN,
	conf => { 'qts.max_clock_skew' => '600s' },
	sim => {
		holdings => [ map { { symbol => $_, name => "S$_", qty => 10, avg_price => '70000' } } (SAMSUNG, HYNIX) ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => BASE, price => BASE } }
			(SAMSUNG, HYNIX) ] });
my $sim = $e->{sim};

sub record { return tick_record(@_); }
sub frame { $sim->call('POST', '/frame', { text => message('H0STCNT0', @_) }); return; }

sub count { return $e->metric("qts_ticks_${\$_[0]}_total"); }
sub rows { return $e->sql("SELECT count(*) FROM market.prices_ticks WHERE symbol = '$_[0]'"); }
sub last_of { return $e->sql("SELECT last FROM qts.price('$_[0]')"); }

# The engine has taken this price: whatever was sent before it has been judged.
sub taken
{
	my ($symbol, $price, %o) = @_;
	frame(record($symbol, $price, %o));
	$e->need("(SELECT last FROM qts.price('$symbol')) = $price");
	return;
}

# So many more of one kind, no other change.
sub counts
{
	my ($kind, $n, $name, @records) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($symbol) = $records[0] =~ /^(\w+)\^/;
	my ($was, $rows, $last) = (count($kind), rows($symbol), last_of($symbol));
	frame(@records);
	$e->until("(SELECT value = $was + $n FROM qts.metrics WHERE name = 'qts_ticks_${kind}_total')", "$name: counted");
	is(rows($symbol), $rows, "$name: no row");
	is(last_of($symbol), $last, "$name: not on the board");
	return;
}

subtest 'what is news' => sub {
	taken(SAMSUNG, 70100);
	is($e->sql("SELECT bid, ask, volume, source, exch_ts = '2026-11-20 10:00:00+09', is_stale = (age_ms > 2000),
		is_stale = (stale_reason IS NOT NULL) FROM qts.price('${\SAMSUNG}')"), '70000|70200|1|KIS_WS|t|t|t', 'is shown with all it says');
	is($e->sql("SELECT last_price, bid_price, ask_price, volume, acml_volume, source, exch_ts = '2026-11-20 10:00:00+09',
		recv_ts > exch_ts AND recv_ts <= qts._now()
		FROM market.prices_ticks WHERE symbol = '${\SAMSUNG}'"), '70100|70000|70200|1|1|KIS_WS|t|t',
		'B-P10: and stored, with the exchange\'s time and ours');
	is($e->sql("SELECT best_price, change_price, prev_close, acml_volume, best_source
		FROM market.prices_best WHERE symbol = '${\SAMSUNG}'"), '70100|100|70000|1|KIS_WS', 'as the best price');
	is($e->sql("SELECT source, last_price, bid_price, ask_price, acml_volume FROM market.freshness
		WHERE symbol = '${\SAMSUNG}'"), 'KIS_WS|70100|70000|70200|1', 'and as the last of its source');
};

subtest 'B-P3: the same again is only fresher' => sub {
	my $before = $e->sql("SELECT best_ts FROM market.prices_best WHERE symbol = '${\SAMSUNG}'");
	counts('repeated', 3, 'the same print', (record(SAMSUNG, 70100, volume => 1)) x 3);
	ok($e->sql("SELECT best_ts > '$before' FROM market.prices_best
		WHERE symbol = '${\SAMSUNG}'") eq 't', 'its price counts as heard again');
	taken(SAMSUNG, 70100, volume => 50);
	$e->until("(SELECT count(*) FROM market.prices_ticks WHERE symbol = '${\SAMSUNG}') = 2",
		'the same price at another volume is another print');
};

subtest 'what comes too late' => sub {
	counts('late', 1, 'less volume in the same second', record(SAMSUNG, 69000, volume => 49));
	counts('late', 1, 'an earlier second', record(SAMSUNG, 69000, volume => 10, at => -5));
	taken(SAMSUNG, 70300, volume => 20, at => 1);
	pass('less volume at a later second is news: no absurd volume silences a symbol');
	taken(SAMSUNG, 70400, volume => 100, at => 1);
};

subtest 'F20: what cannot be a price of the day' => sub {
	taken(SAMSUNG, UPPER);
	taken(SAMSUNG, LOWER);
	taken(SAMSUNG, $_) for 70000, 70100;
	counts('refused', 1, 'above the upper limit', record(SAMSUNG, UPPER + 100));
	counts('refused', 1, 'below the lower limit', record(SAMSUNG, LOWER - 100));
	counts('refused', 20, 'a forged previous close, twenty times',
		map { record(SAMSUNG, 200000, change => 0) } 1 .. 20);
	counts('unknown', 1, 'a symbol nobody follows', record('999999', 1000));
	my $malformed = $e->sql('SELECT malformed FROM qts._feeds()');
	frame(record(SAMSUNG, 0 + 70000) =~ s/\^70000\^/^$_^/r) for 0, -70000, '7e4', '', '9999999999999';
	frame(record(SAMSUNG, 70000, change => '9999999999999'));
	taken(SAMSUNG, 70200);
	$e->until("(SELECT malformed = $malformed + 6 FROM qts._feeds())",
		'zero, negative, no numbers and numbers beyond all reckoning: counted');
};

subtest 'a bid that cannot be' => sub {
	my $price = 70210;
	for my $bid (1, 700_000, 70_500)
	{
		taken(SAMSUNG, ++$price, field => { 11 => $bid });
		is($e->sql("SELECT bid IS NULL FROM qts.price('${\SAMSUNG}')"), 't', "$bid is not shown, so nothing is sold on it");
	}
	is($e->sql("SELECT count(*), count(bid_price) FROM market.prices_ticks
		WHERE symbol = '${\SAMSUNG}' AND last_price BETWEEN 70211 AND $price"), '3|0', 'nor stored');
	taken(SAMSUNG, 70100);
};

subtest 'F20: a first price from nowhere does not decide the day' => sub {
	frame(record(HYNIX, 200000, change => 0));
	$e->need("(SELECT last FROM qts.price('${\HYNIX}')) = 200000");
	counts('refused', 2, 'two that disagree', map { record(HYNIX, $_) } 70000, 70100);
	taken(HYNIX, 70200);
	pass('three that agree on another previous close are believed');
	taken(HYNIX, 70300);
	counts('refused', 5, 'then a forgery is not, however often it comes', map { record(HYNIX, 200000, change => 0) } 1 .. 5);
};

subtest 'the limits of the master' => sub {
	$e->sql("UPDATE market.stocks SET base_price = 70000, lower_limit = 60000, upper_limit = 80000,
		limits_date = '2026-11-20' WHERE symbol = '${\HYNIX}'");
	$e->{node}->restart;
	$e->wait_trading;
	taken(HYNIX, 80000);
	counts('refused', 6, 'beyond them', map { record(HYNIX, $_) } (80100) x 3, (59900) x 3);
};

subtest 'clocks that disagree' => sub {
	counts('skewed', 1, 'an hour ahead', record(SAMSUNG, 70000, at => 3600));
	counts('skewed', 1, 'an hour ago', record(SAMSUNG, 70000, at => -3600));
};

subtest 'a burst' => sub {
	my ($ticks, $rows, $lost) = (count('lost') + rows(SAMSUNG) + rows(HYNIX), undef, count('lost'));
	my $frames = 40;
	my $n = 200;
	for my $f (1 .. $frames)
	{
		frame(map { record($_ % 2 ? SAMSUNG : HYNIX, 70000 + 100 * (($f + $_) % 7)) } 1 .. $n);
	}
	taken($_, 71100) for SAMSUNG, HYNIX;
	$e->until("(SELECT sum(value) FROM qts.metrics WHERE name = 'qts_ticks_lost_total')
		+ (SELECT count(*) FROM market.prices_ticks) = $ticks + $frames * $n + 2",
		'each of ' . $frames * $n . ' prints is a row, or counted as lost');
	is(count('lost'), $lost, 'none was');
	is($e->sql("SELECT best_price FROM market.prices_best WHERE symbol = '${\SAMSUNG}'"), 71100, 'the newest is the best');
};

# Rows are put into their partition directly while the table is as we made it, and by COPY when it is not.
subtest 'what belongs to the table holds' => sub {
	my $counted = sub { return $e->sql("SET enable_seqscan = $_[0]; SET enable_bitmapscan = $_[0]; SET enable_indexscan = $_[1];
		SET enable_indexonlyscan = $_[1]; SELECT count(*) FROM $_[2] WHERE symbol = '${\SAMSUNG}'"); };
	is($counted->('off', 'on', 'market.prices_ticks'), $counted->('on', 'off', 'market.prices_ticks'), 'the index has every row');
	like($e->sql("SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN (COSTS off) SELECT max(last_price)
		FROM market.prices_ticks WHERE symbol = '${\SAMSUNG}' AND recv_ts > '2026-11-20'"), qr/Index Cond: .*symbol.*recv_ts/,
		'and finds a symbol and a range of time');
	my $lost = count('lost');
	my $rows = rows(SAMSUNG);
	$e->sql('ALTER TABLE market.prices_ticks ADD CONSTRAINT none CHECK (last_price <> 71700) NOT VALID');
	frame(record(SAMSUNG, 71700));
	$e->until("(SELECT value = $lost + 1 FROM qts.metrics WHERE name = 'qts_ticks_lost_total')", 'a CHECK refuses: counted');
	$e->sql('ALTER TABLE market.prices_ticks DROP CONSTRAINT none');
	$e->need(q{(SELECT bool_and(state = 'UP') FROM qts._feeds())});
	$e->wait_subscribed;
	is(rows(SAMSUNG), $rows, 'and no row');
	$e->sql(q{CREATE TABLE public.seen (price bigint); GRANT INSERT ON public.seen TO qts_price;
		CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN INSERT INTO public.seen VALUES (NEW.last_price); RETURN NEW; END $$;
		CREATE TRIGGER see AFTER INSERT ON market.prices_ticks FOR EACH ROW EXECUTE FUNCTION public.see()});
	taken(SAMSUNG, 71800);
	is($e->sql('SELECT price FROM public.seen'), 71800, 'a trigger fires');
	$e->sql(q{DROP TRIGGER see ON market.prices_ticks;
		ALTER TABLE market.prices_ticks ADD COLUMN note text DEFAULT 'ours'});
	taken(SAMSUNG, 71900);
	is($e->sql('SELECT note FROM market.prices_ticks WHERE last_price = 71900'), 'ours', 'a column has its default');
	$e->sql('ALTER TABLE market.prices_ticks DROP COLUMN note');
	taken(SAMSUNG, 71000);
};

# What the worker must not lose while tables are locked: its connections and its place.
sub standing
{
	return $e->sql(q{SELECT (SELECT string_agg(epoch || state, ' ') FROM qts._feeds()) || ' '
		|| (SELECT errors || ' ' || pid FROM qts._workers() WHERE worker = 'prices')});
}

# While $what is locked by another session: $body with that session, which alone can read it.
sub locked
{
	my ($what, $body) = @_;
	my $standing = standing();
	my $lock = $e->{node}->background_psql($e->{db});
	$lock->query_safe("BEGIN; LOCK TABLE $what IN ACCESS EXCLUSIVE MODE");
	$body->($lock);
	$lock->query_safe('COMMIT');
	$lock->quit;
	$e->until("(SELECT state = 'OK' FROM qts.status() WHERE kind = 'intake' AND name = 'ticks')", 'then nothing waits');
	is(standing(), $standing, 'no connection and no turn was lost');
	return;
}

sub shown { return $e->until("(SELECT last FROM qts.price('$_[0]')) = $_[1]", $_[2]); }

my $partition = $e->sql(q{SELECT tableoid::regclass FROM market.prices_ticks ORDER BY recv_ts DESC LIMIT 1});
for my $table ('market.prices_ticks', $partition)
{
	subtest "$table is locked" => sub {
		my ($lost, $rows) = (count('lost'), rows(SAMSUNG));
		locked($table, sub {
			my ($lock) = @_;
			frame(record(SAMSUNG, 72000));
			shown(SAMSUNG, 72000, 'prices go on');
			is($e->sql("SELECT best_price FROM market.prices_best WHERE symbol = '${\SAMSUNG}'"), 72000, 'and are stored');
			frame(map { record(SAMSUNG, 71000 + 100 * $_) } 1 .. 20);
			shown(SAMSUNG, 73000, 'one after the other');
			$e->until("(SELECT value = 21 FROM qts.metrics WHERE name = 'qts_ticks_waiting')", 'rows wait');
			like($e->sql("SELECT state || ' ' || detail FROM qts.status() WHERE kind = 'intake' AND name = 'ticks'"),
				qr/^WAITING .*21 rows wait/, 'qts.status() says so');
			is($lock->query_safe("SELECT count(*) FROM market.prices_ticks WHERE symbol = '${\SAMSUNG}'"), $rows, 'not one is there');
		});
		is(rows(SAMSUNG), $rows + 21, 'all of them follow');
		is($e->sql("SELECT string_agg(last_price::text, ' ' ORDER BY recv_ts, seq) FROM (SELECT * FROM market.prices_ticks
			WHERE symbol = '${\SAMSUNG}' ORDER BY recv_ts DESC, seq DESC LIMIT 21) AS t"),
			join(' ', 72000, map { 71000 + 100 * $_ } 1 .. 20), 'in their order');
		is(count('lost'), $lost, 'none is lost');
		taken(SAMSUNG, 70100);
	};
}

subtest 'the best prices are locked' => sub {
	my $new = '123456';
	my ($lost, $rows) = (count('lost'), rows(SAMSUNG));
	my $followed = q{SELECT sum(value) FROM qts.metrics WHERE name = 'qts_tier_symbols'};
	my $before = $e->sql($followed);
	$e->sql("INSERT INTO market.stocks (symbol, name, market) VALUES ('$new', 'New', 'KOSPI')");
	$e->sql("SELECT qts.watch('$new')");
	$e->need("($followed) = $before + 1");
	locked('market.prices_best', sub {
		my ($lock) = @_;
		frame(record($new, 50000, change => 0), record(SAMSUNG, 72300));
		shown(SAMSUNG, 72300, 'prices go on');
		is(last_of($new), '', 'F28: but not of a symbol whose previous close is not stored: nobody has looked at it');
		frame(record($new, 50100, change => 100), record(SAMSUNG, 72400));
		shown(SAMSUNG, 72400, 'and on');
		is(last_of($new), '', 'nor later');
	});
	is(last_of($new), 50100, 'once it is stored it is shown');
	is($e->sql("SELECT string_agg(best_price || ' ' || prev_close, ', ' ORDER BY symbol) FROM market.prices_best
		WHERE symbol IN ('$new', '${\SAMSUNG}')"), '72400 70000, 50100 50000', 'the newest is the best');
	is($e->sql("SELECT string_agg(last_price::text, ', ' ORDER BY symbol) FROM market.freshness
		WHERE symbol IN ('$new', '${\SAMSUNG}')"), '72400, 50100', 'and the last of its source');
	is(rows(SAMSUNG) - $rows . ' ' . rows($new), '2 2', 'each print is a row');
	is(count('lost'), $lost, 'none is lost');
};

subtest 'locked for longer than there is room' => sub {
	my ($lost, $rows) = (count('lost'), rows(SAMSUNG));
	$e->set_conf('qts.tick_backlog' => 1000);
	locked('market.prices_ticks', sub {
		for my $f (1 .. 6)
		{
			frame(map { record(SAMSUNG, 70000 + 100 * (($f + $_) % 7)) } 1 .. 200);
		}
		frame(record(SAMSUNG, 72500));
		shown(SAMSUNG, 72500, 'prices go on');
		$e->until("(SELECT value = 1000 FROM qts.metrics WHERE name = 'qts_ticks_waiting')", 'a thousand wait');
		is(count('lost'), $lost + 201, 'what has no room is counted');
	});
	is(rows(SAMSUNG), $rows + 1000, 'the others follow');
};

subtest 'locked while the worker ends' => sub {
	my ($lost, $rows) = (count('lost'), rows(SAMSUNG));
	my $lock = $e->{node}->background_psql($e->{db});
	$lock->query_safe('BEGIN; LOCK TABLE market.prices_ticks IN ACCESS EXCLUSIVE MODE');
	frame(map { record(SAMSUNG, 72600) } 1 .. 5);
	$e->need("(SELECT value = 5 FROM qts.metrics WHERE name = 'qts_ticks_waiting')");
	my $pid = $e->pid('prices');
	$e->sql("SELECT pg_terminate_backend($pid)");
	$e->until("(SELECT value = $lost + 5 FROM qts.metrics WHERE name = 'qts_ticks_lost_total')", 'what waited is counted as lost');
	$lock->query_safe('COMMIT');
	$lock->quit;
	is(rows(SAMSUNG), $rows, 'and is nowhere');
	$e->need(q{(SELECT count(*) = 1 FROM qts.status() WHERE kind = 'worker' AND name = 'prices' AND state = 'RUNNING')
		AND (SELECT bool_and(state = 'UP') FROM qts._feeds())});
	$e->wait_subscribed;
	taken(SAMSUNG, 72100);
};

subtest 'several sources, and feeds that die' => sub {
	# ahead of the clock, so that the restart takes no time from their lives
	my $now = '2026-11-20 11:00:00+09';
	$e->sql("SELECT qts.set_clock('$now'::timestamptz - interval '5 minutes')");
	$e->sql(qq{INSERT INTO market.stocks (symbol, name, market) VALUES ('123450', 'Three sources', 'KOSPI');
		INSERT INTO market.prices_best (symbol, best_price, best_source, best_ts, updated_ts)
		VALUES ('123450', 1000, 'KIS_WS', '$now', '$now');
		INSERT INTO market.freshness (symbol, source, last_ts, last_price, bid_price, exch_ts)
		VALUES ('123450', 'KIS_WS', '$now', 1000, 999, '$now'), ('123450', 'KIS_REST', '$now', 1001, NULL, NULL),
			('123450', 'NAVER', '$now', 1002, NULL, NULL);
		INSERT INTO market.stocks (symbol, name, market) VALUES ('123460', 'An older answer', 'KOSPI');
		INSERT INTO market.prices_best (symbol, best_price, best_source, best_ts, updated_ts)
		VALUES ('123460', 1000, 'KIS_WS', '$now', '$now');
		INSERT INTO market.freshness (symbol, source, last_ts, last_price)
		VALUES ('123460', 'KIS_WS', '$now', 1000), ('123460', 'KIS_REST', '$now'::timestamptz - interval '5 seconds', 1001)});
	$e->{node}->restart;
	$e->wait_running;
	$e->need("(SELECT last FROM qts.price('123450')) IS NOT NULL");
	my $judged = sub {
		my ($second) = @_;
		$e->sql("SELECT qts.set_clock('$now'::timestamptz + interval '$second seconds')");
		return $e->sql(qq{SELECT last, source, coalesce(bid::text, '-'), is_stale, coalesce(stale_reason, '-')
			FROM qts.price('${\($_[1] // '123450')}')});
	};
	my $best = sub { return $e->until(qq{(SELECT concat_ws('|', best_price, best_source, is_stale)
		FROM market.prices_best WHERE symbol = '${\($_[1] // '123450')}') = '$_[0]'}, "the table says so too: $_[0]"); };
	is($judged->(0), '1000|KIS_WS|999|f|-', 'the push feed first');
	is($judged->(3), '1001|KIS_REST|-|f|-', 'B-P3b: it dies: the polled price, without any write; B-P11: no bid is invented');
	$best->('1001|KIS_REST|f');
	is($judged->(4, '123460'), '1000|KIS_WS|-|f|-', 'an answer from before the last print does not bring its price back');
	$best->('1000|KIS_WS|f', '123460');
	is($judged->(6, '123460'), '1000|KIS_WS|-|t|ALL_SOURCES_STALE', 'and vouches for the print no longer than for itself');
	$best->('1000|KIS_WS|t', '123460');
	is($judged->(11), '1002|NAVER|-|f|-', 'then the fallback');
	$best->('1002|NAVER|f');
	is($judged->(31), '1002|NAVER|-|t|ALL_SOURCES_STALE', 'B-P1: then none, and it says so');
	$best->('1002|NAVER|t');
	is($judged->(-5), '1001|KIS_REST|-|t|CLOCK_MOVED', 'a clock set back');
	$judged->(0);
};

subtest 'reads are counted' => sub {
	my $counted = sub { return $e->sql("SELECT hits, misses, stale FROM qts.cache_stats() WHERE cache = '$_[0]'"); };
	my ($hits, $misses, $stale) = split /\|/, $counted->('price');
	$e->sql("SELECT qts.price('123450') FROM generate_series(1, 3000)");
	$e->sql("SELECT qts.price('nobody') FROM generate_series(1, 5)");
	my ($hits_now, $misses_now) = split /\|/, $counted->('price');
	cmp_ok($hits_now, '>=', $hits + 3000, 'hits, of a session that has ended too');
	is($misses_now, $misses + 5, 'misses');
	is($e->sql(q{SELECT count(*) FROM qts.book('123450')}), 0, 'no book');
	like($counted->('book'), qr/^0\|[1-9]\d*\|0$/, 'is a miss');
	is($e->sql(q{SELECT count(*) FROM qts.metrics WHERE name = 'qts_cache_reads_total'}), 6, 'and metrics show them');
	my $reads = q{(SELECT hits + stale FROM qts.cache_stats() WHERE cache = 'price')};
	my $evaluated = $e->metric('qts_exit_evaluations_total');
	my $read = $e->sql("SELECT $reads");
	frame(record(SAMSUNG, 72200, at => 3600));
	$e->need("(SELECT value > $evaluated FROM qts.metrics WHERE name = 'qts_exit_evaluations_total')");
	$e->until("$reads > $read", 'those of the exit worker too');
};

$e->healthy('at the end');
$e->stop;
done_testing();
