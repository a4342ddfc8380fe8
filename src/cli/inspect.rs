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
}
