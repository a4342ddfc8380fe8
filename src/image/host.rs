//! The built-in images, made from programs of this machine: `tiny` and `nginx`.
//!
//! Three layers as a course teaches them: what an operating system gives (files every program expects, the C library), the
//! tools, the application. `tiny` is the first two, so both images share them. Reproducible: entries in order of name,
//! owned by root, with the time of the file they come from. The machine is only read; nothing of it is run.

use super::digest::DiffId;
use super::model::{History, ImageConfig, ORIGIN, RootFs, RunConfig};
use crate::event::SysError;
use lddtree::DependencyAnalyzer;
use serde_json::{Map, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tar::{EntryType, Header};

/// Where programs of a machine lie.
const PLACES: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
const TOOLS: &[&str] = &[
    "[",
    "awk",
    "base64",
    "basename",
    "cat",
    "chmod",
    "chown",
    "clear",
    "cmp",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "dmesg",
    "du",
    "echo",
    "env",
    "expr",
    "false",
    "find",
    "free",
    "getent",
    "grep",
    "groups",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "id",
    "ip",
    "kill",
    "less",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "more",
    "mount",
    "mv",
    "nc",
    "netstat",
    "nproc",
    "nslookup",
    "od",
    "ping",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sh",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "stty",
    "sync",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "top",
    "touch",
    "tr",
    "true",
    "tty",
    "umount",
    "uname",
    "uniq",
    "uptime",
    "vi",
    "watch",
    "wc",
    "wget",
    "which",
    "whoami",
    "xargs",
    "yes",
    "zcat",
];
/// bash is worth its place for `exec -it`, up to this size.
const MAX_BASH: u64 = 4 << 20;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n";
const NGINX_USER: &str = "nginx:x:101:101:nginx:/nonexistent:/usr/sbin/nologin\n";
const NGINX_GROUP: &str = "nginx:x:101:\n";
const OS_RELEASE: &str =
    "NAME=\"docent built-in\"\nID=docent\nPRETTY_NAME=\"docent: made from this machine's programs\"\n";
pub const NGINX_CONF: &str = "\
user nginx;
worker_processes 1;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;

events {
    worker_connections 256;
}

http {
    types {
        text/html html htm;
        text/css css;
        text/plain txt;
        application/javascript js;
        application/json json;
        image/png png;
        image/jpeg jpg jpeg;
        image/svg+xml svg;
    }
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;

    server {
        listen 80;
        root /usr/share/nginx/html;
        index index.html;
        error_page 500 502 503 504 /50x.html;
    }
}
";
const INDEX_HTML: &str = "\
<!DOCTYPE html>
<html>
<head>
<meta charset=\"utf-8\">
<title>Hello from nginx!</title>
</head>
<body>
<h1>Hello from nginx!</h1>
<p>This page comes from a container. docent made its image from the programs of this machine.</p>
<p>이 페이지는 컨테이너에서 왔습니다. 이미지는 docent가 이 컴퓨터의 프로그램으로 만들었습니다.</p>
</body>
</html>
";
const ERROR_HTML: &str = "\
<!DOCTYPE html>
<html>
<head>
<meta charset=\"utf-8\">
<title>Something went wrong</title>
</head>
<body>
<h1>Something went wrong.</h1>
<p>The server could not answer this request. Please try again later.</p>
<p>서버가 이 요청에 답하지 못했습니다. 잠시 뒤에 다시 해 보십시오.</p>
</body>
</html>
";

/// Which built-in image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    Tiny,
    Nginx,
}

/// What an image is to be made of.
#[derive(Debug)]
pub struct Recipe {
    /// The lowest layer first, with the words for its history.
    pub layers: Vec<(Tree, &'static str)>,
    run: RunConfig,
    /// Programs of this machine that are in it.
    pub programs: Vec<String>,
    /// The web server: a path of this machine, or `docent` for docent's own.
    pub server: Option<String>,
}

/// What becomes of one layer: absolute paths without the leading slash, in order.
#[derive(Debug, Default)]
pub struct Tree {
    entries: BTreeMap<String, Node>,
}

#[derive(Debug)]
enum Node {
    Directory(u32),
    Link(String),
    Text(String),
    /// A copy of a file of this machine.
    Copy(PathBuf, u32),
}

impl Recipe {
    /// Looks what this machine has. `docent` is the program that can serve where there is no nginx.
    ///
    /// # Errors
    /// A machine without a shell, or a program that cannot be read.
    pub fn of(which: BuiltIn, docent: &Path) -> Result<Recipe, SysError> {
        let (tools, mut programs) = tools()?;
        let nginx = program("nginx");
        let server = nginx.clone().unwrap_or_else(|| docent.to_path_buf());
        // The same base for both, whether or not all of it is needed: that is what lets them share it.
        let mut roots: Vec<PathBuf> = tools.sources().map(Path::to_path_buf).collect();
        roots.push(server.clone());
        let mut layers = vec![(base(&roots)?, "base files and the C library"), (tools, "tools")];
        let mut run = RunConfig {
            env: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()],
            cmd: vec!["sh".into()],
            labels: BTreeMap::from([(ORIGIN.to_string(), "built-in".to_string())]),
            ..RunConfig::default()
        };
        let mut named = None;
        if which == BuiltIn::Nginx {
            layers.push((application(&server), "nginx"));
            run.cmd = ["nginx", "-g", "daemon off;"].map(String::from).to_vec();
            run.exposed_ports = BTreeMap::from([("80/tcp".to_string(), json!({}))]);
            run.stop_signal = "SIGQUIT".into();
            let shown = nginx.map_or("docent".to_string(), |path| path.to_string_lossy().into_owned());
            programs.push(shown.clone());
            named = Some(shown);
        }
        Ok(Recipe { layers, run, programs, server: named })
    }

    /// The configuration for these layers. It is as old as the newest program in it.
    pub fn config(&self, diff_ids: Vec<DiffId>) -> ImageConfig {
        let newest = self.layers.iter().flat_map(|(tree, _)| tree.sources()).map(modified).max().unwrap_or(0);
        let created = chrono::DateTime::from_timestamp(newest as i64, 0);
        let step = |words: &&str| History { created, created_by: format!("docent: {words}"), ..History::default() };
        ImageConfig {
            created,
            architecture: architecture().into(),
            os: "linux".into(),
            config: self.run.clone(),
            rootfs: RootFs { kind: "layers".into(), diff_ids },
            history: self.layers.iter().map(|(_, words)| step(words)).collect(),
            rest: Map::new(),
        }
    }
}

impl Tree {
    fn put(&mut self, path: &str, node: Node) {
        let mut above = path;
        while let Some((dir, _)) = above.rsplit_once('/') {
            self.entries.entry(dir.to_string()).or_insert(Node::Directory(0o755));
            above = dir;
        }
        self.entries.insert(path.to_string(), node);
    }

    fn text(&mut self, path: &str, text: impl Into<String>) {
        self.put(path, Node::Text(text.into()));
    }

    fn link(&mut self, path: &str, target: &str) {
        self.put(path, Node::Link(target.into()));
    }

    /// Files of this machine that are in it.
    fn sources(&self) -> impl Iterator<Item = &Path> {
        self.entries.values().filter_map(|node| match node {
            Node::Copy(source, _) => Some(source.as_path()),
            _ => None,
        })
    }

    /// Writes the layer as a tar stream.
    ///
    /// # Errors
    /// Those of reading this machine's files and of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut tar = tar::Builder::new(out);
        for (path, node) in &self.entries {
            let mut header = Header::new_ustar();
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            header.set_size(0);
            match node {
                Node::Directory(mode) => {
                    header.set_entry_type(EntryType::Directory);
                    header.set_mode(*mode);
                    tar.append_data(&mut header, format!("{path}/"), io::empty())?;
                }
                Node::Link(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    header.set_mode(0o777);
                    tar.append_link(&mut header, path, target)?;
                }
                Node::Text(text) => {
                    header.set_mode(0o644);
                    header.set_size(text.len() as u64);
                    tar.append_data(&mut header, path, text.as_bytes())?;
                }
                Node::Copy(source, mode) => {
                    let file = File::open(source)?;
                    let meta = file.metadata()?;
                    header.set_mode(*mode);
                    header.set_mtime(u64::try_from(meta.mtime()).unwrap_or(0));
                    header.set_size(meta.len());
                    tar.append_data(&mut header, path, file.take(meta.len()))?;
                }
            }
        }
        tar.finish()
    }
}

/// What every program expects, and the libraries of these.
fn base(roots: &[PathBuf]) -> Result<Tree, SysError> {
    let mut tree = Tree::default();
    for dir in
        ["dev", "etc", "home", "mnt", "opt", "proc", "run", "srv", "sys", "usr/lib", "usr/lib64", "usr/local/bin"]
    {
        tree.put(dir, Node::Directory(0o755));
    }
    for dir in ["usr/bin", "usr/sbin", "usr/share", "var/cache", "var/lib", "var/log"] {
        tree.put(dir, Node::Directory(0o755));
    }
    tree.put("root", Node::Directory(0o700));
    tree.put("tmp", Node::Directory(0o1777));
    tree.put("var/tmp", Node::Directory(0o1777));
    for dir in ["bin", "sbin", "lib", "lib64"] {
        tree.link(dir, &format!("usr/{dir}"));
    }
    tree.link("var/run", "../run");
    tree.text("etc/passwd", PASSWD);
    tree.text("etc/group", GROUP);
    tree.text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
    tree.text("etc/os-release", OS_RELEASE);
    // The engine mounts its own over these.
    for file in ["etc/hosts", "etc/hostname", "etc/resolv.conf"] {
        tree.text(file, "");
    }
    for (path, source) in libraries(roots)? {
        tree.put(&path, Node::Copy(source, 0o755));
    }
    Ok(tree)
}

/// The shared libraries of these programs: path in the image, file here.
///
/// All go where this machine's C library lies, since the loader looks there without a cache; the loader itself must lie
/// where the programs name it.
fn libraries(roots: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, SysError> {
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut placed: BTreeMap<String, PathBuf> = BTreeMap::new();
    for root in roots {
        let tree = DependencyAnalyzer::default()
            .analyze(root)
            .map_err(|_| SysError::new("open", root.to_string_lossy(), libc::ENOEXEC))?;
        let loader = tree.interpreter.as_deref().unwrap_or_default();
        for (name, library) in tree.libraries {
            let Some(real) = library.realpath else {
                return Err(SysError::new("open", name, libc::ENOENT));
            };
            if Path::new(loader).file_name().is_some_and(|base| base == name.as_str()) {
                placed.insert(in_usr(loader), real);
            } else {
                found.insert(name, real);
            }
        }
    }
    let libc = found.iter().find(|(name, _)| name.starts_with("libc.so") || name.starts_with("libc.musl"));
    let home = libc.and_then(|(_, real)| real.parent()).map(Path::to_path_buf);
    let home = home.unwrap_or_else(|| PathBuf::from("/usr/lib"));
    // Before glibc 2.34 names were looked up by libraries that it loads by itself.
    for name in ["libnss_files.so.2", "libnss_dns.so.2"] {
        if let Some(real) = fs::canonicalize(home.join(name)).ok().filter(|_| !found.is_empty()) {
            found.insert(name.to_string(), real);
        }
    }
    for (name, real) in found {
        placed.insert(in_usr(&home.join(name).to_string_lossy()), real);
    }
    Ok(placed)
}

/// `/lib/x` as `usr/lib/x`: in the image `/lib` is a link, as on today's distributions.
fn in_usr(path: &str) -> String {
    let path = path.trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if matches!(first, "bin" | "sbin" | "lib" | "lib64") { format!("usr/{path}") } else { path.to_string() }
}

/// The tools, and the programs that they are: the static busybox of this machine, else its own.
fn tools() -> Result<(Tree, Vec<String>), SysError> {
    let mut tree = Tree::default();
    let mut programs = BTreeSet::new();
    let mut wanted: BTreeSet<&str> = TOOLS.iter().copied().collect();
    if let Some(busybox) = program("busybox").filter(|path| is_static(path)) {
        let applets = applets(&busybox)?;
        for tool in wanted.iter().filter(|tool| applets.contains(**tool)) {
            tree.link(&format!("usr/bin/{tool}"), "busybox");
        }
        wanted.retain(|tool| !applets.contains(*tool) && *tool == "sh");
        programs.insert(busybox.to_string_lossy().into_owned());
        tree.put("usr/bin/busybox", Node::Copy(busybox, 0o755));
    }
    // Programs of one file under several names (sh is dash) are that file and links.
    let mut homes: HashMap<PathBuf, String> = HashMap::new();
    let bash = program("bash").filter(|path| fs::metadata(path).is_ok_and(|m| m.len() <= MAX_BASH));
    wanted.extend(bash.map(|_| "bash"));
    for tool in wanted {
        let Some(path) = program(tool) else {
            if tool == "sh" {
                return Err(SysError::new("open", "sh", libc::ENOENT));
            }
            continue;
        };
        if !is_elf(&path) {
            continue;
        }
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let home = homes.entry(real.clone()).or_insert_with(|| name.clone()).clone();
        programs.insert(real.to_string_lossy().into_owned());
        tree.put(&format!("usr/bin/{home}"), Node::Copy(real, 0o755));
        if home != tool {
            tree.link(&format!("usr/bin/{tool}"), &home);
        }
    }
    Ok((tree, programs.into_iter().collect()))
}

/// nginx as its official image lays it out.
fn application(server: &Path) -> Tree {
    let mut tree = Tree::default();
    tree.put("usr/sbin/nginx", Node::Copy(server.to_path_buf(), 0o755));
    tree.text("etc/nginx/nginx.conf", NGINX_CONF);
    tree.text("etc/passwd", format!("{PASSWD}{NGINX_USER}"));
    tree.text("etc/group", format!("{GROUP}{NGINX_GROUP}"));
    tree.text("usr/share/nginx/html/index.html", INDEX_HTML);
    tree.text("usr/share/nginx/html/50x.html", ERROR_HTML);
    tree.link("var/log/nginx/access.log", "/dev/stdout");
    tree.link("var/log/nginx/error.log", "/dev/stderr");
    // Debian's nginx keeps request bodies in one of these, upstream's in the other.
    tree.put("var/lib/nginx", Node::Directory(0o755));
    tree.put("var/cache/nginx", Node::Directory(0o755));
    tree
}

fn program(name: &str) -> Option<PathBuf> {
    PLACES.iter().map(|dir| Path::new(dir).join(name)).find(|path| {
        fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0) && File::open(path).is_ok()
    })
}

fn is_elf(path: &Path) -> bool {
    let mut magic = [0u8; 4];
    File::open(path).and_then(|mut f| f.read_exact(&mut magic)).is_ok() && &magic == b"\x7fELF"
}

fn is_static(path: &Path) -> bool {
    let tree = DependencyAnalyzer::default().analyze(path);
    is_elf(path) && tree.is_ok_and(|tree| tree.interpreter.is_none() && tree.needed.is_empty())
}

/// Which of the tools this busybox has: their names stand in it one after the other, each ended by a zero byte.
fn applets(busybox: &Path) -> Result<BTreeSet<&'static str>, SysError> {
    let bytes = fs::read(busybox).map_err(|e| SysError::io("open", busybox.to_string_lossy(), &e))?;
    let tools: HashMap<&[u8], &'static str> = TOOLS.iter().map(|t| (t.as_bytes(), *t)).collect();
    Ok(bytes.split(|&b| b == 0).filter_map(|word| tools.get(word).copied()).collect())
}

fn modified(path: &Path) -> u64 {
    fs::metadata(path).ok().and_then(|m| u64::try_from(m.mtime()).ok()).unwrap_or(0)
}

/// This machine's architecture by Go's name.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
