# 045_day.pl
#		A trading day of 1 000 symbols in accelerated time, with feeds that fail: every
#		price shown is held against the truth (QtsDay.pm says what a price promises).
#
#	DAY=whole      08:00 to 16:10; without it the opening
#	SEED=n         of prices and faults; SPEED=n times faster than time
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use QtsDay;
use QtsDayVerdict;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $library = QtsDayServer::library($dir);
plan skip_all => 'no C compiler, so time cannot be made faster' unless $library;

my $whole = ($ENV{DAY} // '') eq 'whole';
my $began = time;
my $day = QtsDay->new(
	library => $library, seed => $ENV{SEED} || 1, speed => $ENV{SPEED} || ($whole ? 30 : 25),
	$whole
	? (from => '07:50', to => '16:10', faults_from => '09:03', faults_to => '15:18', breaches => 12)
	: (from => '08:56', to => '09:22', faults_from => '09:04', faults_to => '09:20', breaches => 5,
		shortest => 25, longest => 40, rest => 30));

sub none
{
	my ($name, @kinds) = @_;
	my @bad = grep { my $text = $_; grep { index($text, "$_:") == 0 } @kinds } @{ $day->{bad} };
	return is(join("\n", @bad), '', $name);
}

$day->prepare;
$day->begin;
$day->live;
QtsDayVerdict::of($day);

none('every price shown was true when it came from its source', 'never true');
none('stale is never shown as fresh', 'stale shown as fresh');
none('with feeds well every price follows the truth as its tier promises', 'later than promised');
none('the limiter is never exceeded', 'limiter');
none('memory is flat', 'memory');
none('no exit was decided on a price that was not true', 'exit on a price that never was',
	'exit that its price does not call for', 'orders');
none('with feeds well every true breach is sold at once', 'breach without an order in time');
SKIP:
{
	# too few looks; and orders that hang for minutes are left to a person, who is not here
	skip 'the machine had no time for a tenth of the day', 8 if $day->taken > 0.1;
	cmp_ok($day->{count}{compared} // 0, '>', 100_000, 'prices were compared with the truth');
	is($day->{most_pushed}, 40, 'forty symbols were pushed');
	cmp_ok($day->{count}{"shown fresh $_"} // 0, '>', 0, "prices of $_ were shown as fresh") for qw(KIS_WS KIS_REST NAVER);
	cmp_ok($day->{count}{exits}, '>', 0, 'positions were sold');
	$day->{e}->healthy('the day');
	$day->{e}->agrees('the day');
}
note("$_") for QtsDayVerdict::figures($day), sprintf 'took %.0f s', time - $began;
$day->{e}->stop;
done_testing();
