# The edited page is put one directory too high, where nginx does not look.
# fails: in
# skips: page image
# cause: wrong-path
docker run -d --name web -p 8080:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
sed -i "s|</body>|<p>$LAB_TOKEN</p></body>|" index.html
docker cp index.html web:/usr/share/nginx/index.html
curl -s localhost:8080
