# DemoScreen.pm
#		Draws the demo: a screen redrawn in place on a terminal, plain lines elsewhere.
package DemoScreen;

use strict;
use warnings;

my @latencies = (
	[ qts_tick_to_board_seconds => 'tick on the socket -> price board' ],
	[ qts_tick_to_intent_seconds => 'price -> exit intent committed' ],
	[ qts_intent_to_send_seconds => 'intent committed -> order sent' ],
	[ qts_broker_order_seconds => 'order sent -> answer of the broker' ],
	[ qts_notice_to_commit_seconds => 'fill notice -> fill committed' ]);

sub new
{
	my ($class, %self) = @_;
	return bless { %self, live => -t STDOUT && ($ENV{TERM} // 'dumb') ne 'dumb', told => {}, lines_at => -10 }, $class;
}

sub number
{
	my ($value) = @_;
	return '' unless defined $value;
	my $text = sprintf '%.0f', $value;
	1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
	return $text;
}

sub paint
{
	my ($value, $text) = @_;
	return $text if !-t STDOUT || !defined $value || $value == 0;
	return ($value > 0 ? "\e[32m" : "\e[31m") . $text . "\e[0m";
}

sub micro
{
	my ($look, $name, $quantile) = @_;
	my $value = ($look->{latency} // {})->{qq{$name quantile="$quantile"}};
	return defined $value ? number(1e6 * $value) : '-';
}

sub open
{
	my ($self) = @_;
	print "\e[?1049h\e[?25l\e[2J" if $self->{live};
	return;
}

sub close
{
	my ($self) = @_;
	print "\e[?25h\e[?1049l" if $self->{live};
	$self->{live} = 0;
	return;
}

sub DESTROY { $_[0]->close }

sub rows
{
	my ($rows) = `stty size </dev/tty 2>/dev/null` =~ /^(\d+)/;
	return $rows && $rows > 10 ? $rows : 40;
}

sub header
{
	my ($self, $look, $progress) = @_;
	my $status = join '  ', map { "$_->{name} " . lc $_->{state} } @{ $look->{status} // [] };
	my $bar = '#' x int(20 * $progress);
	return (
		sprintf("qts  %s KST   %s   [%-20s]", $look->{now}, $self->{title}, $bar),
		sprintf('health %s   %s   %s', $look->{health}{state}, $status, $look->{health}{reasons}[0] // ''), '');
}

sub positions
{
	my ($look) = @_;
	my @lines = sprintf '%-6s %-14s %11s %10s %10s %8s %13s  %-15s %10s',
	  qw(symbol name held/bought average price pct P&L phase floor);
	my $open = 0;
	for my $p (@{ $look->{positions} // [] })
	{
		my $is_closed = $p->{status} eq 'CLOSED';
		$open += $p->{pnl} // 0;
		push @lines, sprintf '%-6s %-14.14s %11s %10s %10s %s %s  %-15s %10s', $p->{symbol}, $p->{name},
		  "$p->{qty}/$p->{bought}", number($p->{avg}), number($p->{price}),
		  $is_closed ? ' ' x 8 : paint($p->{pct}, sprintf '%+7.2f%%', $p->{pct} // 0),
		  $is_closed ? ' ' x 13 : paint($p->{pnl}, sprintf '%13s', number($p->{pnl})),
		  $is_closed ? 'EXITED' : $p->{phase} // '', $is_closed ? '' : number($p->{floor});
	}
	push @lines, sprintf('open P&L %s KRW   realised after costs %s KRW', number($open), number($look->{realised})), '';
	return @lines;
}

sub orders
{
	my ($look, $room) = @_;
	my @orders = @{ $look->{orders} // [] };
	splice @orders, 0, @orders - $room if @orders > $room;
	return (
		sprintf('%-8s %-6s %-13s %6s  %-10s %-10s %-10s %7s %10s', qw(created symbol reason qty intent order number filled average)),
		map {
			sprintf '%-8s %-6s %-13s %6d  %-10s %-10s %-10s %7d %10s', $_->{at}, $_->{symbol}, $_->{reason}, $_->{qty},
			  $_->{intent}, $_->{state} // '', $_->{number} // '', $_->{filled}, number($_->{avg})
		} @orders);
}

sub exit_line
{
	my ($x) = @_;
	return sprintf 'closed %-8s %-6s %6d at %10s by %-12s %s KRW', $x->{at}, $x->{symbol}, $x->{qty}, number($x->{avg}),
	  $x->{reason}, paint($x->{pnl}, sprintf '%12s (%+.2f %%)', number($x->{pnl}), $x->{pct} // 0);
}

sub latency
{
	my ($look) = @_;
	return (
		sprintf('%-36s %9s %9s', 'latency, microseconds (up to)', 'p50', 'p99'),
		map { sprintf '%-36s %9s %9s', $_->[1], micro($look, $_->[0], '0.5'), micro($look, $_->[0], '0.99') } @latencies);
}

sub draw
{
	my ($self, $look, $elapsed, $progress) = @_;
	return $self->tell($look, $elapsed) unless $self->{live};
	my @head = ($self->header($look, $progress), positions($look));
	my @exits = map { exit_line($_) } @{ $look->{exits} // [] };
	my @latency = latency($look);
	my $rows = rows();
	my $room = $rows - @head - @exits - @latency - 5;
	$room = 3 if $room < 3;
	my @lines = (@head, orders($look, $room), '', @exits, (@exits ? '' : ()), @latency);
	splice @lines, $rows - 1 if @lines > $rows - 1;
	print "\e[H" . join('', map { "$_\e[K\n" } @lines) . "\e[J\e[$rows;1H$self->{footer}\e[K";
	return;
}

# Without a terminal: each change of an order once, each closed position, a line every ten seconds.
sub tell
{
	my ($self, $look, $elapsed) = @_;
	for my $o (@{ $look->{orders} // [] })
	{
		my $state = $o->{state} // $o->{intent};
		next if ($self->{told}{ $o->{id} } // '') eq $state;
		$self->{told}{ $o->{id} } = $state;
		printf "%s  %-6s %-13s sell %5d  %s%s\n", $o->{at}, $o->{symbol}, $o->{reason}, $o->{qty}, $state,
		  $o->{filled} ? " $o->{filled} at " . number($o->{avg}) : '';
	}
	for my $x (@{ $look->{exits} // [] })
	{
		print exit_line($x), "\n" unless $self->{told}{ $x->{id} }++;
	}
	if ($elapsed - $self->{lines_at} >= 10)
	{
		$self->{lines_at} = $elapsed;
		my $open = 0;
		$open += $_->{pnl} // 0 for @{ $look->{positions} // [] };
		printf "%s KST  health %s  open P&L %s  realised %s  %s\n", $look->{now}, $look->{health}{state}, number($open),
		  number($look->{realised}), $look->{health}{reasons}[0] // '';
		print "$self->{footer}\n" if $self->{footer} =~ /join/ && $elapsed < 10;
	}
	return;
}

sub summary
{
	my ($rows, $look) = @_;
	my %sum;
	printf "%-14s %6s %8s %14s %10s %14s\n", qw(reason orders shares gross costs net);
	for my $r (@$rows)
	{
		printf "%-14s %6d %8s %14s %10s %14s\n", $r->{reason}, map { number($_) } @$r{qw(orders shares gross costs net)};
		$sum{$_} += $r->{$_} for qw(orders shares gross costs net);
	}
	printf "%-14s %6d %8s %14s %10s %14s\n\n", 'all', map { number($_ // 0) } @sum{qw(orders shares gross costs net)};
	print "$_\n" for latency($look);
	return;
}

1;
