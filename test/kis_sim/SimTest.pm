# SimTest.pm
#		What the self tests share: a simulator of their own with one known account, and
#		short names for what they ask of its ports.
package SimTest;

use strict;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempdir);
use JSON::PP;
use SimClient;

our @EXPORT = qw($binary $dir $trading $app_key $app_secret start_sim oauth token clock price fault
  posts orders account_truth marks drain true);

our $binary = $ARGV[0] // './kis_sim';
our $dir = tempdir(CLEANUP => 1);
our $trading = '/uapi/domestic-stock/v1/trading';
our ($app_key, $app_secret) = ('PSTESTKEY' . 'A' x 27, 'S' x 180);
my %config = (
	apps => [ {
		app_key => $app_key, app_secret => $app_secret, hts_id => 'tester',
		accounts => ['12345678-01'] } ],
	symbols => [
		{ symbol => '005930', name => 'Samsung', market => 'KOSPI', base => 70000, price => 70000 },
		{ symbol => '035720', name => 'Kakao', market => 'KOSDAQ', base => 40000, price => 40000 } ],
	accounts => [ {
		account => '12345678-01', cash => 100000000,
		holdings => [ { symbol => '005930', qty => 100, avg_price => '60000' } ] } ]);

sub start_sim
{
	my (%o) = @_;
	my $file = "$dir/config.json";
	open my $fh, '>', $file or die $!;
	print $fh encode_json({ %config, options => $o{options} // {} });
	close $fh;
	my $sim = SimClient::start($binary,
		'--profile', $o{profile} // 'real', '--config', $file, '--seed', $o{seed} // 7,
		'--clock', $o{clock} // '2026-11-20T10:00:00+09:00', '--rate', $o{rate} // 0);
	@$sim{qw(app_key app_secret letter)} =
	  ($app_key, $app_secret, ($o{profile} // '') eq 'paper' ? 'V' : 'T');
	$sim->{token} = token($sim)->{json}{access_token};
	$sim->{approval} = oauth($sim, 'Approval', secretkey => $app_secret)->{json}{approval_key};
	return $sim;
}

sub oauth
{
	my ($sim, $path, %more) = @_;
	return SimClient::call($sim->{rest}, 'POST', "/oauth2/$path",
		{ 'content-type' => 'application/json' },
		encode_json({ grant_type => 'client_credentials', appkey => $app_key, %more }));
}

sub token { return oauth($_[0], 'tokenP', appsecret => $app_secret); }
sub clock { return $_[0]->control('POST', '/clock', { now => "$_[1]+09:00" }); }
sub price { my ($sim, $code, $p) = @_; return $sim->control('POST', '/price', { symbol => $code, price => $p }); }
sub fault { my ($sim, %f) = @_; return $sim->control('POST', '/fault', \%f)->{id}; }
sub posts { return scalar @{ $_[0]->control('GET', '/requests?path=order-cash')->{requests} }; }
sub orders { return $_[0]->control('GET', '/truth')->{orders}; }
sub account_truth { return $_[0]->control('GET', '/truth?account=' . ($_[1] // '12345678-01')); }
sub true { return JSON::PP::true; }

# The state columns of a notice: CNTG_YN, RCTF, RFUS, ACPT.
sub marks { my ($r) = @_; return defined $r ? join '/', @$r[ 13, 5, 12, 14 ] : 'none'; }

# Notices until the marker frame that the control port sends now.
sub drain
{
	my ($sim, $ws) = @_;
	my @seen;
	$sim->control('POST', '/frame', { text => '0|MARKER|001|x' });
	while (my $record = SimClient::ws_record($ws))
	{
		return @seen if $record->[0] eq 'x';
		push @seen, $record;
	}
	die 'the marker frame never came';
}

1;
