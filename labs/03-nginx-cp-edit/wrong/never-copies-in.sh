# The edit stays on the host: the container never hears of it.
# fails: in
# skips: page image
# cause: not-copied-in
docker run -d --name web -p 8080:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
sed -i "s|</body>|<p>$LAB_TOKEN</p></body>|" index.html
curl -s localhost:8080
