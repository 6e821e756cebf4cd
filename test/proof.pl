#!/usr/bin/perl
# proof.pl
#		The tables of docs/ that name other files, against those files: a test that
#		docs/proof.md names exists, every fault, rule and defect has its row, and every
#		alert that the engine raises is explained in docs/orders.md or docs/prices.md, and
#		the queries of docs/exits.md are run.  Needs no server.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Find;
use Test::More;

chdir dirname(__FILE__) . '/..' or die "no checkout around $0";

sub contents
{
	my ($file) = @_;
	open my $fh, '<', $file or return undef;
	local $/ = undef;
	return scalar <$fh>;
}

sub files
{
	my ($pattern, @folders) = @_;
	my @found;
	find({ no_chdir => 1, wanted => sub { push @found, $_ if -f && /$pattern/ } }, @folders);
	return sort @found;
}

# Rows of all tables of a page: their cells.
sub rows
{
	my ($file) = @_;
	my $text = contents($file) // die "$file is missing";
	return map { [ map { s/^\s+|\s+$//gr } split /(?<!\\)\|/, s/^\|//r ] }
	  grep { /^\|/ && !/^\|\s*-/ } split /\n/, $text;
}

my %wanted = map { $_ => 1 } ((map { "fault $_" } 1 .. 30), (map { "F$_" } 1 .. 31),
	(map { "R$_" } 1 .. 21), (map { "B-E$_" } 1 .. 30), (map { "B-P$_" } 1 .. 3, '3b', 4 .. 11), 'B-D1');
my %text;

# `file`: "name", "name"; `file`: ... -- or the reason why it cannot apply.
sub proved
{
	my ($id, $cell) = @_;
	return (length $cell > 30 ? () : "$id: no reason") if $cell =~ s/^cannot apply: //;
	my @wrong;
	my $file;
	my $names = 0;
	while ($cell =~ /`([^`]+)`|"((?:[^"\\]|\\.)+)"/g)
	{
		if (defined $1)
		{
			$file = $1;
			$text{$file} //= contents($file) // '';
			push @wrong, "$id: $file does not exist" if $text{$file} eq '';
			next;
		}
		$names++;
		push @wrong, "$id: $file has no \"$2\""
		  if !defined $file || index($text{$file}, $2) < 0;
	}
	push @wrong, "$id: names no test" unless $names;
	return @wrong;
}

my (%seen, @wrong);
for my $row (grep { $_->[0] =~ /^(?:fault \d+|[FR]\d+|B-[DEP]\d+b?)$/ } rows('docs/proof.md'))
{
	my ($id, $proof) = @$row[ 0, -1 ];
	push @wrong, "$id: twice" if $seen{$id}++;
	push @wrong, proved($id, $proof);
}
is_deeply(\@wrong, [], 'every test named in docs/proof.md exists');
is_deeply([ sort grep { !$seen{$_} } keys %wanted ], [], 'every fault, rule and defect has a row');
is_deeply([ sort grep { !$wanted{$_} } keys %seen ], [], 'and nothing else has');

# Alerts: the code is the second argument of qts_alert(), or of a function that passes it on.
sub raised
{
	my %raised;
	my @sources = map { { name => $_, text => contents($_) } } files(qr/\.[ch]$/, 'src', 'bgworkers');
	my %passes;
	for my $source (@sources)
	{
		while ($source->{text} =~ /\bqts_alert\(\s*[^"]*?(?:"[A-Z]+"[^",]*?(?::\s*"[A-Z]+"\s*)?)?,\s*(?:"([A-Z_0-9]+)"|(\w+)),/g)
		{
			my ($code, $variable, $at) = ($1, $2, $-[0]);
			if (defined $code) { $raised{$code} = $source->{name}; next; }
			my @functions = substr($source->{text}, 0, $at) =~ /^(\w+)\(/mg;
			$passes{ $functions[-1] } = 1 if @functions && $source->{name} !~ /exec\.h$|alert\.c$/;
		}
	}
	for my $source (@sources)
	{
		for my $function (keys %passes)
		{
			while ($source->{text} =~ /\b$function\((.*?)\);$/smg)
			{
				$raised{$_} = $source->{name}
				  for grep { !/^(?:CRITICAL|WARNING|INFO)$/ } $1 =~ /"([A-Z][A-Z_0-9]{3,})"/g;
			}
		}
	}
	for my $file (files(qr/\.sql$/, 'sql'))
	{
		my $sql = contents($file);
		$raised{$_} = $file for $sql =~ /_alert\('[A-Z]+',\s*'([A-Z_0-9]+)'/g;
	}
	return %raised;
}

my %raised = raised();
# Sources of prices are written the same way, but they are no alerts.
my %told = map { ($_->[1] // '') =~ /^(?:CRITICAL|WARNING|INFO)/ && $_->[0] =~ /^`([A-Z_0-9]{4,})`$/ ? ($1 => 1) : () }
  map { rows($_) } 'docs/orders.md', 'docs/prices.md';
cmp_ok(scalar keys %raised, '>', 20, 'alerts are found in the source');
is_deeply([ sort grep { !$told{$_} } keys %raised ], [],
	'every alert is explained in docs/orders.md or docs/prices.md');
is_deeply([ sort grep { !$raised{$_} } keys %told ], [], 'and none that does not exist');

# The queries of the playbook are run by a regression test.
my $playbook = contents('docs/exits.md');
my $run = contents('test/sql/24_playbook.sql') // '';
my @queries = $playbook =~ /^```sql\n(.*?)^```/msg;
cmp_ok(scalar @queries, '>', 5, 'the playbook has queries');
is_deeply([ grep { index($run, $_) < 0 } @queries ], [], 'test/sql/24_playbook.sql runs each of them');
done_testing();
