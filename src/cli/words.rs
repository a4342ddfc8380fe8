//! What `--help` says about each command and flag, in both languages side by side. A test walks the command tree and fails
//! where a line is missing in either, or says something of nothing.

use super::lang::Lang;

pub(super) struct Words {
    ko: &'static str,
    en: &'static str,
}

impl Words {
    pub(super) fn of(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::Ko => self.ko,
            Lang::En => self.en,
        }
    }
}

const fn w(ko: &'static str, en: &'static str) -> Words {
    Words { ko, en }
}

pub(super) const USAGE: Words = w("사용법:", "Usage:");
pub(super) const ALIASES: Words = w("같은 명령:", "Aliases:");
pub(super) const OPTIONS: Words = w("옵션:", "Options:");
pub(super) const GLOBAL: Words = w("모든 명령에 쓰는 옵션:", "Options of every command:");
pub(super) const COMMANDS: Words = w("명령:", "Commands:");
pub(super) const DEFAULT: Words = w("기본값", "default");
pub(super) const MORE: Words = w(
    "명령 하나의 설명은 'docent COMMAND --help'로 볼 수 있습니다.",
    "Run 'docent COMMAND --help' for more information on a command.",
);

/// Commands by their path; a command under `container` that is not here reads like the one without it.
pub(super) const ABOUT: &[(&str, Words)] = &[
    (
        "",
        w(
            "스스로 설명하는 컨테이너 엔진입니다. 명령 없이 실행하면 대화형 세션이 열립니다.",
            "A container engine that explains itself. Without a command it opens an interactive session.",
        ),
    ),
    ("run", w("이미지로 새 컨테이너를 만들어 실행합니다", "Create and run a new container from an image")),
    ("create", w("새 컨테이너를 만들기만 하고 실행하지는 않습니다", "Create a new container without starting it")),
    ("start", w("멈춘 컨테이너를 시작합니다", "Start one or more stopped containers")),
    ("stop", w("실행 중인 컨테이너를 멈춥니다", "Stop one or more running containers")),
    ("kill", w("실행 중인 컨테이너에 시그널을 보냅니다 (기본은 KILL)", "Kill one or more running containers")),
    ("rm", w("컨테이너를 지웁니다", "Remove one or more containers")),
    ("ps", w("컨테이너 목록을 보여 줍니다", "List containers")),
    ("container ls", w("컨테이너 목록을 보여 줍니다", "List containers")),
    ("logs", w("컨테이너가 출력한 로그를 보여 줍니다", "Fetch the logs of a container")),
    ("exec", w("실행 중인 컨테이너 안에서 명령을 실행합니다", "Execute a command in a running container")),
    (
        "cp",
        w(
            "컨테이너와 이 컴퓨터 사이에서 파일을 복사합니다",
            "Copy files/folders between a container and the local filesystem",
        ),
    ),
    ("pause", w("컨테이너의 모든 프로세스를 일시정지합니다", "Pause all processes within one or more containers")),
    ("unpause", w("일시정지한 컨테이너를 다시 움직입니다", "Unpause all processes within one or more containers")),
    (
        "inspect",
        w("컨테이너나 이미지의 자세한 정보를 JSON으로 보여 줍니다", "Return low-level information on Docker objects"),
    ),
    (
        "container inspect",
        w("컨테이너의 자세한 정보를 JSON으로 보여 줍니다", "Display detailed information on one or more containers"),
    ),
    (
        "image inspect",
        w("이미지의 자세한 정보를 JSON으로 보여 줍니다", "Display detailed information on one or more images"),
    ),
    (
        "diff",
        w(
            "컨테이너의 쓰기 레이어에서 바뀐 파일을 보여 줍니다",
            "Inspect changes to files or directories on a container's filesystem",
        ),
    ),
    ("images", w("이미지 목록을 보여 줍니다", "List images")),
    ("image ls", w("이미지 목록을 보여 줍니다", "List images")),
    ("load", w("tar 아카이브나 표준 입력에서 이미지를 읽어 들입니다", "Load an image from a tar archive or STDIN")),
    (
        "image load",
        w("tar 아카이브나 표준 입력에서 이미지를 읽어 들입니다", "Load an image from a tar archive or STDIN"),
    ),
    ("version", w("버전 정보를 보여 줍니다", "Show the version information")),
    ("container", w("컨테이너를 다룹니다", "Manage containers")),
    ("image", w("이미지를 다룹니다", "Manage images")),
    (
        "explain",
        w(
            "지난 명령이 한 일을 다시 설명합니다. '--' 뒤의 명령은 실행하지 않고 미리 설명합니다",
            "Retell what a command did; with '--', tell what a command would do without doing it",
        ),
    ),
    ("verify", w("지난 명령의 증거가 지금도 맞는지 확인합니다", "Check whether the proofs of a command still hold")),
    (
        "doctor",
        w(
            "이 컴퓨터에서 컨테이너를 실행할 수 있는지, 없다면 해결책을 알려 줍니다",
            "Tell whether containers can run on this machine, and what to do if not",
        ),
    ),
    ("lab", w("실습을 합니다", "Work on the guided labs")),
    ("lab list", w("실습 목록과 진행 상황을 보여 줍니다", "List the labs and how far you are")),
    ("lab start", w("실습을 시작합니다", "Start a lab")),
    ("lab status", w("시작한 실습의 과제와 점수를 보여 줍니다", "Show the tasks and points of the lab you are in")),
    ("lab hint", w("지금 과제의 힌트를 보여 줍니다", "Give a hint for the task at hand")),
    ("lab check", w("시작한 실습의 과제를 지금 검사합니다", "Check the tasks of the lab now")),
    ("lab reset", w("시작한 실습을 처음으로 되돌립니다", "Start the lab over")),
    ("lab guide", w("실습 안내를 보여 줍니다", "Show the guide of a lab")),
    ("grade", w("제출한 스크립트를 다시 실행하여 채점합니다", "Grade a submission by executing it again")),
    ("book", w("교재의 장을 읽습니다", "Read a chapter of the book")),
    ("journal", w("지금까지 실행한 명령의 기록을 보여 줍니다", "Show the record of the commands so far")),
    ("journal list", w("기록된 명령의 목록을 보여 줍니다", "List the recorded commands")),
    ("journal show", w("명령 하나의 기록을 보여 줍니다", "Show the record of one command")),
    ("help", w("명령의 사용법을 보여 줍니다", "Show how a command is used")),
];

/// Flags by the last word of their command; "" serves every command that has no words of its own.
pub(super) const FLAGS: &[(&str, &str, Words)] = &[
    ("", "root", w("모든 것을 두는 디렉터리 (DOCENT_ROOT)", "Directory that holds everything (DOCENT_ROOT)")),
    ("", "lang", w("언어 (DOCENT_LANG)", "Language (DOCENT_LANG)")),
    (
        "",
        "narrate",
        w(
            "얼마나 설명할지: off, brief, learn, full, deep, json (DOCENT_NARRATE)",
            "How much is told: off, brief, learn, full, deep, json (DOCENT_NARRATE)",
        ),
    ),
    ("", "narrate-to", w("설명을 적을 파일", "File that the narration is written to")),
    ("", "help", w("사용법을 보여 줍니다", "Print usage")),
    ("", "version", w("버전을 보여 주고 끝냅니다", "Print version information and quit")),
    (
        "",
        "detach",
        w("배경에서 실행하고 컨테이너 ID를 출력합니다", "Run container in background and print container ID"),
    ),
    ("exec", "detach", w("명령을 배경에서 실행합니다", "Detached mode: run command in the background")),
    ("", "cpus", w("쓸 수 있는 CPU 수", "Number of CPUs")),
    ("", "entrypoint", w("이미지의 ENTRYPOINT를 바꿉니다", "Overwrite the default ENTRYPOINT of the image")),
    ("", "env", w("환경 변수를 정합니다", "Set environment variables")),
    ("", "env-file", w("환경 변수를 파일에서 읽습니다", "Read in a file of environment variables")),
    ("", "hostname", w("컨테이너의 호스트 이름", "Container host name")),
    ("", "interactive", w("붙어 있지 않아도 표준 입력을 열어 둡니다", "Keep STDIN open even if not attached")),
    ("start", "interactive", w("컨테이너의 표준 입력에 붙습니다", "Attach container's STDIN")),
    ("", "label", w("컨테이너에 메타데이터를 붙입니다", "Set meta data on a container")),
    ("", "memory", w("메모리 제한", "Memory limit")),
    ("", "name", w("컨테이너에 이름을 붙입니다", "Assign a name to the container")),
    ("", "network", w("연결할 네트워크: none, bridge, host", "Connect a container to a network: none, bridge, host")),
    ("", "pids-limit", w("프로세스 수 제한 (-1은 무제한)", "Tune container pids limit (set -1 for unlimited)")),
    ("", "publish", w("컨테이너의 포트를 호스트에 공개합니다", "Publish a container's port(s) to the host")),
    ("", "rm", w("컨테이너가 끝나면 자동으로 지웁니다", "Automatically remove the container when it exits")),
    ("", "stop-signal", w("컨테이너를 멈출 때 보낼 시그널", "Signal to stop the container")),
    ("", "stop-timeout", w("강제로 끝내기 전에 기다릴 초", "Timeout (in seconds) to stop a container")),
    ("", "tty", w("가상 터미널을 만듭니다", "Allocate a pseudo-TTY")),
    ("", "user", w("사용자 이름이나 UID", "Username or UID (format: <name|uid>[:<group|gid>])")),
    ("", "workdir", w("컨테이너 안의 작업 디렉터리", "Working directory inside the container")),
    ("", "attach", w("출력을 보여 주고 시그널을 전달합니다", "Attach STDOUT/STDERR and forward signals")),
    ("", "signal", w("컨테이너에 보낼 시그널", "Signal to send to the container")),
    ("", "timeout", w("강제로 끝내기 전에 기다릴 초", "Seconds to wait before killing the container")),
    (
        "rm",
        "force",
        w("실행 중이어도 강제로 지웁니다 (SIGKILL)", "Force the removal of a running container (uses SIGKILL)"),
    ),
    ("rm", "volumes", w("컨테이너의 익명 볼륨도 지웁니다", "Remove anonymous volumes associated with the container")),
    ("ps", "all", w("멈춘 컨테이너도 보여 줍니다", "Show all containers (default shows just running)")),
    ("images", "all", w("모든 이미지를 보여 줍니다", "Show all images")),
    ("", "digests", w("다이제스트를 보여 줍니다", "Show digests")),
    ("", "filter", w("조건에 맞는 것만 보여 줍니다", "Filter output based on conditions provided")),
    (
        "",
        "format",
        w(
            "출력 형식: 'table', 'table TEMPLATE', 'json', 'TEMPLATE' (Go 템플릿)",
            "Format output: 'table', 'table TEMPLATE', 'json', 'TEMPLATE' (a Go template)",
        ),
    ),
    (
        "inspect",
        "format",
        w("출력 형식: 'json', 'TEMPLATE' (Go 템플릿)", "Format output: 'json', 'TEMPLATE' (a Go template)"),
    ),
    (
        "version",
        "format",
        w("출력 형식: 'json', 'TEMPLATE' (Go 템플릿)", "Format output: 'json', 'TEMPLATE' (a Go template)"),
    ),
    (
        "",
        "last",
        w("마지막에 만든 n개를 보여 줍니다 (상태에 상관없이)", "Show n last created containers (includes all states)"),
    ),
    (
        "",
        "latest",
        w(
            "마지막에 만든 하나를 보여 줍니다 (상태에 상관없이)",
            "Show the latest created container (includes all states)",
        ),
    ),
    ("", "no-trunc", w("출력을 자르지 않습니다", "Don't truncate output")),
    ("ps", "quiet", w("컨테이너 ID만 보여 줍니다", "Only display container IDs")),
    ("images", "quiet", w("이미지 ID만 보여 줍니다", "Only show image IDs")),
    ("cp", "quiet", w("진행 상황을 보여 주지 않습니다", "Suppress progress output during copy")),
    ("load", "quiet", w("진행 상황을 보여 주지 않습니다", "Suppress the load output")),
    ("", "follow", w("새로 나오는 로그를 계속 보여 줍니다", "Follow log output")),
    ("", "tail", w("끝에서부터 보여 줄 줄 수", "Number of lines to show from the end of the logs")),
    ("", "timestamps", w("시각을 함께 보여 줍니다", "Show timestamps")),
    ("cp", "archive", w("소유자(uid/gid)까지 그대로 복사합니다", "Archive mode (copy all uid/gid information)")),
    ("cp", "follow-link", w("SRC_PATH의 심볼릭 링크를 따라갑니다", "Always follow symbol link in SRC_PATH")),
    ("inspect", "type", w("찾을 종류: container, image", "Only inspect objects of the given type: container, image")),
    ("load", "input", w("표준 입력 대신 읽을 tar 아카이브", "Read from tar archive file, instead of STDIN")),
    ("explain", "level", w("설명의 깊이: brief, learn, full, deep, json", "How deep: brief, learn, full, deep, json")),
    ("grade", "format", w("결과의 형식: human, json", "Form of the result: human, json")),
    ("grade", "student", w("학생마다 다른 값을 정하는 학번", "Student whose seeded values are used")),
    ("grade", "secret", w("강좌의 비밀이 든 파일", "File with the course's secret")),
    ("grade", "labs", w("내장된 실습 대신 쓸 실습 디렉터리", "Directory of labs to use instead of the built-in ones")),
];

/// The group's spelling of a command, or the same command at the top.
fn same(path: &str) -> &str {
    match path {
        "container ls" => "ps",
        "image ls" => "images",
        "image load" => "load",
        other => other.strip_prefix("container ").unwrap_or(other),
    }
}

pub(super) fn about(path: &[String], lang: Lang) -> Option<&'static str> {
    let path = path.join(" ");
    let find = |name: &str| ABOUT.iter().find(|(n, _)| *n == name).map(|(_, words)| words.of(lang));
    find(&path).or_else(|| find(same(&path)))
}

pub(super) fn flag(path: &[String], long: &str, lang: Lang) -> Option<&'static str> {
    let path = path.join(" ");
    let command = same(&path).rsplit(' ').next().unwrap_or_default();
    let find = |name: &str| FLAGS.iter().find(|(c, l, _)| *c == name && *l == long).map(|(_, _, words)| words.of(lang));
    find(command).or_else(|| find(""))
}
