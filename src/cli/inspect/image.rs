//! An image's JSON, from its OCI configuration: Docker's names for the same things.

use crate::cli::format::Json;
use serde_json::{Map, json};

/// What an image is called, and how big it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImageNames {
    /// `sha256:…` of the configuration.
    pub id: String,
    /// `nginx:latest`, as people write it.
    pub tags: Vec<String>,
    /// `nginx@sha256:…`.
    pub digests: Vec<String>,
    /// Bytes of the unpacked layers.
    pub size: u64,
}

/// One object of `docker image inspect`. `config` is the image's OCI configuration; what it lacks is shown empty, and a
/// member of the wrong type is shown as it is: images are untrusted, and this only shows them.
pub fn inspect_image(config: &Json, names: &ImageNames) -> Json {
    let text = |key: &str| config.get(key).and_then(Json::as_str).unwrap_or_default();
    let mut out = json!({
        "Id": names.id,
        "RepoTags": names.tags,
        "RepoDigests": names.digests,
        "Parent": "",
        "Comment": last_comment(config),
        "Created": text("created"),
        "DockerVersion": "",
        "Author": text("author"),
        "Architecture": text("architecture"),
        "Variant": text("variant"),
        "Os": text("os"),
        "Size": names.size,
        "GraphDriver": {"Data": null, "Name": "overlay2"},
        "RootFS": {
            "Type": "layers",
            "Layers": config.pointer("/rootfs/diff_ids").cloned().unwrap_or_else(|| json!([])),
        },
        "Metadata": {"LastTagTime": crate::cli::times::rfc3339(None)},
        "Config": image_config(config.get("config")),
    });
    if let Json::Object(fields) = &mut out
        && text("variant").is_empty()
    {
        fields.shift_remove("Variant");
    }
    out
}

/// The members that Docker always shows, then whatever else the image says.
fn image_config(given: Option<&Json>) -> Json {
    let mut out = Map::new();
    for key in ["Cmd", "Entrypoint", "Env", "Labels", "OnBuild", "User", "Volumes", "WorkingDir"] {
        let empty = if matches!(key, "User" | "WorkingDir") { json!("") } else { Json::Null };
        out.insert(key.into(), given.and_then(|g| g.get(key)).cloned().unwrap_or(empty));
    }
    if let Some(Json::Object(fields)) = given {
        for (key, value) in fields {
            out.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    Json::Object(out)
}

fn last_comment(config: &Json) -> &str {
    let steps = config.get("history").and_then(Json::as_array);
    steps.and_then(|s| s.last()).and_then(|step| step.get("comment")).and_then(Json::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render;

    fn names() -> ImageNames {
        ImageNames {
            id: "sha256:abc".into(),
            tags: vec!["nginx:latest".into()],
            size: 14_200_000,
            ..ImageNames::default()
        }
    }

    #[test]
    fn the_fields_that_the_notes_ask_for() {
        let config = json!({
            "created": "2026-03-04T06:06:07Z", "architecture": "amd64", "os": "linux",
            "config": {"Cmd": ["nginx"], "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}, "StopSignal": "SIGQUIT"},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:1", "sha256:2"]},
            "history": [{"comment": "first"}, {"comment": "last"}],
        });
        let image = inspect_image(&config, &names());
        for (template, text) in [
            ("{{ .RootFS.Layers }}", "[sha256:1 sha256:2]"),
            ("{{.Config.Cmd}} {{.Config.Entrypoint}} {{.Config.StopSignal}}", "[nginx] [] SIGQUIT"),
            ("{{.Config.ExposedPorts}}", "map[80/tcp:map[]]"),
            ("{{.Config.Labels}}", "map[a:b]"),
            ("{{.RepoTags}} {{.Size}} {{.Os}}/{{.Architecture}}", "[nginx:latest] 14200000 linux/amd64"),
            ("{{.Comment}} {{.Metadata.LastTagTime}}", "last 0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(render(template, &image).as_deref(), Ok(text), "{template}");
        }
        assert!(image.get("Variant").is_none());
    }

    #[test]
    fn an_image_that_says_nothing_or_nonsense_is_shown() {
        for config in [json!({}), json!(null), json!({"config": 3, "rootfs": [], "history": {}, "os": []})] {
            let image = inspect_image(&config, &names());
            assert_eq!(render("{{.Os}}|{{.RootFS.Layers}}|{{.Config.Env}}", &image).as_deref(), Ok("|[]|[]"));
        }
    }
}
