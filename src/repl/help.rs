//! One example for each command, as the course notes write it.

/// The words after `docker` or `docent`, and a line of the notes; where the notes have none, one in their manner.
const EXAMPLES: &[(&str, &str)] = &[
    ("run", "docker run -d --name web -p 8080:80 nginx"),
    ("create", "docker create -it --name container-test1 tiny"),
    ("start", "docker start container-test1"),
    ("stop", "docker stop $(docker ps -a -q)"),
    ("restart", "docker restart web"),
    ("kill", "docker container kill web"),
    ("pause", "docker pause web"),
    ("unpause", "docker unpause web"),
    ("attach", "docker attach container-test1"),
    ("exec", "docker exec -it web /bin/sh"),
    ("logs", "docker logs -f web"),
    ("ps", "docker ps -a"),
    ("inspect", "docker container inspect web"),
    ("image inspect", "docker image inspect --format=\"{{ .RootFS.Layers }}\" nginx"),
    ("top", "docker top web"),
    ("stats", "docker stats web"),
    ("cp", "docker cp web:/usr/share/nginx/html/index.html index.html"),
    ("diff", "docker diff web"),
    ("commit", "docker commit web my-nginx-custom:v1.0"),
    ("rm", "docker rm -f web"),
    ("images", "docker images"),
    ("image ls", "docker image ls -q"),
    ("image rm", "docker image rm my-nginx-custom:v1.0"),
    ("rmi", "docker rmi $(docker images -q)"),
    ("image prune", "docker image prune -a"),
    ("history", "docker history nginx"),
    ("pull", "docker pull httpd:latest"),
    ("push", "docker push myname/my-nginx-custom:v1.0"),
    ("tag", "docker tag nginx myname/nginx:v1.0"),
    ("save", "docker image save mysql:5.7 > test-mysql57.tar"),
    ("load", "docker image load < test-mysql57.tar"),
    ("login", "cat .access_token | docker login --username myname --password-stdin"),
    ("logout", "docker logout"),
    ("build", "docker build -t hundredcounter:v1 ."),
    ("info", "docker info | grep Username"),
    ("system df", "docker system df"),
    ("version", "docker version"),
    ("explain", "docent explain -- run -d --name web nginx"),
    ("verify", "docent verify"),
    ("doctor", "docent doctor"),
    ("lab", "docent lab start 03-nginx-cp-edit"),
    ("grade", "docent grade 03-nginx-cp-edit solution.sh"),
    ("journal", "docent journal list"),
    ("book", "docent book"),
];

/// The example for a command: for exactly these words, else for the last of them (`container rm` as `rm`).
pub fn example(words: &[String]) -> Option<&'static str> {
    let find = |name: &str| EXAMPLES.iter().find(|(n, _)| *n == name).map(|(_, line)| *line);
    find(&words.join(" ")).or_else(|| find(words.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_of_the_command_that_it_stands_for() {
        for (name, line) in EXAMPLES {
            let mut words = name.split(' ');
            assert!(words.all(|w| line.split_whitespace().any(|l| l == w)), "{name}: {line}");
        }
        let words = |s: &str| s.split(' ').map(String::from).collect::<Vec<_>>();
        assert_eq!(example(&words("container rm")), Some("docker rm -f web"));
        assert_eq!(example(&words("image inspect")).map(|l| l.contains("RootFS")), Some(true));
        assert_eq!(example(&words("xyzzy")), None);
        assert_eq!(example(&[]), None);
    }
}
