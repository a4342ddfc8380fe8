//! What surrounds a command in a pasted line: prompts, bullets, backticks, prose.
//!
//! Only what is unambiguous is taken off; a line that could be a command as it stands is left as it stands.

use super::verbs::{self, Words};
use crate::cli::is_one;

/// What one physical line is, as a line of course notes.
#[derive(Debug, PartialEq, Eq)]
pub enum Pasted<'a> {
    /// Stood after a prompt.
    Prompted(&'a str),
    /// Stood after `#`, and may be a root prompt's command or a comment.
    Hashed(&'a str),
    /// Stood between backticks or after a bullet.
    Lifted(&'a str),
    Comment,
    /// Text about commands, or a heading.
    Prose,
    Plain(&'a str),
}

/// Programs of everyday lines in notes. Their names make `#ls` a root prompt and a span in backticks a command.
const UNIX: &str = "apt apt-get awk cat cd chmod chown cp curl df du echo env export file find grep gzip head id ip kill less ls \
    mkdir mount mv nano netstat ping ps pwd rm sed ss su sudo systemctl tail tar touch vi vim wc wget whoami";

/// Words that make a line behind `#` prose.
const PROSE: &str = "a all an and another are as for from in into is it of or the then this to will with your";

/// Classifies a line that begins a command.
pub fn classify<'a>(line: &'a str, words: &Words) -> Pasted<'a> {
    let line = line.trim();
    if line.starts_with("```") || line.starts_with("~~~") {
        return Pasted::Comment;
    }
    if let Some(rest) = prompt(line) {
        return Pasted::Prompted(rest);
    }
    if let Some(rest) = line.strip_prefix('#') {
        return if root_command(rest.trim(), words) { Pasted::Hashed(rest.trim()) } else { Pasted::Comment };
    }
    markdown(line, words)
}

/// What stands after a shell's prompt.
fn prompt(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("$ ").or_else(|| line.strip_prefix("% ")) {
        return Some(rest.trim_start());
    }
    if let Some(rest) = line.strip_prefix("docent") {
        // Our own: `docent> `, `docent (rootless)> `, `docent /srv/class> `.
        let (middle, after) = rest.split_once('>')?;
        let ours =
            middle.is_empty() || middle.starts_with(" (") || middle.starts_with(" /") || middle.starts_with(" …");
        if ours && !middle.ends_with(' ') && (after.is_empty() || after.starts_with(' ')) {
            return Some(after.trim_start());
        }
        return None;
    }
    let (at, marker) = line.char_indices().find(|&(at, c)| {
        matches!(c, '$' | '#' | '%') && line.get(at + 1..).is_some_and(|r| r.is_empty() || r.starts_with(' '))
    })?;
    let before = line.get(..at)?;
    let rest = line.get(at + 1..)?.trim_start();
    // A shell's word may end in `$`, but no command's name does, and neither quotes nor operators stand in a prompt.
    if before.len() > 80 || before.contains(['"', '\'', '|', ';', '&', '<', '>', '=', '`', '$']) {
        return None;
    }
    let mut parts = before.split_whitespace();
    let first = parts.next()?;
    let more = parts.count();
    let placed = first.contains(['@', ':']) || first.starts_with(['[', '(']);
    let path = before.trim().starts_with(['/', '~']) && more == 0;
    let sense = match marker {
        _ if before.ends_with(' ') => (path && before.len() < 40) || (more <= 2 && before.contains('@')),
        '%' => before.contains('@'),
        _ if more > 0 => placed && more <= 3,
        '#' => placed || first.starts_with("bash-") || first.starts_with("sh-") || path,
        _ => !rest.is_empty() || placed,
    };
    sense.then_some(rest)
}

/// Whether a prompted line may come from inside a container: its command is not the host's then. `/ #` is busybox's prompt,
/// twelve hex digits are the host name that a container has, `bash-5.1#` is a shell without a configuration.
pub fn of_a_container(line: &str) -> bool {
    let line = line.trim_start();
    let named = |rest: &str| {
        let host = rest.split([':', ' ', '#', '$', ']']).next().unwrap_or_default();
        host.len() == 12 && host.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let host = line.split_whitespace().next().unwrap_or_default().split_once('@').map(|(_, rest)| rest);
    line.starts_with(['/', '~']) || line.starts_with("bash-") || line.starts_with("sh-") || host.is_some_and(named)
}

/// Whether what follows a `#` is a root prompt's command rather than a comment.
fn root_command(text: &str, words: &Words) -> bool {
    let mut parts = text.split_whitespace();
    let Some(first) = parts.next() else { return false };
    let args: Vec<&str> = parts.collect();
    let prose = |w: &&str| is_one(PROSE, w) || w.ends_with([':', ',', '!', '?']);
    if !text.is_ascii() || args.iter().any(prose) {
        return false;
    }
    if first == "docker" || first == "docent" {
        return args.first().is_some_and(|v| words.has_verb(v) || v.starts_with('-'));
    }
    let argument = |w: &&str| w.contains(|c: char| !c.is_ascii_alphabetic()) || is_one(UNIX, w);
    is_one(UNIX, first) && args.iter().all(argument)
}

fn markdown<'a>(line: &'a str, words: &Words) -> Pasted<'a> {
    let text = bullet(line);
    let bulleted = text.len() != line.len();
    let foreign = text.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_ascii());
    if !bulleted && !foreign && !text.starts_with('`') && !text.starts_with("**") {
        return Pasted::Plain(line);
    }
    let spans: Vec<&str> = text.split('`').skip(1).step_by(2).map(str::trim).collect();
    let paired = text.matches('`').count() == spans.len() * 2;
    let commands: Vec<&str> = spans.iter().copied().filter(|s| names_command(s, words)).collect();
    match commands.as_slice() {
        [one] if paired => return Pasted::Lifted(one),
        [] if spans.is_empty() => {}
        _ => return Pasted::Prose,
    }
    // No backticks: `- docker pull x`, `- on M1: docker pull —platform …`. Beyond the command no prose may follow.
    let lifted = ["docker ", "docent "].iter().find_map(|name| {
        let at = if text.starts_with(name) && names_command(text, words) {
            0
        } else {
            let at = text.rfind(&format!(": {name}")).or_else(|| text.rfind(&format!(":  {name}")))?;
            at + text.get(at..)?.find(name)?
        };
        text.get(at..).filter(|c| names_command(c, words) && (!prose_follows(c)))
    });
    lifted.map_or(Pasted::Prose, Pasted::Lifted)
}

/// The line without `- `, `* `, `• ` or `1. ` before it.
fn bullet(line: &str) -> &str {
    let marks = ["- ", "* ", "+ ", "• ", "· ", "*\t", "-\t"];
    if let Some(rest) = marks.iter().find_map(|m| line.strip_prefix(m)) {
        return rest.trim_start();
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let after = line.get(digits..).unwrap_or_default();
    match after.strip_prefix(". ").or_else(|| after.strip_prefix(") ")) {
        Some(rest) if (1..=3).contains(&digits) => rest.trim_start(),
        _ => line,
    }
}

fn names_command(text: &str, words: &Words) -> bool {
    let text = text.trim_start_matches(['#', '$']).trim_start();
    let mut parts = text.split_whitespace();
    match (parts.next(), parts.next()) {
        (Some("docker" | "docent"), second) => {
            second.is_some_and(|v| v.starts_with('-') || words.has_verb(v) || words.near_verb(v).is_some())
        }
        (Some(first), second) => {
            is_one(UNIX, first) || (second.is_some() && verbs::owner(first, &[], &|_| false).is_some())
        }
        _ => false,
    }
}

/// Letters beyond ASCII outside brackets, or words joined by `=` and `+`: an explanation, not arguments.
fn prose_follows(text: &str) -> bool {
    let mut depth = 0usize;
    text.chars().any(|c| {
        match c {
            '[' | '{' | '<' => depth += 1,
            ']' | '}' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && c.is_alphabetic() && !c.is_ascii()
    }) || text.split_whitespace().any(|w| w == "=" || w == "+")
}

/// A gap to fill in that notes leave in a command: `<컨테이너 이름>`, `{image_id}`, `[OPTIONS]`, `컨테이너명`.
pub fn placeholder(text: &str) -> Option<&str> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(q), _) if q == c => quote = None,
            (None, '<' | '[' | '{') => {
                let closer = match c {
                    '<' => '>',
                    '[' => ']',
                    _ => '}',
                };
                let inner = text.get(at + 1..).and_then(|r| r.split_once(closer)).map_or("", |(inner, _)| inner);
                if is_gap(inner, c) {
                    return text.get(at..at + inner.len() + 2);
                }
            }
            _ => {}
        }
    }
    text.split_whitespace().find(|w| {
        let names = ["컨테이너", "이미지", "계정", "파일"];
        names.iter().any(|n| w.starts_with(n)) && (w.ends_with('명') || w.ends_with("이름"))
    })
}

fn is_gap(inner: &str, opener: char) -> bool {
    let letters = inner.chars().all(|c| c.is_alphanumeric() || " _-:|/.".contains(c));
    let foreign = inner.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
    let upper = inner.len() > 1 && inner.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b == b' ');
    let known = ["option", "options", "command", "username", "container", "image", "file", "name", "tag"];
    // `<in >out` is a redirection, `[a-z]` a pattern, `{a,b}` a list.
    letters
        && !inner.starts_with([' ', '-'])
        && !inner.ends_with(' ')
        && (foreign || upper || known.contains(&inner) || (opener != '<' && inner.contains('_')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        Words::of(&crate::cli::command())
    }

    #[track_caller]
    fn seen(line: &str, want: Pasted<'_>) {
        assert_eq!(classify(line, &words()), want, "{line}");
    }

    #[test]
    fn prompts_are_taken_off() {
        for line in [
            "$ docker ps",
            "user$ docker ps",
            "AL01983664:conf user$ docker ps",
            "docent> docker ps",
            "docent (rootless)> docker ps",
            "docent /srv/class> docker ps",
            "root@vm:~# docker ps",
            "[root@vm ~]# docker ps",
            "student@vm:~/x$ docker ps",
            "(venv) student@vm:~$ docker ps",
            "me@mac dir % docker ps",
            "bash-5.1# docker ps",
            "/ # docker ps",
            "~ $ docker ps",
            "% docker ps",
        ] {
            seen(line, Pasted::Prompted("docker ps"));
        }
        seen("user@vm:~$", Pasted::Prompted(""));
        for line in ["echo 5$ x", "echo $HOME $ x", "docent version > file", "a=$ b", "docker run x # note"] {
            seen(line, Pasted::Plain(line));
        }
    }

    #[test]
    fn a_hash_is_a_prompt_only_before_a_command() {
        seen("#sudo su -", Pasted::Hashed("sudo su -"));
        seen("#cd /var/lib/docker/image", Pasted::Hashed("cd /var/lib/docker/image"));
        seen("#ls", Pasted::Hashed("ls"));
        seen("# docker ps -a", Pasted::Hashed("docker ps -a"));
        for line in [
            "# or",
            "## Ex",
            "## docker image pull mysql:latest",
            "# 호스트 -> 컨테이너",
            "#",
            "# docker run the image",
            "# run nginx",
            "# cat the file",
            "#!/bin/sh",
            "### docker login",
            "# docker ps:",
            "# find duplicates",
        ] {
            seen(line, Pasted::Comment);
        }
    }

    #[test]
    fn commands_are_lifted_out_of_prose() {
        for (line, command) in [
            ("`docker images`", "docker images"),
            ("- 모든 컨테이너 중지: `docker stop $(docker ps -a -q)`", "docker stop $(docker ps -a -q)"),
            ("1.  웹 서버 컨테이너 실행: `docker run -d --name web nginx`", "docker run -d --name web nginx"),
            ("5.  확인: `curl localhost` (변경된 내용 확인)", "curl localhost"),
            ("*   **로그인**: `docker login` (Access Token 사용 권장).", "docker login"),
            ("**컨테이너 동작 :**`docker start container-test1`", "docker start container-test1"),
            ("이미지 확인: `docker images`", "docker images"),
            (
                "- M1의 경우 :  docker pull —platform linux/amd64 mysql:5.7",
                "docker pull —platform linux/amd64 mysql:5.7",
            ),
            ("- docker pull mysql:5.7", "docker pull mysql:5.7"),
            ("- docker hub에 이미지 업로드 : docker push [이미지 이름]", "docker push [이미지 이름]"),
            ("`#sudo su -`", "#sudo su -"),
        ] {
            seen(line, Pasted::Lifted(command));
        }
        for line in [
            "* `docker run` 명령어는 `docker create` + `docker start` 명령어를 결합한것",
            "- docker run = docker image pull + create + start",
            "- docker run 수행 시 PID 네임스페이스 커널 기능을 이용해서",
            "- 이미지가 없으면 다운로드",
            "`=>/var/lib/docker/image/overlay2`",
            "컨테이너는 프로세스다",
        ] {
            seen(line, Pasted::Prose);
        }
        for line in ["docker rm `docker ps -aq`", "ls *", "- ", "echo `date`"] {
            let left = matches!(classify(line, &words()), Pasted::Plain(_));
            assert!(left, "{line}");
        }
    }

    #[test]
    fn gaps_are_found_and_patterns_are_not() {
        for (text, gap) in [
            ("docker exec -it <컨테이너 이름 또는 ID> /bin/bash", "<컨테이너 이름 또는 ID>"),
            ("docker rm {컨테이너 이름}", "{컨테이너 이름}"),
            ("docker image rm [option] {image_name: tag | image_ID}", "[option]"),
            ("docker image save [image_name] > [file_name]", "[image_name]"),
            ("docker start 컨테이너명", "컨테이너명"),
            ("docker commit [OPTIONS] x", "[OPTIONS]"),
        ] {
            assert_eq!(placeholder(text), Some(gap));
        }
        for text in [
            "docker image inspect --format=\"{{ .RootFS.Layers }}\" httpd",
            "docker image load <in >out",
            "docker load < 파일명.tar",
            "docker run tiny echo 안녕 '<이름>' [a-z]* {a,b}",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
