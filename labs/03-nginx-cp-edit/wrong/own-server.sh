# A server of the submission's own gives the right page at 8080; web itself has no port and is never touched.
# fails: port out in
# skips: page image
# cause: port-not-published
docker run -d --name web nginx
page="<html><body>$LAB_TOKEN</body></html>"
serve='use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die;
while (my $c = $s->accept) { <$c>; print $c "HTTP/1.0 200 OK\r\n\r\n$ARGV[0]\n"; close $c }'
setsid perl -e "$serve" "$page" &
curl -s --retry 5 --retry-connrefused localhost:8080
