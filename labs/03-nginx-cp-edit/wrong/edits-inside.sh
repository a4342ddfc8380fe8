# The right page by another way: edited inside the container, nothing copied.
# fails: out in
# skips: page image
# cause: edited-inside
docker run -d --name web -p 8080:80 nginx
docker exec web sed -i "s|</body>|<p>$LAB_TOKEN</p></body>|" /usr/share/nginx/html/index.html
curl -s localhost:8080
