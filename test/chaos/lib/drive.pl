# drive.pl
#		Tiers 3 and 4: real servers, their workers and a simulated broker; one seed is one
#		schedule of trading events and faults, then rest, then the verdict.
#
#	drive.pl TIER DIR FIRST COUNT STEP		seeds FIRST, FIRST+STEP, ... COUNT of them
#
# DIR is the job's own.  Needs CHAOS_BIN (a server with points), CHAOS_SQL, QTS_KIS_SIM.
# Writes DIR/coverage (fault, step, times) and DIR/failed (seed, reason); prints a line a seed
# with TAP set, else a line a failure.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../../t/lib";
use Digest::MD5 qw(md5_hex);
use Time::HiRes qw(time);
use ChaosServer;
use ChaosT3;
use ChaosT4;

my ($tier, $dir, $first, $count, $step) = @ARGV;
die "usage: drive.pl TIER DIR FIRST COUNT STEP\n" unless defined $step;
$SIG{INT} = $SIG{TERM} = sub { exit 130 };
$| = 1;
binmode $_, ':utf8' for *STDOUT, *STDERR;

use constant LIFE => 200;    # schedules of one server: the simulator's accounts are bounded

my (%coverage, %hashes, $servers);
my ($failed, $counted) = (0, 0);
my $started = time;

sub report
{
	my ($seed, $result) = @_;
	my @bad = @{ $result->{bad} };
	$coverage{$_} += $result->{fired}{$_} for keys %{ $result->{fired} };
	$counted++ if %{ $result->{fired} } && !$hashes{ $result->{hash} }++;
	if (@bad)
	{
		$failed++;
		open my $fh, '>>', "$dir/failed" or die "$dir/failed: $!";
		print $fh map { "$seed $_\n" } @bad;
		close $fh;
		print "# $_\n" for @bad;
		print "# make chaos TIER=$tier SEED=$seed\n";
	}
	print((@bad ? 'not ok' : 'ok') . " - T$tier seed $seed: $result->{events} events, "
		  . join(', ', map { s/\t.*//r } sort keys %{ $result->{fired} }) . sprintf(", %.2f s\n", $result->{seconds}))
	  if $ENV{TAP} || $ENV{TRACE};
	return;
}

for my $i (0 .. $count - 1)
{
	my $seed = $first + $i * $step;
	if ($i % LIFE == 0)
	{
		$servers->end if $servers;
		$servers = "ChaosT$tier"->new("$dir/life" . int($i / LIFE));
	}
	my $result = eval { $servers->schedule($seed) }
	  // { bad => ["died: $@"], fired => {}, events => 0, hash => '', seconds => 0 };
	report($seed, $result);
	if (@{ $result->{bad} })
	{
		# what it left behind must not fail the next one
		eval { $servers->keep("$dir/seed$seed") } or print "# not kept: $@\n";
		$servers->end;
		$servers = "ChaosT$tier"->new("$dir/after$seed");
	}
}
$servers->end if $servers;

open my $fh, '>', "$dir/coverage" or die "$dir/coverage: $!";
print $fh map { "$_\t$coverage{$_}\n" } sort keys %coverage;
close $fh;
printf "# %d schedules, %d failed, %d counted, %.0f s, %.0f an hour\n", $count, $failed, $counted,
  time - $started, $count * 3600 / (time - $started);
exit($failed ? 1 : 0);
