# The name is right, the image is not.
# fails: run
# skips: port out in page image
# cause: wrong-image
docker run -d --name web -p 8080:80 tiny sleep 600
