# Never ends: the time limit ends it, and what was done so far is scored.
# fails: in
# skips: page image
# cause: not-copied-in
# time-limit: 15
docker run -d --name web -p 8080:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
while :; do :; done
