# QtsDayFaults.pm
#		What goes wrong in the course of a day, in an order that follows from the seed.
#
# A kind is: begin, what it does to the simulator or the server; settle, how many
# seconds after its end everything must be as before; and alone when it takes the
# engine itself away.  Ending is the same for all: the simulator forgets its faults.
package QtsDayFaults;

use strict;
use warnings;

use constant QUOTES => '/quotations/';
use constant MULTI => 'intstock-multprice';
use constant { LAST => 2, ASK => 10, BID => 11 };
use constant NAVER => '/api/realtime';
# a reconnect comes up to 30 s late, a breaker opens for up to a minute
use constant SETTLE => 120;
# two steps of throttling, a minute each, and then the slowest round
use constant SETTLE_RATE => 300;

# A rule for as long as the fault lasts.
sub rule
{
	my ($mode, $params, %match) = @_;
	return sub { $_[0]{sim}->fault($mode, times => 0, params => $params, match => \%match); };
}

sub all { my @parts = @_; return sub { $_->(@_) for @parts; }; }

# Frames of held symbols tell their price times a factor, each its own, in these fields.
sub lie
{
	my ($factor, @fields) = @_;
	return sub {
		my ($day) = @_;
		for my $symbol (grep { !$day->{sold}{$_} } @{ $day->{held} })
		{
			my $price = int($day->{truth}->price($symbol) * $factor);
			$day->{sim}->fault('tick_field', times => 0, params => { values => { map { $_ => "$price" } @fields } },
				match => { tr_id => 'H0STCNT0', symbol => $symbol });
		}
	};
}

# The feed says nothing, so that what the others say counts.
sub mute { return sub { $_[0]{sim}->fault('ws_mute_ticks', params => { ms => 3_600_000 }); }; }

sub kinds
{
	my $refused = rule('upgrade_refuse', { how => 'http' });
	my $drop = sub { $_[0]{sim}->fault('ws_drop'); };
	my $quotes_down = rule('html_502', { http => 500 }, path => QUOTES);
	my $bad_row = sub { return rule('reshape', { set => { map { $_ => $_[0] } @_[ 1 .. $#_ ] } }, path => MULTI); };
	return (
		# the feed
		{ name => 'feed silent', begin => mute() },
		{ name => 'feed half open', begin => sub { $_[0]{sim}->fault('ws_silence', params => { ms => 3_600_000 }); } },
		{ name => 'feed reset, reconnect refused', begin => all(sub { $_[0]{sim}->fault('ws_rst'); }, $refused) },
		{ name => 'app key in use', begin => all(rule('ws_refuse', { how => 'close' }), $drop) },
		{ name => 'frames in pieces, twice', begin => all(rule('frame_pieces', { bytes => 7 }), rule('tick_twice', {})) },
		{ name => 'frames lost', begin => sub { $_[0]{sim}->fault('tick_lost', times => 0, match => { probability => 0.3 }); } },
		{ name => 'frames miscounted', begin => rule('tick_count', { count => 9 }) },
		# quotes by request
		{ name => 'quotes: HTTP 500', begin => $quotes_down },
		{ name => 'quotes: EGW00201', settle => SETTLE_RATE, begin => sub {
			$_[0]{sim}->fault('rate_limit', times => 0, match => { path => QUOTES, probability => 0.5 }); } },
		{ name => 'quotes: no answer', begin => rule('no_answer', {}, path => QUOTES) },
		{ name => 'quotes: late', begin => rule('late_response', { ms => 3000 }, path => QUOTES) },
		{ name => 'quotes: rows missing', begin => rule('quote_missing', {}, path => MULTI) },
		# both, and everything
		{ name => 'broker gone', begin => all(rule('html_502', {}, path => '/uapi/'), $refused, $drop) },
		{ name => 'network gone', begin => all(rule('conn_rst', {}), $refused, $drop) },
		{ name => 'network hangs', begin => all(rule('conn_stall', {}), mute()) },
		# wrong prices
		{ name => 'frames: zero', begin => rule('tick_field', { index => 2, value => '0' }, tr_id => 'H0STCNT0') },
		{ name => 'frames: negative', begin => rule('tick_field', { index => 2, value => '-70000' }, tr_id => 'H0STCNT0') },
		{ name => 'frames: ten times the price', begin => lie(10, LAST, ASK, BID) },
		{ name => 'frames: a tenth of the price', begin => lie(0.1, LAST, ASK, BID) },
		{ name => 'frames: a tenth of the bid', begin => lie(0.1, BID) },
		{ name => 'frames: ten times the bid', begin => lie(10, BID) },
		{ name => 'frames: no number', begin => rule('tick_field', { index => 2, value => 'x1' }, tr_id => 'H0STCNT0') },
		{ name => 'quotes: zero', begin => all($bad_row->('0', 'inter2_prpr'), mute()) },
		{ name => 'quotes: beyond the limits', begin => all($bad_row->('99999999', 'inter2_prpr'), mute()) },
		{ name => 'quotes: negative', begin => all($bad_row->('-1', 'inter2_prpr'), mute()) },
		{ name => 'quotes: bid of one won', begin => all($bad_row->('1', 'inter2_bidp'), mute()) },
		{ name => 'quotes: bid beyond the limits', begin => all($bad_row->('99999999', 'inter2_bidp'), mute()) },
		{ name => 'clock ahead', begin => sub { $_[0]{sim}->config(options => { clock_skew_ms => 40_000 }); } },
		{ name => 'clock behind', begin => sub { $_[0]{sim}->config(options => { clock_skew_ms => -40_000 }); } },
		# the fallback source
		{ name => 'Naver: 403', begin => all(rule('html_502', { http => 403 }, path => NAVER), $quotes_down) },
		{ name => 'Naver: no answer', begin => all(rule('no_answer', {}, path => NAVER), $quotes_down) },
		{ name => 'Naver: a quarter too low', lies => 1,
			begin => all(rule('quote_skew', { percent => -25 }, path => NAVER), mute(), $quotes_down) },
		# tokens, load, and the worker itself
		{ name => 'tokens revoked', begin => sub { $_[0]{sim}->fault('revoke_tokens'); } },
		{ name => 'ten times the prints', begin => sub { $_[0]->walk(10); } },
		{ name => 'prices worker ended', alone => 1, begin => sub { $_[0]->kill_worker('TERM'); } },
		{ name => 'prices worker killed', alone => 1, begin => sub { $_[0]->kill_worker('KILL'); } });
}

# A generator of its own: perl's differs from one machine to the next.
sub random
{
	my ($self, $below) = @_;
	$self->{state} = ($self->{state} * 1103515245 + 12345) % 2147483648;
	return int($self->{state} / 65536) % $below;
}

# Faults from..to in us: each [begin, end, kind..]; every kind comes before one comes again.
sub plan
{
	my ($class, %o) = @_;
	my $self = bless { state => $o{seed} % 2147483648 }, $class;
	my @only = grep { my $k = $_; !$o{only} || grep { $k->{name} =~ /$_/ } @{ $o{only} } } kinds();
	my (@deck, @plan);
	my $t = $o{from};
	$self->random(2) for 1 .. 5;
	while (1)
	{
		my $lasts = ($o{shortest} + $self->random($o{longest} - $o{shortest} + 1)) * 1_000_000;
		last if $t + $lasts > $o{to};
		@deck = @only unless @deck;
		my ($kind) = splice @deck, $self->random(scalar @deck), 1;
		push @plan, { begin => $t, end => $t + $lasts, name => $kind->{name}, kind => $kind,
			settle => ($kind->{settle} // SETTLE) * 1_000_000 };
		$t += $lasts + ($o{rest} + $self->random($o{rest} + 1)) * 1_000_000;
	}
	return bless { %$self, plan => \@plan }, $class;
}

# The stretches of from..to in which all has been well for as long as it takes.
sub healthy
{
	my ($self, $from, $to) = @_;
	my @free;
	for my $f (@{ $self->{plan} })
	{
		push @free, [ $from, $f->{begin} ] if $f->{begin} > $from;
		$from = $f->{end} + $f->{settle} if $f->{end} + $f->{settle} > $from;
	}
	push @free, [ $from, $to ] if $to > $from;
	return @free;
}

1;
