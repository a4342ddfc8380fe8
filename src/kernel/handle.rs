//! File handles: the name of a file that stays when its path changes (name_to_handle_at(2)), and that overlayfs writes down for
//! what it has copied up.
//!
//! A handle is what a file system knows an inode by, with its generation: a later file with the same inode number has another.
//! Only names are made here, nothing is opened by them.

use crate::event::SysError;
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

/// What a file system knows a file by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Handle {
    kind: u8,
    bytes: Vec<u8>,
}

/// What overlayfs says of where an upper file came from (`overlay.origin`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was copied up from this file.
    From(Handle),
    /// It was copied up; the lower file system has no handles.
    Unnamed,
}

/// `struct file_handle` with room for the largest (MAX_HANDLE_SZ).
#[repr(C)]
struct Raw {
    bytes: u32,
    kind: i32,
    handle: [u8; 128],
}

/// The handle of what lies at `name` in a directory; a symlink is not followed.
///
/// # Errors
/// EOPNOTSUPP: the file system has none.
pub fn of(dir: BorrowedFd<'_>, name: &OsStr) -> Result<Handle, SysError> {
    let fail = |errno| SysError::new("name_to_handle_at", name.to_string_lossy(), errno);
    let path = CString::new(name.as_bytes()).map_err(|_| fail(libc::EINVAL))?;
    of_path(dir, &path).map_err(fail)
}

fn of_path(dir: BorrowedFd<'_>, path: &CStr) -> Result<Handle, i32> {
    let mut raw = Raw { bytes: 128, kind: 0, handle: [0; 128] };
    let mut mount = 0i32;
    // SAFETY: the path ends with a NUL; the kernel writes at most `bytes` bytes behind the head of `raw`, and one int to `mount`.
    let ret = unsafe {
        libc::syscall(libc::SYS_name_to_handle_at, dir.as_raw_fd(), path.as_ptr(), &raw mut raw, &raw mut mount, 0)
    };
    super::sys::answer(ret).map_err(|e| e as i32)?;
    let bytes = usize::try_from(raw.bytes).ok().and_then(|n| raw.handle.get(..n)).ok_or(libc::EOVERFLOW)?;
    // overlayfs keeps the type in one byte (fs/overlayfs/overlayfs.h).
    Ok(Handle { kind: u8::try_from(raw.kind).map_err(|_| libc::EOVERFLOW)?, bytes: bytes.to_vec() })
}

/// Reads `struct ovl_fb`: version, magic, length, flags, type, the file system's uuid, the handle. None for what is none.
pub fn origin(value: &[u8]) -> Option<Origin> {
    const HEAD: usize = 21;
    match value {
        // "Copied up" without a name: ovl_get_origin_fh() of a file system that cannot be exported.
        [] => Some(Origin::Unnamed),
        [0, 0xfb, length, _flags, kind, ..] if usize::from(*length) == value.len() => {
            Some(Origin::From(Handle { kind: *kind, bytes: value.get(HEAD..)?.to_vec() }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_handle_goes_with_the_file_and_not_with_its_name() {
        let dir = tempfile::tempdir().expect("tempdir");
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a"), "a").expect("write");
        std::fs::write(at("b"), "b").expect("write");
        let fd = crate::kernel::resolve::directory(dir.path()).expect("open");
        let handle = |name: &str| of(fd.as_fd(), OsStr::new(name)).ok();
        // A file system without handles has nothing to show here.
        let Some(a) = handle("a") else { return };
        assert_ne!(Some(a.clone()), handle("b"));
        std::fs::rename(at("a"), at("c")).expect("rename");
        assert_eq!((handle("c"), handle("a")), (Some(a), None));
    }

    #[test]
    fn the_kernels_mark_is_read() {
        let mark = |hex: &str| {
            let byte = |i: usize| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex");
            (0..hex.len()).step_by(2).map(byte).collect::<Vec<u8>>()
        };
        // Of a file on ext4, as Linux 6.18 writes it.
        let value = mark("00fb1d00010000000000000000000000000000000034239b00e0bb7d1a");
        let from = Handle { kind: 1, bytes: mark("34239b00e0bb7d1a") };
        assert_eq!(origin(&value), Some(Origin::From(from)));
        assert_eq!(origin(&[]), Some(Origin::Unnamed));
        assert_eq!((origin(&value[..28]), origin(&[1, 0xfb, 2])), (None, None));
    }
}
