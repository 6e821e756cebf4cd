# QtsSim.pm
#		The simulated broker as a process of the test's own, and its control port.
#		Owns the process: it ends with the object's last use or the script.  Waiting
#		is done by the simulator (GET /wait), which answers when it happened.
package QtsSim;

use strict;
use warnings;
use File::Basename qw(dirname);
use HTTP::Tiny;
use JSON::PP;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

use constant WAIT_MS => 30000;

# pid => its owner and output: a handle that goes out of scope waits for its process
my %running;

# The default broker: one app key, one account with two holdings, no rate limit.
sub default_config
{
	my (%o) = @_;
	return {
		apps => [ {
			app_key => 'PSAPPKEY' . '0' x 27 . 'A', app_secret => 'secretsecret',
			hts_id => 'myhtsid', accounts => ['12345678-01'] } ],
		symbols => $o{symbols} // [
			{ symbol => '005930', name => 'Samsung', market => 'KOSPI', base => 70000,
				price => 70000 },
			{ symbol => '000660', name => 'Hynix', market => 'KOSPI', base => 100000,
				price => 100000 } ],
		accounts => [ {
			account => '12345678-01', cash => 100_000_000,
			holdings => $o{holdings} // [
				{ symbol => '005930', name => 'Samsung', qty => 100, avg_price => '70000' },
				{ symbol => '000660', name => 'Hynix', qty => 50, avg_price => '100000' } ] } ],
		options => { rate_per_second => 0, token_interval_s => 0, %{ $o{options} // {} } } };
}

# clock: ISO 8601, or undef to run on the wall clock with the market always open, or at
# its hours with keeps_hours.
sub start
{
	my ($class, $dir, %o) = @_;
	my $binary = $ENV{QTS_KIS_SIM} // dirname(__FILE__) . '/../../kis_sim/kis_sim';
	my $file = "$dir/sim.json";
	my $config = default_config(%o);
	$config->{options}{market_open} = JSON::PP::true unless defined $o{clock} || $o{keeps_hours};
	open my $fh, '>', $file or die "$file: $!";
	print $fh encode_json($config);
	close $fh;
	my @args = ('--config', $file, '--rate', $o{options}{rate_per_second} // 0, '--seed', 7);
	push @args, '--clock', $o{clock} if defined $o{clock};
	push @args, '--profile', $o{profile} if defined $o{profile};
	my $pid = open(my $out, '-|', $binary, @args) or die "cannot start $binary: $!";
	$running{$pid} = { owner => $$, out => $out };
	my $ready = decode_json(scalar(<$out>) // die 'the simulator did not get ready');
	my $self = bless { %$ready, child => $pid }, $class;
	$self->{http} = HTTP::Tiny->new(
		timeout => WAIT_MS / 1000 + 10, proxy => undef, http_proxy => undef, https_proxy => undef);
	return $self;
}

sub call
{
	my ($self, $method, $path, $body) = @_;
	# head and body are written one after the other: without this the body waits for an ACK
	my $kept = $self->{http}{handle};
	setsockopt $kept->{fh}, IPPROTO_TCP, TCP_NODELAY, 1 if $kept && $kept->{fh};
	my $answer = $self->{http}->request($method, "http://127.0.0.1:$self->{control}$path",
		defined $body ? { content => encode_json($body) } : {});
	die "simulator: $method $path: $answer->{status} $answer->{content}"
	  unless $answer->{success};
	return decode_json($answer->{content});
}

sub price
{
	my ($self, $symbol, $price) = @_;
	return $self->call('POST', '/price', { symbol => $symbol, price => $price });
}

sub fault
{
	my ($self, $mode, %more) = @_;
	return $self->call('POST', '/fault', { mode => $mode, %more })->{id};
}

sub faults_fired
{
	my ($self, $id) = @_;
	my ($f) = grep { $_->{id} == $id } @{ $self->call('GET', '/faults')->{faults} };
	return $f ? $f->{fired} : 0;
}

sub clear { return $_[0]->call('DELETE', '/faults'); }
sub held { return $_[0]->call('GET', '/faults')->{held}; }
sub release { return $_[0]->call('POST', '/release', {})->{released}; }
sub stats { return $_[0]->call('GET', '/stats'); }
sub config { my ($self, %c) = @_; return $self->call('POST', '/config', \%c); }
sub truth { return $_[0]->call('GET', '/truth'); }
sub orders { return grep { $_->{kind} eq 'new' } @{ $_[0]->truth->{orders} }; }

sub requests
{
	my ($self, $path, $since) = @_;
	return @{ $self->call('GET', "/requests?path=$path&since=" . ($since // 0))->{requests} };
}

# How often an order was asked for: the number that must never be one too many.
sub posts
{
	my ($self, $since) = @_;
	return scalar $self->requests('order-cash', $since);
}

sub last_seq { return $_[0]->stats->{last_seq}; }

# Until so many requests of this path have arrived; false when it took too long.
sub wait_path
{
	my ($self, $path, $count, $since) = @_;
	return $self->call('GET', "/wait?path=$path&count=$count&since=" . ($since // 0)
		  . '&timeout_ms=' . WAIT_MS)->{ok};
}

sub wait_posts { my ($self, $count, $since) = @_; return $self->wait_path('order-cash', $count,
	$since); }

sub wait_counter
{
	my ($self, $counter, $count) = @_;
	return $self->call('GET', "/wait?counter=$counter&count=$count&timeout_ms=" . WAIT_MS)->{ok};
}

sub now_us { return $_[0]->call('GET', '/clock')->{us}; }

sub set_clock
{
	my ($self, $iso) = @_;
	return $self->call('POST', '/clock', { now => $iso });
}

sub stop
{
	my ($self) = @_;
	return unless $running{ $self->{child} };
	kill 'TERM', $self->{child};
	local $?;
	delete $running{ $self->{child} };
	return;
}

END
{
	# a child of the script forgets the processes of its parent
	my $exit_code = $?;
	kill 'TERM', grep { $running{$_}{owner} == $$ } keys %running;
	%running = ();
	$? = $exit_code;
}

1;
