//! Templates as scripts and learners write them, and what Docker prints for each.

use super::*;

fn sample() -> Json {
    serde_json::json!({
        "Id": "3f2a9c",
        "Created": "2026-03-04T06:06:07Z",
        "State": {"Status": "running", "Running": true, "Pid": 48213, "ExitCode": 0},
        "Config": {
            "Env": ["A=1", "B=2"],
            "Entrypoint": null,
            "Labels": {"a/b": "c", "z": "y"},
            "Cmd": ["nginx", "-g", "daemon off;"],
        },
        "Mounts": [],
        "RootFS": {"Type": "layers", "Layers": ["sha256:a", "sha256:b"]},
        "HostConfig": {"LogConfig": {"Type": "json-file", "Config": {}}, "PidsLimit": null, "NanoCpus": -1},
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
            "Networks": {"bridge": {"IPAddress": "172.30.0.2", "Aliases": null}},
        },
    })
}

#[test]
fn values_print_as_go_prints_them() {
    for (template, text) in [
        ("{{.State.Status}}", "running"),
        ("{{ .RootFS.Layers }}", "[sha256:a sha256:b]"),
        ("{{.Config.Labels}}", "map[a/b:c z:y]"),
        ("{{.Config.Entrypoint}}", "[]"),
        ("{{.Mounts}}", "[]"),
        ("{{.State.Running}} {{.State.Pid}} {{.HostConfig.NanoCpus}}", "true 48213 -1"),
        ("{{.HostConfig.PidsLimit}}", "<no value>"),
        ("{{.Config.Labels.nothing}}", "<no value>"),
        ("{{index .Config.Labels \"a/b\"}}|{{index .Config.Labels \"x\"}}|", "c||"),
        ("{{index .Config.Cmd 2}}", "daemon off;"),
        ("{{range .Config.Env}}{{.}};{{end}}", "A=1;B=2;"),
        ("{{range .Config.Env}}{{println .}}{{end}}", "A=1\nB=2\n"),
        ("{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}}{{end}}", "bridge=172.30.0.2"),
        ("{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080"),
        ("{{index .NetworkSettings.Ports \"443/tcp\"}}", "[]"),
        ("{{len .RootFS.Layers}}", "2"),
        ("{{join .Config.Cmd \" \"}}", "nginx -g daemon off;"),
        ("{{.State.Status | upper}} {{lower \"AB\"}} {{title \"ab cd\"}}", "RUNNING ab Ab Cd"),
        ("{{split \"a,b\" \",\"}} {{pad \"x\" 1 2}}| {{truncate .Id 3}}", "[a b]  x  | 3f2"),
        ("{{if .State.Running}}yes{{else}}no{{end}}", "yes"),
        ("{{with .HostConfig.LogConfig}}{{.Type}}{{end}}", "json-file"),
        ("{{printf \"%s:%d\" .State.Status .State.Pid}}", "running:48213"),
        ("{{if eq .State.ExitCode 0}}ok{{end}}", "ok"),
        ("컨테이너 {{.Id}}\\t", "컨테이너 3f2a9c\\t"),
    ] {
        assert_eq!(render(template, &sample()).as_deref(), Ok(text), "{template}");
    }
}

#[test]
fn json_keeps_the_documents_order() {
    let data = sample();
    assert_eq!(render("{{json .}}", &data), Ok(data.to_string()));
    let state = r#"{"Status":"running","Running":true,"Pid":48213,"ExitCode":0}"#;
    assert_eq!(render("{{json .State}}", &data).as_deref(), Ok(state));
    assert_eq!(render("{{.State | json}}", &data).as_deref(), Ok(state));
    assert_eq!(render("{{json .Config.Labels}}", &data).as_deref(), Ok(r#"{"a/b":"c","z":"y"}"#));
    assert_eq!(render("{{json .State.Pid}} {{json .Id}}", &data).as_deref(), Ok("48213 \"3f2a9c\""));
    let within = "{{range .NetworkSettings.Networks}}{{json .}}{{end}}";
    assert_eq!(render(within, &data).as_deref(), Ok(r#"{"IPAddress":"172.30.0.2","Aliases":null}"#));
    let nulls =
        "{{json .Config.Entrypoint}} {{json .Mounts}} {{json .HostConfig.LogConfig.Config}}{{.Config.Entrypoint}}";
    assert_eq!(render(nulls, &data).as_deref(), Ok("null [] {}[]"));
    // In a list of lines nothing is escaped as in a web page.
    assert_eq!(render("{{json .}}", &serde_json::json!({"A": "<&>"})).as_deref(), Ok(r#"{"A":"<&>"}"#));
}

#[track_caller]
fn why(template: &str) -> String {
    match render(template, &sample()) {
        Err(Fault::BadTemplate { template: named, why }) => {
            assert_eq!(named, template);
            why
        }
        other => panic!("{template}: {other:?}"),
    }
}

#[test]
fn what_is_not_there_is_an_error_without_the_document_in_it() {
    assert_eq!(why("{{.Foo}}"), ":1:2: map has no entry for key \"Foo\"");
    assert_eq!(why("{{.State.Foo}}"), ":1:2: map has no entry for key \"Foo\"");
    for template in ["{{.Id.Foo}}", "{{.Foo", "{{nothing .}}", "{{index .Config.Cmd 9}}", "{{json}}", "{{end}}", "{{"] {
        let why = why(template);
        assert!(!why.is_empty() && why.len() < 300 && !why.contains("172.30"), "{template}: {why}");
        assert_eq!(check(template).is_ok(), render(template, &Json::Null).is_ok() || why.starts_with(':'));
    }
}

#[test]
fn a_template_cannot_eat_the_machine() {
    assert!(render("{{pad \"x\" 1000000000 1}}", &sample()).is_err());
    assert!(render("{{truncate \"x\" -1}}", &sample()).is_err());
    assert!(render("{{range 1000000000}}x{{end}}", &sample()).is_err());
    assert!(render("{{define \"r\"}}{{template \"r\" .}}{{end}}{{template \"r\" .}}", &sample()).is_err());
}

#[test]
fn rows_have_labels_and_headings() {
    let labels = BTreeMap::from([("com.lab-tier".to_string(), "one".to_string())]);
    let row = serde_json::json!({"Names": "web"});
    let template = "{{upper .Names}} {{.Label \"com.lab-tier\"}} {{.Label \"x\"}}|{{json .}}";
    assert_eq!(
        prepare(".Label \"{{print \".Label \\\" x\" (.Label `.Label `)}}").as_deref(),
        Ok(".Label \"{{print `.Label \" x` (label `.Label `)}}")
    );
    assert_eq!(render_row(template, &row, &labels).as_deref(), Ok("WEB one |{\"Names\":\"web\"}"));
    let headings = serde_json::json!({"Names": "NAMES"});
    assert_eq!(
        render_headings("{{lower .Names}} {{json .Names}} {{.Label \"com.lab-tier\"}}", &headings).as_deref(),
        Ok("NAMES NAMES lab tier")
    );
}

/// Half a template is what a learner has typed so far, and a letter less is what a slip makes of it.
#[test]
fn no_template_is_a_panic() {
    let whole = "a\\t{{range $i, $v := .Config.Env}}{{if eq $i 1}}{{json $v | printf \"%5.2s\\u00e9\"}}{{else}}{{index \
                 $.Config.Cmd $i | truncate 2}}{{end}}{{end}}{{with .State}}{{.Pid}}{{- /* c */ -}}{{end}}{{.Label `웹`}}{{1e3}}{{'x'}}";
    assert!(render(whole, &sample()).is_err(), "a label needs a row");
    let labels = BTreeMap::new();
    let cuts: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
    let mut good = 0;
    for pair in cuts.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        for text in [whole[..to].to_string(), whole[from..].to_string(), format!("{}{}", &whole[..from], &whole[to..])]
        {
            good += usize::from(render_row(&text, &sample(), &labels).is_ok());
        }
    }
    assert!(good > 0 && good < cuts.len() * 3);
}

/// The engine itself waits for ever for the rest of such an escape.
#[test]
fn an_escape_that_is_not_whole_is_refused() {
    for text in [
        r#"{{"\u0e"}}"#,
        r#"{{"\x9"}}"#,
        r#"{{"\uzzzz"}}"#,
        r#"{{"\u00é"}}"#,
        r#"{{'\u0e'}}"#,
        r#"{{"\U0001"}}"#,
        r#"{{"\ud800"}}"#,
        r#"{{"\xff"}}"#,
        r#"{{"\"#,
        r#"{{"\q"}}"#,
        r#"{{''}}"#,
        "{{\"a\nb\"}}",
    ] {
        assert!(matches!(check(text), Err(Fault::BadTemplate { .. })), "{text}");
    }
    for (text, shown) in [
        (r#"{{"\u00e9\x41\n"}}"#, "éA\n"),
        (r#"{{"\u00e9한글abcdef\U0001f600\x22"}}"#, "é한글abcdef\u{1f600}\""),
        (r#"\u0e {{/* don't \x */}}\x"#, r#"\u0e \x"#),
        (r#"{{`\u0e`}}"#, r#"\u0e"#),
        ("{{\"\\\\\"}}{{\"\\x22\"}}{{\"`\\\"\\n\"}}{{'\\x41'}}{{`a\nb`}}", "\\\"`\"\n65a\nb"),
    ] {
        assert_eq!(render(text, &Json::Null).as_deref(), Ok(shown), "{text}");
    }
}
