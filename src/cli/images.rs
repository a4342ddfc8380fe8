//! `docker images`: rows and columns.

use super::ImagesArgs;
use super::filter::ImageFilter;
use super::table::{Row, list};
use super::times::{ago, human_size, local};
use crate::fact::Fault;
use chrono::{DateTime, FixedOffset, Utc};
use std::collections::BTreeMap;

/// One name of one image; an image without a name has one row of `<none>`s.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRow {
    /// `nginx`, `localhost:5000/web`; `<none>` without a name.
    pub repository: String,
    /// `latest`; `<none>` without a tag.
    pub tag: String,
    /// `sha256:…` of the configuration.
    pub id: String,
    /// `sha256:…` of the manifest, where it is known by one.
    pub digest: Option<String>,
    pub created: DateTime<Utc>,
    /// Bytes of the unpacked layers.
    pub size: u64,
    pub labels: BTreeMap<String, String>,
}

pub(super) const NONE: &str = "<none>";

impl ImageRow {
    pub(super) fn dangling(&self) -> bool {
        self.repository == NONE && self.tag == NONE
    }
}

const TABLE: &str = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
const WITH_DIGESTS: &str = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
const HEADINGS: &[(&str, &str)] = &[
    ("ID", "IMAGE ID"),
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Digest", "DIGEST"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("Size", "SIZE"),
    ("Containers", "CONTAINERS"),
    ("VirtualSize", "VIRTUAL SIZE"),
    ("SharedSize", "SHARED SIZE"),
    ("UniqueSize", "UNIQUE SIZE"),
];

/// Lines for stdout, the newest image first. `zone` is the local one, for `.CreatedAt`.
pub fn images(rows: &[ImageRow], args: &ImagesArgs, now: DateTime<Utc>, zone: FixedOffset) -> Result<String, Fault> {
    let filter = ImageFilter::new(&args.filter, args.reference.as_deref())?;
    let mut shown: Vec<&ImageRow> = rows.iter().filter(|r| filter.shows(r)).collect();
    let key = |r: &ImageRow| (std::cmp::Reverse(r.created), r.repository.clone(), r.tag.clone(), r.id.clone());
    shown.sort_by_cached_key(|r| key(r));
    let rows: Vec<Row> = shown.iter().map(|r| row(r, args.no_trunc, now, zone)).collect();
    if args.quiet {
        return list(Some("{{.ID}}"), TABLE, HEADINGS, &rows);
    }
    list(args.format.as_deref(), if args.digests { WITH_DIGESTS } else { TABLE }, HEADINGS, &rows)
}

fn row(image: &ImageRow, whole: bool, now: DateTime<Utc>, zone: FixedOffset) -> Row {
    let hex = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
    let size = human_size(image.size, 3);
    let fields = serde_json::json!({
        "Containers": "N/A",
        "CreatedAt": local(image.created, zone),
        "CreatedSince": ago(now, image.created),
        "Digest": image.digest.as_deref().unwrap_or(NONE),
        "ID": if whole { image.id.as_str() } else { hex.get(..12).unwrap_or(hex) },
        "Repository": image.repository,
        "SharedSize": "N/A",
        "Size": size,
        "Tag": image.tag,
        "UniqueSize": "N/A",
        "VirtualSize": size,
    });
    Row { fields, labels: image.labels.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, TimeZone};

    fn now() -> DateTime<Utc> {
        Utc.timestamp_opt(1_772_604_367, 0).single().expect("a time")
    }

    fn image(repository: &str, tag: &str, hex: char, days: i64, size: u64) -> ImageRow {
        ImageRow {
            repository: repository.into(),
            tag: tag.into(),
            id: format!("sha256:{}", hex.to_string().repeat(64)),
            digest: (tag == "latest").then(|| format!("sha256:{}", "d".repeat(64))),
            created: now() - TimeDelta::days(days),
            size,
            labels: BTreeMap::from([("docent.origin".to_string(), "built-in".to_string())]),
        }
    }

    fn show(args: ImagesArgs) -> Result<String, Fault> {
        let rows = [
            image("nginx", "latest", '1', 21, 14_200_000),
            image("tiny", "latest", '2', 1, 1_234_567),
            image(NONE, NONE, '3', 400, 0),
            image("localhost:5000/web", "v1.0", '1', 21, 14_200_000),
        ];
        images(&rows, &args, now(), FixedOffset::east_opt(0).expect("an offset"))
    }

    #[test]
    fn the_table_is_dockers() {
        assert_eq!(
            show(ImagesArgs::default()).as_deref(),
            Ok("REPOSITORY           TAG       IMAGE ID       CREATED         SIZE\n\
                tiny                 latest    222222222222   24 hours ago    1.23MB\n\
                localhost:5000/web   v1.0      111111111111   3 weeks ago     14.2MB\n\
                nginx                latest    111111111111   3 weeks ago     14.2MB\n\
                <none>               <none>    333333333333   13 months ago   0B\n")
        );
    }

    #[test]
    fn filters_and_forms() {
        let ids = |args: ImagesArgs| {
            let args = ImagesArgs { format: Some("{{.Repository}}".into()), ..args };
            show(args).expect("a list").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let base = ImagesArgs::default;
        let filter =
            |text: &str| ImagesArgs { filter: vec![super::super::parsers::parse_filter(text).expect("ok")], ..base() };
        assert_eq!(ids(filter("dangling=true")), "<none>");
        assert_eq!(ids(filter("dangling=false")), "tiny localhost:5000/web nginx");
        assert_eq!(ids(filter("reference=ngin*")), "nginx");
        assert_eq!(ids(filter("reference=*:latest")), "tiny nginx");
        assert_eq!(ids(ImagesArgs { reference: Some("nginx:latest".into()), ..base() }), "nginx");
        assert_eq!(ids(filter("label=docent.origin=built-in")).split(' ').count(), 4);
        assert_eq!(ids(filter("label=other")), "");
        assert_eq!(show(ImagesArgs { quiet: true, ..filter("reference=tiny") }).as_deref(), Ok("222222222222\n"));
        let whole = show(ImagesArgs { quiet: true, no_trunc: true, ..filter("reference=tiny") }).expect("a list");
        assert_eq!(whole.trim().len(), 71);
        let digests = show(ImagesArgs { digests: true, ..filter("reference=tiny") }).expect("a list");
        assert!(digests.starts_with("REPOSITORY   TAG       DIGEST  "), "{digests}");
        let json = show(ImagesArgs { format: Some("json".into()), ..filter("reference=tiny") }).expect("a list");
        assert!(json.starts_with("{\"Containers\":\"N/A\",\"CreatedAt\":\"2026-03-03 06:06:07 +0000 UTC\""), "{json}");
    }
}
