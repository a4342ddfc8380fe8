# The page goes out and comes back as it was.
# fails: in
# skips: page image
# cause: unedited
docker run -d --name web -p 8080:80 nginx
docker cp web:/usr/share/nginx/html/index.html index.html
docker cp index.html web:/usr/share/nginx/html/index.html
curl -s localhost:8080
