//! `--format` and `-f`: Go templates over JSON, as Docker has them.
//!
//! The template engine knows values, not documents, so two things are kept beside it for the time of one rendering: the
//! document itself, from which `json` prints what it was given with its keys in their order, and the labels of a row, for
//! `.Label "key"`. Objects stand for Go's structs, where a field that does not exist is an error; the few that are maps in
//! Docker (labels, ports, networks) answer `<no value>`.

use super::suggest::is_one;
use crate::event::Fault;
use gtmpl_ng::{Context, ExecError, Func, FuncError, Template, TemplateError, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

pub type Json = serde_json::Value;

/// Objects that are maps in Docker's own types; `LogConfig.Config` is one too.
const MAPS: &str =
    "Annotations Data DriverOpts ExposedPorts Labels Networks Options PortBindings Ports Sysctls Tmpfs Volumes";
/// Lists that are null in JSON while they are empty: Go prints them as `[]`.
const LISTS: &str = "Aliases Args Binds CapAdd CapDrop Cmd DNSNames Entrypoint Env ExecIDs Links OnBuild";

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

/// The template in the engine's own dialect; the text around the braces stays as it is.
///
/// `.Label "key"` is a method with an argument in Docker, which the engine does not have: it becomes a function. Strings
/// are read here and written anew in the one form that gtmpl-ng 1.0.0 reads back as Go does: it never comes back from
/// `"\u0e"`, panics at `"\u00e9한"`, and takes the `\\` at the end of a string for an escaped quote.
fn prepare(template: &str) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '"' | '`' | '\'' if inside => {
                let (length, meant) = literal(rest, c)?;
                out.push_str(&meant);
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            '/' if inside && rest.starts_with("/*") => taken = rest.find("*/").map_or(rest.len(), |end| end + 2),
            '{' if rest.starts_with("{{") => inside = true,
            '}' if rest.starts_with("}}") => inside = false,
            '.' if inside
                && rest.starts_with(".Label ")
                && !out.ends_with(|p: char| p.is_alphanumeric() || p == ')') =>
            {
                out.push_str("label ");
                rest = rest.strip_prefix(".Label ").unwrap_or_default();
                continue;
            }
            _ => {}
        }
        let (now, later) = rest.split_at(taken);
        out.push_str(now);
        rest = later;
    }
    Ok(out)
}

/// A quoted literal at the beginning of `text`: its length, and the same for the engine.
fn literal(text: &str, quote: char) -> Result<(usize, String), String> {
    let mut meant = String::new();
    let mut at = 1;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        match rest.chars().next() {
            Some(c) if c == quote => break,
            Some('\\') if quote != '`' => {
                let (length, c) = escape(rest).ok_or("invalid escape in a quoted string")?;
                meant.push(c);
                at += length;
            }
            Some(c) if c != '\n' || quote == '`' => {
                meant.push(c);
                at += c.len_utf8();
            }
            _ => return Err("unterminated quoted string".into()),
        }
    }
    let written = match quote {
        // A character is its number, as in Go.
        '\'' => match meant.chars().collect::<Vec<_>>()[..] {
            [one] => (one as u32).to_string(),
            _ => return Err("malformed character constant".into()),
        },
        _ if !meant.contains('`') => format!("`{}`", meant.replace('\\', "\\\\")),
        _ if !meant.ends_with('\\') => {
            format!("\"{}\"", meant.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
        }
        _ => return Err("a string with a backquote cannot end in a backslash".into()),
    };
    Ok((at + 1, written))
}

/// The length of the escape that `text` begins with, and the character. Bytes above 0x7f are no characters.
fn escape(text: &str) -> Option<(usize, char)> {
    let kind = text.chars().nth(1)?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => {
            let plain = ['a', 'b', 'f', 'n', 'r', 't', 'v', '\\', '\'', '"'];
            let meant = ['\u{7}', '\u{8}', '\u{c}', '\n', '\r', '\t', '\u{b}', '\\', '\'', '"'];
            return plain.iter().zip(meant).find(|(name, _)| **name == kind).map(|(_, c)| (2, c));
        }
    };
    let number = text.get(2..2 + digits).filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let meant = char::from_u32(u32::from_str_radix(number, 16).ok()?)?;
    (kind != 'x' || meant.is_ascii()).then_some((2 + digits, meant))
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
    let unread = |why: String| Fault::BadTemplate { template: template.into(), why };
    let prepared = prepare(template).map_err(unread)?;
    compiled.parse(prepared).map_err(|e| bad_template(template, e.into()))?;
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
        Json::Null if is_one(LISTS, name) => Value::Array(Vec::new()),
        Json::Null if is_one(MAPS, name) => Value::Map(HashMap::new()),
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
            let map = is_one(MAPS, name);
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
#[path = "format_tests.rs"]
mod tests;
