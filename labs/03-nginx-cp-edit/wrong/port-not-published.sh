# The command as the notes have it: without -p nothing on the host listens.
# fails: port
# skips: page
# cause: port-not-published
docker run -d --name web nginx
docker cp web:/usr/share/nginx/html/index.html index.html
sed -i "s|</body>|<p>$LAB_TOKEN</p></body>|" index.html
docker cp index.html web:/usr/share/nginx/html/index.html
curl -s localhost:8080
