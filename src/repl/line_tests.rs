use super::*;

fn words() -> Words {
    Words::of(&crate::cli::command())
}

fn read_as(input: &str, script: bool) -> Read {
    let words = words();
    let is_name = |n: &str| n == "web";
    // The shell's part: `for` without `done`.
    let incomplete = |t: &str| t.starts_with("for") && !t.contains("done");
    read(input, &Reading { words: &words, is_name: &is_name, incomplete: &incomplete, script, root: true })
}

fn texts(input: &str) -> Vec<String> {
    read_as(input, false).pieces.into_iter().map(|p| p.text).collect()
}

#[track_caller]
fn one(input: &str) -> Piece {
    let mut pieces = read_as(input, false).pieces;
    assert_eq!(pieces.len(), 1, "{input}");
    pieces.remove(0)
}

#[test]
fn the_exercise_of_the_notes_is_taken_out_of_its_prose() {
    let note = "### 실습 예제 (Index.html 수정)\n\
        1.  웹 서버 컨테이너 실행: `docker run -d --name web nginx`\n\
        2.  파일 꺼내기: `docker cp web:/usr/share/nginx/html/index.html index.html`\n\
        3.  파일 수정: 호스트에서 `index.html` 편집.\n\
        4.  파일 넣기: `docker cp index.html web:/usr/share/nginx/html/index.html`\n\
        5.  확인: `curl localhost` (변경된 내용 확인)\n";
    let read = read_as(note, false);
    let all: Vec<_> = read.pieces.iter().map(|p| p.text.as_str()).collect();
    assert_eq!(
        all,
        [
            "docker run -d --name web nginx",
            "docker cp web:/usr/share/nginx/html/index.html index.html",
            "docker cp index.html web:/usr/share/nginx/html/index.html",
            "curl localhost",
        ]
    );
    assert_eq!(read.left_out, 1);
}

#[test]
fn a_transcript_gives_its_commands_and_not_its_output() {
    let note = "AL01983664:conf user$ docker start hundredcounter\nhundredcounter\n\
        AL01983664:conf user$ docker ps -a\nCONTAINER ID   IMAGE   COMMAND\ne8221661a0e7   dev/x   \"/app/script.sh\"\n";
    let read = read_as(note, false);
    assert_eq!(
        read.pieces.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(),
        ["docker start hundredcounter", "docker ps -a"]
    );
    assert_eq!(read.left_out, 3);
    assert_eq!(texts("$ cat <<E\n> a\n> E\nnoise\n$ ls"), ["cat <<E\na\nE", "ls"]);
    assert_eq!(texts("#cd /var/lib\n#ls\na b"), ["cd /var/lib", "ls"]);
}

#[test]
fn comments_are_skipped_and_commented_commands_are_not_run() {
    assert_eq!(texts("# 호스트 -> 컨테이너\ndocker cp a web:/b\n\n# docker rm -f web\n"), ["docker cp a web:/b"]);
    assert_eq!(texts("# docker ps"), ["docker ps"]);
    assert!(read_as("# docker ps", true).pieces.is_empty());
    assert_eq!(
        texts("docker image pull A:B\n# or\ndocker image pull C@D\n## Ex"),
        ["docker image pull A:B", "docker image pull C@D"]
    );
}

#[test]
fn several_lines_are_split_with_respect_to_the_shell() {
    assert_eq!(texts("docker run \\\n  --rm tiny\nls"), ["docker run \\\n  --rm tiny", "ls"]);
    assert_eq!(texts("echo 'a\nb'\nls"), ["echo 'a\nb'", "ls"]);
    assert_eq!(texts("cat > D <<E\nRUN a —b “c”\n# d\nE\nls"), ["cat > D <<E\nRUN a —b “c”\n# d\nE", "ls"]);
    assert_eq!(texts("for i in 1 2\ndo echo $i\ndone\nls"), ["for i in 1 2\ndo echo $i\ndone", "ls"]);
    assert_eq!(texts("a |\r\n wc\r\n"), ["a |\n wc"]);
    let open = read_as("ls\nfor i in 1\ndo", false).pieces;
    assert_eq!((open.len(), open[0].open, open[1].open), (2, false, true));
}

#[test]
fn bare_verbs_are_completed_where_commands_begin() {
    for (typed, becomes) in [
        ("run -d --name web nginx", "docker run -d --name web nginx"),
        ("images | grep tiny", "docker images | grep tiny"),
        ("stop $(docker ps -aq) && images", "docker stop $(docker ps -aq) && docker images"),
        ("explain 3; verify", "docent explain 3; docent verify"),
        ("A=1 run x", "A=1 docker run x"),
        ("for i in a b; do stop $i; done", "for i in a b; do docker stop $i; done"),
        ("exec -it web sh", "docker exec -it web sh"),
        ("exec bash", "exec bash"),
        ("echo run", "echo run"),
        ("'run' x", "'run' x"),
        ("run() { echo; }", "run() { echo; }"),
        ("sudo docker ps", "docker ps"),
        ("sudo ls", "sudo ls"),
    ] {
        assert_eq!(one(typed).text, becomes);
    }
    assert_eq!(one("sudo docker ps").repaired, [Repair::Sudo]);
}

#[test]
fn the_shells_own_words_stay_its_own_with_a_hint() {
    for (line, hint) in
        [("ps", Some("ps")), ("ps aux", None), ("rm -f web", Some("rm")), ("rm a", None), ("docker ps", None)]
    {
        assert_eq!(one(line).shells.as_deref(), hint, "{line}");
        assert_eq!(one(line).text, line);
    }
}

#[test]
fn slips_are_asked_back_and_not_run() {
    for (typed, line) in [
        ("docekr run x", "docker run x"),
        ("docker loing -u me", "docker login -u me"),
        ("docker iamge ls", "docker image ls"),
        ("docker image lss", "docker image ls"),
        ("imagse", "docker images"),
        ("ls | dokcer load", "ls | docker load"),
    ] {
        let Some(Doubt::Meant { line: meant, .. }) = one(typed).doubt else { panic!("no doubt about {typed}") };
        assert_eq!(meant, line);
    }
    for line in
        ["docker -v", "docker compose up", "docker image list", "docker ps", "python x", "$DOCKER ps", "lang ko"]
    {
        assert_eq!(one(line).doubt, None, "{line}");
    }
}

#[test]
fn gaps_of_the_notes_are_shown() {
    assert_eq!(one("docker rm {컨테이너 이름}").doubt, Some(Doubt::Gap("{컨테이너 이름}".into())));
    assert_eq!(one("exec -it <컨테이너> sh").doubt, Some(Doubt::Gap("<컨테이너>".into())));
    assert_eq!(one("echo {컨테이너}").doubt, None);
}

#[test]
fn typography_is_mended_and_reported() {
    let piece = one("docker run -it —name container-test1 ubuntu:14.04 bash");
    assert_eq!(piece.text, "docker run -it --name container-test1 ubuntu:14.04 bash");
    assert_eq!(piece.repaired, [Repair::Dash]);
    assert_eq!(texts("sh -c “a\nb”\nls"), ["sh -c “a", "b”", "ls"], "an unpaired quote is left alone");
}

/// Texts that a paste may run unasked, and all the others.
fn sorted(input: &str) -> (Vec<String>, Vec<String>) {
    let (certain, asked): (Vec<Piece>, Vec<Piece>) = read_as(input, false).pieces.into_iter().partition(|p| p.certain);
    let texts = |pieces: Vec<Piece>| pieces.into_iter().map(|p| p.text).collect();
    (texts(certain), texts(asked))
}

#[test]
fn only_docker_and_lines_behind_a_hosts_prompt_are_certain() {
    for certain in [
        "docker ps",
        "docker stop $(docker ps -aq) && docker ps",
        "docent explain 3",
        "docker image save a > b.tar",
        "$ touch x",
        "student@vm:~$ apt-get update",
    ] {
        assert_eq!((sorted(certain).0.len(), sorted(certain).1.len()), (1, 0), "{certain}");
    }
    for asked in [
        "apt-get update",
        "touch x",
        "run -d nginx",
        "docker ps; touch x",
        "docker ps | sh",
        "docker run $(touch x)",
        "docker run \"`touch x`\"",
        "docker run ${a:-$(touch x)}",
        "docker ps > >(touch x)",
        "docker ps & touch x",
        "docker load <<E\n$(touch x)\nE",
        "docker() { touch x; }",
        "PATH=. docker ps",
        "A=1",
        "- `touch x`",
        "#cd /var/lib",
        "/ # touch x",
        "root@0123456789ab:/# apt-get update",
        "bash-5.1# touch x",
        "$ rm web",
    ] {
        assert_eq!((sorted(asked).0.len(), sorted(asked).1.len()), (0, 1), "{asked}");
    }
}

#[test]
fn a_lesson_of_a_dockerfile_is_not_run() {
    let note = "Each RUN makes a layer:\n```\nFROM tiny\nRUN apt-get update\n```\napt-get update\nrm\nexit\n\
        ```bash\ndocker history tiny\n```\n";
    let (certain, asked) = sorted(note);
    assert_eq!(certain, ["docker history tiny"]);
    assert_eq!(asked, ["Each RUN makes a layer:", "FROM tiny", "RUN apt-get update", "apt-get update", "rm", "exit"]);
    assert!(leaves("exit") && leaves("exit 3") && !leaves("exit && ls") && !leaves("docker exit"));
}

#[test]
fn a_hosts_command_on_a_containers_name_can_be_either() {
    let Some(either) = one("cd /tmp; rm -f web && ls").either else { panic!("no doubt") };
    assert_eq!((either.verb.as_str(), either.name.as_str()), ("rm", "web"));
    assert_eq!(either.docker, "cd /tmp; docker rm -f web && ls");
    for line in ["rm other", "docker rm web", "ls web", "echo rm web"] {
        assert_eq!(one(line).either, None, "{line}");
    }
}
