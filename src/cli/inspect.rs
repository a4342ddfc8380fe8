//! `docker inspect`: JSON with Docker's field names, types and order.
//!
//! A field stands here when docent knows its value, or when scripts expect it and its value is the truth for docent too (no
//! volumes: an empty list). What docent has no notion of is left out rather than made up.

mod container;
mod image;

pub use container::{Paths, inspect_container};
pub use image::{ImageNames, inspect_image};

#[cfg(test)]
pub(super) use container::sample;

use super::format::Json;
use serde::Serialize;

/// An array of objects as Docker prints it: four spaces, and a newline at the end.
pub fn pretty(objects: &[Json]) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    // Writing a Value to memory has no way to fail; an empty list is the answer if it ever had one.
    if objects.serialize(&mut serializer).is_err() {
        return "[]\n".into();
    }
    String::from_utf8(out).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_as_docker_prints_it() {
        assert_eq!(pretty(&[]), "[]\n");
        let one = serde_json::json!({"Id": "x", "Mounts": [], "Config": {}, "Args": ["a"]});
        let text = "[\n    {\n        \"Id\": \"x\",\n        \"Mounts\": [],\n        \"Config\": {},\n        \
                    \"Args\": [\n            \"a\"\n        ]\n    }\n]\n";
        assert_eq!(pretty(&[one]), text);
    }

    /// Every value that has a name here has it in Docker's own schema too, with the same type: read by its types and
    /// written again, nothing is missing.
    #[track_caller]
    fn survives(at: &str, ours: &Json, theirs: &Json) {
        match (ours, theirs) {
            (Json::Object(fields), Json::Object(other)) => {
                for (key, value) in fields.iter().filter(|(_, v)| !v.is_null()) {
                    let found = other.get(key).unwrap_or_else(|| panic!("{at}/{key} is no name of Docker's"));
                    survives(&format!("{at}/{key}"), value, found);
                }
            }
            _ if at.ends_with("Created") || at.ends_with("LastTagTime") => {}
            _ => assert_eq!(ours, theirs, "{at}"),
        }
    }

    #[test]
    fn dockers_schema_reads_what_is_written() {
        use bollard_stubs::models::{ContainerInspectResponse, ImageInspect};
        let mut web = sample("3f2a9c0d1e4b", "web");
        web.host_config.pids_limit = Some(20);
        web.host_config.memory_swap = Some(128 << 20);
        let json = inspect_container(&web, &Paths::default());
        let theirs: ContainerInspectResponse = serde_json::from_value(json.clone()).expect("Docker's container");
        survives("", &json, &serde_json::to_value(theirs).expect("JSON"));
        let config = serde_json::json!({
            "created": "2026-03-04T06:06:07Z", "architecture": "amd64", "os": "linux", "author": "a", "variant": "v8",
            "config": {"Cmd": ["nginx"], "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}, "StopSignal": "SIGQUIT"},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]},
        });
        let json = inspect_image(&config, &ImageNames::default());
        let theirs: ImageInspect = serde_json::from_value(json.clone()).expect("Docker's image");
        survives("", &json, &serde_json::to_value(theirs).expect("JSON"));
    }
}
