//! Keeps secrets out of the journal: passwords of `login`, values of variables and flags whose names sound secret, passwords
//! in addresses, and what curl and wget are given as user and password. A name is judged, never a value, so this is a help
//! and no guarantee.

const HIDDEN: &str = "***";

const SECRET_NAMES: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "PWD_",
    "_PWD",
];

/// Secret as a whole word of a name alone: `DB_PASS` and `MY_PIN_CODE`, not `BYPASS`, `PINNED` or `AUTHOR`.
const SECRET_WORDS: [&str; 5] = ["PASS", "PASSWD", "AUTH", "COOKIE", "PIN"];

pub fn argv(argv: &[String]) -> Vec<String> {
    let login = argv.iter().skip(1).find(|w| !w.starts_with('-')).is_some_and(|w| w == "login");
    // `sh -c 'curl -u a:b …'`: a script in one word has words of its own.
    let script = |word: &String| words(text(word).split(' '), false).join(" ");
    let argv: Vec<String> = argv.iter().map(script).collect();
    words(argv.iter().map(String::as_str), login)
}

/// What a word says of the next one.
enum Next {
    Plain,
    Secret,
    /// `user:password`.
    User,
}

fn words<'a>(words: impl Iterator<Item = &'a str>, login: bool) -> Vec<String> {
    let mut next = Next::Plain;
    // curl or wget has begun: from there on `-u` is a user and a password, and before it is `run -u 1000:1000`.
    let mut fetching = false;
    let mut kept = Vec::new();
    for word in words {
        let user = |flag: &str| word.strip_prefix(flag).filter(|user| fetching && !user.is_empty());
        kept.push(match std::mem::replace(&mut next, Next::Plain) {
            Next::Secret => HIDDEN.to_string(),
            Next::User => hide_password(word),
            Next::Plain if login && word.starts_with("-p") && word.len() > 2 => format!("-p{HIDDEN}"),
            Next::Plain => match ["--user=", "--proxy-user=", "-u", "-U"].iter().find_map(|f| Some((f, user(f)?))) {
                Some((flag, user)) => format!("{flag}{}", hide_password(user)),
                None => word.to_string(),
            },
        });
        if (login && word == "-p") || secret_flag(word) {
            next = Next::Secret;
        } else if fetching && ["-u", "-U", "--user", "--proxy-user"].contains(&word) {
            next = Next::User;
        }
        fetching |= matches!(word.rsplit('/').next(), Some("curl" | "wget"));
    }
    kept
}

/// `--token`, whose value is the next word.
fn secret_flag(word: &str) -> bool {
    // `--password-stdin` and its like say where a secret comes from.
    let name = word.strip_prefix("--").unwrap_or_default();
    !name.contains('=') && !name.ends_with("-stdin") && !name.ends_with("-file") && sounds_secret(name)
}

fn hide_password(user: &str) -> String {
    user.split_once(':').map_or_else(|| user.to_string(), |(name, _)| format!("{name}:{HIDDEN}"))
}

/// A text in which values after secret names are hidden, up to the next space or quote.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', '@']) {
        let (before, after) = rest.split_at(at);
        if after.starts_with('@') {
            out.push_str(&hide_address(before));
            out.push('@');
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        out.push_str(before);
        out.push('=');
        rest = after.get(1..).unwrap_or_default();
        if sounds_secret(before) && !rest.is_empty() {
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
            let value = rest.get(quote.map_or(0, |_| 1)..).unwrap_or_default();
            let stop = |c: char| quote.map_or_else(|| c.is_whitespace() || matches!(c, '"' | '\'' | ';'), |q| c == q);
            let end = value.find(stop).unwrap_or(value.len());
            out.push_str(HIDDEN);
            rest = value.get(end + usize::from(quote.is_some() && end < value.len())..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

/// The name right before an `=`.
fn sounds_secret(before: &str) -> bool {
    let start = before
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
        .map_or(0, |at| at + before.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8));
    let name = before.get(start..).unwrap_or(before).to_ascii_uppercase().replace('-', "_");
    SECRET_NAMES.iter().any(|s| name.contains(s)) || name.split('_').any(|word| SECRET_WORDS.contains(&word))
}

/// `https://user:password` before an `@`.
fn hide_address(before: &str) -> String {
    let Some(at) = before.rfind("://") else { return before.into() };
    let (scheme, user) = before.split_at(at + 3);
    match user.split_once(':') {
        Some((name, password)) if !password.contains(['/', ' ']) => format!("{scheme}{name}:{HIDDEN}"),
        _ => before.into(),
    }
}

#[cfg(test)]
mod tests {
    fn words(line: &str) -> String {
        let argv: Vec<String> = line.split(' ').map(str::to_string).collect();
        super::argv(&argv).join(" ")
    }

    #[test]
    fn secrets_are_hidden_and_the_rest_is_not() {
        for (typed, kept) in [
            ("docent login -u me -p hunter2", "docent login -u me -p ***"),
            ("docent login -phunter2", "docent login -p***"),
            ("docent login --password=hunter2 host", "docent login --password=*** host"),
            ("docent login --password hunter2", "docent login --password ***"),
            ("docent run -e MYSQL_ROOT_PASSWORD=a=b mysql", "docent run -e MYSQL_ROOT_PASSWORD=*** mysql"),
            ("docent run --env=GITHUB_TOKEN=x -e A=b i", "docent run --env=GITHUB_TOKEN=*** -e A=b i"),
            ("docent run -p 8080:80 -e LANG=ko nginx", "docent run -p 8080:80 -e LANG=ko nginx"),
            ("docent run x curl https://me:pw@host/path", "docent run x curl https://me:***@host/path"),
            ("docent run -e DB_PASS=a -e HTTP_AUTH=b i", "docent run -e DB_PASS=*** -e HTTP_AUTH=*** i"),
            (
                "docent run -e SESSION_COOKIE=a -e MY_PIN_CODE=1 i",
                "docent run -e SESSION_COOKIE=*** -e MY_PIN_CODE=*** i",
            ),
            (
                "docent run -e PINNED=1 -e BYPASS=2 -e AUTHOR=kim i",
                "docent run -e PINNED=1 -e BYPASS=2 -e AUTHOR=kim i",
            ),
            ("docent run i tool --token abc --token=abc x", "docent run i tool --token *** --token=*** x"),
            (
                "docent exec web tool --api-key abc --auth a --author b",
                "docent exec web tool --api-key *** --auth *** --author b",
            ),
            ("docent run -u 1000:1000 i curl -u a:b http://h", "docent run -u 1000:1000 i curl -u a:*** http://h"),
            (
                "docent run -u 0:0 i /usr/bin/wget --user=a:b -ua:b",
                "docent run -u 0:0 i /usr/bin/wget --user=a:*** -ua:***",
            ),
            ("docent exec -u 1:1 web id -u", "docent exec -u 1:1 web id -u"),
            ("docent login --username a --password-stdin h", "docent login --username a --password-stdin h"),
        ] {
            assert_eq!(words(typed), kept);
        }
        let script = ["docent", "exec", "web", "sh", "-c", "curl -s -u a:b http://h; tool --token x"].map(String::from);
        assert_eq!(super::argv(&script)[5], "curl -s -u a:*** http://h; tool --token ***");
        assert_eq!(super::text("SECRET_KEY='a b' run; API_KEY=\"c\" 비밀=x"), "SECRET_KEY=*** run; API_KEY=*** 비밀=x");
    }
}
