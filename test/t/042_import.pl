# 042_import.pl
#		Imports from server files: plain, gzip, several members, damaged, cut short.
#		With DATA=dir the real files in dir/krx are loaded whole.
use strict;
use warnings;
use Compress::Zlib qw(memGzip);
use Encode qw(encode);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('import');
$node->init;
$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'qts'
qts.database = 'postgres'
qts.enabled = off
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION qts; SELECT qts.activate()');
my $dir = PostgreSQL::Test::Utils::tempdir();

sub file
{
	my ($name, $bytes) = @_;
	open my $fh, '>:raw', "$dir/$name" or die "$name: $!";
	print $fh $bytes;
	close $fh;
	return "$dir/$name";
}

sub import_file
{
	my ($kind, $path) = @_;
	return $node->safe_psql('postgres', "SELECT line, item, reason FROM qts.import_file('$kind', '$path')");
}

sub last_import
{
	return $node->safe_psql('postgres', 'SELECT lines, inserted, replaced, unchanged, kept, rejected
		FROM market.imports ORDER BY import_id DESC LIMIT 1');
}

sub refused
{
	my ($path, $pattern, $name) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', "SELECT qts.import_file('daily_bars', '$path')");
	isnt($rc, 0, $name);
	like($err, $pattern, 'and says why');
	is($node->safe_psql('postgres', "SELECT count(*) FROM market.ohlcv_1d WHERE symbol = '000660'"), 0,
		'nothing of it is stored');
}

my $header = "symbol,date,open,high,low,close,volume\n";
my @rows = map { sprintf "005930,%04d-%02d-%02d,%d,%d,%d,%d,%d\n", 2000 + int($_ / 336), 1 + int($_ / 28) % 12,
	1 + $_ % 28, 70000 + $_, 71000 + $_, 69000 + $_, 70500 + $_, 1000 + $_ } 0 .. 9999;
my $text = $header . join('', @rows);

is(import_file('daily_bars', file('plain.csv', $text)), '', 'a plain file');
is(last_import(), '10001|10000|0|0|0|0', 'is stored whole');
is(import_file('daily_bars', file('packed.csv.gz', memGzip($text))), '', 'the same in gzip');
is(last_import(), '10001|0|0|10000|0|0', 'changes nothing');
my $members = memGzip($header) . memGzip(join '', @rows[0 .. 4999]) . memGzip(join '', @rows[5000 .. 9999]);
is(import_file('daily_bars', file('members.csv.gz', $members)), '', 'a file of several members');
is(last_import(), '10001|0|0|10000|0|0', 'is read to its end');
my $sum = $node->safe_psql('postgres', 'SELECT count(*), sum(close), sum(volume), min(date), max(date) FROM market.ohlcv_1d');
is($sum, '10000|754995000|59995000|2000-01-01|2029-10-04', 'every row is there');

(my $other = $text) =~ s/005930/000660/g;
my $packed = memGzip($other);
refused(file('cut.csv.gz', substr($packed, 0, length($packed) - 2000)), qr/not whole.*end too early/s, 'a file cut short');
my $damaged = $packed;
substr($damaged, int(length($damaged) / 2), 8) = "\xff" x 8;
refused(file('damaged.csv.gz', $damaged), qr/not whole|header/s, 'a damaged file');
refused("$dir/none.csv", qr/No such file/, 'no file');
refused($dir, qr/regular file|Is a directory/, 'a directory');
refused(file('empty.csv', ''), qr/nothing to import/, 'an empty file');

# Lines that are too long, not text, or without an end.
is(import_file('daily_bars', file('odd.csv', $header . ('x' x 200_000) . "\n005930,2030-01-01,1,1,1,1,1\n"
	. "00593\xff,2030-01-02,1,1,1,1,1\n005930,2030-01-03,1,1,1,1,1")),
	"2||it is too long\n4||it is not valid in the encoding of the database", 'odd lines are told');
is(last_import(), '5|2|0|0|0|2', 'the others are stored');

# The broker's file is CP949.
my $name = "\x{c0bc}\x{c131}\x{c804}\x{c790}";
my $line = sprintf('%-9sKR7005930003', '005930') . encode('cp949', $name) . ' ' x 32 . 'ST' . ' ' x 53 . 'NNN00'
	. ' ' x 40 . '19750611' . ' ' x 98 . '004500000' . ' ' x 6;
is(import_file('kosdaq_master', file('kosdaq_code.mst', "$line\n")), '', 'the broker\'s master file');
is($node->safe_psql('postgres', "SELECT name, market, listing_date, market_cap FROM market.stocks WHERE symbol = '005930'"),
	encode('UTF-8', $name) . '|KOSDAQ|1975-06-11|450000000000000', 'in its encoding');

SKIP:
{
	my $data = $ENV{DATA};
	skip 'DATA is not set', 1 if !defined $data || !-d "$data/krx";
	my %want = (calendar => 142, stocks => 3100, daily_bars => 1540145, minute_bars => 1213786);
	my %files = (calendar => ["$data/krx/holidays.csv"], stocks => ["$data/krx/stocks.csv"],
		daily_bars => [ sort glob "$data/krx/daily/*.csv.gz" ], minute_bars => [ sort glob "$data/krx/minute/*.csv.gz" ]);
	for my $kind (qw(calendar stocks daily_bars minute_bars))
	{
		my @rejects = map { split /\n/, import_file($kind, $_) } @{ $files{$kind} };
		is($node->safe_psql('postgres', "SELECT sum(inserted + replaced + unchanged + kept + rejected)
			FROM market.imports WHERE kind = '$kind' AND source LIKE '$data/%'"), $want{$kind}, "$kind: every row of the files");
		my %reasons;
		$reasons{ (split /\|/)[2] }++ for @rejects;
		is_deeply(\%reasons, { stocks => { 'market is empty' => 3, 'name is empty' => 62 },
			daily_bars => { 'the high is below the open or the close' => 85 } }->{$kind} // {}, 'and what is known to be wrong in them')
		  or diag explain \%reasons;
	}
	is($node->safe_psql('postgres', "SELECT count(*) FROM market.ohlcv_1m"), $want{minute_bars}, 'minutes are stored once');
}

done_testing();
