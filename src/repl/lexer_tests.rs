use super::*;

fn firsts(text: &str) -> Vec<&str> {
    lex(text).commands.iter().filter_map(|c| c.word(text, 0)).collect()
}

#[test]
fn finds_where_commands_begin() {
    assert_eq!(
        firsts("stop $(docker ps -aq) | wc -l; A=1 images && pull x &"),
        ["stop", "docker", "wc", "images", "pull"]
    );
    assert_eq!(firsts("for i in 1 2; do run tiny; done"), ["for", "run", "done"]);
    assert_eq!(firsts("echo \"$(ps) (a;b)\" 'c;d' # e; f"), ["echo", "ps"]);
    assert_eq!(firsts("load < a.tar 2>/dev/null >b c"), ["load"]);
}

#[test]
fn leaves_redirections_out_of_the_words() {
    let text = "load -q <a.tar 2>&1 >b c";
    let all: Vec<_> = lex(text).commands[0].words.iter().map(|w| &text[w.start..w.end]).collect();
    assert_eq!(all, ["load", "-q", "c"]);
}

#[test]
fn says_what_is_missing() {
    for (text, open) in [
        ("echo 'a", Some(Open::Quote('\''))),
        ("echo \"a $(b)", Some(Open::Quote('"'))),
        ("echo `a", Some(Open::Quote('`'))),
        ("echo $(a", Some(Open::Bracket)),
        ("echo ${a", Some(Open::Bracket)),
        ("a \\", Some(Open::Backslash)),
        ("a \\\n", Some(Open::Backslash)),
        ("a |", Some(Open::Operator)),
        ("a && # later", Some(Open::Operator)),
        ("a &&\n", Some(Open::Operator)),
        ("cat <<E\nx", Some(Open::Heredoc)),
        ("cat <<-'E'\nx\n\tE", None),
        ("cat <<E\n'\nE\necho", None),
        ("cat <<<E", None),
        ("echo $((1<<2))", None),
        ("echo \"it's\" '\"'", None),
        ("a &", None),
        ("a \\\nb", None),
    ] {
        assert_eq!(lex(text).open, open, "{text:?}");
    }
}

#[test]
fn never_panics_on_cut_text() {
    let text = "echo “가” \"$(a ${b'c'} `d`)\" <<-'가' $((1+(2))) \\가 &>x\nbody\n가\n—a";
    for (at, _) in text.char_indices() {
        lex(&text[at..]);
        lex(&text[..at]);
    }
}
