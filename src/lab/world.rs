//! What checks look at: a learner's root as it is now. A trait, so that checks can be tested on worlds that are written
//! down; [`StoreWorld`] is the real one.
//!
//! Everything read here was made by the learner's containers and is untrusted: files are opened beneath their layer with no
//! symlink followed, regular files only, and only up to a limit.

use super::http::{self, NoAnswer, Response};
use crate::container::{Container, ContainerId};
use crate::event::{Event, Fact, Fault, SysError};
use crate::image::{ImageId, Reference};
use crate::kernel::bounded::{self, Finished};
use crate::kernel::resolve::{self, Seen};
use crate::store::Store;
use rustix::fs::FileType;
use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const FILE_LIMIT: u64 = 4 << 20;
const HTTP_LIMIT: Duration = Duration::from_secs(5);

/// How a page was answered.
pub type Page = Result<Response, NoAnswer>;

pub trait World {
    /// All containers; one that says it runs and does not is given as exited.
    fn containers(&self) -> Result<Vec<Container>, Fault>;
    /// What was told in this root, the oldest first.
    fn events(&self) -> Result<Vec<Event>, Fault>;
    /// A file in the container's write layer alone.
    fn upper_file(&self, id: &ContainerId, path: &str) -> Result<Option<Vec<u8>>, Fault>;
    /// The file as the container's image has it.
    fn image_file(&self, container: &Container, path: &str) -> Result<Option<Vec<u8>>, Fault>;
    /// What the host's port answers.
    fn published_page(&self, host_port: u16, path: &str) -> Page;
    /// Starts one more container from the same image, fetches a page from it, and removes it.
    fn fresh_page(&self, container: &Container, port: u16, path: &str) -> Result<Page, Fault>;
    /// The ID of the image that the lab means by this name, where the grader made it itself: a name can be given to any image.
    fn own_image(&self, name: &str) -> Option<&ImageId>;
    /// Exit status of an instructor's script.
    fn shell(&self, script: &str) -> Result<i32, Fault>;
}

/// A store, looked at by this process.
pub struct StoreWorld<'a> {
    pub store: &'a Store,
    /// This program, to start containers with.
    pub program: PathBuf,
    /// The last command before the exercise began: what was told before does not count.
    pub since: u64,
    /// Whether a server that does not answer yet is given a moment.
    pub patient: bool,
    /// Images that were made before the submission had a say: canonical name and ID.
    pub own: BTreeMap<String, ImageId>,
}

impl World for StoreWorld<'_> {
    fn containers(&self) -> Result<Vec<Container>, Fault> {
        let mut all = self.store.list_containers()?;
        for container in &mut all {
            if !self.store.is_running(container)
                && let Some(life) = container.state.life()
            {
                container.state = life.lost(Vec::new());
            }
        }
        Ok(all)
    }

    fn events(&self) -> Result<Vec<Event>, Fault> {
        super::journal::events(self.store, self.since)
    }

    fn upper_file(&self, id: &ContainerId, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        read_beneath(&self.store.container_dir(id).upper(), path)
    }

    fn image_file(&self, container: &Container, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        for chain_id in container.layers.iter().rev() {
            if let Some(content) = read_beneath(&self.store.layer_diff(chain_id), path)? {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }

    fn published_page(&self, host_port: u16, path: &str) -> Page {
        self.page(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), host_port), path)
    }

    fn fresh_page(&self, container: &Container, port: u16, path: &str) -> Result<Page, Fault> {
        // A name that a submission cannot have taken before: in the grader's engine the process's number is always 1.
        let name = format!("lab-check-{:x}", crate::event::now_us() ^ u64::from(std::process::id()) << 40);
        let image = container.image_id.as_ref().map_or(container.config.image.as_str(), ImageId::as_str);
        let id = self.docent(&["run", "-d", "--name", &name, image])?;
        let page = self.store.find_container(id.trim()).map(|fresh| {
            match fresh.state.life().and_then(|life| life.endpoint.as_ref()) {
                Some(endpoint) => self.page(SocketAddr::new(endpoint.address.into(), port), path),
                None => Err(NoAnswer { errno: libc::EADDRNOTAVAIL }),
            }
        });
        // Whatever came of it, the learner's root is left as it was.
        self.docent(&["rm", "-f", &name])?;
        page
    }

    fn own_image(&self, name: &str) -> Option<&ImageId> {
        self.own.get(&Reference::parse(name).ok()?.canonical())
    }

    fn shell(&self, script: &str) -> Result<i32, Fault> {
        let done = limited(self.command("/bin/sh").args(["-c", script]))?;
        Ok(done.ended.status())
    }
}

impl StoreWorld<'_> {
    /// A server just started may not listen yet, and the port's proxy then closes at once: asked again until the limit.
    fn page(&self, to: SocketAddr, path: &str) -> Page {
        let until = Instant::now() + HTTP_LIMIT;
        loop {
            let page = http::get(to, path, HTTP_LIMIT);
            let early = matches!(page, Err(NoAnswer { errno }) if [libc::ECONNREFUSED, libc::ECONNRESET, libc::EPROTO].contains(&errno));
            if !early || !self.patient || Instant::now() >= until {
                return page;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs docent on this root; gives its standard output.
    fn docent(&self, args: &[&str]) -> Result<String, Fault> {
        let done = limited(self.command(&self.program.to_string_lossy()).args(args))?;
        if done.ended.status() != 0 {
            let errors = String::from_utf8_lossy(&done.errors);
            return Err(Fault::CannotGrade {
                why: format!("docent {}: exit {}: {}", args.join(" "), done.ended.status(), errors.trim()),
            });
        }
        Ok(String::from_utf8_lossy(&done.output).into_owned())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DOCENT_ROOT", self.store.root());
        command
    }
}

/// The file at `path` below `dir`, when it is a regular one that is reached without any symlink.
fn read_beneath(dir: &Path, path: &str) -> Result<Option<Vec<u8>>, Fault> {
    let failed = |call: &str, errno: i32| {
        Fault::step("check", SysError::new(call, dir.join(path.trim_start_matches('/')).to_string_lossy(), errno))
    };
    let Ok(root) = resolve::directory(dir) else { return Ok(None) };
    let seen = match Seen::beneath(root.as_fd(), Path::new(path.trim_start_matches('/'))) {
        Ok(seen) => seen,
        // Not there, or a symlink on the way.
        Err(e) if [libc::ENOENT, libc::ENOTDIR, libc::ELOOP].contains(&e.errno) => return Ok(None),
        Err(e) => return Err(failed(&e.call, e.errno)),
    };
    // A whiteout is a device; others a submission may have made, and to open them may do or wait for anything.
    if seen.kind() != FileType::RegularFile {
        return Ok(None);
    }
    let mut content = Vec::new();
    let file = seen.content().map_err(|e| failed(&e.call, e.errno))?;
    file.take(FILE_LIMIT)
        .read_to_end(&mut content)
        .map_err(|e| failed("read", e.raw_os_error().unwrap_or(libc::EIO)))?;
    Ok(Some(content))
}

/// Runs a program to its end, at most half a minute.
fn limited(command: &mut Command) -> Result<Finished, Fault> {
    bounded::run(command, Duration::from_secs(30), FILE_LIMIT).map_err(|e| Fault::step("check", e))
}

/// What container an event is about: the one it names, or the one its fact is of.
pub fn container_of(event: &Event) -> Option<&str> {
    event.container.as_deref().or(match &event.fact {
        Fact::ContainerCreated { id, .. } => id.as_deref(),
        Fact::ContainerRemoved { id, .. } | Fact::ContainerExited { id, .. } => Some(id),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_a_regular_file_reached_without_links_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let at = |p: &str| dir.path().join(p);
        std::fs::create_dir_all(at("a")).unwrap();
        std::fs::write(at("a/page"), "here").unwrap();
        symlink("a", at("b")).unwrap();
        symlink("/etc/passwd", at("a/out")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("a/fifo"), FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o644), 0)
            .unwrap();
        let read = |p: &str| read_beneath(dir.path(), p).unwrap();
        assert_eq!(read("/a/page").as_deref(), Some(&b"here"[..]));
        for none in ["/b/page", "/a/out", "/a/fifo", "/a", "/missing", "/a/page/x"] {
            assert_eq!(read(none), None, "{none}");
        }
        assert!(read_beneath(dir.path(), "../../etc/passwd").is_err());
    }
}
