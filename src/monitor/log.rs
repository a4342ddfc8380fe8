//! The container's log, in Docker's json-file format: one JSON object a line, with the stream and the time.
//!
//! It never takes more of the disk than [`KEPT`]: `docker run -d IMAGE yes` would fill a laptop in minutes. What is older is
//! given back as a hole (fallocate(2)), so every offset that a reader remembers stays true; `logs` begins behind the hole.

use rustix::fs::FallocateFlags;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Bytes of the newest output that are kept, at least; the disk holds [`STEP`] more at most.
const KEPT: u64 = 64 << 20;
/// How much is given back at once.
const STEP: u64 = 16 << 20;

/// Longest piece of output that becomes one entry; a longer line is split, as Docker splits it.
const LONGEST: usize = 16 * 1024;

#[derive(Serialize)]
struct Entry<'a> {
    log: &'a str,
    stream: &'a str,
    time: String,
}

/// Writes whole lines; what has no newline yet waits here.
pub struct Log {
    file: Option<File>,
    /// Where the file ends, and where its kept part begins.
    end: u64,
    begin: u64,
    kept: u64,
    step: u64,
    partial: [Vec<u8>; 2],
}

impl Log {
    /// A log that cannot be opened loses its lines, never the container.
    pub fn open(path: &Path) -> Log {
        let file = File::options().append(true).create(true).open(path).ok();
        let end = file.as_ref().and_then(|f| f.metadata().ok()).map_or(0, |m| m.len());
        Log { file, end, begin: 0, kept: KEPT, step: STEP, partial: Default::default() }
    }

    /// Output of stream 0 (stdout) or 1 (stderr).
    pub fn write(&mut self, stream: usize, bytes: &[u8]) {
        let Some(partial) = self.partial.get_mut(stream) else { return };
        let mut out = Vec::with_capacity(bytes.len() + 128);
        let mut rest = bytes;
        while !rest.is_empty() {
            let line = rest.iter().position(|b| *b == b'\n').map(|p| p + 1);
            let take = line.unwrap_or(rest.len()).min(LONGEST.saturating_sub(partial.len()).max(1));
            let (now, later) = rest.split_at(take);
            partial.extend_from_slice(now);
            rest = later;
            if partial.ends_with(b"\n") || partial.len() >= LONGEST {
                entry(&mut out, stream, partial);
                partial.clear();
            }
        }
        self.put(&out);
    }

    /// The last line of a program that ended without a newline.
    pub fn finish(&mut self) {
        let mut out = Vec::new();
        for stream in 0..2 {
            let partial = std::mem::take(&mut self.partial[stream]);
            if !partial.is_empty() {
                entry(&mut out, stream, &partial);
            }
        }
        self.put(&out);
    }

    fn put(&mut self, bytes: &[u8]) {
        let Some(file) = self.file.as_mut().filter(|_| !bytes.is_empty()) else { return };
        if file.write_all(bytes).is_err() {
            // A full disk: these lines are lost, but no half entry stays behind to spoil the next one.
            file.set_len(self.end).unwrap_or(());
            return;
        }
        self.end += bytes.len() as u64;
        if self.end - self.begin > self.kept + self.step {
            let until = self.end - self.kept;
            let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // A file system without holes (fallocate(2): EOPNOTSUPP) cannot give anything back: the log ends here.
            match rustix::fs::fallocate(&*file, hole, 0, until) {
                Ok(()) => self.begin = until,
                Err(_) => self.file = None,
            }
        }
    }
}

fn entry(out: &mut Vec<u8>, stream: usize, bytes: &[u8]) {
    let entry = Entry {
        log: &String::from_utf8_lossy(bytes),
        stream: if stream == 0 { "stdout" } else { "stderr" },
        time: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true),
    };
    if serde_json::to_writer(&mut *out, &entry).is_ok() {
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_entries_and_the_last_one_needs_no_newline() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::open(&path);
        log.write(0, b"one\ntw");
        log.write(1, b"err\n");
        log.write(0, b"o\nlast");
        log.finish();
        let text = std::fs::read_to_string(&path).unwrap();
        let logs: Vec<String> = text
            .lines()
            .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["log"].as_str().unwrap().to_string())
            .collect();
        assert_eq!(logs, ["one\n", "err\n", "two\n", "last"]);
    }

    #[test]
    fn a_long_log_gives_its_beginning_back() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::open(&path);
        (log.kept, log.step) = (256 << 10, 64 << 10);
        for n in 0..20_000 {
            log.write(0, format!("line {n}\n").as_bytes());
        }
        let meta = std::fs::metadata(&path).unwrap();
        assert!(meta.len() > 1 << 20, "offsets stay: {}", meta.len());
        assert!(meta.blocks() * 512 <= (256 + 64 + 64) << 10, "{} bytes on the disk", meta.blocks() * 512);
        assert!(std::fs::read(&path).unwrap().ends_with(b"\n"));
    }

    #[test]
    fn a_line_without_end_is_split() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::open(&path);
        log.write(0, &vec![b'x'; LONGEST * 2 + 5]);
        log.finish();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
    }
}
