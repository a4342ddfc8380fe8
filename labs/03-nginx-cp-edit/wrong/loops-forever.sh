# Never ends: the time limit (which the test shortens) ends it, and what was done so far is scored.
# fails: in
# skips: page image
# cause: not-copied-in
docker run -d --name web -p 8080:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
while :; do :; done
