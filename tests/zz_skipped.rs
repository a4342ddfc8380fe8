//! The last test target (cargo runs them in alphabetical order): prints what this run skipped, with a count. A pass in which
//! half of the tests could not run must not look like a pass. And how many records were held against the schema.
//!
//! The list is named after the cargo process that runs the targets (see `common::skipped_list`), so it is always this
//! run's own; it is removed here, and lists of runs that were broken off go too.

mod common;

fn main() {
    let own = common::skipped_list();
    let list = std::fs::read_to_string(&own).unwrap_or_default();
    let count = list.lines().count();
    print!("\n{list}");
    println!("{count} skipped");
    let records = std::fs::read_to_string(common::records::counts()).unwrap_or_default();
    let counts: Vec<u64> = records.lines().filter_map(|line| line.parse().ok()).collect();
    println!("{} records of {} machines are as the schema says\n", counts.iter().sum::<u64>(), counts.len());
    for entry in std::fs::read_dir(env!("CARGO_TARGET_TMPDIR")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix("skipped-").and_then(|n| n.rsplit_once('.')).map(|(pid, _)| pid);
        let of_a_live_run = |pid: &str| std::path::Path::new("/proc").join(pid).exists();
        if pid.is_some_and(|pid| entry.path().with_extension("txt") == own || !of_a_live_run(pid)) {
            drop(std::fs::remove_file(entry.path()));
        }
    }
    let strict = std::env::var_os("DOCENT_TESTS_STRICT").is_some_and(|v| v == "1");
    std::process::exit(i32::from(strict && count > 0));
}
