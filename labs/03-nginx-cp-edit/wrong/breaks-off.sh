# A slip of the pen ends it at the second line.
# fails: out in
# skips: page image
# cause: not-copied-out
set -e
docker run -d --name web -p 8080:80 nginx
docekr cp web:/usr/share/nginx/html/index.html index.html
sed -i "s|</body>|<p>$LAB_TOKEN</p></body>|" index.html
docker cp index.html web:/usr/share/nginx/html/index.html
