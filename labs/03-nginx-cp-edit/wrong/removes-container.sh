# All done, and then tidied away: the write layer went with the container.
# fails: run
# skips: port out in page image
# cause: removed
docker run -d --name web -p 8080:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
sed -i "s|</body>|<p>$LAB_TOKEN</p></body>|" index.html
docker cp index.html web:/usr/share/nginx/html/index.html
curl -s localhost:8080
docker rm -f web
