# All done, and then stopped: nobody serves the page.
# fails: run
# skips: port out in page image
# cause: not-running
docker run -d --name web -p 8080:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
sed -i "s|</body>|<p>$LAB_TOKEN</p></body>|" index.html
docker cp index.html web:/usr/share/nginx/html/index.html
docker stop -t 1 web
