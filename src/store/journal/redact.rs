//! Keeps secrets out of the journal: passwords of `login`, values of variables whose names sound secret, and passwords in
//! addresses. A name is judged, never a value, so this is a help and no guarantee.

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
    "_PASS",
];

pub fn argv(argv: &[String]) -> Vec<String> {
    let login = argv.iter().skip(1).find(|w| !w.starts_with('-')).is_some_and(|w| w == "login");
    let mut out = Vec::with_capacity(argv.len());
    let mut hide_next = false;
    for word in argv {
        out.push(if std::mem::replace(&mut hide_next, false) { HIDDEN.into() } else { text(word) });
        let short = login && word == "-p";
        hide_next = short || word == "--password";
        if login && word.len() > 2 && word.starts_with("-p") {
            out.pop();
            out.push(format!("-p{HIDDEN}"));
        }
    }
    out
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
    name == "PASS" || name == "PWD_" || SECRET_NAMES.iter().any(|s| name.contains(s))
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
        ] {
            assert_eq!(words(typed), kept);
        }
        assert_eq!(super::text("SECRET_KEY='a b' run; API_KEY=\"c\" 비밀=x"), "SECRET_KEY=*** run; API_KEY=*** 비밀=x");
    }
}
