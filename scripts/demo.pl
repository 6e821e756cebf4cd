#!/usr/bin/perl
# The demo's driver: gives the simulated account its holdings, plays a market
# through the simulator's control port and shows what the engine makes of it.
# Core modules only.  Reads the database through one psql.
use strict;
use warnings;
use HTTP::Tiny;
use IPC::Open2;
use JSON::PP;
use Time::HiRes qw(sleep time);
use DemoMarket;
use DemoScreen;

my ($dir, $rest, $ws, $control) = @ARGV;
my $seconds = $ENV{DEMO_SECONDS} // 60;
my $interactive = ($ENV{DEMO} // '') eq 'interactive';
my $account = '12345678-01';
my $stop = 0;
$SIG{INT} = $SIG{TERM} = sub { $stop = 1 };
$SIG{PIPE} = 'IGNORE';
$| = 1;

# --- the two other sides ---------------------------------------------------

my $http = HTTP::Tiny->new(timeout => 10);

sub sim
{
	my ($method, $path, $body) = @_;
	my $answer = $http->request($method, "http://127.0.0.1:$control$path",
		{ content => defined $body ? encode_json($body) : '' });
	die "the simulator does not answer: $answer->{content}\n" unless $answer->{success};
	return decode_json($answer->{content});
}

my ($from_psql, $to_psql);
# In a session of its own: Ctrl-C is for this process.
my $psql = open2($from_psql, $to_psql, 'setsid', split(/ /, $ENV{QTS_DEMO_PSQL}), qw(-X -q -A -t));

# The text the statement returns.
sub ask
{
	my ($sql) = @_;
	my $answer = '';
	print $to_psql "$sql;\n\\echo ~end~\n";
	$to_psql->flush;
	while (defined(my $line = <$from_psql>))
	{
		chomp $line;
		return $answer if $line eq '~end~';
		$answer .= $line;
	}
	die "the database does not answer\n";
}

sub await
{
	my ($what, $sql) = @_;
	my $deadline = time + 30;
	while (ask($sql) ne 't')
	{
		die "waited 30 s in vain: $what\n" if time > $deadline;
		exit 130 if $stop;
		sleep 0.05;
	}
	return;
}

my $look = <<'SQL';
SELECT json_build_object(
'now', to_char(qts._kst(qts._now()), 'YYYY-MM-DD HH24:MI:SS'),
'health', (SELECT row_to_json(h) FROM qts.health() AS h),
'status', (SELECT json_agg(s) FROM (SELECT name, kind, state FROM qts.status()) AS s),
'positions', (SELECT json_agg(p ORDER BY p.symbol) FROM (SELECT d.symbol, s.name, d.qty, d.original_qty AS bought,
	d.avg_price AS avg, d.best_price AS price, d.pnl, d.pnl_pct AS pct, d.phase, d.stop_floor_price AS floor, d.status
	FROM qts.position_details AS d JOIN market.stocks AS s USING (symbol)) AS p),
'orders', (SELECT json_agg(i ORDER BY i.ts) FROM (SELECT i.intent_id AS id, i.created_ts AS ts,
	to_char(qts._kst(i.created_ts), 'HH24:MI:SS') AS at, i.symbol, i.reason_code AS reason, i.qty, i.status AS intent,
	o.broker_order_no AS number, o.status AS state, coalesce(o.filled_qty, 0) AS filled, o.avg_fill_price AS avg
	FROM trade.order_intents AS i LEFT JOIN trade.orders AS o USING (intent_id)
	ORDER BY i.created_ts DESC LIMIT 12) AS i),
'exits', (SELECT json_agg(x ORDER BY x.ts) FROM (SELECT exit_event_id AS id, exit_ts AS ts, symbol, exit_qty AS qty,
	exit_avg_price AS avg, exit_reason_code AS reason, realized_pnl AS pnl, (100 * realized_pnl_pct)::numeric(8,2) AS pct,
	to_char(qts._kst(exit_ts), 'HH24:MI:SS') AS at FROM trade.exit_events ORDER BY exit_ts DESC LIMIT 6) AS x),
'realised', (SELECT coalesce(sum((f.price - p.avg_price) * f.qty - f.fee - f.tax), 0)::bigint
	FROM trade.fills AS f JOIN trade.positions AS p USING (position_id) WHERE f.side = 'SELL'),
'latency', (SELECT json_object_agg(m.name || ' ' || m.labels, m.value) FROM qts.metrics AS m
	WHERE m.labels IN ('quantile="0.5"', 'quantile="0.99"')),
'counters', (SELECT json_object_agg(m.name, m.value) FROM qts.metrics AS m WHERE m.type = 'counter'))
SQL

# --- the account -----------------------------------------------------------

sub open_account
{
	my ($market) = @_;
	my @stocks = $market->stocks;

	sim('POST', '/config', {
		apps => [ {
			app_key => 'PSDEMOKEY0000000000000000000000000AB', app_secret => 'a simulated secret',
			hts_id => 'demo', accounts => [$account] } ],
		symbols => [ map { {
			symbol => $_->{symbol}, name => $_->{name}, market => $_->{market},
			base => $_->{price}, price => $_->{price} } } @stocks ],
		accounts => [ {
			account => $account, cash => 50_000_000,
			holdings => [ map { {
				symbol => $_->{symbol}, name => $_->{name}, qty => $_->{qty}, avg_price => "$_->{price}" } } @stocks ]
		} ] });
	ask("INSERT INTO market.stocks (symbol, name, market, sector) VALUES ('$_->{symbol}', '$_->{name}',
		'$_->{market}', " . ($_->{sector} ? "'$_->{sector}'" : 'NULL') . ')') for @stocks;
	ask("SELECT qts.add_account('$account', environment => 'sim', rest_url => 'http://127.0.0.1:$rest',
		ws_url => 'ws://127.0.0.1:$ws')");
	my $n = @stocks;
	await('holdings become positions', "SELECT count(*) = $n FROM trade.positions");
	ask("SELECT qts.set_position_exit_mode(position_id, 'ENABLED', 'demo') FROM trade.positions");
	await('the feed is up', "SELECT bool_or(state = 'UP') FROM qts.status() WHERE kind = 'feed'");
	$market->start(\&sim);
	return;
}

# --- the end ---------------------------------------------------------------

sub summary
{
	my ($market) = @_;
	my $stats = sim('GET', '/stats');
	my $posts = sim('GET', '/wait?path=order-cash&count=0&timeout_ms=0')->{count};
	my ($intents, $orders, $fills) = split /\|/, ask('SELECT (SELECT count(*) FROM trade.order_intents),
		(SELECT count(*) FROM trade.orders), (SELECT count(*) FROM trade.fills)');
	my $rows = decode_json(ask(q{SELECT coalesce(json_agg(r), '[]') FROM (SELECT i.reason_code AS reason,
		count(DISTINCT i.intent_id) AS orders, sum(f.qty) AS shares, sum((f.price - p.avg_price) * f.qty)::bigint AS gross,
		sum(f.fee + f.tax) AS costs, (sum((f.price - p.avg_price) * f.qty) - sum(f.fee + f.tax))::bigint AS net
		FROM trade.fills AS f JOIN trade.orders AS o USING (order_uid) JOIN trade.order_intents AS i USING (intent_id)
		JOIN trade.positions AS p ON p.position_id = f.position_id GROUP BY i.reason_code ORDER BY 1) AS r}));
	my $broken = decode_json(ask(q{SELECT coalesce(json_agg(v), '[]') FROM qts.check_invariants() AS v}));
	my $ok = 1;

	DemoScreen::summary($rows, decode_json(ask($look)));
	printf "\n%d intents, %d orders; the simulator received %d order POSTs, accepted %d, made %d fills; %d fills booked\n",
	  $intents, $orders, $posts, $stats->{orders_accepted}, $stats->{fills}, $fills;
	if ($posts != $orders || $stats->{orders_accepted} != $orders || $intents < $orders)
	{
		print "NOT OK: orders and POSTs disagree\n";
		$ok = 0;
	}
	print "NOT OK: $_->{invariant}: $_->{subject}: $_->{detail}\n" for @$broken;
	print "qts.check_invariants(): no violation\n" unless @$broken;
	if (!$interactive && $market->expects_trades && !$orders)
	{
		print "NOT OK: nothing was traded\n";
		$ok = 0;
	}
	return $ok && !@$broken;
}

# The position with the most sales, drawn from what was stored of it.
sub picture
{
	my $svg = ask('SELECT qts.replay_svg(p.position_id) FROM trade.positions AS p WHERE EXISTS (SELECT FROM trade.fills AS f
		WHERE f.position_id = p.position_id) ORDER BY (SELECT count(*) FROM trade.fills AS f
		WHERE f.position_id = p.position_id) DESC, p.symbol LIMIT 1');
	my $file = ($ENV{TMPDIR} // '/tmp') . "/qts-demo-trade.$$.svg";
	return if $svg eq '' || !open my $fh, '>', $file;
	print $fh $svg;
	close $fh;
	print "a trade as a picture, with the thresholds it met: $file\n";
	return;
}

# --- the market ------------------------------------------------------------

my $market = $ENV{QTS_DEMO_BARS}
  ? DemoMarket->bars($ENV{QTS_DEMO_BARS}, $dir, $seconds)
  : DemoMarket->script($seconds);
my $screen = DemoScreen->new(
	title => $market->title,
	footer => $interactive ? "join with: $ENV{QTS_DEMO_PSQL}   (Ctrl-C ends)" : 'Ctrl-C ends');
open_account($market);
$screen->open;
my $started = time;
my $drawn = 0;
my $sold_by_hand = 0;
until ($stop)
{
	my $elapsed = time - $started;
	last if $market->is_over($elapsed) && !$interactive;
	$market->move($elapsed);
	if (time - $drawn >= 0.5)
	{
		$screen->draw(decode_json(ask($look)), $elapsed, $market->progress($elapsed));
		$drawn = time;
	}
	if (my $symbol = $market->manual_sale($elapsed))
	{
		ask("SELECT qts.exit(position_id, greatest(qty / 2, 1), reason => 'operator of the demo')
			FROM trade.positions WHERE symbol = '$symbol' AND status <> 'CLOSED'") unless $sold_by_hand++;
	}
	sleep 0.1;
}
exit 130 if $stop && !$interactive;
$screen->close;
await('open orders end', 'SELECT NOT EXISTS (SELECT FROM qts.open_orders)') unless $stop;
my $good = summary($market);
picture();
close $to_psql;
waitpid $psql, 0;
exit($good ? 0 : 1);
