//! Running a program went wrong.

use crate::event::{Lang, Word};

/// A port that is likely free, to show the form of the flag.
pub fn other_port(port: u16) -> u16 {
    if port < 1024 { port.saturating_add(8000) } else { port.checked_add(1).unwrap_or(8080) }
}

/// 127 for what is not there, 126 for what may not run, as Docker and shells have it; None leaves it to Docker's 128.
pub fn code(errno: i32) -> Option<i32> {
    match errno {
        libc::ENOENT => Some(127),
        libc::EACCES | libc::EISDIR | libc::ENOTDIR => Some(126),
        _ => None,
    }
}

pieces! {
    /// Who has a port.
    pub enum Holder by "is" {
        /// Another `-p` of the same container.
        Itself => {
            ko: "이 컨테이너가 앞의 -p 옵션으로 이미 그 포트를 쓰고 있습니다.",
            en: "An earlier -p of this very container has it.",
        }
        Container { name: String } => (name) {
            ko: "{name} 컨테이너가 이미 그 포트를 쓰고 있습니다.",
            en: "The container {name} has it.",
        }
        Process { pid: i32, name: String } => (pid, name) {
            ko: "{pid}번 프로세스({name})가 이미 그 포트를 쓰고 있습니다.",
            en: "Process {pid} ({name}) has it.",
        }
    }
}

/// MAX_ARG_STRLEN of the kernel: 32 pages, the NUL with it.
pub const LONGEST: u64 = 32 * 4096;

macro_rules! running {
    ($($so_far:tt)*) => { families! { $($so_far)*

    CommandNotFound { command: String, container: String } => {
        (command) { ko: "실행 파일을 찾을 수 없습니다: {command}", en: "exec: \"{command}\": executable file not found in $PATH" }
        cause (container = short(container)) {
            ko: "{container} 컨테이너의 PATH 어디에도 그 이름의 프로그램이 없습니다. 호스트의 프로그램은 보이지 않습니다.",
            en: "Nothing of that name is in the PATH of {container}; programs of the host cannot be seen from inside.",
        }
        fix if (command.ends_with("bash")) { ko: "bash가 없는 이미지라면 sh를 씁니다", en: "an image without bash mostly has sh" }
        fix if (command.starts_with('-')) {
            ko: "옵션은 이미지 이름보다 앞에 씁니다: docent run [OPTIONS] IMAGE [COMMAND]",
            en: "options stand before the image: docent run [OPTIONS] IMAGE [COMMAND]",
        }
        fix if (!command.starts_with('-')) { "docent run --rm IMAGE ls /bin /usr/bin" }
        exit Some(127);
        #[cfg(test)]
        sample { Fault::CommandNotFound { command: s("bash"), container: s(ID) } }
    }

    NotExecutable { command: String, container: String, errno: i32 } => {
        (command, errno = Errno(*errno)) { ko: "실행할 수 없는 파일입니다: {command} · {errno}", en: "exec: \"{command}\": {errno}" }
        cause if (matches!(*errno, libc::EACCES | libc::EISDIR)) (container = short(container)) {
            ko: "{container} 컨테이너의 이 파일은 디렉터리이거나, 실행 권한(x)이 없습니다.",
            en: "In {container} it is a directory, or it lacks the x permission.",
        }
        cause if (*errno == libc::ENOEXEC) (container = short(container)) {
            ko: "{container} 컨테이너의 이 파일은 이 CPU의 프로그램도, #! 줄로 시작하는 스크립트도 아닙니다.",
            en: "In {container} it is neither a program for this CPU nor a script with a #! line.",
        }
        cause if (*errno == libc::ENOENT) (container = short(container)) {
            ko: "{container} 컨테이너에 이 파일이나, 이 파일이 부르는 인터프리터(#! 또는 동적 링커)가 없습니다.",
            en: "{container} lacks this file, or the interpreter it asks for (its #! line or dynamic linker).",
        }
        cause (container = short(container)) {
            ko: "{container} 컨테이너에서 커널이 실행을 거부했습니다.",
            en: "The kernel refused to run it in {container}.",
        }
        fix if (matches!(*errno, libc::EACCES | libc::EISDIR)) {
            ko: "chmod +x FILE, 그다음 docent cp",
            en: "chmod +x FILE, then docent cp",
        }
        fix if (matches!(*errno, libc::EACCES | libc::EISDIR | libc::ENOEXEC)) {
            ko: "sh FILE 형태로 실행합니다",
            en: "run it as: sh FILE",
        }
        fix if (*errno == libc::ENOENT) { "docent run --rm IMAGE ls /bin /usr/bin" }
        fix if (*errno != libc::EACCES && Remedy::of("execve", command, *errno).is_some()) (remedy = Remedy::of("execve", command, *errno)) { "{remedy}" }
        exit code(*errno);
        #[cfg(test)]
        sample { Fault::NotExecutable { command: s("/x"), container: s("web"), errno: libc::EACCES } }
        #[cfg(test)]
        sample { Fault::NotExecutable { command: s("/x"), container: s("web"), errno: libc::ENOEXEC } }
        #[cfg(test)]
        sample { Fault::NotExecutable { command: s("/x"), container: s("web"), errno: libc::ENOENT } }
        #[cfg(test)]
        sample { Fault::NotExecutable { command: s("/x"), container: s("web"), errno: libc::ENOMEM } }
    }

    /// execve's E2BIG: `longest` with its NUL, `total` of arguments and environment with a pointer to each, in bytes.
    ArgumentsTooLong { command: String, longest: u64, total: u64 } => {
        (command) {
            ko: "인자와 환경 변수가 너무 길어 실행할 수 없습니다: {command} · E2BIG (Argument list too long)",
            en: "exec: \"{command}\": argument list too long",
        }
        cause if (*longest > LONGEST) (longest = Memory(*longest)) {
            ko: "커널은 인자나 환경 변수 하나를 128 KiB까지만 받는데(MAX_ARG_STRLEN), {longest} 크기인 것이 있습니다.",
            en: "The kernel takes at most 128 KiB for one argument or environment variable (MAX_ARG_STRLEN); one has {longest}.",
        }
        cause (total = Memory(*total)) {
            ko: "인자와 환경 변수를 합하면 {total} 크기입니다. 커널은 스택 한도(ulimit -s)의 1/4까지, 많아도 6 MiB까지만 받습니다.",
            en: "Arguments and environment together have {total}; the kernel takes a quarter of the stack limit (ulimit -s), and 6 MiB at most.",
        }
        fix { ko: "긴 내용은 표준 입력으로 넘깁니다: docent exec -i NAME COMMAND < FILE", en: "pass what is long as input: docent exec -i NAME COMMAND < FILE" }
        fix { ko: "또는 파일로 넘깁니다: docent cp FILE NAME:/PATH", en: "or as a file: docent cp FILE NAME:/PATH" }
        exit Some(126);
        #[cfg(test)]
        sample { Fault::ArgumentsTooLong { command: s("/x"), longest: 132_096, total: 140_000 } }
        #[cfg(test)]
        sample { Fault::ArgumentsTooLong { command: s("/x"), longest: 9, total: 7_000_000 } }
    }

    NoSuchUser { user: String } => {
        (user) { ko: "{user} 사용자를 찾을 수 없습니다", en: "unable to find user {user}: no matching entries in passwd file" }
        cause {
            ko: "컨테이너의 /etc/passwd와 /etc/group에서만 찾습니다. 호스트의 사용자는 쓰지 않습니다.",
            en: "Only the container's own /etc/passwd and /etc/group are read, never the host's.",
        }
        fix { ko: "번호로 적습니다: -u 1000:1000", en: "give numbers: -u 1000:1000" }
        #[cfg(test)]
        sample { Fault::NoSuchUser { user: s("me") } }
    }

    NoSuchGroup { group: String } => {
        (group) { ko: "{group} 그룹을 찾을 수 없습니다", en: "unable to find group {group}: no matching entries in group file" }
        cause {
            ko: "컨테이너의 /etc/passwd와 /etc/group에서만 찾습니다. 호스트의 사용자는 쓰지 않습니다.",
            en: "Only the container's own /etc/passwd and /etc/group are read, never the host's.",
        }
        fix { ko: "번호로 적습니다: -u 1000:1000", en: "give numbers: -u 1000:1000" }
        #[cfg(test)]
        sample { Fault::NoSuchGroup { group: s("me") } }
    }

    /// A file of the container that docent would have to read is something else: `kind` is FIFO, socket, directory, device or proc.
    NotRegular { path: String, kind: String } => {
        (path, kind) {
            ko: "컨테이너의 {path} 경로가 일반 파일이 아닙니다 ({kind})",
            en: "{path} of the container is not a regular file ({kind})",
        }
        cause {
            ko: "사용자를 찾으려고 이 파일을 읽습니다. 일반 파일이 아니면 읽기가 끝나지 않거나 장치가 동작할 수 있어 열지 않았습니다.",
            en: "It is read to find the user. Anything but a file could block the reader or act as a device, so it was not opened.",
        }
        fix (path) {
            ko: "이미지의 {path} 경로에 일반 파일을 두세요. 없어도 번호로 쓸 수 있습니다: -u 1000:1000",
            en: "put a regular file at {path} of the image, or none at all: numbers need no entry (-u 1000:1000)",
        }
        #[cfg(test)]
        sample { Fault::NotRegular { path: s("/etc/passwd"), kind: s("FIFO") } }
    }

    BadWorkdir { path: String, errno: i32 } => {
        (path, errno = Errno(*errno)) {
            ko: "작업 디렉터리로 갈 수 없습니다: {path} · {errno}",
            en: "the working directory '{path}' is invalid: {errno}",
        }
        fix { ko: "-w 옵션에는 컨테이너 안의 디렉터리를 절대 경로로 적습니다", en: "-w takes an absolute path of a directory inside the container" }
        exit code(*errno).or(Some(126));
        #[cfg(test)]
        sample { Fault::BadWorkdir { path: s("/etc/x"), errno: libc::ENOENT } }
    }

    /// The image has a symlink or a file where a file system of this kind belongs.
    NotOrdinary { target: String, kind: String } => {
        (kind, target) {
            ko: "{kind} 파일 시스템을 마운트할 {target} 경로가 일반 디렉터리가 아닙니다",
            en: "filesystem \"{kind}\" must be mounted on ordinary directory: {target}",
        }
        cause {
            ko: "이미지에 심볼릭 링크나 파일이 있습니다. 링크를 따라가면 다른 곳에 마운트되어 호스트를 보호할 수 없으므로 실행하지 않았습니다.",
            en: "The image has a symlink or a file there. Followed, it would put the mount somewhere else and leave the host unprotected, so nothing was run.",
        }
        fix {
            ko: "믿을 수 있는 이미지를 쓰세요. 이미지를 직접 만들었다면 이 경로를 고치세요",
            en: "use an image that you trust; if you made this one, put that path right",
        }
        #[cfg(test)]
        sample { Fault::NotOrdinary { target: s("/proc"), kind: s("proc") } }
    }

    /// A directory where `source` is a file, or the other way round.
    OtherType { target: String, source: String } => {
        (source, target) {
            ko: "{source} 경로를 {target} 경로에 마운트할 수 없습니다: 하나는 디렉터리이고 하나는 파일입니다",
            en: "cannot mount {source} on {target}: not a directory: Are you trying to mount a directory onto a file (or vice-versa)?",
        }
        fix {
            ko: "믿을 수 있는 이미지를 쓰세요. 이미지를 직접 만들었다면 이 경로를 고치세요",
            en: "use an image that you trust; if you made this one, put that path right",
        }
        #[cfg(test)]
        sample { Fault::OtherType { target: s("/etc/hosts"), source: s("/hosts") } }
    }

    InsideProc { target: String } => {
        (target) {
            ko: "{target} 경로는 /proc 안에 있어서 마운트할 수 없습니다",
            en: "\"{target}\" cannot be mounted because it is inside /proc",
        }
        fix {
            ko: "믿을 수 있는 이미지를 쓰세요. 이미지를 직접 만들었다면 이 경로를 고치세요",
            en: "use an image that you trust; if you made this one, put that path right",
        }
        #[cfg(test)]
        sample { Fault::InsideProc { target: s("/etc/hosts") } }
    }

    PortTaken { ip: Option<String>, port: u16, proto: String, holder: Option<Holder> } => {
        (ip = shown_ip(ip.as_deref()), port, proto) {
            ko: "호스트의 {ip}:{port}/{proto} 포트를 열 수 없습니다",
            en: "Bind for {ip}:{port} failed: port is already allocated ({proto})",
        }
        cause if (holder.is_some()) (holder = holder.as_ref()) { "{holder}" }
        cause { ko: "다른 프로그램이나 컨테이너가 이미 그 포트를 쓰고 있습니다.", en: "Another program or container has it." }
        fix (port) { ko: "누구인지 보기: ss -ltnp 'sport = :{port}'", en: "see who: ss -ltnp 'sport = :{port}'" }
        fix (port = other_port(*port)) { ko: "다른 호스트 포트: -p {port}:80", en: "another host port: -p {port}:80" }
        #[cfg(test)]
        sample { Fault::PortTaken { ip: None, port: 8080, proto: s("tcp"), holder: None } }
        #[cfg(test)]
        sample { Fault::PortTaken { ip: None, port: 8080, proto: s("tcp"), holder: Some(Holder::Container { name: s("web") }) } }
    }

    /// A limit was asked for that this host cannot keep.
    LimitRefused { limit: String, why: String } => {
        (limit) { ko: "이 호스트는 제한을 지킬 수 없습니다: {limit}", en: "this host cannot keep the limit: {limit}" }
        cause (why) {
            ko: "{why} · 지킬 수 없는 제한을 무시하지 않으므로 실행하지 않았습니다.",
            en: "{why} · docent does not ignore a limit, so nothing was run.",
        }
        fix { "docent doctor" }
        #[cfg(test)]
        sample { Fault::LimitRefused { limit: s("--memory"), why: s("no memory controller") } }
    }

    /// -it without a terminal on standard input.
    NotATerminal => {
        { ko: "표준 입력이 터미널이 아닙니다 (-t)", en: "the input device is not a TTY" }
        fix { ko: "파이프로 입력할 때는 -t 없이 -i만 씁니다", en: "with piped input use -i without -t" }
        #[cfg(test)]
        sample { Fault::NotATerminal }
    }

    /// start -a, -i of several: one terminal shows one container.
    AttachesOne => {
        {
            ko: "한 번에 여러 컨테이너를 시작하면서 붙을 수는 없습니다",
            en: "you cannot start and attach multiple containers at once",
        }
        fix { ko: "docker start NAME NAME  (붙지 않고)", en: "docker start NAME NAME  (without attaching)" }
        #[cfg(test)]
        sample { Fault::AttachesOne }
    }

    NoFreeAddress { subnet: String } => {
        (subnet) { ko: "{subnet} 대역에 남은 주소가 없습니다", en: "no available IPv4 addresses on this network's address pools: {subnet}" }
        fix { ko: "쓰지 않는 컨테이너를 지웁니다: docent rm NAME", en: "remove containers that are not used: docent rm NAME" }
        #[cfg(test)]
        sample { Fault::NoFreeAddress { subnet: s("172.30.0.0/16") } }
    }

    /// The container's process, or an exec's, was killed by the kernel for memory on its way to its program.
    MemoryTooSmall { id: String, limit: Option<u64> } => {
        when (limit.is_none()) () {
            ko: "프로그램을 시작하기 전에 메모리가 모자라 커널이 프로세스를 종료했습니다 (OOM)",
            en: "container init was OOM-killed before its program ran",
        }
        (limit = limit.map(Memory)) {
            ko: "메모리 제한이 너무 작아 프로그램을 시작하지 못했습니다: {limit}",
            en: "container init was OOM-killed (memory limit too low?): {limit}",
        }
        cause {
            ko: "컨테이너를 준비하던 프로세스가 제한을 넘어서, 프로그램을 실행하기도 전에 커널이 메모리 부족(OOM)으로 종료했습니다.",
            en: "The process that was making the container ready went over the limit, and the kernel killed it before its program ran.",
        }
        fix if (limit.is_some()) { ko: "제한을 늘립니다: docker run -m 64m IMAGE", en: "a larger limit: docker run -m 64m IMAGE" }
        fix if (limit.is_none()) { "free -h" }
        #[cfg(test)]
        sample { Fault::MemoryTooSmall { id: s(ID), limit: Some(6 << 20) } }
        #[cfg(test)]
        sample { Fault::MemoryTooSmall { id: s(ID), limit: None } }
    }

    /// The same by somebody else's signal.
    KilledEarly { id: String, signal: i32 } => {
        (id = short(id), signal = signal_name(*signal)) {
            ko: "{id} 컨테이너의 프로세스가 프로그램을 실행하기 전에 {signal} 시그널로 종료되었습니다",
            en: "the process of {id} was killed by {signal} before its program ran",
        }
        cause {
            ko: "누군가 시그널을 보냈거나, 호스트의 메모리가 모자라 커널이 종료했습니다.",
            en: "Somebody sent the signal, or the kernel did for lack of memory on the host.",
        }
        fix { "dmesg | tail" }
        #[cfg(test)]
        sample { Fault::KilledEarly { id: s(ID), signal: libc::SIGKILL } }
    }

    /// The process that looks after the container died before it said that the container runs.
    MonitorDied { id: String } => {
        (id = short(id)) {
            ko: "{id} 컨테이너를 돌볼 프로세스가 시작하기 전에 사라졌습니다",
            en: "the process that looks after {id} died before the container ran",
        }
        cause {
            ko: "누군가 강제로 종료했거나, 메모리가 모자라 커널이 종료했습니다.",
            en: "It was killed, by somebody or by the kernel for lack of memory.",
        }
        fix (id = short(id)) { "docent start {id}" }
        #[cfg(test)]
        sample { Fault::MonitorDied { id: s(ID) } }
    }
    } };
}
