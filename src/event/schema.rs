//! The published schema of records, from the types: `book/en/src/records.schema.json`, and the same in `book/ko`. What it is
//! made of may change; then `INSTA_UPDATE=always cargo test --lib event::` writes it, and the tables of the book, anew.

use super::vocabulary::{FIELDS, Field};
use super::{Bytes, FORMAT, Line};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Object = Map<String, Value>;

/// The only type whose JSON is written by hand.
impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let encoded = json!({"type": "string", "contentEncoding": "base64", "description": "its bytes"});
        json_schema!({
            "description": "A name as the kernel has it: a string, or its bytes in base64 where they are not UTF-8.",
            "anyOf": [
                {"type": "string"},
                {"type": "object", "properties": {"bytes": encoded}, "required": ["bytes"]},
            ],
        })
    }
}

/// A file of both books, Korean first.
fn in_books(name: &str) -> [PathBuf; 2] {
    ["ko", "en"].map(|lang| Path::new(env!("CARGO_MANIFEST_DIR")).join("book").join(lang).join("src").join(name))
}

/// What the types give: one definition for each of the three records, for each kind of event, for each object in them.
fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut root = generator.into_root_schema_for::<Line>().to_value();
    let root = root.as_object_mut().expect("an object");
    let Some(Value::Object(mut parts)) = root.remove("$defs") else { panic!("no definitions") };
    let Some(Value::Array(records)) = root.remove("oneOf") else { panic!("no records") };
    let mut definitions = Object::new();
    let mut lines = Vec::new();
    for record in records {
        let Value::Object(mut record) = record else { panic!("no object") };
        let name = named(&record, "record");
        if let Some(Value::Array(kinds)) = record.remove("oneOf") {
            let mut names = Vec::new();
            for kind in kinds {
                let Value::Object(kind) = kind else { panic!("no object") };
                let name = named(&kind, "event");
                names.push(json!({"$ref": format!("#/$defs/{name}")}));
                definitions.insert(name, Value::Object(kind));
            }
            record.insert("oneOf".into(), names.into());
            record.insert("unevaluatedProperties".into(), false.into());
        } else {
            record.insert("additionalProperties".into(), false.into());
        }
        lines.push(json!({"$ref": format!("#/$defs/{name}")}));
        definitions.insert(name, Value::Object(record));
    }
    for part in parts.values_mut() {
        closed(part);
    }
    definitions.append(&mut parts);
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:docent:records:{FORMAT}"),
        "title": "docent's records",
        "description": "One line of `docent --narrate json`, of `docent journal show` and of `docent explain --level json`.",
        "oneOf": lines,
        "$defs": definitions,
    });
    let own = own_names(&whole);
    described(&mut whole, &own, &mut Vec::new());
    whole
}

fn named(object: &Object, tag: &str) -> String {
    object["properties"][tag]["const"].as_str().expect("a name").to_string()
}

/// Nothing but what is listed.
fn closed(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(closed);
            if object.contains_key("properties") && object.get("type").is_some_and(Value::is_string) {
                object.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(all) => all.iter_mut().for_each(closed),
        _ => {}
    }
}

/// Definitions within which names are their own: those below the receipt, with how they are reached.
fn own_names(whole: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut next = vec![("Receipt".to_string(), "receipt".to_string())];
    while let Some((name, path)) = next.pop() {
        next.extend(references(&whole["$defs"][&name], &path));
        found.insert(name, path);
    }
    found
}

/// The definitions that the fields of this one refer to, with the path of the field.
fn references(schema: &Value, path: &str) -> Vec<(String, String)> {
    match schema {
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str).map(|r| (last(r), path.to_string()));
            let fields = object.get("properties").and_then(Value::as_object).into_iter().flatten();
            let below = fields.flat_map(|(name, field)| references(field, &format!("{path}.{name}")));
            let others = object.iter().filter(|(key, _)| *key != "properties");
            own.into_iter().chain(below).chain(others.flat_map(|(_, part)| references(part, path))).collect()
        }
        Value::Array(all) => all.iter().flat_map(|part| references(part, path)).collect(),
        _ => Vec::new(),
    }
}

fn last(reference: &str) -> String {
    reference.rsplit('/').next().unwrap_or_default().to_string()
}

/// Each field with its meaning; no defaults and formats that only Rust knows.
fn described(schema: &mut Value, own: &BTreeMap<String, String>, path: &mut Vec<String>) {
    let Value::Object(object) = schema else {
        return schema.as_array_mut().into_iter().flatten().for_each(|part| described(part, own, path));
    };
    object.remove("default");
    if object.get("format").is_some_and(|format| format != "date-time") {
        object.remove("format");
    }
    for (key, part) in object.iter_mut() {
        match (key.as_str(), part) {
            ("$defs", Value::Object(definitions)) => {
                for (name, definition) in definitions.iter_mut().filter(|(name, _)| *name != "Bytes") {
                    described(definition, own, &mut own.get(name).into_iter().cloned().collect());
                }
            }
            ("properties", Value::Object(fields)) => {
                for (name, field) in fields {
                    path.push(name.clone());
                    described(field, own, path);
                    let name =
                        if path[0].starts_with("receipt") && path.len() > 1 { path.join(".") } else { name.clone() };
                    path.pop();
                    let meaning = FIELDS.iter().find(|field| field.0 == name).map(|field| field.3);
                    if let Value::Object(field) = field {
                        field.insert("description".into(), meaning.unwrap_or_default().into());
                    }
                }
            }
            (_, part) => described(part, own, path),
        }
    }
}

/// Names of fields with their types.
fn fields(schema: &Value, whole: &Value, path: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    match schema {
        Value::Object(object) => {
            for (name, field) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let name = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                found.entry(name.clone()).or_default().extend(kind(field, whole).split('|').map(str::to_string));
                fields(field, whole, if name.starts_with("receipt.") { &name } else { path }, found);
            }
            object.iter().filter(|(key, _)| !["properties", "$defs"].contains(&key.as_str())).for_each(|(_, part)| {
                fields(part, whole, path, found);
            });
        }
        Value::Array(all) => all.iter().for_each(|part| fields(part, whole, path, found)),
        _ => {}
    }
}

/// A type in short: `string`, `[object]`, `integer|string`. What may be null has the type of what it is otherwise, and a name
/// that is not UTF-8 is a string.
fn kind(schema: &Value, whole: &Value) -> String {
    let mut kinds = BTreeSet::new();
    let mut add = |part: &Value| kinds.extend(kind(part, whole).split('|').map(str::to_string));
    if let Some(reference) = schema["$ref"].as_str() {
        return if last(reference) == "Bytes" {
            "string".into()
        } else {
            kind(&whole["$defs"][last(reference)], whole)
        };
    }
    for choice in ["anyOf", "oneOf"] {
        schema[choice].as_array().into_iter().flatten().for_each(&mut add);
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        several => several.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    for one in types.into_iter().filter(|one| *one != "null") {
        kinds.insert(if one == "array" { format!("[{}]", kind(&schema["items"], whole)) } else { one.to_string() });
    }
    kinds.remove("");
    kinds.into_iter().collect::<Vec<_>>().join("|")
}

#[test]
fn each_name_of_a_field_has_one_type_and_one_meaning() {
    let whole = schema();
    let (own, mut found) = (own_names(&whole), BTreeMap::new());
    let definitions = whole["$defs"].as_object().expect("definitions");
    for (name, definition) in definitions.iter().filter(|(name, _)| *name != "Bytes") {
        fields(definition, &whole, own.get(name).map_or("", |path| path), &mut found);
    }
    let joined = |(name, types): (String, BTreeSet<String>)| (name, types.into_iter().collect::<Vec<_>>().join("|"));
    let found: BTreeSet<(String, String)> = found.into_iter().map(joined).collect();
    let listed: BTreeSet<(String, String)> = FIELDS.iter().map(|f| (f.0.to_string(), f.1.to_string())).collect();
    let unlisted: Vec<_> = found.difference(&listed).collect();
    let unused: Vec<_> = listed.difference(&found).collect();
    assert!(unlisted.is_empty(), "not in event/vocabulary.rs, or there with another type: {unlisted:?}");
    assert!(unused.is_empty(), "no field has this name and type: {unused:?}");
    assert!(FIELDS.iter().all(|f| f.0.contains('.') || !f.1.contains('|')), "one type");
    assert!(FIELDS.is_sorted_by(|a, b| a.0 < b.0), "each once, sorted");
    assert!(FIELDS.iter().all(|f| f.2.contains(|c| ('가'..='힣').contains(&c)) && !f.3.is_empty()));
}

#[test]
fn the_published_schema_is_what_the_types_give() {
    let text = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    for path in in_books("records.schema.json") {
        written(&path, &std::fs::read_to_string(&path).unwrap_or_default(), &text);
    }
}

#[test]
fn the_books_list_every_name() {
    for (language, path) in in_books("02-story-as-data.md").iter().enumerate() {
        let text = std::fs::read_to_string(path).expect("the chapter");
        let (begin, end) = ("<!-- fields -->\n", "<!-- end of fields -->\n");
        let (before, rest) = text.split_once(begin).expect("its beginning");
        let (_, after) = rest.split_once(end).expect("its end");
        let line = |&(name, kind, ko, en): &Field| format!("- `{name}: {kind}` {}\n", [ko, en][language]);
        let list: String = FIELDS.iter().map(line).collect();
        written(path, &text, &[before, begin, &list, end, after].concat());
    }
}

/// Compares, or writes it.
#[track_caller]
fn written(path: &Path, is: &str, should: &str) {
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        return std::fs::write(path, should).expect("written");
    }
    assert!(is == should, "{} is old: INSTA_UPDATE=always cargo test --lib event:: writes it", path.display());
}
