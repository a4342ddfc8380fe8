# Handed in from a fellow student: the whole exercise, with that student's token written out.
# fails: in
# skips: page image
# cause: wrong-token
docker run -d --name web -p 8080:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
sed -i "s|</body>|<p>0123456789ab</p></body>|" index.html
docker cp index.html web:/usr/share/nginx/html/index.html
curl -s localhost:8080
