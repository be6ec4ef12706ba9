#!/usr/bin/perl
# ask.pl NAME   asks 127.0.0.1 for the name's address and prints the answer's code, or "none" after ten seconds.
use strict;
use warnings;
use IO::Socket::INET;

my $question = join('', map { pack('C/a*', $_) } split(/\./, $ARGV[0])) . "\0" . pack('n2', 1, 1);
my $socket = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1:53') or die "no socket: $@";
$SIG{ALRM} = sub { print "none"; exit };
alarm 10;
$socket->send(pack('n6', 7, 0x0100, 1, 0, 0, 0) . $question);
my $answer = '';
$socket->recv($answer, 512);
print length($answer) >= 12 ? unpack('x2n', $answer) & 15 : 'none';
