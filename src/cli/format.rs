//! `--format` and `-f`: Go templates over JSON, as Docker has them.
//!
//! The template engine knows values, not documents, so two things are kept beside it for the time of one rendering: the
//! document itself, from which `json` prints what it was given with its keys in their order, and the labels of a row, for
//! `.Label "key"`. Objects stand for Go's structs, where a field that does not exist is an error; the few that are maps in
//! Docker (labels, ports, networks) answer `<no value>`.

use crate::fact::Fault;
use gtmpl_ng::{Context, ExecError, Func, FuncError, Template, TemplateError, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

pub type Json = serde_json::Value;

/// Objects that are maps in Docker's own types; `LogConfig.Config` is one too.
const MAPS: [&str; 12] = [
    "Annotations",
    "Data",
    "DriverOpts",
    "ExposedPorts",
    "Labels",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];
/// Lists that are null in JSON while they are empty: Go prints them as `[]`.
const LISTS: [&str; 12] = [
    "Aliases",
    "Args",
    "Binds",
    "CapAdd",
    "CapDrop",
    "Cmd",
    "DNSNames",
    "Entrypoint",
    "Env",
    "ExecIDs",
    "Links",
    "OnBuild",
];

/// Renders a template over one document (`inspect -f`, `version -f`); no newline is added.
pub fn render(template: &str, data: &Json) -> Result<String, Fault> {
    run(template, Scene { document: data.clone(), ..Scene::default() })
}

/// Whether the template can be read at all: Docker says so before it asks for anything.
pub fn check(template: &str) -> Result<(), Fault> {
    compile(template).map(drop)
}

/// One row of a list; `labels` serve `.Label "key"`.
pub(super) fn render_row(template: &str, row: &Json, labels: &BTreeMap<String, String>) -> Result<String, Fault> {
    run(template, Scene { document: row.clone(), labels: Some(labels.clone()), ..Scene::default() })
}

/// The line of headings: the same template over the headings, where functions leave words as they are.
pub(super) fn render_headings(template: &str, headings: &Json) -> Result<String, Fault> {
    run(
        template,
        Scene { document: headings.clone(), labels: Some(BTreeMap::new()), heading: true, ..Scene::default() },
    )
}

#[derive(Default)]
struct Scene {
    document: Json,
    labels: Option<BTreeMap<String, String>>,
    heading: bool,
    /// Which arguments of `json` are null in the document, in the order of their use (the last one first).
    nulls: Vec<bool>,
    looked: bool,
}

/// What a null list or map of the document is to the template.
#[derive(Clone, Copy)]
enum Nulls {
    Empty,
    Nil,
}

thread_local! {
    /// The functions of a template are plain `fn`s: what they need beyond their arguments is here while it runs.
    static SCENE: RefCell<Scene> = RefCell::new(Scene::default());
}

fn run(template: &str, scene: Scene) -> Result<String, Fault> {
    let compiled = compile(template)?;
    let (dot, bare) = (value("", &scene.document, Nulls::Empty), value("", &scene.document, Nulls::Nil));
    SCENE.replace(scene);
    // Go tells a list that is null from an empty one: both print as `[]`, and in JSON one is `null`. A first look with
    // nulls as they are notes which argument of `json` was one.
    if template.contains("json") {
        let first = compiled.render(&Context::from(bare));
        SCENE.with_borrow_mut(|scene| match first {
            Ok(_) => scene.nulls.reverse(),
            Err(_) => scene.nulls.clear(),
        });
    }
    SCENE.with_borrow_mut(|scene| scene.looked = true);
    let rendered = compiled.render(&Context::from(dot));
    SCENE.take();
    rendered.map_err(|e| bad_template(template, e.into()))
}

/// `.Label "key"` is a method with an argument in Docker, which the engine does not have: it becomes a function. Strings
/// and the text around the braces stay as they are.
fn methods(template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    let mut quote: Option<char> = None;
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match quote {
            Some('"') if c == '\\' => taken += rest.chars().nth(1).map_or(0, char::len_utf8),
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if inside && (c == '"' || c == '`') => quote = Some(c),
            None if rest.starts_with("{{") => inside = true,
            None if rest.starts_with("}}") => inside = false,
            None if inside
                && rest.starts_with(".Label ")
                && !out.ends_with(|p: char| p.is_alphanumeric() || p == ')') =>
            {
                out.push_str("label ");
                rest = rest.strip_prefix(".Label ").unwrap_or_default();
                continue;
            }
            None => {}
        }
        let (now, later) = rest.split_at(taken);
        out.push_str(now);
        rest = later;
    }
    out
}

fn compile(template: &str) -> Result<Template, Fault> {
    let mut compiled = Template::default();
    let functions: [(&str, Func); 9] = [
        ("json", json),
        ("index", index),
        ("join", join),
        ("split", split),
        ("lower", lower),
        ("upper", upper),
        ("title", title),
        ("pad", pad),
        ("truncate", truncate),
    ];
    compiled.add_funcs(&functions);
    compiled.add_func("label", label);
    compiled.parse(methods(template)).map_err(|e| bad_template(template, e.into()))?;
    Ok(compiled)
}

/// In Go's words where it matters, and never with a whole document in it.
fn bad_template(template: &str, error: TemplateError) -> Fault {
    let (place, message) = match &error {
        TemplateError::ExecError(ExecError::Structured(e)) => {
            (format!(":{}:{}: ", e.context.line, e.context.col.saturating_sub(1)), e.message.clone())
        }
        other => (String::new(), other.to_string()),
    };
    let message = match message.strip_prefix("no field `").and_then(|rest| rest.split_once('`')) {
        Some((key, _)) => format!("map has no entry for key {key:?}"),
        None => message.chars().take(200).collect(),
    };
    Fault::BadTemplate { template: template.into(), why: format!("{place}{message}") }
}

fn value(name: &str, json: &Json, nulls: Nulls) -> Value {
    match json {
        Json::Null if matches!(nulls, Nulls::Nil) => Value::Nil,
        Json::Null if LISTS.contains(&name) => Value::Array(Vec::new()),
        Json::Null if MAPS.contains(&name) => Value::Map(HashMap::new()),
        Json::Null => Value::Nil,
        Json::Bool(b) => Value::Bool(*b),
        Json::String(s) => Value::String(s.clone()),
        Json::Number(n) => match (n.as_u64(), n.as_i64()) {
            (Some(n), _) => Value::from(n),
            (None, Some(n)) => Value::from(n),
            (None, None) => Value::from(n.as_f64().unwrap_or_default()),
        },
        Json::Array(items) => Value::Array(items.iter().map(|item| value("", item, nulls)).collect()),
        Json::Object(fields) => {
            let inner = |key: &str, v: &Json| match (name, key, v) {
                ("LogConfig", "Config", Json::Object(_)) => value("Options", v, nulls),
                _ => value(key, v, nulls),
            };
            let map = MAPS.contains(&name);
            // What lies in a map is found by keys of its own: `Networks` holds structs, whatever their names.
            let entry =
                |(key, v): (&String, &Json)| (key.clone(), if map { value("", v, nulls) } else { inner(key, v) });
            let fields = fields.iter().map(entry).collect();
            if map { Value::Map(fields) } else { Value::Object(fields) }
        }
    }
}

fn heading() -> bool {
    SCENE.with_borrow(|scene| scene.heading)
}

fn text(args: &[Value], at: usize) -> Result<String, FuncError> {
    match args.get(at) {
        Some(Value::String(s)) => Ok(s.clone()),
        Some(Value::Nil | Value::NoValue) | None => Err(FuncError::UnableToConvertFromValue),
        Some(other) => Ok(other.to_string()),
    }
}

fn only<'a>(name: &str, args: &'a [Value]) -> Result<&'a Value, FuncError> {
    match args {
        [one] => Ok(one),
        _ => Err(FuncError::ExactlyXArgs(name.into(), 1)),
    }
}

/// Prints the part of the document that is equal to the argument, so that keys keep their order; what the template made
/// itself is printed with sorted keys.
fn json(args: &[Value]) -> Result<Value, FuncError> {
    let wanted = only("json", args)?;
    let text = SCENE.with_borrow_mut(|scene| {
        if !scene.looked {
            scene.nulls.push(matches!(wanted, Value::Nil));
            return String::new();
        }
        let null = scene.nulls.pop().unwrap_or(false);
        match wanted {
            _ if scene.heading => wanted.to_string(),
            _ if null => "null".into(),
            Value::Array(items) if items.is_empty() => "[]".into(),
            Value::Map(fields) | Value::Object(fields) if fields.is_empty() => "{}".into(),
            _ => match find("", &scene.document, wanted) {
                Some(part) => part.to_string(),
                None => plain(wanted).to_string(),
            },
        }
    });
    Ok(Value::String(text))
}

fn find<'a>(name: &str, json: &'a Json, wanted: &Value) -> Option<&'a Json> {
    if matches!(wanted, Value::Object(_) | Value::Map(_) | Value::Array(_))
        && value(name, json, Nulls::Empty) == *wanted
    {
        return Some(json);
    }
    match json {
        Json::Array(items) => items.iter().find_map(|item| find("", item, wanted)),
        Json::Object(fields) => fields.iter().find_map(|(key, item)| find(key, item, wanted)),
        _ => None,
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Nil | Value::NoValue | Value::Function(_) => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::String(s) => Json::String(s.clone()),
        Value::Number(n) => serde_json::from_str(&n.to_string()).unwrap_or(Json::Null),
        Value::Array(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Map(fields) | Value::Object(fields) => {
            let sorted: BTreeMap<&String, Json> = fields.iter().map(|(k, v)| (k, plain(v))).collect();
            Json::Object(sorted.into_iter().map(|(k, v)| (k.clone(), v)).collect())
        }
    }
}

/// Go's `index`, where a key that a map lacks gives the zero value of its type: `""` for labels, `[]` for ports.
fn index(args: &[Value]) -> Result<Value, FuncError> {
    if heading() {
        return only("index", args.get(..1).unwrap_or_default()).cloned();
    }
    let found = gtmpl_ng::funcs::index(args)?;
    match (&found, args) {
        (Value::NoValue, [Value::Map(fields), _]) => Ok(match fields.values().next() {
            Some(Value::String(_)) | None => Value::String(String::new()),
            Some(Value::Array(_)) => Value::Array(Vec::new()),
            Some(_) => Value::NoValue,
        }),
        _ => Ok(found),
    }
}

fn join(args: &[Value]) -> Result<Value, FuncError> {
    match args {
        _ if heading() => args.first().cloned().ok_or_else(|| FuncError::ExactlyXArgs("join".into(), 2)),
        [Value::Array(items), Value::String(between)] => {
            Ok(Value::String(items.iter().map(Value::to_string).collect::<Vec<_>>().join(between)))
        }
        [_, _] => Err(FuncError::UnableToConvertFromValue),
        _ => Err(FuncError::ExactlyXArgs("join".into(), 2)),
    }
}

fn split(args: &[Value]) -> Result<Value, FuncError> {
    if heading() {
        return args.first().cloned().ok_or_else(|| FuncError::ExactlyXArgs("split".into(), 2));
    }
    let (whole, between) = (text(args, 0)?, text(args, 1)?);
    // An empty separator takes the text apart into its letters, as Go's strings.Split does.
    let parts: Vec<Value> = match between.is_empty() {
        true => whole.chars().map(|c| Value::String(c.to_string())).collect(),
        false => whole.split(&between).map(|part| Value::String(part.into())).collect(),
    };
    Ok(Value::Array(parts))
}

fn lower(args: &[Value]) -> Result<Value, FuncError> {
    recase("lower", args, |s| s.to_lowercase())
}

fn upper(args: &[Value]) -> Result<Value, FuncError> {
    recase("upper", args, |s| s.to_uppercase())
}

fn title(args: &[Value]) -> Result<Value, FuncError> {
    recase("title", args, |s| {
        let mut start = true;
        s.chars()
            .flat_map(|c| {
                let changed: Vec<char> = if start { c.to_uppercase().collect() } else { vec![c] };
                start = !c.is_alphanumeric();
                changed
            })
            .collect()
    })
}

fn recase(name: &str, args: &[Value], change: impl FnOnce(&str) -> String) -> Result<Value, FuncError> {
    only(name, args)?;
    let given = text(args, 0)?;
    Ok(Value::String(if heading() { given } else { change(&given) }))
}

fn pad(args: &[Value]) -> Result<Value, FuncError> {
    let given = text(args, 0)?;
    if given.is_empty() {
        return Ok(Value::String(given));
    }
    Ok(Value::String(format!("{}{given}{}", " ".repeat(count(args, 1)?), " ".repeat(count(args, 2)?))))
}

fn truncate(args: &[Value]) -> Result<Value, FuncError> {
    let given = text(args, 0)?;
    Ok(Value::String(if heading() { given } else { given.chars().take(count(args, 1)?).collect() }))
}

/// A width from a template: more than a screen's is a mistake, and would be memory.
fn count(args: &[Value], at: usize) -> Result<usize, FuncError> {
    match args.get(at) {
        Some(Value::Number(n)) => match n.as_u64() {
            Some(n) if n <= 1000 => Ok(n as usize),
            _ => Err(FuncError::IndexOutOfRange { index: n.to_string() }),
        },
        _ => Err(FuncError::UnableToConvertFromValue),
    }
}

/// `.Label "com.example.tier"`: the label's value, and as a heading its last part.
fn label(args: &[Value]) -> Result<Value, FuncError> {
    only("Label", args)?;
    let key = text(args, 0)?;
    Ok(Value::String(SCENE.with_borrow(|scene| match &scene.labels {
        Some(labels) if !scene.heading => labels.get(&key).cloned().unwrap_or_default(),
        _ => key.rsplit('.').next().unwrap_or_default().replace(['-', '_'], " "),
    })))
}

#[cfg(test)]
mod tests {
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
        for template in
            ["{{.Id.Foo}}", "{{.Foo", "{{nothing .}}", "{{index .Config.Cmd 9}}", "{{json}}", "{{end}}", "{{"]
        {
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
            methods(".Label \"{{print \".Label \\\" x\" (.Label `.Label `)}}"),
            ".Label \"{{print \".Label \\\" x\" (label `.Label `)}}"
        );
        assert_eq!(render_row(template, &row, &labels).as_deref(), Ok("WEB one |{\"Names\":\"web\"}"));
        let headings = serde_json::json!({"Names": "NAMES"});
        assert_eq!(
            render_headings("{{lower .Names}} {{json .Names}} {{.Label \"com.lab-tier\"}}", &headings).as_deref(),
            Ok("NAMES NAMES lab tier")
        );
    }
}
