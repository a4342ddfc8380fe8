//! Who the container's program is: `-u user[:group]` looked up in the container's own /etc/passwd and /etc/group.
//!
//! What never breaks: both files belong to the image, so nothing in them is trusted. They are opened beneath the
//! container's root (a symlink to /etc/shadow of the host ends inside), only if they are regular files and not /proc's (a FIFO
//! would hang the launch: CVE-2024-9676), and only up to a size. No C library code and no NSS module of the image or the host is
//! involved (CVE-2019-14271). A line that does not parse is no line: never user 0 by accident.

use crate::event::{Fault, SysError};
use rustix::fs::{FileType, OFlags};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Opens a path as the container sees it: through its own symlinks, never out of its root.
pub type Open<'a> = dyn Fn(&Path, OFlags) -> Result<OwnedFd, SysError> + 'a;

/// The largest passwd or group file that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// The kernel's limit for setgroups(2).
const MOST_GROUPS: usize = 65_536;
/// Docker's limit: ids are positive `int`s.
const LARGEST_ID: u32 = i32::MAX as u32;

/// What `-u` comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups, the primary one first (CVE-2022-36109: without it, a file that denies this group could be
    /// reached).
    pub groups: Vec<u32>,
    /// For HOME; `/` when passwd says nothing.
    pub home: String,
    /// As in passwd; None for a bare number.
    pub name: Option<String>,
}

impl User {
    pub fn root() -> User {
        User { uid: 0, gid: 0, groups: vec![0], home: "/root".into(), name: None }
    }

    /// `uid:gid`.
    pub fn shown(&self) -> String {
        format!("{}:{}", self.uid, self.gid)
    }

    /// Sets HOME where the image and the command line did not, as Docker does.
    pub fn give_home(&self, env: &mut Vec<String>) {
        if !env.iter().any(|var| var.strip_prefix("HOME=").is_some_and(|home| !home.is_empty())) {
            env.retain(|var| !var.starts_with("HOME="));
            env.push(format!("HOME={}", self.home));
        }
    }
}

/// Looks up `spec` (`user`, `user:group`, names or numbers; empty is root). `open` opens a path of the container's root.
///
/// A number needs no entry; a name does: else [`Fault::NoSuchUser`] or [`Fault::NoSuchGroup`].
pub fn look_up(open: &Open<'_>, spec: &str) -> Result<User, Fault> {
    let passwd = read(open, "etc/passwd")?;
    let group = read(open, "etc/group")?;
    find(spec, &passwd, &group)
}

/// The file's content; nothing when there is no such file.
fn read(open: &Open<'_>, path: &str) -> Result<Vec<u8>, Fault> {
    let step = |e| Fault::step("user", e);
    let open = |how: OFlags| open(Path::new(path), how);
    // A look without opening first: opening a device node can do something already.
    let found = match open(OFlags::PATH) {
        Err(e) if e.errno == libc::ENOENT || e.errno == libc::ENOTDIR => return Ok(Vec::new()),
        other => other.map_err(step)?,
    };
    regular(&found, path)?;
    // O_NONBLOCK: should it have become a FIFO since, this does not wait for a writer.
    let fd = open(OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY).map_err(step)?;
    regular(&fd, path)?;
    let mut content = Vec::with_capacity(4096);
    let read = File::from(fd).take(LARGEST + 1).read_to_end(&mut content);
    read.map_err(|e| step(SysError::io("read", format!("/{path}"), &e)))?;
    if content.len() as u64 > LARGEST {
        Err(step(SysError::new("read", format!("/{path}"), libc::EFBIG)))
    } else {
        Ok(content)
    }
}

fn regular(fd: &OwnedFd, path: &str) -> Result<(), Fault> {
    let stat = rustix::fs::fstat(fd)
        .map_err(|e| Fault::step("user", SysError::new("fstat", format!("/{path}"), e.raw_os_error())))?;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        // The kernel's: to read one can do something already (kmsg).
        FileType::RegularFile if super::target::in_proc(fd) => "proc",
        FileType::RegularFile => return Ok(()),
        FileType::Fifo => "FIFO",
        FileType::Socket => "socket",
        FileType::Directory => "directory",
        _ => "device",
    };
    Err(Fault::NotRegular { path: format!("/{path}"), kind: kind.into() })
}

/// One line of passwd.
struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// One line of group.
struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

fn lines(content: &[u8]) -> impl Iterator<Item = Vec<&str>> {
    content
        .split(|b| *b == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .map(|line| line.trim_end_matches('\r').split(':').collect())
}

fn accounts(passwd: &[u8]) -> impl Iterator<Item = Account<'_>> {
    lines(passwd).filter_map(|line| match line[..] {
        [name, _, uid, gid, _, home, ..] if !name.is_empty() => {
            Some(Account { name, uid: number(uid)?, gid: number(gid)?, home })
        }
        _ => None,
    })
}

fn groups(group: &[u8]) -> impl Iterator<Item = Group<'_>> {
    lines(group).filter_map(|line| match line[..] {
        [name, _, gid, members, ..] if !name.is_empty() => Some(Group { name, gid: number(gid)?, members }),
        _ => None,
    })
}

/// A plain decimal number in Docker's range; no sign.
fn number(text: &str) -> Option<u32> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|id| *id <= LARGEST_ID)
}

fn find(spec: &str, passwd: &[u8], group: &[u8]) -> Result<User, Fault> {
    let (user, wanted_group) = spec.split_once(':').unwrap_or((spec, ""));
    let by_number = if user.is_empty() { Some(0) } else { number(user) };
    let account = accounts(passwd).find(|a| a.name == user || Some(a.uid) == by_number);
    let (uid, mut gid) = match (&account, by_number) {
        (Some(account), _) => (account.uid, account.gid),
        (None, Some(uid)) => (uid, 0),
        (None, None) => return Err(Fault::NoSuchUser { user: user.into() }),
    };
    let mut others = Vec::new();
    if wanted_group.is_empty() {
        let member = |g: &Group| account.as_ref().is_some_and(|a| g.members.split(',').any(|m| m.trim() == a.name));
        others.extend(groups(group).filter(member).map(|g| g.gid));
    } else {
        let by_number = number(wanted_group);
        let entry = groups(group).find(|g| g.name == wanted_group || Some(g.gid) == by_number).map(|g| g.gid);
        gid = entry.or(by_number).ok_or_else(|| Fault::NoSuchGroup { group: wanted_group.into() })?;
    }
    let mut all = vec![gid];
    for other in others {
        if !all.contains(&other) && all.len() < MOST_GROUPS {
            all.push(other);
        }
    }
    let home = account.as_ref().map(|a| a.home).filter(|home| home.starts_with('/')).unwrap_or("/");
    Ok(User { uid, gid, groups: all, home: home.into(), name: account.map(|a| a.name.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::Mode;
    use std::os::fd::AsFd;

    const PASSWD: &[u8] = b"# a comment\nroot:x:0:0:root:/root:/bin/sh\nbroken:x:zero:0::/:\nshort:x:5\n+::::::\n\
        web:x:33:33:www:/var/www:/usr/sbin/nologin\n\xff\xfe:x:1:1::/:\nhuge:x:4294967296:0::/:\nrel:x:8:8::home:/bin/sh\n";
    const GROUP: &[u8] = b"root:x:0:\nadm:x:4:web,other\nweb:x:33:web\nstaff:x:50:other\nbad:x:-1:web\nmail:x:8:web\n";

    fn user(spec: &str) -> (u32, u32, Vec<u32>, String) {
        let user = find(spec, PASSWD, GROUP).expect(spec);
        (user.uid, user.gid, user.groups, user.home)
    }

    #[test]
    fn as_docker_reads_them() {
        assert_eq!(user(""), (0, 0, vec![0], "/root".into()));
        assert_eq!(user("root"), (0, 0, vec![0], "/root".into()));
        assert_eq!(user("web"), (33, 33, vec![33, 4, 8], "/var/www".into()));
        assert_eq!(user("33"), (33, 33, vec![33, 4, 8], "/var/www".into()));
        assert_eq!(user("web:staff"), (33, 50, vec![50], "/var/www".into()));
        assert_eq!(user("web:1234"), (33, 1234, vec![1234], "/var/www".into()));
        assert_eq!(user("1000"), (1000, 0, vec![0], "/".into()));
        assert_eq!(user("1000:1000"), (1000, 1000, vec![1000], "/".into()));
        assert_eq!(user(":50"), (0, 50, vec![50], "/root".into()));
        assert_eq!(user("rel").3, "/");
        assert_eq!(find("7", b"", b"").map(|u| (u.uid, u.gid, u.name)), Ok((7, 0, None)));
    }

    #[test]
    fn what_does_not_parse_is_nobody() {
        for spec in
            ["nobody", "broken", "short", "huge", "-1", "+1", "0x0", "4294967296", "2147483648", " 0", "\u{661}"]
        {
            assert_eq!(find(spec, PASSWD, GROUP), Err(Fault::NoSuchUser { user: spec.into() }), "{spec}");
        }
        assert_eq!(find("web:bad", PASSWD, GROUP), Err(Fault::NoSuchGroup { group: "bad".into() }));
        assert_eq!(find("web:-1", PASSWD, GROUP), Err(Fault::NoSuchGroup { group: "-1".into() }));
    }

    fn root_with(make: impl Fn(&Path)) -> Result<User, Fault> {
        let dir = tempfile::tempdir().expect("tempdir");
        std::fs::create_dir(dir.path().join("etc")).expect("etc");
        make(dir.path());
        let root = File::open(dir.path()).expect("root");
        look_up(&|path, how| crate::kernel::resolve::in_root(root.as_fd(), path, how), "web")
    }

    #[test]
    fn opened_inside_the_root_alone() {
        let found = root_with(|root| std::fs::write(root.join("etc/passwd"), PASSWD).expect("write"));
        assert_eq!(found.map(|u| u.uid), Ok(33));
        // An absolute link means the container's own tree.
        let linked = root_with(|root| {
            std::os::unix::fs::symlink("/../../real", root.join("etc/passwd")).expect("link");
            std::fs::write(root.join("real"), PASSWD).expect("write");
        });
        assert_eq!(linked.map(|u| u.uid), Ok(33));
        // The host's file of that name is not the container's.
        let outward =
            root_with(|root| std::os::unix::fs::symlink("/etc/hostname", root.join("etc/passwd")).expect("link"));
        assert_eq!(outward, Err(Fault::NoSuchUser { user: "web".into() }));
    }

    #[test]
    fn neither_hangs_nor_swells() {
        let fifo = root_with(|root| {
            rustix::fs::mknodat(rustix::fs::CWD, root.join("etc/passwd"), FileType::Fifo, Mode::RUSR, 0).expect("fifo");
        });
        assert_eq!(fifo, Err(Fault::NotRegular { path: "/etc/passwd".into(), kind: "FIFO".into() }));
        let device = root_with(|root| {
            std::os::unix::fs::symlink("/etc/tty", root.join("etc/group")).expect("link");
            let made = rustix::fs::makedev(5, 0);
            let kind = FileType::CharacterDevice;
            rustix::fs::mknodat(rustix::fs::CWD, root.join("etc/tty"), kind, Mode::RUSR, made).unwrap_or(());
        });
        if rustix::process::geteuid().is_root() {
            assert_eq!(device, Err(Fault::NotRegular { path: "/etc/group".into(), kind: "device".into() }));
        }
        let bomb = root_with(|root| {
            let file = File::create(root.join("etc/passwd")).expect("create");
            file.set_len(1 << 40).expect("sparse");
        });
        assert!(matches!(bomb, Err(Fault::Step { error, .. }) if error.errno == libc::EFBIG));
    }
}
