//! `docker images`: rows and columns.

use super::*;
use crate::cli::filter::{ImageFilter, Term};
use crate::cli::parsers::parse_filter;
use crate::cli::table::{Row, list};
use crate::cli::times::{ago, human_size, local, zone};
use crate::image::{BlobDigest, Image, ImageId, Reference};
use chrono::{DateTime, FixedOffset, Utc};
use std::collections::BTreeMap;

/// 이미지 목록을 보여 줍니다 | List images
#[derive(Debug, Default, Args)]
pub struct Images {
    // Docker's older builder had intermediate images to hide; here `-a` shows what is shown without it.
    /// 모든 이미지를 보여 줍니다 | Show all images
    #[arg(short, long)]
    all: bool,
    /// 다이제스트를 보여 줍니다 | Show digests
    #[arg(long)]
    digests: bool,
    /// 조건에 맞는 것만 보여 줍니다 | Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = parse_filter)]
    filter: Vec<Term>,
    /// 출력 형식: 'table', 'table TEMPLATE', 'json', 'TEMPLATE' (Go 템플릿) |
    /// Format output: 'table', 'table TEMPLATE', 'json', 'TEMPLATE' (a Go template)
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// 출력을 자르지 않습니다 | Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// 이미지 ID만 보여 줍니다 | Only show image IDs
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "REPOSITORY[:TAG]")]
    reference: Option<String>,
}

impl Command for Images {
    const PATHS: &'static [&'static str] = &["image ls|list", "images"];
    const EXAMPLE: &'static str = "docker images";
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let rows: Vec<ImageRow> = context.store.images()?.iter().flat_map(rows_of).collect();
        context.print_foreign(&images(&rows, &self, Utc::now(), zone())?);
        Ok(0)
    }
}

/// A line for each of its names; one with `<none>` when it has none.
fn rows_of(image: &Image) -> Vec<ImageRow> {
    let row = |repository: String, tag: Option<&str>| ImageRow {
        repository,
        tag: tag.unwrap_or(NONE).into(),
        id: image.id.clone(),
        digest: Some(image.manifest_digest.clone()),
        created: image.config.created.unwrap_or(DateTime::UNIX_EPOCH),
        size: image.bytes,
        labels: image.config.config.labels.clone(),
    };
    let names = image.names.iter().filter_map(|name| Reference::parse(name).ok());
    let mut rows: Vec<ImageRow> = names.map(|r| row(r.familiar_repository(), r.tag())).collect();
    if rows.is_empty() {
        rows.push(row(NONE.into(), None));
    }
    rows
}

/// One name of one image; an image without a name has one row of `<none>`s.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRow {
    /// `nginx`, `localhost:5000/web`; `<none>` without a name.
    pub repository: String,
    /// `latest`; `<none>` without a tag.
    pub tag: String,
    pub id: ImageId,
    /// Of the manifest, where it is known by one.
    pub digest: Option<BlobDigest>,
    pub created: DateTime<Utc>,
    /// Bytes of the unpacked layers.
    pub size: u64,
    pub labels: BTreeMap<String, String>,
}

pub(in crate::cli) const NONE: &str = "<none>";

impl ImageRow {
    pub(in crate::cli) fn dangling(&self) -> bool {
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
fn images(rows: &[ImageRow], args: &Images, now: DateTime<Utc>, zone: FixedOffset) -> Result<String, Fault> {
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
    let size = human_size(image.size);
    let fields = serde_json::json!({
        "Containers": "N/A",
        "CreatedAt": local(image.created, zone),
        "CreatedSince": ago(now, image.created),
        "Digest": image.digest.as_ref().map_or(NONE, BlobDigest::as_str),
        "ID": if whole { image.id.as_str() } else { image.id.short() },
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
            id: ImageId::of_hex(&hex.to_string().repeat(64)).expect("an id"),
            digest: BlobDigest::of_hex(&"d".repeat(64)).filter(|_| tag == "latest"),
            created: now() - TimeDelta::days(days),
            size,
            labels: BTreeMap::from([("docent.origin".to_string(), "built-in".to_string())]),
        }
    }

    fn show(args: Images) -> Result<String, Fault> {
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
            show(Images::default()).as_deref(),
            Ok("REPOSITORY           TAG       IMAGE ID       CREATED         SIZE\n\
                tiny                 latest    222222222222   24 hours ago    1.23MB\n\
                localhost:5000/web   v1.0      111111111111   3 weeks ago     14.2MB\n\
                nginx                latest    111111111111   3 weeks ago     14.2MB\n\
                <none>               <none>    333333333333   13 months ago   0B\n")
        );
    }

    #[test]
    fn filters_and_forms() {
        let ids = |args: Images| {
            let args = Images { format: Some("{{.Repository}}".into()), ..args };
            show(args).expect("a list").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let base = Images::default;
        let filter =
            |text: &str| Images { filter: vec![crate::cli::parsers::parse_filter(text).expect("ok")], ..base() };
        assert_eq!(ids(filter("dangling=true")), "<none>");
        assert_eq!(ids(filter("dangling=false")), "tiny localhost:5000/web nginx");
        assert_eq!(ids(filter("reference=ngin*")), "nginx");
        assert_eq!(ids(filter("reference=*:latest")), "tiny nginx");
        assert_eq!(ids(Images { reference: Some("nginx:latest".into()), ..base() }), "nginx");
        assert_eq!(ids(filter("label=docent.origin=built-in")).split(' ').count(), 4);
        assert_eq!(ids(filter("label=other")), "");
        assert_eq!(show(Images { quiet: true, ..filter("reference=tiny") }).as_deref(), Ok("222222222222\n"));
        let whole = show(Images { quiet: true, no_trunc: true, ..filter("reference=tiny") }).expect("a list");
        assert_eq!(whole.trim().len(), 71);
        let digests = show(Images { digests: true, ..filter("reference=tiny") }).expect("a list");
        assert!(digests.starts_with("REPOSITORY   TAG       DIGEST  "), "{digests}");
        let json = show(Images { format: Some("json".into()), ..filter("reference=tiny") }).expect("a list");
        assert!(json.starts_with("{\"Containers\":\"N/A\",\"CreatedAt\":\"2026-03-03 06:06:07 +0000 UTC\""), "{json}");
    }
}
