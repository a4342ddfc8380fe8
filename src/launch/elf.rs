//! The dynamic loader that a program's file names (elf(5), PT_INTERP), read as execve reads it.
//!
//! The file is an image's or a container's: little is read of it, every number in it is doubted, and one that is not as it
//! should be names no loader. What execve says of such a file is the kernel's to know.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

pub const MAGIC: &[u8] = b"\x7fELF";

/// Of a 64-bit file: its header, and an entry of its table of segments.
const HEADER: usize = 64;
const ENTRY: usize = 56;
/// The kernel refuses a longer table.
const LONGEST_TABLE: usize = 65536;
const PT_INTERP: u32 = 3;

/// e_machine, where it is known: the kernel does not look for the loader of another machine's program.
const MACHINE: Option<u16> = if cfg!(target_arch = "x86_64") {
    Some(62)
} else if cfg!(target_arch = "aarch64") {
    Some(183)
} else if cfg!(target_arch = "riscv64") {
    Some(243)
} else {
    None
};

/// As the file has it, which may be a relative path. None: a static program, or no file that docent understands.
pub fn loader(file: &File) -> Option<PathBuf> {
    let header = read(file, 0, HEADER)?;
    let native = if cfg!(target_endian = "little") { 1 } else { 2 };
    // ELFCLASS64, and the machine's own order of bytes; then an executable or a shared object (ET_EXEC, ET_DYN).
    let ours = header.starts_with(MAGIC) && header.get(4..6)? == [2, native];
    if !ours || !matches!(half(&header, 16)?, 2 | 3) || Some(half(&header, 18)?) != MACHINE {
        return None;
    }
    let (start, entry, count) = (long(&header, 32)?, half(&header, 54)?, half(&header, 56)?);
    let length = ENTRY.checked_mul(usize::from(count)).filter(|length| *length <= LONGEST_TABLE)?;
    if usize::from(entry) != ENTRY {
        return None;
    }
    let table = read(file, start, length)?;
    let segment = table.chunks_exact(ENTRY).find(|segment| word(segment, 0) == Some(PT_INTERP))?;
    let length = usize::try_from(long(segment, 32)?).ok().filter(|n| (2..=libc::PATH_MAX as usize).contains(n))?;
    let name = read(file, long(segment, 8)?, length)?;
    let (0, name) = name.split_last().map(|(last, _)| (*last, name.split(|b| *b == 0).next()))? else { return None };
    name.filter(|name| !name.is_empty()).map(|name| OsStr::from_bytes(name).into())
}

fn read(file: &File, at: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at).ok().map(|()| bytes)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    field(bytes, at).map(u16::from_ne_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    field(bytes, at).map(u32::from_ne_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    field(bytes, at).map(u64::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(content: &[u8]) -> Option<PathBuf> {
        use std::io::Write;
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(content).expect("written");
        loader(&file)
    }

    #[test]
    fn the_loader_is_the_one_that_the_kernel_would_take() {
        let own = std::fs::read("/proc/self/exe").expect("this program");
        let table = |elf: &mut Vec<u8>, start: u64, count: u16| {
            elf[32..40].copy_from_slice(&start.to_ne_bytes());
            elf[54..58].copy_from_slice(&[56u16.to_ne_bytes(), count.to_ne_bytes()].concat());
        };
        // A segment of another kind, then two loaders, of which the first counts.
        let made = |at: u64, length: u64| {
            let mut elf = own[..64].to_vec();
            table(&mut elf, 64, 3);
            for (kind, at) in [(1u32, 0), (PT_INTERP, at), (PT_INTERP, 0)] {
                elf.extend([kind.to_ne_bytes(), [4, 0, 0, 0]].concat());
                elf.extend([at, 0, 0, length, length, 1].map(u64::to_ne_bytes).concat());
            }
            elf.extend(b"/lib/loader\0more\0");
            elf
        };
        let (whole, at) = (made(232, 12), |elf: &[u8]| named(elf));
        assert_eq!(at(&whole), Some("/lib/loader".into()));
        assert_eq!(at(&made(232, 17)), Some("/lib/loader".into()), "up to the first NUL");
        assert_eq!(at(&made(232, 11)), None, "no NUL at the end");
        for (start, length) in [(232, 1), (232, 0), (232, 4097), (232, u64::MAX), (u64::MAX, 12), (240, 12)] {
            assert_eq!(at(&made(start, length)), None, "{start} {length}");
        }
        for (start, count) in [(u64::MAX, 3), (1 << 63, 3), (64, 0), (64, u16::MAX), (240, 1)] {
            let mut elf = whole.clone();
            table(&mut elf, start, count);
            assert_eq!(named(&elf), None, "{start} {count}");
        }
        // Another class, order of bytes, kind of file, machine, size of an entry.
        for byte in [4, 5, 16, 18, 54] {
            let mut elf = whole.clone();
            elf[byte] ^= 0x40;
            assert_eq!(named(&elf), None, "{byte}");
        }
        (0..whole.len() - 5).for_each(|n| assert_eq!(named(&whole[..n]), None, "{n} bytes of it"));
    }
}
