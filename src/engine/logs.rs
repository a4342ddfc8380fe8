//! `logs`: the container's output, out of the json-file that its monitor writes.

use crate::container::Container;
use crate::event::{Fault, SysError};
use crate::store::Store;
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};

/// One entry of the log.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    pub log: String,
    pub stream: String,
    pub time: String,
}

/// Calls `each` for the last `tail` entries (None: all), then, with `follow`, for every new one until the container ends or
/// `each` says stop.
pub fn logs(
    store: &Store,
    container: &Container,
    tail: Option<usize>,
    follow: bool,
    mut each: impl FnMut(&Line) -> bool,
) -> Result<(), Fault> {
    let path = store.container_dir(&container.id).log();
    let io = |e: std::io::Error| Fault::step("logs", SysError::io("read", path.to_string_lossy(), &e));
    let id = &container.id;
    let file = match File::open(&path) {
        Ok(file) => file,
        // Never started: an empty log.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !follow => return Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            File::options().create(true).append(true).read(true).open(&path).map_err(io)?
        }
        Err(e) => return Err(io(e)),
    };
    let mut reader = BufReader::new(file);
    match tail {
        Some(tail) => seek_to_tail(&mut reader, tail).map_err(io)?,
        None => seek_to_kept(&mut reader).map_err(io)?,
    }
    let changes = follow.then(|| crate::kernel::watch::Watch::modified(&path)).transpose();
    let changes = changes.map_err(|e| Fault::step("logs", e))?;
    let mut line = Vec::new();
    loop {
        // Whether it runs is asked before reading: what it wrote until then is read after.
        let live = follow && store.container_by_id(id)?.is_some_and(|c| c.state.live());
        loop {
            let n = reader.read_until(b'\n', &mut line).map_err(io)?;
            if n == 0 || !line.ends_with(b"\n") {
                break;
            }
            if let Ok(entry) = serde_json::from_slice::<Line>(&line)
                && !each(&entry)
            {
                return Ok(());
            }
            line.clear();
        }
        let Some(changes) = changes.as_ref().filter(|_| live) else { return Ok(()) };
        // Woken by the next write; once a second also to see whether it still runs, which no write tells.
        changes.wait(1000);
    }
}

/// Where the file has content: the monitor gives the beginning of a long log back as a hole.
fn kept(reader: &BufReader<File>) -> u64 {
    // ENXIO: no content at all. A file system that does not tell has no holes either.
    rustix::fs::seek(reader.get_ref(), rustix::fs::SeekFrom::Data(0)).unwrap_or(0)
}

/// Positions the reader before the oldest whole line.
fn seek_to_kept(reader: &mut BufReader<File>) -> std::io::Result<()> {
    let begin = kept(reader);
    reader.seek(SeekFrom::Start(begin))?;
    // A hole ends within a block, which begins with zeros then, and mostly within a line.
    if begin > 0 || reader.fill_buf()?.first() == Some(&0) {
        reader.read_until(b'\n', &mut Vec::new())?;
    }
    Ok(())
}

/// Positions the reader before the last `tail` lines, reading backwards in blocks.
fn seek_to_tail(reader: &mut BufReader<File>, tail: usize) -> std::io::Result<()> {
    use std::io::Read;
    let begin = kept(reader);
    let mut at = reader.seek(SeekFrom::End(0))?;
    let (mut seen, mut block) = (0, vec![0u8; 64 * 1024]);
    if tail == 0 {
        return Ok(());
    }
    while at > begin {
        let take = (at - begin).min(block.len() as u64);
        at -= take;
        reader.seek(SeekFrom::Start(at))?;
        let Some(part) = block.get_mut(..take as usize) else { break };
        reader.read_exact(part)?;
        for (n, byte) in part.iter().enumerate().rev() {
            if *byte == b'\n' {
                seen += 1;
                // The newline that ends the last line itself does not count.
                if seen == tail + 1 {
                    reader.seek(SeekFrom::Start(at + n as u64 + 1))?;
                    return Ok(());
                }
            }
        }
    }
    seek_to_kept(reader)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::FallocateFlags;

    #[test]
    fn a_log_whose_beginning_was_given_back_is_read_from_its_first_whole_line() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("log");
        let text: String = (0..5000).map(|n| format!("{n:09}\n")).collect();
        std::fs::write(&path, &text).expect("write");
        let read = |tail: Option<usize>| {
            let mut reader = BufReader::new(File::options().read(true).write(true).open(&path).expect("open"));
            match tail {
                Some(tail) => seek_to_tail(&mut reader, tail).expect("seek"),
                None => seek_to_kept(&mut reader).expect("seek"),
            }
            std::io::read_to_string(reader).expect("read")
        };
        assert_eq!(read(None), text);
        assert_eq!(read(Some(2)), "000004998\n000004999\n");
        let file = File::options().write(true).open(&path).expect("open");
        rustix::fs::fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, 20_003)
            .expect("a hole");
        assert_eq!(read(None), text[20_010..]);
        assert_eq!(read(Some(100_000)), text[20_010..]);
        assert_eq!(read(Some(2)), "000004998\n000004999\n");
    }
}
