# 026_disk.pl
#		F21: the disk is full when a claim is to be written, as data and as WAL.  Nothing is
#		sent without its row; with space again the order leaves once.
#
# A full disk needs no disk of its own: the kernel's limit on the size of a process's files
# makes every write beyond it fail, and is moved while the server runs.
use strict;
use warnings;
use Test::More;
use QtsTest;

my $prlimit = '/usr/bin/prlimit';
plan skip_all => "$prlimit is missing" unless -x $prlimit;

my $e = QtsTest->engine(init => { extra => ['--wal-segsize=1'] }, conf => { 'qts.error_limit' => 1000 });
my $sim = $e->{sim};

# Bytes beyond which no file of this process may be written.
sub space
{
	my ($pid, $bytes) = @_;
	is(system($prlimit, '--pid', $pid, "--fsize=$bytes:unlimited"), 0, "$bytes bytes to a file of $pid");
	return;
}

sub sold
{
	my ($intent, $seq, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$e->until("(SELECT status = 'FILLED' FROM trade.order_intents WHERE intent_id = '$intent')",
		"$name: it is sold");
	is($sim->posts($seq), 1, "$name: with one POST");
	$e->healthy($name);
	$e->agrees($name);
	return;
}

subtest 'F21: the data cannot grow' => sub {
	my $seq = $sim->last_seq;
	my $pid = $e->pid('execution');
	# past orders until the table is larger than a segment of WAL; and the next one needs a new page
	$e->sql(q{INSERT INTO trade.orders (account_id, trade_date, symbol, side, order_type, qty, rejected_qty,
		status, origin, created_ts, updated_ts)
		SELECT account_id, '2026-01-02', '005930', 'SELL', 'MKT', 1, 1, 'REJECTED', 'MANUAL', qts._now(), qts._now() FROM trade.accounts, generate_series(1, 8000) AS n;
		ALTER TABLE trade.orders SET (fillfactor = 10)});
	my $size = $e->sql('SELECT pg_relation_size($$trade.orders$$)');
	cmp_ok($size, '>', 1048576, 'the table is the largest file');
	space($pid, $size);
	my $errors = $e->sql("SELECT errors FROM qts._workers() WHERE worker = 'execution'");
	my $intent = $e->exit_position(SAMSUNG, ', 10');
	$e->until("(SELECT errors > $errors + 1 FROM qts._workers() WHERE worker = 'execution')",
		'the claim fails, again and again');
	like($e->sql("SELECT last_error FROM qts._workers() WHERE worker = 'execution'"),
		qr/could not (extend|write)|File too large/, 'and says why');
	is($sim->posts($seq), 0, 'nothing is sent');
	space($pid, 'unlimited');
	sold($intent, $seq, 'space again');
};

# A process that cannot write WAL takes the server down with it; the next one can write again.
subtest 'F21: the WAL cannot be written' => sub {
	my $seq = $sim->last_seq;
	my $pid = $e->pid('execution');
	my $postmaster = $e->{node}{_pid};
	space($pid, 1);
	eval { $e->exit_position(HYNIX, ', 10') };
	$e->need("(SELECT pid NOT IN (0, $pid) FROM qts._workers() WHERE worker = 'execution')");
	ok(kill(0, $postmaster), 'the postmaster lives');
	$e->wait_trading;
	my $intent = $e->sql(q{SELECT intent_id FROM trade.order_intents WHERE symbol = '000660'});
	sold($intent, $seq, 'restarted with space') if $intent;
	ok($intent, 'what was asked is there');
};

$e->stop;
done_testing();
