//! Reads a tar stream member by member: ustar, GNU and PAX, with sparse files.
//!
//! Own code instead of a library's, since archives are untrusted: extended headers are bounded before they are read (a
//! library reads them whole, so 10 MB of gzip could ask for 10 GB of memory), PAX records are taken by their length and
//! never by line (a line feed in a value would let two readers see two different archives), and content is streamed.

mod header;
mod pax;

use crate::event::{ArchiveFlaw, Fault, SysError};
use header::{Block, decimal, numeric, text, trimmed};
use pax::{Pax, PaxSparse};
use std::io::{self, Read};

pub use header::compression;

/// The limit of Go's archive/tar, thus of Docker, for a long name or a PAX header.
const MAX_EXTENDED: u64 = 1 << 20;
/// Bytes of a name: PATH_MAX of the kernel, with its end.
const MAX_NAME: usize = 4095;
/// Pieces of one sparse file: as many as a PAX header of 1 MiB can list at some 16 bytes each.
const MAX_PIECES: usize = 1 << 16;
/// Bytes of one stream after decompression. The largest public images have layers of some 20 GB; a gzip bomb can claim
/// a thousand times its size.
pub const MAX_STREAM: u64 = 256 << 30;

/// Why a layer or an archive of layers could not be read or unpacked.
#[derive(Debug)]
pub enum LayerError {
    /// The archive's fault.
    Flaw(ArchiveFlaw),
    /// The input could not be read.
    Read(io::Error),
    /// The store could not be written.
    Store(SysError),
}

impl LayerError {
    /// The fault for an archive that is known to people as `path`.
    pub fn fault(self, path: &str) -> Fault {
        match self {
            LayerError::Flaw(flaw) => Fault::Archive { path: path.into(), flaw },
            LayerError::Read(e) => Fault::LocalFile {
                path: path.into(),
                call: "read".into(),
                errno: e.raw_os_error().unwrap_or(libc::EIO),
            },
            LayerError::Store(e) => Fault::step("load", e),
        }
    }

    /// From reading: an error of the operating system is the input's, any other the decompressor's verdict.
    pub fn reading(e: io::Error) -> LayerError {
        match e.kind() {
            _ if e.raw_os_error().is_some() => LayerError::Read(e),
            io::ErrorKind::UnexpectedEof => LayerError::Flaw(ArchiveFlaw::Truncated),
            _ => LayerError::Flaw(ArchiveFlaw::NotAnArchive { what: "gzip".into() }),
        }
    }
}

impl From<ArchiveFlaw> for LayerError {
    fn from(flaw: ArchiveFlaw) -> Self {
        LayerError::Flaw(flaw)
    }
}

impl From<SysError> for LayerError {
    fn from(e: SysError) -> Self {
        LayerError::Store(e)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    HardLink,
    Symlink,
    CharDevice,
    BlockDevice,
    Directory,
    Fifo,
    /// A type flag that no layer needs.
    Other(u8),
}

/// One member's header. Names are bytes as they came.
#[derive(Debug, Clone)]
pub struct Member {
    pub kind: Kind,
    pub path: Vec<u8>,
    pub link: Vec<u8>,
    /// Permission bits, with set-id and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds since 1970 (negative before) and nanoseconds.
    pub mtime: (i64, u32),
    /// Of the file once unpacked; holes included.
    pub size: u64,
    pub device: (u32, u32),
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Offset and length of each piece of a sparse file; the content is the pieces one after the other.
    pub pieces: Option<Vec<(u64, u64)>>,
}

impl Member {
    /// The name as people may see it.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }
}

/// A tar stream. Reading from it gives the content of the member that [`Tar::next`] gave last.
pub struct Tar<R> {
    input: R,
    /// Of the present member: content not read yet, and the padding behind it.
    left: u64,
    padding: u64,
    total: u64,
    ended: bool,
}

impl<R: Read> Tar<R> {
    pub fn new(input: R) -> Tar<R> {
        Tar { input, left: 0, padding: 0, total: 0, ended: false }
    }

    /// The next member, after skipping what is left of the last one; None at the end.
    ///
    /// # Errors
    /// A stream that is cut short, is no tar, or exceeds a limit; or the input's own error.
    #[allow(clippy::should_implement_trait)] // an iterator could not be read from between two of its items
    pub fn next(&mut self) -> Result<Option<Member>, LayerError> {
        let mut long_name: Option<Vec<u8>> = None;
        let mut long_link: Option<Vec<u8>> = None;
        let mut pax = Pax::default();
        loop {
            let Some(header) = self.header()? else {
                let described = long_name.is_some() || long_link.is_some() || pax.present;
                return if described { Err(ArchiveFlaw::Truncated.into()) } else { Ok(None) };
            };
            match header.0[156] {
                b'L' => long_name = Some(trimmed(self.extended(&header)?)),
                b'K' => long_link = Some(trimmed(self.extended(&header)?)),
                b'x' => pax = Pax::parse(&self.extended(&header)?)?,
                // Global headers carry comments (`git archive`); Docker too ignores them.
                b'g' => drop(self.extended(&header)?),
                _ => return self.member(&header, long_name, long_link, pax).map(Some),
            }
        }
    }

    /// Reads on to the end of the input, so that a digest over it is complete.
    pub fn drain(&mut self) -> Result<(), LayerError> {
        self.skip()?;
        let mut buffer = [0; 16384];
        while self.raw(&mut buffer)? > 0 {}
        Ok(())
    }

    fn member(
        &mut self,
        header: &Block,
        long_name: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
        mut pax: Pax,
    ) -> Result<Member, LayerError> {
        let mut path = pax.path.take().or(long_name).unwrap_or_else(|| header.path());
        let link = pax.link.take().or(long_link).unwrap_or_else(|| text(&header.0[157..257]).to_vec());
        let kind = match header.0[156] {
            0 if path.ends_with(b"/") => Kind::Directory,
            b'0' | 0 | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' => Kind::CharDevice,
            b'4' => Kind::BlockDevice,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            other => Kind::Other(other),
        };
        let bad = |why: &str| -> LayerError {
            ArchiveFlaw::BadMember { member: String::from_utf8_lossy(&path).into_owned(), why: why.into() }.into()
        };
        let stored = match pax.size {
            Some(size) => size,
            None => header.number(124, 12).and_then(|n| u64::try_from(n).ok()).ok_or_else(|| bad("size"))?,
        };
        let id = |from_pax: Option<u64>, at: usize, what: &str| {
            from_pax
                .or_else(|| header.number(at, 8).and_then(|n| u64::try_from(n).ok()))
                .and_then(|n| u32::try_from(n).ok())
                // chown(2) takes the highest one for "leave as it is".
                .filter(|&n| n != u32::MAX)
                .ok_or_else(|| bad(what))
        };
        let number = |at: usize, len: usize, what: &str| header.number(at, len).ok_or_else(|| bad(what));
        let (uid, gid) = (id(pax.uid, 108, "uid")?, id(pax.gid, 116, "gid")?);
        let mode = (number(100, 8, "mode")? & 0o7777) as u32;
        let mtime = match pax.mtime {
            Some(mtime) => mtime,
            None => (number(136, 12, "mtime")?, 0),
        };
        let device = match kind {
            Kind::CharDevice | Kind::BlockDevice => {
                let part = |at| number(at, 8, "device").and_then(|n| u32::try_from(n).map_err(|_| bad("device")));
                (part(329)?, part(337)?)
            }
            _ => (0, 0),
        };
        // Links, directories and nodes have no content, whatever the header says: so Go's reader has it.
        let stored = if matches!(kind, Kind::File | Kind::Other(_)) { stored } else { 0 };
        self.begin(stored)?;
        let (mut size, mut pieces) = (stored, None);
        if header.0[156] == b'S' {
            (size, pieces) = self.gnu_sparse(header)?;
        } else if kind == Kind::File && pax.sparse.present {
            if let Some(name) = pax.sparse.name.take() {
                path = name;
            }
            (size, pieces) = self.pax_sparse(&mut pax.sparse)?;
        }
        if let Some(pieces) = &pieces {
            check_pieces(pieces, size, self.left)?;
        }
        // No such name could be opened (PATH_MAX), and an archive of many would fill the memory.
        if path.len() > MAX_NAME || link.len() > MAX_NAME {
            return Err(too_large("name", MAX_NAME as u64));
        }
        let xattrs = pax.xattrs;
        Ok(Member { kind, path, link, mode, uid, gid, mtime, size, device, xattrs, pieces })
    }

    /// The old GNU way: pieces in the header and in blocks behind it.
    fn gnu_sparse(&mut self, header: &Block) -> Result<Sparse, LayerError> {
        let broken = || LayerError::Flaw(ArchiveFlaw::NotAnArchive { what: "sparse map".into() });
        let mut pieces = Vec::new();
        let read = |block: &[u8; 512], from: usize, count: usize, pieces: &mut Vec<(u64, u64)>| {
            for at in (0..count).map(|i| from + i * 24) {
                let part = |at: usize| block.get(at..at + 12).and_then(numeric).and_then(|n| u64::try_from(n).ok());
                match (part(at), part(at + 12)) {
                    (Some(_), Some(0)) => {}
                    (Some(offset), Some(length)) => pieces.push((offset, length)),
                    _ => return Err(broken()),
                }
            }
            if pieces.len() > MAX_PIECES { Err(too_large("sparse map", MAX_PIECES as u64)) } else { Ok(()) }
        };
        read(&header.0, 386, 4, &mut pieces)?;
        let size = header.number(483, 12).and_then(|n| u64::try_from(n).ok()).ok_or_else(broken)?;
        let mut more = header.0[482] != 0;
        while more {
            // These blocks are not part of the content that the header's size counts.
            let mut block = [0; 512];
            self.exact(&mut block)?;
            read(&block, 0, 21, &mut pieces)?;
            more = block[504] != 0;
        }
        Ok((size, Some(pieces)))
    }

    /// PAX: the map is in the header (0.0, 0.1), or in front of the content (1.0).
    fn pax_sparse(&mut self, sparse: &mut PaxSparse) -> Result<Sparse, LayerError> {
        let broken = || LayerError::Flaw(ArchiveFlaw::NotAnArchive { what: "sparse map".into() });
        let size = sparse.size.ok_or_else(broken)?;
        if !sparse.map_in_content {
            return Ok((size, Some(std::mem::take(&mut sparse.pieces))));
        }
        let mut numbers: Vec<u64> = Vec::new();
        let (mut wanted, mut digits) = (1usize, Vec::new());
        while numbers.len() < wanted {
            let mut block = [0; 512];
            if self.left < 512 {
                return Err(broken());
            }
            self.exact(&mut block)?;
            self.left -= 512;
            for &b in &block {
                match b {
                    b'0'..=b'9' if digits.len() < 20 => digits.push(b),
                    b'\n' => {
                        numbers.push(decimal(&digits).ok_or_else(broken)?);
                        digits.clear();
                    }
                    0 if digits.is_empty() => break,
                    _ => return Err(broken()),
                }
                if numbers.len() == 1 && wanted == 1 {
                    let count = numbers.first().copied().unwrap_or(0);
                    if count > MAX_PIECES as u64 {
                        return Err(too_large("sparse map", MAX_PIECES as u64));
                    }
                    wanted = 1 + 2 * count as usize;
                }
                if numbers.len() == wanted {
                    break;
                }
            }
        }
        let pieces = numbers.get(1..).unwrap_or_default().chunks_exact(2);
        Ok((size, Some(pieces.filter_map(|p| Some((*p.first()?, *p.get(1)?))).collect())))
    }

    fn header(&mut self) -> Result<Option<Block>, LayerError> {
        self.skip()?;
        if self.ended {
            return Ok(None);
        }
        let at = self.total;
        let mut block = [0; 512];
        let n = self.fill(&mut block)?;
        if n == 0 || (n == 512 && block.iter().all(|&b| b == 0)) {
            self.ended = true;
            return Ok(None);
        }
        let sum = |signed: bool| -> i64 {
            let byte = |b: u8| if signed { i64::from(b as i8) } else { i64::from(b) };
            block.iter().enumerate().map(|(i, &b)| if (148..156).contains(&i) { 32 } else { byte(b) }).sum()
        };
        let block = Block(block);
        let stated = block.number(148, 8);
        // Old tars summed signed bytes.
        if n == 512 && (stated == Some(sum(false)) || stated == Some(sum(true))) {
            return Ok(Some(block));
        }
        Err(match at {
            0 => ArchiveFlaw::NotAnArchive { what: compression(&block.0).unwrap_or("data").into() }.into(),
            _ if n < 512 => ArchiveFlaw::Truncated.into(),
            _ => ArchiveFlaw::NotAnArchive { what: "tar".into() }.into(),
        })
    }

    /// The content of an extended header.
    fn extended(&mut self, header: &Block) -> Result<Vec<u8>, LayerError> {
        let size = header.number(124, 12).and_then(|n| u64::try_from(n).ok()).unwrap_or(u64::MAX);
        if size > MAX_EXTENDED {
            return Err(too_large("extended header", MAX_EXTENDED));
        }
        self.begin(size)?;
        let mut content = vec![0; size as usize];
        self.exact(&mut content)?;
        self.left = 0;
        Ok(content)
    }

    fn begin(&mut self, size: u64) -> Result<(), LayerError> {
        if size > MAX_STREAM {
            return Err(too_large("member", MAX_STREAM));
        }
        self.left = size;
        self.padding = size.wrapping_neg() % 512;
        Ok(())
    }

    fn skip(&mut self) -> Result<(), LayerError> {
        let mut buffer = [0; 16384];
        let mut rest = self.left + self.padding;
        (self.left, self.padding) = (0, 0);
        while rest > 0 {
            let want = rest.min(buffer.len() as u64) as usize;
            match self.raw(buffer.get_mut(..want).unwrap_or_default())? {
                0 => return Err(ArchiveFlaw::Truncated.into()),
                n => rest -= n as u64,
            }
        }
        Ok(())
    }

    fn exact(&mut self, buffer: &mut [u8]) -> Result<(), LayerError> {
        let want = buffer.len();
        if self.fill(buffer)? == want { Ok(()) } else { Err(ArchiveFlaw::Truncated.into()) }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, LayerError> {
        let mut have = 0;
        while let Some(rest) = buffer.get_mut(have..).filter(|rest| !rest.is_empty()) {
            match self.raw(rest)? {
                0 => break,
                n => have += n,
            }
        }
        Ok(have)
    }

    fn raw(&mut self, buffer: &mut [u8]) -> Result<usize, LayerError> {
        loop {
            match self.input.read(buffer) {
                Ok(n) => {
                    self.total += n as u64;
                    return if self.total > MAX_STREAM { Err(too_large("stream", MAX_STREAM)) } else { Ok(n) };
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(LayerError::reading(e)),
            }
        }
    }

    /// Content of the present member; 0 at its end.
    ///
    /// # Errors
    /// As [`Tar::next`].
    pub fn content(&mut self, buffer: &mut [u8]) -> Result<usize, LayerError> {
        let want = self.left.min(buffer.len() as u64) as usize;
        if want == 0 {
            return Ok(0);
        }
        match self.raw(buffer.get_mut(..want).unwrap_or_default())? {
            0 => Err(ArchiveFlaw::Truncated.into()),
            n => {
                self.left -= n as u64;
                Ok(n)
            }
        }
    }
}

type Sparse = (u64, Option<Vec<(u64, u64)>>);

/// In order, apart from each other, inside the file, and as long together as the content.
fn check_pieces(pieces: &[(u64, u64)], size: u64, content: u64) -> Result<(), LayerError> {
    let mut end = 0u64;
    let mut sum = 0u64;
    for &(offset, length) in pieces {
        let next = offset.checked_add(length).filter(|&next| offset >= end && next <= size);
        end = next.ok_or(ArchiveFlaw::NotAnArchive { what: "sparse map".into() })?;
        sum = sum.saturating_add(length);
    }
    if sum == content { Ok(()) } else { Err(ArchiveFlaw::NotAnArchive { what: "sparse map".into() }.into()) }
}

pub fn too_large(what: &str, limit: u64) -> LayerError {
    ArchiveFlaw::TooLarge { what: what.into(), limit }.into()
}
