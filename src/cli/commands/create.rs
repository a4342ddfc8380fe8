//! `docker create`: make a container without starting it. `run` has the same flags.

use super::*;
use crate::cli::environment::{gather, parse_entry, process_environ};
use crate::cli::parsers;
use crate::cli::parsers::{
    PortSpec, parse_cpus, parse_hostname, parse_label, parse_memory, parse_name, parse_network, parse_pids,
    parse_publish, parse_signal, parse_timeout, parse_workdir,
};
use crate::container::{Config, CreateRequest, HostConfig, NetworkMode, PortBinding};
use crate::engine::create;
use crate::kernel::signals;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// 새 컨테이너를 만들기만 하고 실행하지는 않습니다 | Create a new container without starting it
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    pub flags: Flags,
}

// Without a doc comment, which would be the help of the command that it is flattened into.
#[derive(Debug, Args)]
pub struct Flags {
    /// 쓸 수 있는 CPU 수 | Number of CPUs
    #[arg(long, value_name = "decimal", value_parser = parse_cpus)]
    pub cpus: Option<u64>,
    /// 이미지의 ENTRYPOINT를 바꿉니다 | Overwrite the default ENTRYPOINT of the image
    #[arg(long, value_name = "string")]
    pub entrypoint: Option<String>,
    /// 환경 변수를 정합니다 | Set environment variables
    #[arg(short, long, value_name = "list", value_parser = parse_entry)]
    pub env: Vec<String>,
    /// 환경 변수를 파일에서 읽습니다 | Read in a file of environment variables
    #[arg(long, value_name = "list")]
    pub env_file: Vec<PathBuf>,
    /// 컨테이너의 호스트 이름 | Container host name
    #[arg(short = 'h', long, value_name = "string", value_parser = parse_hostname)]
    pub hostname: Option<String>,
    /// 붙어 있지 않아도 표준 입력을 열어 둡니다 | Keep STDIN open even if not attached
    #[arg(short, long)]
    pub interactive: bool,
    /// 컨테이너에 메타데이터를 붙입니다 | Set meta data on a container
    #[arg(short, long, value_name = "list", value_parser = parse_label)]
    pub label: Vec<(String, String)>,
    /// 메모리 제한 | Memory limit
    #[arg(short, long, value_name = "bytes", value_parser = parse_memory)]
    pub memory: Option<u64>,
    /// 컨테이너에 이름을 붙입니다 | Assign a name to the container
    #[arg(long, value_name = "string", value_parser = parse_name)]
    pub name: Option<String>,
    /// 연결할 네트워크: none, bridge, host | Connect a container to a network: none, bridge, host
    #[arg(long, alias = "net", value_name = "network", value_parser = parse_network)]
    pub network: Option<NetworkMode>,
    /// 프로세스 수 제한 (-1은 무제한) | Tune container pids limit (set -1 for unlimited)
    #[arg(long, value_name = "int", value_parser = parse_pids)]
    pub pids_limit: Option<i64>,
    /// 컨테이너의 포트를 호스트에 공개합니다 | Publish a container's port(s) to the host
    #[arg(short, long, value_name = "list", value_parser = parse_publish)]
    pub publish: Vec<PortSpec>,
    /// 컨테이너의 루트 파일 시스템을 읽기 전용으로 마운트합니다 | Mount the container's root filesystem as read only
    #[arg(long)]
    pub read_only: bool,
    /// 컨테이너가 끝나면 자동으로 지웁니다 | Automatically remove the container when it exits
    #[arg(long)]
    pub rm: bool,
    /// 컨테이너를 멈출 때 보낼 시그널 | Signal to stop the container
    #[arg(long, value_name = "string", value_parser = parse_signal)]
    pub stop_signal: Option<i32>,
    /// 강제로 끝내기 전에 기다릴 초 | Timeout (in seconds) to stop a container
    // Seconds; -1 waits for ever.
    #[arg(long, value_name = "int", value_parser = parse_timeout)]
    pub stop_timeout: Option<i64>,
    /// 가상 터미널을 만듭니다 | Allocate a pseudo-TTY
    #[arg(short, long)]
    pub tty: bool,
    /// 사용자 이름이나 UID | Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, value_name = "string")]
    pub user: Option<String>,
    /// 컨테이너 안의 작업 디렉터리 | Working directory inside the container
    #[arg(short, long, value_name = "string", value_parser = parse_workdir)]
    pub workdir: Option<String>,
    // IMAGE [COMMAND] [ARG...]: from the image on, nothing is a flag of docent's.
    #[arg(required = true, trailing_var_arg = true, value_name = "IMAGE [COMMAND] [ARG...]")]
    pub line: Vec<String>,
}

impl Flags {
    /// The flags as Docker's API takes them. Reads the files of `--env-file`.
    pub fn request(&self, detached: bool) -> Result<CreateRequest, Fault> {
        let cpu_milli = self.cpus.filter(|milli| *milli > 0);
        let cpus = std::thread::available_parallelism().map_or(1, |n| n.get());
        if let Some(milli) = cpu_milli.filter(|milli| *milli > cpus as u64 * 1000) {
            let value = format!("{}.{:03}", milli / 1000, milli % 1000);
            return Err(parsers::bad("--cpus", &value, &format!("0.01 .. {cpus}.00")));
        }
        let (image, command) = self.line.split_first().map(|(i, c)| (i.clone(), c.to_vec())).unwrap_or_default();
        let config = Config {
            hostname: self.hostname.clone(),
            user: self.user.clone(),
            attach_stdin: self.interactive && !detached,
            attach_stdout: !detached,
            attach_stderr: !detached,
            tty: self.tty,
            open_stdin: self.interactive,
            stdin_once: self.interactive && !detached,
            env: gather(&self.env_file, &self.env, &process_environ)?,
            cmd: (!command.is_empty()).then_some(command),
            image,
            working_dir: self.workdir.clone(),
            entrypoint: self.entrypoint.clone().map(|program| vec![program]),
            labels: self.label.iter().cloned().collect(),
            stop_signal: self.stop_signal.map(signals::name),
            stop_timeout: self.stop_timeout,
            ..Config::default()
        };
        let mut port_bindings: BTreeMap<String, Vec<PortBinding>> = BTreeMap::new();
        for (port, binding) in self.publish.iter().flat_map(|spec| &spec.0) {
            port_bindings.entry(port.clone()).or_default().push(binding.clone());
        }
        let host_config = HostConfig {
            network_mode: self.network.unwrap_or(NetworkMode::Bridge),
            port_bindings,
            auto_remove: self.rm,
            readonly_rootfs: self.read_only,
            memory: self.memory.filter(|bytes| *bytes > 0),
            nano_cpus: cpu_milli.map(|milli| milli * 1_000_000),
            pids_limit: self.pids_limit.filter(|n| *n > 0),
            ..HostConfig::default()
        };
        Ok(CreateRequest { name: self.name.clone(), config, host_config, networking_config: Default::default() })
    }
}

impl Command for Create {
    const PATHS: &'static [&'static str] = &["container create", "create"];
    const EXAMPLE: &'static str = "docker create -it --name container-test1 tiny";
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let id = context.carry_out(create::plan(self.flags.request(false)?))?.container()?.id.clone();
        context.narrate();
        context.print(&format!("{id}\n"));
        Ok(0)
    }

    fn plans(&self, _: &Store) -> Result<Vec<Plan>, Fault> {
        Ok(vec![create::plan(self.flags.request(false)?)])
    }
}
