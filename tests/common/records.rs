//! Every record that a test's docent writes is held against the published schema, by a validator that knows nothing of docent.

use super::Machine;
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static SCHEMA: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
    let text = include_str!("../../book/en/src/records.schema.json");
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("records.schema.json", serde_json::from_str(text).expect("JSON")).expect("a resource");
    let index = compiler.compile("records.schema.json", &mut schemas).expect("a schema");
    (schemas, index)
});

/// Whether it is a record as the schema says; if not, why.
pub fn check(record: &Value) -> Result<(), String> {
    let (schemas, index) = &*SCHEMA;
    schemas.validate(record, *index).map_err(|why| format!("{record}\n{why}"))
}

/// Checks the records among these lines; gives their number. `prev` is the journal's own, and a line that a kill cut off is none.
fn check_lines(text: &[u8], wrong: &mut Vec<String>) -> usize {
    let mut count = 0;
    for line in text.split(|b| *b == b'\n').filter(|line| line.starts_with(b"{\"record\":")) {
        let Ok(Value::Object(mut record)) = serde_json::from_slice(line) else { continue };
        record.remove("prev");
        wrong.extend(check(&Value::Object(record)).err());
        count += 1;
    }
    count
}

/// Where the counts of all test targets are gathered: machines with records, and records.
pub fn counts() -> PathBuf {
    super::skipped_list().with_extension("records")
}

fn files(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path())
}

impl Machine {
    /// All that was told in the stores of this machine, and into files in its working directory.
    pub(super) fn check_records(&self) {
        let inside = PathBuf::from(format!("/proc/{}/root/var/lib/docent", self.init));
        let stores =
            files(self.dir.path()).chain(files(&self.work())).chain([inside]).map(|store| store.join("journal"));
        let journals = stores.flat_map(|journal| files(&journal).chain(files(&journal.join("containers"))));
        let (mut count, mut wrong) = (0, Vec::new());
        for file in journals.chain(files(&self.work())).filter(|file| file.is_file()) {
            // Files that tests copy are large, and no records.
            let told = |file: &Path| -> std::io::Result<Vec<u8>> {
                let mut begin = [0; 10];
                std::io::Read::read_exact(&mut std::fs::File::open(file)?, &mut begin)?;
                if begin.starts_with(b"{\"record\":") { std::fs::read(file) } else { Ok(Vec::new()) }
            };
            count += check_lines(&told(&file).unwrap_or_default(), &mut wrong);
        }
        if count > 0 {
            let list = std::fs::File::options().create(true).append(true).open(counts());
            list.and_then(|mut list| writeln!(list, "{count}")).expect("the counts");
        }
        wrong.truncate(5);
        assert!(
            wrong.is_empty() || std::thread::panicking(),
            "not as records.schema.json has it:\n{}",
            wrong.join("\n")
        );
    }
}
