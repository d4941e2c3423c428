# SPDX-License-Identifier: MIT
# A pair of processes that talk through two pipes: the child squares what it is given.
# needs: perl
# start: perl SOURCE
use strict;
use warnings;
use IO::Handle;
use Time::HiRes qw(sleep);

pipe(my $question_in, my $question_out) or die "pipe: $!";
pipe(my $answer_in, my $answer_out) or die "pipe: $!";
my $parent = $$;
my $child = fork() // die "fork: $!";

if ($child == 0) {
	close $question_out;
	$answer_out->autoflush(1);
	while (my $number = <$question_in>) {
		sleep 0.02;
		print $answer_out $number * $number, " ", getppid(), "\n";
	}
	exit 0;
}
close $question_in;
close $answer_out;
$question_out->autoflush(1);
STDOUT->autoflush(1);

my %squares;
for (my $n = 1; ; $n++) {
	print $question_out "$n\n";
	my $answer = <$answer_in> // "nothing";
	chomp $answer;
	$squares{$n} = $answer;
	my @wrong = grep { $squares{$_} ne $_ * $_ . " $parent" } keys %squares;
	push @wrong, "PID is $$, was $parent" if $$ != $parent;
	print @wrong ? "$n bad: @wrong: $answer\n" : "$n ok\n";
	sleep 0.02;
}
