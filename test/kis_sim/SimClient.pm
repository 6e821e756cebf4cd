# SimClient.pm
#		A small HTTP and WebSocket client for the simulator's self test: raw sockets,
#		so that it sees exactly which bytes and closes arrive.  Every wait has a
#		deadline; nothing sleeps.
package SimClient;

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64 qw(decode_base64 encode_base64);

use constant DEADLINE => 5;

sub start
{
	my ($binary, @args) = @_;
	my $pid = open(my $out, '-|', $binary, @args) or die "cannot start $binary: $!";
	my $line = <$out>;
	die "no ready line" unless defined $line;
	my $ready = decode_json($line);
	return bless { pid => $pid, out => $out, %$ready }, 'SimClient';
}

sub connect_to
{
	my ($port) = @_;
	return IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $port,
		Proto => 'tcp',
		Timeout => DEADLINE) || die "connect: $!";
}

# Bytes, '' on an orderly end, undef when the deadline passes or the peer resets.
sub read_some
{
	my ($socket, $seconds) = @_;
	return undef unless IO::Select->new($socket)->can_read($seconds // DEADLINE);
	my $n = sysread($socket, my $bytes, 65536);
	return defined $n ? $bytes : undef;
}

sub send_request
{
	my ($socket, $method, $path, $headers, $body) = @_;
	my $text = "$method $path HTTP/1.1\r\nHost: 127.0.0.1\r\n";
	$text .= "$_: $headers->{$_}\r\n" for sort keys %{ $headers // {} };
	$text .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;
	syswrite($socket, $text . "\r\n" . ($body // ''));
	return;
}

# { status, headers, text, json }, or undef when no whole answer came.
sub read_answer
{
	my ($socket) = @_;
	my $bytes = '';
	while ($bytes !~ /\r\n\r\n/)
	{
		my $more = read_some($socket);
		return undef if !defined $more || $more eq '';
		$bytes .= $more;
	}
	my ($head, $body) = split /\r\n\r\n/, $bytes, 2;
	my ($length) = $head =~ /Content-Length: (\d+)/i;
	while (length($body) < $length)
	{
		my $more = read_some($socket);
		return undef if !defined $more || $more eq '';
		$body .= $more;
	}
	my %headers = map { lc($_) } $head =~ /^([^:\r\n]+): (\S*)\r?$/mg;
	my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
	return {
		status => $status,
		headers => \%headers,
		text => $body,
		json => scalar(eval { decode_json($body) }) };
}

sub call
{
	my ($port, $method, $path, $headers, $body) = @_;
	my $socket = connect_to($port);
	send_request($socket, $method, $path, $headers, $body);
	return read_answer($socket);
}

sub control
{
	my ($self, $method, $path, $body) = @_;
	my $answer =
	  call($self->{control}, $method, $path, {}, defined $body ? encode_json($body) : undef);
	return $answer->{json};
}

sub headers
{
	my ($self, $tr_id, %more) = @_;
	return {
		'content-type' => 'application/json; charset=utf-8',
		authorization => "Bearer $self->{token}",
		appkey => $self->{app_key},
		appsecret => $self->{app_secret},
		custtype => 'P',
		tr_id => $tr_id,
		%more };
}

sub order_body
{
	my ($self, %o) = @_;
	return encode_json({
		CANO => '12345678',
		ACNT_PRDT_CD => '01',
		PDNO => $o{symbol} // '005930',
		ORD_DVSN => $o{type} // '00',
		ORD_QTY => '' . ($o{qty} // 1),
		ORD_UNPR => '' . ($o{price} // 0),
		$o{trigger} ? (CNDT_PRIC => "$o{trigger}") : (),
		EXCG_ID_DVSN_CD => $o{excg} // 'KRX' });
}

sub order_tr
{
	my ($self, $side) = @_;
	return ($self->{letter} // 'T') . ($side eq 'sell' ? 'TTC0011U' : 'TTC0012U');
}

my $trading = '/uapi/domestic-stock/v1/trading';

sub order
{
	my ($self, %o) = @_;
	return call($self->{rest}, 'POST', "$trading/order-cash",
		$self->headers($self->order_tr($o{side} // 'buy')),
		$self->order_body(%o));
}

sub cancel
{
	my ($self, $odno, %o) = @_;
	return call(
		$self->{rest},
		'POST',
		"$trading/order-rvsecncl",
		$self->headers(($self->{letter} // 'T') . 'TTC0013U'),
		encode_json({
			CANO => '12345678',
			ACNT_PRDT_CD => '01',
			KRX_FWDG_ORD_ORGNO => '',
			ORGN_ODNO => $odno,
			ORD_DVSN => '00',
			RVSE_CNCL_DVSN_CD => $o{kind} // '02',
			ORD_QTY => '' . ($o{qty} // 0),
			ORD_UNPR => '' . ($o{price} // 0),
			QTY_ALL_ORD_YN => $o{qty} ? 'N' : 'Y',
			EXCG_ID_DVSN_CD => $o{excg} // 'KRX' }));
}

sub get
{
	my ($self, $path, $tr_id, $query, %more) = @_;
	my $text = join '&', map {
		(my $value = $query->{$_}) =~ s/([^A-Za-z0-9])/sprintf('%%%02X', ord $1)/ge;
		"$_=$value"
	} sort keys %$query;
	return call($self->{rest}, 'GET', "/uapi/domestic-stock/v1/$path?$text",
		$self->headers($tr_id, %more));
}

sub ledger
{
	my ($self, %q) = @_;
	my %query = (
		CANO => '12345678',
		ACNT_PRDT_CD => '01',
		INQR_STRT_DT => '20261120',
		INQR_END_DT => '20261120',
		SLL_BUY_DVSN_CD => '00',
		INQR_DVSN => '00',
		PDNO => '',
		CCLD_DVSN => '00',
		ORD_GNO_BRNO => '',
		ODNO => '',
		INQR_DVSN_3 => '00',
		INQR_DVSN_1 => '',
		EXCG_ID_DVSN_CD => 'ALL',
		CTX_AREA_FK100 => '',
		CTX_AREA_NK100 => '');
	my $cont = delete $q{tr_cont};
	return $self->get('trading/inquire-daily-ccld', ($self->{letter} // 'T') . 'TTC0081R',
		{ %query, %q }, defined $cont ? (tr_cont => $cont) : ());
}

sub balance
{
	my ($self) = @_;
	return $self->get(
		'trading/inquire-balance',
		($self->{letter} // 'T') . 'TTC8434R',
		{ CANO => '12345678', ACNT_PRDT_CD => '01' });
}

# WebSocket -----------------------------------------------------------------

sub ws_open
{
	my ($self) = @_;
	my $socket = connect_to($self->{ws});
	syswrite($socket,
			"GET /tryitout HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		  . "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	my $head = '';
	$head .= read_some($socket) // die('no upgrade') until $head =~ /\r\n\r\n/;
	my ($accept) = $head =~ /Sec-WebSocket-Accept: (\S+)/;
	my (undef, $rest) = split /\r\n\r\n/, $head, 2;
	return { socket => $socket, bytes => $rest, accept => $accept, keys => {} };
}

sub ws_send
{
	my ($ws, $text, $opcode) = @_;
	my $mask = pack 'N', 0x12345678;
	my $n = length $text;
	my $head = pack('C', 0x80 | ($opcode // 1))
	  . ($n < 126 ? pack('C', 0x80 | $n) : pack('Cn', 0x80 | 126, $n));
	my $masked = $text ^ substr($mask x (1 + $n / 4), 0, $n);
	syswrite($ws->{socket}, $head . $mask . $masked);
	return;
}

# [opcode, payload] of one message; [] at the end of the stream; undef on deadline or reset.
sub ws_read
{
	my ($ws, $seconds) = @_;
	my $message = '';
	my $first;
	while (1)
	{
		if (length($ws->{bytes}) >= 2)
		{
			my ($b0, $b1) = unpack 'CC', $ws->{bytes};
			my ($n, $at) = ($b1 & 127, 2);
			($n, $at) = (unpack('x2n', $ws->{bytes}), 4)
			  if $n == 126 && length($ws->{bytes}) >= 4;
			if (length($ws->{bytes}) >= $at + $n && ($b1 & 127) < 127)
			{
				$message .= substr($ws->{bytes}, $at, $n);
				substr($ws->{bytes}, 0, $at + $n) = '';
				$first //= $b0 & 15;
				return [ $first, $message ] if $b0 & 0x80;
				next;
			}
		}
		my $more = read_some($ws->{socket}, $seconds);
		return undef unless defined $more;
		return [] if $more eq '';
		$ws->{bytes} .= $more;
	}
}

sub ws_text
{
	my ($ws, $seconds) = @_;
	while (1)
	{
		my $message = ws_read($ws, $seconds) // return undef;
		return undef unless @$message;
		next if $message->[1] =~ /PINGPONG/;
		return $message->[1];
	}
}

sub ws_subscribe
{
	my ($self, $ws, $tr_id, $tr_key, $type) = @_;
	ws_send($ws, encode_json({
		header => {
			approval_key => $self->{approval},
			custtype => 'P',
			tr_type => $type // '1',
			'content-type' => 'utf-8' },
		body => { input => { tr_id => $tr_id, tr_key => $tr_key } } }));
	my $text = ws_text($ws) // return undef;
	my $ack = decode_json($text);
	$ws->{keys}{$tr_id} = $ack->{body}{output} if $ack->{body}{output};
	return $ack->{body}{msg_cd};
}

# The fields of the next frame, decrypted with the keys of its own subscription.
sub ws_record
{
	my ($ws) = @_;
	my $text = ws_text($ws) // return undef;
	my ($sealed, $tr_id, $count, $payload) = split /\|/, $text, 4;
	if ($sealed eq '1')
	{
		my $k = $ws->{keys}{$tr_id};
		my ($key, $iv) = map { unpack 'H*', $_ } $k->{key}, $k->{iv};
		(my $line = $payload) =~ s/[^A-Za-z0-9+\/=]//g;
		$payload = qx{printf %s '$line' | openssl enc -d -aes-256-cbc -A -a -K $key -iv $iv 2>/dev/null};
	}
	return [ split /\^/, $payload, -1 ];
}

sub stop
{
	my ($self) = @_;
	kill 'TERM', $self->{pid};
	close $self->{out};
	return $?;
}

1;
