# The page at 8080 is right, and comes from another container than the one asked for.
# fails: port in
# skips: page image
# cause: port-of-another
docker run -d --name web nginx
docker run -d --name front -p 8080:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
sed -i "s|</body>|<p>$LAB_TOKEN</p></body>|" index.html
docker cp index.html front:/usr/share/nginx/html/index.html
curl -s localhost:8080
