# 009_memory.pl
#		Thousands of ticks and hundreds of orders leave the workers as they were, and
#		what they counted in shared memory is what the tables and the broker hold.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use QtsTest;

# Bounds per worker between equal states, before and after the load.
use constant CONTEXT_GROWTH => 256 * 1024;
use constant PRIVATE_GROWTH => 1024 * 1024;
use constant { WARM_TICKS => 3000, WARM_ORDERS => 120, TICKS => 6000, ORDERS => 240 };

my @workers = qw(prices exit execution monitor);
my @symbols = qw(000660 005380 005930 035720 051910 068270);
my $e = QtsTest->engine(
	sim => { holdings => [ map { { symbol => $_, name => "S$_", qty => 1000, avg_price => '70000' } } @symbols ],
		symbols => [ map { { symbol => $_, name => "S$_", market => 'KOSPI', base => 70000, price => 70000 } } @symbols ] });
my $sim = $e->{sim};
my ($ticks, $orders) = (0, 0);

# In lists of many: each entry is a trade of its own.
sub send_ticks
{
	my ($count) = @_;
	for (my $sent = 0; $sent < $count;)
	{
		my @list = map { { symbol => $symbols[ $_ % @symbols ], price => 70000 + 100 * (($sent + $_) % 7) } } 1 .. 60;
		$sim->call('POST', '/price', { prices => \@list });
		$sent += @list;
		$ticks += @list;
		$e->need("(SELECT count(*) FROM market.prices_ticks) = $ticks") if $sent % 600 == 0;
	}
	return;
}

sub send_orders
{
	my ($count) = @_;
	my $each = $count / @symbols;
	$e->sql("SELECT qts.exit('" . $e->position($_) . "', 1) FROM generate_series(1, $each)") for @symbols;
	$orders += $count;
	$e->need("(SELECT count(*) FROM trade.order_intents WHERE status = 'FILLED') = $orders");
	$e->need(q{NOT EXISTS (SELECT FROM trade.order_intents WHERE status = 'FILLED' AND NOT effect_applied)});
	return;
}

# Bytes in use by the memory contexts of a worker, by its own account.
sub context_bytes
{
	my ($pid) = @_;
	my $log = $e->{node}->logfile;
	my $from = -s $log;
	my $total = qr/\[$pid\][^\n]*Grand total: \d+ bytes in \d+ blocks; \d+ free \(\d+ chunks\); (\d+) used/;
	$e->sql("SELECT pg_log_backend_memory_contexts($pid)");
	$e->{node}->wait_for_log($total, $from);
	my ($used) = slurp_file($log, $from) =~ $total;
	return $used;
}

# Private memory, libraries and allocator included; not what the page cache or shared buffers lend.
sub private_bytes
{
	my ($pid) = @_;
	my ($kb) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m;
	return 1024 * $kb;
}

# The same point of a worker's life every time: nothing under way, all turns over.
sub measure
{
	my %m;
	for my $worker (@workers)
	{
		my $pid = $e->pid($worker);
		$m{$worker} = { pid => $pid, context => context_bytes($pid), private => private_bytes($pid) };
	}
	return \%m;
}

# The monitor plans its roll-ups once, after the first minute with ticks.
sub wait_rolled
{
	local $PostgreSQL::Test::Utils::timeout_default = 180;
	$e->need(q{EXISTS (SELECT FROM market.ohlcv_1m) AND EXISTS (SELECT FROM system.upkeep WHERE task = 'ohlcv_1d')});
	$e->wait_turn('monitor');
	return;
}

sub test_growth
{
	send_ticks(WARM_TICKS);
	send_orders(WARM_ORDERS);
	wait_rolled();
	my $before = measure();
	send_ticks(TICKS);
	send_orders(ORDERS);
	my $after = measure();
	for my $worker (@workers)
	{
		my ($b, $a) = ($before->{$worker}, $after->{$worker});
		is($a->{pid}, $b->{pid}, "$worker: the same process");
		for my $kind ([ 'context', CONTEXT_GROWTH ], [ 'private', PRIVATE_GROWTH ])
		{
			my ($name, $bound) = @$kind;
			my $grown = $a->{$name} - $b->{$name};
			cmp_ok($grown, '<=', $bound, "$worker: $name memory of $b->{$name} bytes grows by no more than $bound");
			note("$worker: $name $b->{$name} -> $a->{$name}, $grown");
		}
	}
	return;
}

sub test_counters
{
	my %stats = %{ $sim->stats };
	my @truth = $sim->orders;
	my $filled = 0;
	$filled += $_->{filled} for @truth;
	is($e->metric('qts_ticks_total'), $ticks, 'ticks counted = ticks made');
	is($stats{ticks_sent}, $ticks + $e->metric('qts_books_total'), '= ticks and books the broker sent');
	is($e->sql('SELECT count(*) FROM market.prices_ticks'), $ticks, '= rows');
	is($e->metric("qts_ticks_${_}_total"), 0, "none $_") for qw(refused lost);
	is($e->sql('SELECT sum(ticks) FROM qts._feeds()'), $ticks, '= what the feed says');
	is($e->metric('qts_orders_sent_total'), $orders, 'orders sent = orders asked for');
	is($e->metric('qts_orders_accepted_total'), $orders, '= orders accepted');
	is($e->metric("qts_orders_${_}_total"), 0, "none $_") for qw(rejected refused unknown);
	is($e->sql('SELECT count(*) FROM trade.orders'), $orders, '= rows');
	is(scalar @truth, $orders, '= orders the broker has');
	is($filled, $orders, 'each filled there');
	is($e->metric('qts_fills_total'), $e->sql('SELECT count(*) FROM trade.fills'), 'fills counted = rows');
	is($e->sql('SELECT sum(qty) FROM trade.fills'), $filled, 'of as many shares');
	is($e->metric('qts_notices_total'), $e->sql('SELECT count(*) FROM trade.notices'), 'notices counted = rows');
	is($e->metric('qts_notices_total'), $stats{notices_sent}, '= notices the broker sent');
	$e->posts_are($orders, 'all of it');
	$e->healthy('all of it');
	$e->agrees('all of it');
	return;
}

test_growth();
test_counters();
$e->stop;
done_testing();
