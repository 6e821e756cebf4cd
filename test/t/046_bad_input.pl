# 046_bad_input.pl
#		Everything a feed or an answer can say that is no price: none crashes, none reaches the
#		board, the books or a table, all are counted by kind and to be seen.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use QtsFrames;
use QtsTest;

my $e = QtsTest->engine(
	clock => KRX_OPEN,
	conf => { 'qts.quotes' => 'on', 'qts.max_clock_skew' => '600s', 'qts.naver_url' => '' },
	sim => {
		holdings => [ map { { symbol => $_, name => "S$_", qty => 10, avg_price => '70000' } } (SAMSUNG, HYNIX) ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000, price => 70000 } }
			(SAMSUNG, HYNIX) ] });
my $sim = $e->{sim};
my $last = 70000;

sub value
{
	my ($name, $labels) = @_;
	return $e->sql("SELECT value::bigint FROM qts.metrics WHERE name = '$name'"
		  . (defined $labels ? " AND labels = '$labels'" : ''));
}

sub text { $sim->call('POST', '/frame', { text => $_[0] }); return; }

# A price that is one, with more volume than any before: whatever was sent before it has been judged, and nothing has broken.
sub alive
{
	$last = 70000 + ($last - 70000 + 100) % 5000;
	text(message('H0STCNT0', tick_record(SAMSUNG, $last)));
	$e->need("(SELECT last FROM qts.price('${\SAMSUNG}')) = $last");
	return;
}

# All that a reader can see of prices, but for their age and for which source is fresh at the moment.
sub seen
{
	my $shown = $e->sql("SELECT last FROM qts.price('${\SAMSUNG}')");
	return ($shown == $last || $shown == 70000 ? 'a price' : "$shown?")
		. $e->sql(q{SELECT string_agg(concat_ws(' ', s.symbol, b.level, b.bid, b.bid_qty, b.ask, b.ask_qty), ', '
			ORDER BY s.symbol, b.level) FROM market.stocks s, qts.book(s.symbol) b})
		. $e->sql(q{SELECT string_agg(concat_ws(' ', symbol, source, last_price, bid_price, ask_price, acml_volume), ', '
			ORDER BY symbol, source) FROM market.freshness})
		. $e->sql(q{SELECT count(*) FROM market.prices_ticks});
}

# Each of these messages counts so often under $name, and nothing of it is seen.
sub refused
{
	my ($counter, $what, @cases) = @_;
	subtest $what => sub {
		alive();
		my ($seen, $counted, $n) = (seen(), value($counter), 0);
		while (my ($name, $case) = splice @cases, 0, 2)
		{
			my ($message, $times) = ref $case ? @$case : ($case, 1);
			text($message);
			$n += $times;
			$e->until("(SELECT value = $counted + $n FROM qts.metrics WHERE name = '$counter')", "$name: counted");
		}
		is(seen(), $seen, 'nothing of it is to be seen');
		alive();
		return;
	};
	return;
}

sub tick { return message('H0STCNT0', tick_record(@_)); }
sub field { return tick(SAMSUNG, 70000, field => {@_}); }
sub book { return message('H0STASP0', book_record(@_)); }

alive() for 1 .. 4;	# the previous close is settled
text(book(SAMSUNG, 70000));
$e->need("(SELECT count(*) = 10 FROM qts.book('${\SAMSUNG}'))");

my $record = tick_record(SAMSUNG, 70000);
my $long = '9' x 20;
refused('qts_frames_malformed_total', 'frames that are none',
	'no message' => 'x',
	'no fields' => '0|H0STCNT0|001|',
	'half a head' => '0|H0STCNT',
	'a name without end' => '0|' . 'H' x 5000 . '|001|' . $record,
	'control characters' => "0|H0STCNT0|001|\x{1}\x{2}",
	'half an object' => '{"header":',
	'encrypted, as prices never are' => '1|H0STCNT0|001|' . $record);
refused('qts_frames_malformed_total', 'truncated and mis-counted frames',
	'cut in its price' => '0|H0STCNT0|001|' . substr($record, 0, 18),
	'cut before its end' => '0|H0STCNT0|001|' . join('^', (split /\^/, $record, -1)[ 0 .. 44 ]),
	'two records, said to be three' => '0|H0STCNT0|003|' . join('^', ($record) x 2),
	'two records, said to be one' => '0|H0STCNT0|001|' . join('^', ($record) x 2),
	'none' => '0|H0STCNT0|000|' . $record,
	'more than there can be' => '0|H0STCNT0|1000|' . $record,
	'no number of them' => '0|H0STCNT0|one|' . $record);
refused('qts_frames_malformed_total', 'fields that are no numbers, or too long',
	(map { ("price \"$_\"" => field(2 => $_)) } '', 'x', '7e4', '70000.5', '0x1', '70,000', $long, '0', '-70000'),
	(map { my $i = $_; map { ("field $i \"$_\"" => field($i => $_)) } 'x', $long, '-1' } 10 .. 14),
	(map { ("change \"$_\"" => field(4 => $_)) } 'x', $long),
	(map { ("symbol \"$_\"" => field(0 => $_)) } '', '59', '00593x', '0059300059', '005930;'),
	'two of three records' => [ '0|H0STCNT0|002|' . join('^', map { (split /\|/, field(2 => $_))[3] } 'x', 'y'), 2 ]);
refused('qts_ticks_refused_total', 'prices beyond the limits of the day',
	'above' => tick(SAMSUNG, 91100, at => 1),
	'below' => tick(SAMSUNG, 48900, at => 1),
	'another previous close with each' => [ message('H0STCNT0', map { tick_record(SAMSUNG, 200000, change => $_, at => 1) } 0 .. 9), 10 ],
	'one won' => tick(SAMSUNG, 1, change => -69999, at => 1, field => { 11 => 0 }));
refused('qts_ticks_unknown_total', 'symbols nobody follows',
	'one' => tick('999999', 1000),
	'many' => [ message('H0STCNT0', map { tick_record(sprintf('8%05d', $_), 1000) } 1 .. 200), 200 ]);
refused('qts_ticks_skewed_total', 'clocks that disagree',
	'an hour ahead' => tick(SAMSUNG, 70000, at => 3600),
	'an hour ago' => tick(SAMSUNG, 70000, at => -3600),
	'of yesterday' => field(33 => '20261119'),
	'of the next century' => field(33 => '21261120'));
refused('qts_ticks_late_total', 'what is older than what is known',
	'less volume' => tick(SAMSUNG, 70000, volume => 0),
	'an earlier second' => tick(SAMSUNG, 70000, volume => 0, at => -30));
alive();
refused('qts_books_refused_total', 'books that are none',
	'crossed' => book(SAMSUNG, 70000, field => { 13 => 70100 }),
	'beyond the limits' => book(SAMSUNG, 91100),
	'of a symbol nobody follows' => book('999999', 70000));
refused('qts_frames_malformed_total', 'books that cannot be read',
	'no number' => book(SAMSUNG, 70000, field => { 5 => 'x' }),
	'a negative quantity' => book(SAMSUNG, 70000, field => { 25 => -1 }),
	'the same price twice' => book(SAMSUNG, 70000, field => { 4 => 70100 }),
	'truncated' => '0|H0STASP0|001|' . substr(book_record(SAMSUNG, 70000), 0, 100));
refused('qts_frames_undecryptable_total', 'notices that no key opens',
	'no base64' => '1|H0STCNI0|001|%%%%');

subtest 'an oversized message' => sub {
	my ($seen, $drops) = (seen(), value('qts_feed_drops_total'));
	$sim->fault('ws_oversize', params => { bytes => 4 << 20 });
	$e->until("(SELECT value = $drops + 1 FROM qts.metrics WHERE name = 'qts_feed_drops_total')",
		'ends the connection: counted');
	$e->need(q{(SELECT bool_and(state = 'UP') FROM qts._feeds())});
	is(seen(), $seen, 'nothing of it is to be seen');
	$e->wait_subscribed;
	alive();
};

# Ten times what a busy day brings, each frame as soon as the one before is written.
subtest 'a burst' => sub {
	my %was = map { $_ => value("qts_ticks_${_}_total") } qw(lost refused);
	my $rows = $e->sql('SELECT count(*) FROM market.prices_ticks');
	my ($frames, $n) = (100, 200);
	for my $f (1 .. $frames)
	{
		# every tenth is beyond the limits
		text(message('H0STCNT0', map { tick_record($_ % 2 ? SAMSUNG : HYNIX, $_ % 10 ? 70000 + 100 * (($f + $_) % 7) : 99900) } 1 .. $n));
	}
	alive();
	$e->until("(SELECT sum(value) FROM qts.metrics WHERE name IN ('qts_ticks_lost_total', 'qts_ticks_refused_total'))
		+ (SELECT count(*) FROM market.prices_ticks) = $was{lost} + $was{refused} + $rows + $frames * $n + 1",
		'each of ' . $frames * $n . ' prints is a row, refused, or counted as lost');
	my $refused = value('qts_ticks_refused_total') - $was{refused};
	cmp_ok($refused, '<=', $frames * $n / 10, 'refused are those beyond the limits');
	cmp_ok($refused + value('qts_ticks_lost_total') - $was{lost}, '>=', $frames * $n / 10, 'all of them, but for those lost');
	is($e->sql('SELECT count(*) FROM market.prices_ticks WHERE last_price > 91000'), 0, 'none is a row');
	is($e->sql("SELECT last FROM qts.price('${\SAMSUNG}')"), $last, 'the newest is shown');
};

# By request.
my $rest = 'source="KIS_REST"';

sub answered
{
	my ($name, $counter, $labels, $mode, $params) = @_;
	my $seen = $e->sql(q{SELECT string_agg(symbol || last_price, ' ' ORDER BY symbol) FROM market.freshness
		WHERE source = 'KIS_REST'});
	my $counted = value($counter, $labels);
	$sim->fault($mode, times => 0, params => $params // {}, match => { path => '/quotations/' });
	$e->sql("SELECT qts.refresh_price('${\SAMSUNG}')");
	$e->until("(SELECT value > $counted FROM qts.metrics WHERE name = '$counter' AND labels = '$labels')", "$name: counted");
	is($e->sql(q{SELECT string_agg(symbol || last_price, ' ' ORDER BY symbol) FROM market.freshness
		WHERE source = 'KIS_REST'}), $seen, "$name: not to be seen");
	$sim->clear;
	return;
}

subtest 'answers of the broker' => sub {
	$sim->config(options => { market_open => JSON::PP::true });
	$e->until("(SELECT count(*) = 2 FROM market.freshness WHERE source = 'KIS_REST' AND last_price = 70000)",
		'prices by request');
	for my $bad ('', '0', '-70000', 'x', '7e4', $long, '200000')
	{
		answered("price \"$bad\"", 'qts_quotes_refused_total', $rest, 'reshape',
			{ set => { stck_prpr => $bad, inter2_prpr => $bad } });
	}
	answered('a symbol nobody asked for', 'qts_quotes_refused_total', $rest, 'reshape',
		{ set => { stck_shrn_iscd => '999999', inter_shrn_iscd => '999999' } });
	answered('a volume that is none', 'qts_quotes_refused_total', $rest, 'reshape', { set => { acml_vol => 'x' } });
	answered('a previous close that cannot be', 'qts_quotes_refused_total', $rest, 'reshape',
		{ set => { prdy_vrss => $long, inter2_prdy_vrss => $long } });
	answered('limits of another day: ours hold', 'qts_ticks_refused_total', '', 'reshape',
		{ set => { stck_prpr => 120000, inter2_prpr => 120000, stck_mxpr => 130000, inter2_mxpr => 130000,
			prdy_vrss => 0, inter2_prdy_vrss => 0 } });
	answered($_, 'qts_quote_answers_total', "$rest,kind=\"failed\"", $_)
		for qw(truncated_json malformed_json html_502);
	$sim->price(SAMSUNG, 70900);
	$e->sql("SELECT qts.refresh_price('${\SAMSUNG}')");
	$e->until("(SELECT last_price = 70900 FROM market.freshness WHERE source = 'KIS_REST' AND symbol = '${\SAMSUNG}')",
		'then a good one is taken');
};

# Of the last quote by request.
sub quoted { return $e->sql("SELECT last_price, bid_price, ask_price FROM market.freshness
	WHERE symbol = '$_[0]' AND source = 'KIS_REST'"); }

subtest 'B-P11: sides that a quote does not have' => sub {
	$sim->fault('ws_mute_ticks', params => { ms => 3_600_000 });
	$sim->fault('reshape', times => 0, params => { drop => [ 'inter2_bidp', 'inter2_askp' ] }, match => { path => '/quotations/' });
	$sim->price(SAMSUNG, 71000);
	$sim->price(HYNIX, 71500);
	text(book(SAMSUNG, 70900));
	$e->sql("SELECT qts.refresh_price('$_')") for SAMSUNG, HYNIX;
	$e->need("(SELECT count(*) = 2 FROM market.freshness WHERE source = 'KIS_REST' AND last_price IN (71000, 71500))");
	is(quoted(SAMSUNG), '71000|70900|71000', 'are those of the book, while it is fresh');
	is(quoted(HYNIX), '71500||', 'without one none is invented');
	$sim->clear;
};

subtest 'B-P9: two sources while the tables are locked' => sub {
	$sim->fault('ws_mute_ticks', params => { ms => 3_600_000 });
	$sim->price(SAMSUNG, 70700);
	my $lock = $e->{node}->background_psql($e->{db});
	$lock->query_safe('BEGIN; LOCK TABLE market.prices_best IN ACCESS EXCLUSIVE MODE');
	alive();
	my $quotes = value('qts_quotes_total', $rest);
	$e->sql("SELECT qts.refresh_price('${\SAMSUNG}')");
	$e->need("(SELECT value > $quotes FROM qts.metrics WHERE name = 'qts_quotes_total' AND labels = '$rest')");
	$e->wait_turn('prices');
	$lock->query_safe('COMMIT');
	$lock->quit;
	$e->need(q{(SELECT state = 'OK' FROM qts.status() WHERE kind = 'intake' AND name = 'ticks')});
	is($e->sql("SELECT string_agg(source || ' ' || last_price, ', ' ORDER BY source) FROM market.freshness
		WHERE symbol = '${\SAMSUNG}'"), "KIS_REST 70700, KIS_WS $last", 'neither replaces the other');
	$sim->clear;
};

subtest 'all of it to be seen' => sub {
	my %detail = split /[|\n]/, $e->sql(q{SELECT name, detail FROM qts.status() WHERE kind IN ('intake', 'source')});
	like($detail{frames}, qr/^\d+ received, malformed [1-9]\d+, undecryptable [1-9]\d*, notices unread [1-9]/, 'frames');
	like($detail{ticks}, qr/^\d+ received, repeated \d+, late [1-9]\d*, refused [1-9]\d*, skewed [1-9]\d*, unknown [1-9]\d*, lost \d+$/,
		'ticks');
	like($detail{books}, qr/^\d+ received, refused [1-9]\d*, lost 0$/, 'books');
	like($detail{KIS_REST}, qr/failed [1-9]\d*, silent 0, rows refused [1-9]/, 'answers');
};

is($e->sql(q{SELECT sum(errors) FROM qts._workers()}), 0, 'no turn of any worker has failed');
$e->healthy('at the end');
$e->stop;
done_testing();
