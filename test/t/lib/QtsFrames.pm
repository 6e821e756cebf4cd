# QtsFrames.pm
#		Messages of the feed as the broker writes them, made by hand: H0STCNT0 and H0STASP0.
package QtsFrames;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(tick_record book_record message);

use constant { DATE => '20261120', BASE => 70000, LEVELS => 10, STEP => 100 };

my %volume;

# at = seconds after ten o'clock; change and volume as if the price were a day's, field => value for the rest.
sub tick_record
{
	my ($symbol, $price, %o) = @_;
	my $at = 36000 + ($o{at} // 0);
	my $change = $o{change} // $price - BASE;
	my $volume = $o{volume} // ($volume{$symbol} // 0) + 1;
	$volume{$symbol} = $volume if $volume > ($volume{$symbol} // 0);
	my @field = ('') x 47;
	@field[ 0 .. 4 ] = ($symbol, sprintf('%02d%02d%02d', $at / 3600, $at / 60 % 60, $at % 60), $price,
		$change < 0 ? 5 : 2, abs $change);
	@field[ 10 .. 14 ] = ($price + STEP, $price - STEP, 1, $volume, $volume * BASE);
	@field[ 33, 35, 46 ] = (DATE, 'N', 2);
	@field[ keys %{ $o{field} } ] = values %{ $o{field} };
	return join '^', @field;
}

# Ten levels a side around a price.
sub book_record
{
	my ($symbol, $price, %o) = @_;
	my @field = (0) x 59;
	@field[ 0 .. 2 ] = ($symbol, '100000', 0);
	for my $i (0 .. LEVELS - 1)
	{
		@field[ 3 + $i, 13 + $i, 23 + $i, 33 + $i ] = ($price + STEP * ($i + 1), $price - STEP * $i, 10, 10);
	}
	@field[ keys %{ $o{field} } ] = values %{ $o{field} };
	return join '^', @field;
}

sub message
{
	my ($tr_id, @records) = @_;
	return sprintf '0|%s|%03d|%s', $tr_id, scalar @records, join '^', @records;
}

1;
