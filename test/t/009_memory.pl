# 009_memory.pl
#		Workers live for months: after a warm-up, thousands of ticks and hundreds of orders
#		must leave their memory where it was.
use strict;
use warnings;
use Test::More;
use QtsTest;

# What a round may leave behind: rounding of allocators, not a byte per tick or order.
use constant CONTEXTS_KB => 256;
use constant PRIVATE_KB => 2048;

plan skip_all => 'needs /proc' unless -r '/proc/self/smaps_rollup';

my $e = QtsTest->engine(sim => { holdings => [ { symbol => SAMSUNG, name => 'S', qty => 100_000,
	avg_price => '70000' } ] });
my $sim = $e->{sim};
my $ticks = 0;
my $orders = 0;

sub ticks
{
	my ($n) = @_;
	my $stored = $e->sql('SELECT count(*) FROM market.prices_ticks');
	for (1 .. $n / 250)
	{
		$sim->call('POST', '/price',
			{ prices => [ map { { symbol => SAMSUNG,
			price => 70000 + 100 * (++$ticks % 5) } } 1 .. 250 ] });
	}
	my $want = $stored + $n;
	$e->need("(SELECT count(*) + (SELECT value FROM qts.metrics
		WHERE name = 'qts_ticks_lost_total') >= $want FROM market.prices_ticks)");
	return;
}

sub orders
{
	my ($n) = @_;
	my $position = $e->position(SAMSUNG);
	$e->sql("SELECT count(qts.exit('$position', 1)) FROM generate_series(1, $n)");
	$orders += $n;
	$e->need("(SELECT count(*) = $orders FROM trade.order_intents WHERE status = 'FILLED')");
	return;
}

# Bytes of the memory contexts, as the process itself counts them.
sub contexts
{
	my ($pid) = @_;
	my $from = -s $e->{node}->logfile;
	$e->sql("SELECT pg_log_backend_memory_contexts($pid)");
	$e->{node}->wait_for_log(qr/\[$pid\].*Grand total: \d+ bytes/, $from);
	my $log = PostgreSQL::Test::Utils::slurp_file($e->{node}->logfile, $from);
	my ($bytes) = $log =~ /\[$pid\].*Grand total: (\d+) bytes/;
	return int($bytes / 1024);
}

# Private memory, which includes what the libraries allocate outside of contexts.
sub private
{
	my ($pid) = @_;
	open my $fh, '<', "/proc/$pid/smaps_rollup" or die "smaps_rollup of $pid: $!";
	my ($kb) = map { /^Anonymous:\s+(\d+) kB/ ? $1 : () } <$fh>;
	return $kb;
}

sub measure
{
	my %of;
	for my $worker (qw(prices exit execution monitor))
	{
		my $pid = $e->pid($worker);
		$of{$worker} = { pid => $pid, contexts => contexts($pid), private => private($pid) };
	}
	return \%of;
}

ticks(1500);
orders(100);
my $before = measure();
ticks(3000);
orders(200);
my $after = measure();
for my $worker (sort keys %$before)
{
	my ($was, $is) = ($before->{$worker}, $after->{$worker});
	is($is->{pid}, $was->{pid}, "$worker: the same process");
	cmp_ok($is->{contexts} - $was->{contexts}, '<=', CONTEXTS_KB,
		"$worker: memory contexts $was->{contexts} kB, after the round $is->{contexts} kB");
	cmp_ok($is->{private} - $was->{private}, '<=', PRIVATE_KB,
		"$worker: private memory $was->{private} kB, then $is->{private} kB");
}
is($sim->posts, $orders, 'every order was sent once');
$e->healthy('at the end');
$e->agrees('at the end');
$e->stop;
done_testing();
