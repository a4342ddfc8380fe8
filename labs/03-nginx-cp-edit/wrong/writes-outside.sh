# Tries to leave its mark on the host, and to make the engine do it.
# fails: run
# skips: port out in page image
# cause: wrong-name
for place in /usr/bin /etc /var/lib /root /dev /proc/sys/kernel /sys; do
  echo mark > "$place/docent-was-here" 2>/dev/null
done
docker run --name other tiny true
docker cp other:/etc/hostname /etc/docent-was-here
docker cp other:/etc/hostname /proc/1/root/etc/docent-was-here
ln -s /proc/1/root/etc docs
docker cp other:/etc/hostname docs/docent-was-here
docker --root /var/lib/docent-was-here ps
docker ps --narrate json --narrate-to /etc/docent-was-here
docker grade 03-nginx-cp-edit /dev/null
docker </dev/null
