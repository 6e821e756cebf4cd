# 055_urgent.pl
#		An order that somebody asks for waits for one transaction of the execution worker, not
#		for the queue of fills that it books.
use strict;
use warnings;
use JSON::PP ();
use Test::More;
use QtsFaults;
use QtsTest;

my @symbols = map { "30000$_" } 0 .. 7;
my $f = QtsFaults->new(symbols => \@symbols, options => { auto_fill => JSON::PP::false });
my $e = $f->{e};
my $sim = $f->{sim};

# Fills of the first position, which is locked, and behind them of the others in turns.
my $urgent = pop @symbols;
my %odno = map { $_ => $f->resting($_, 100) } @symbols;
my $fills = 1 + 8 * $#symbols;
my $worker = $e->pid('execution');
kill 'STOP', $worker or die "cannot stop the worker: $!";
$f->fill($odno{ $symbols[0] }, 1, 80000);
for (1 .. 8)
{
	$f->fill($odno{$_}, 1, 80000) for @symbols[ 1 .. $#symbols ];
}
$e->until("(SELECT sum(notices) FROM qts._feeds()) = $fills + @{[scalar @symbols]}", 'the fills wait for the execution worker');

my $holder = $e->{node}->background_psql($e->{db});
$holder->query_safe("BEGIN; SELECT FROM trade.positions WHERE symbol = '$symbols[0]' FOR UPDATE");
my $seq = $sim->last_seq;
kill 'CONT', $worker or die "cannot continue the worker: $!";
$e->until("(SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $worker)", 'it books the first of them');
my $intent = $e->exit_position($urgent, ', 5');
$holder->query_safe('COMMIT');
$holder->quit;
ok($sim->wait_posts(1, $seq), 'the order leaves');
$e->until("(SELECT sum(qty) = $fills FROM trade.fills)", 'and all the fills are booked');
is($e->sql("SELECT count(*) FROM trade.notices AS n, trade.orders AS o WHERE o.intent_id = '$intent'
	AND n.kind = 'FILL' AND n.recv_ts < o.sent_ts"), 1, 'the order waited for the one that was under way');
$e->healthy('the end');
$e->stop;
done_testing();
