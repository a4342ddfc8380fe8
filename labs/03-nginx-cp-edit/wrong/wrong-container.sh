# Two containers run, and the edited page goes into the other one.
# fails: in
# skips: page image
# cause: wrong-container
docker run -d --name web -p 8080:80 nginx
docker run -d --name web2 -p 8081:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
sed -i "s|</body>|<p>$LAB_TOKEN</p></body>|" index.html
docker cp index.html web2:/usr/share/nginx/html/index.html
curl -s localhost:8081
