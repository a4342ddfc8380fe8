//! Running a program went wrong.

use crate::event::messages::messages;

messages! {
    command_not_found(command) {
        ko: "실행 파일을 찾을 수 없습니다: {command}",
        en: "exec: \"{command}\": executable file not found in $PATH",
    }
    command_not_found_cause(container) {
        ko: "{container} 컨테이너의 PATH 어디에도 그 이름의 프로그램이 없습니다. 호스트의 프로그램은 보이지 않습니다.",
        en: "Nothing of that name is in the PATH of {container}; programs of the host cannot be seen from inside.",
    }
    try_sh() { ko: "bash가 없는 이미지라면 sh를 씁니다", en: "an image without bash mostly has sh" }
    list_programs() { ko: "docent run --rm IMAGE ls /bin /usr/bin", en: "docent run --rm IMAGE ls /bin /usr/bin" }
    options_first() {
        ko: "옵션은 이미지 이름보다 앞에 씁니다: docent run [OPTIONS] IMAGE [COMMAND]",
        en: "options stand before the image: docent run [OPTIONS] IMAGE [COMMAND]",
    }
    not_executable(command, errno) {
        ko: "실행할 수 없는 파일입니다: {command} · {errno}",
        en: "exec: \"{command}\": {errno}",
    }
    not_executable_eacces(container) {
        ko: "{container} 컨테이너의 이 파일은 디렉터리이거나, 실행 권한(x)이 없습니다.",
        en: "In {container} it is a directory, or it lacks the x permission.",
    }
    not_executable_format(container) {
        ko: "{container} 컨테이너의 이 파일은 이 CPU의 프로그램도, #! 줄로 시작하는 스크립트도 아닙니다.",
        en: "In {container} it is neither a program for this CPU nor a script with a #! line.",
    }
    not_executable_noent(container) {
        ko: "{container} 컨테이너에 이 파일이나, 이 파일이 부르는 인터프리터(#! 또는 동적 링커)가 없습니다.",
        en: "{container} lacks this file, or the interpreter it asks for (its #! line or dynamic linker).",
    }
    not_executable_other(container) {
        ko: "{container} 컨테이너에서 커널이 실행을 거부했습니다.",
        en: "The kernel refused to run it in {container}.",
    }
    chmod_it() { ko: "chmod +x FILE, 그다음 docent cp", en: "chmod +x FILE, then docent cp" }
    by_sh() { ko: "sh FILE 형태로 실행합니다", en: "run it as: sh FILE" }
    no_such_user(user) {
        ko: "{user} 사용자를 찾을 수 없습니다",
        en: "unable to find user {user}: no matching entries in passwd file",
    }
    no_such_group(group) {
        ko: "{group} 그룹을 찾을 수 없습니다",
        en: "unable to find group {group}: no matching entries in group file",
    }
    no_such_user_cause() {
        ko: "컨테이너의 /etc/passwd와 /etc/group에서만 찾습니다. 호스트의 사용자는 쓰지 않습니다.",
        en: "Only the container's own /etc/passwd and /etc/group are read, never the host's.",
    }
    no_such_user_fix() { ko: "번호로 적습니다: -u 1000:1000", en: "give numbers: -u 1000:1000" }
    not_regular(path, kind) {
        ko: "컨테이너의 {path} 경로가 일반 파일이 아닙니다 ({kind})",
        en: "{path} of the container is not a regular file ({kind})",
    }
    not_regular_cause() {
        ko: "사용자를 찾으려고 이 파일을 읽습니다. 일반 파일이 아니면 읽기가 끝나지 않거나 장치가 동작할 수 있어 열지 않았습니다.",
        en: "It is read to find the user. Anything but a file could block the reader or act as a device, so it was not opened.",
    }
    not_regular_fix(path) {
        ko: "이미지의 {path} 경로에 일반 파일을 두세요. 없어도 번호로 쓸 수 있습니다: -u 1000:1000",
        en: "put a regular file at {path} of the image, or none at all: numbers need no entry (-u 1000:1000)",
    }
    bad_workdir(path, errno) {
        ko: "작업 디렉터리로 갈 수 없습니다: {path} · {errno}",
        en: "the working directory '{path}' is invalid: {errno}",
    }
    bad_workdir_fix() {
        ko: "-w 옵션에는 컨테이너 안의 디렉터리를 절대 경로로 적습니다",
        en: "-w takes an absolute path of a directory inside the container",
    }
    not_ordinary(kind, target) {
        ko: "{kind} 파일 시스템을 마운트할 {target} 경로가 일반 디렉터리가 아닙니다",
        en: "filesystem \"{kind}\" must be mounted on ordinary directory: {target}",
    }
    not_ordinary_cause() {
        ko: "이미지에 심볼릭 링크나 파일이 있습니다. 링크를 따라가면 다른 곳에 마운트되어 호스트를 보호할 수 없으므로 실행하지 않았습니다.",
        en: "The image has a symlink or a file there. Followed, it would put the mount somewhere else and leave the host unprotected, so nothing was run.",
    }
    mount_type(source, target) {
        ko: "{source} 경로를 {target} 경로에 마운트할 수 없습니다: 하나는 디렉터리이고 하나는 파일입니다",
        en: "cannot mount {source} on {target}: not a directory: Are you trying to mount a directory onto a file (or vice-versa)?",
    }
    inside_proc(target) {
        ko: "{target} 경로는 /proc 안에 있어서 마운트할 수 없습니다",
        en: "\"{target}\" cannot be mounted because it is inside /proc",
    }
    mount_target_fix() {
        ko: "믿을 수 있는 이미지를 쓰세요. 이미지를 직접 만들었다면 이 경로를 고치세요",
        en: "use an image that you trust; if you made this one, put that path right",
    }
    port_taken(ip, port, proto) {
        ko: "호스트의 {ip}:{port}/{proto} 포트를 열 수 없습니다",
        en: "Bind for {ip}:{port} failed: port is already allocated ({proto})",
    }
    port_taken_cause() {
        ko: "다른 프로그램이나 컨테이너가 이미 그 포트를 쓰고 있습니다.",
        en: "Another program or container has it.",
    }
    port_taken_see(port) { ko: "누구인지 보기: ss -ltnp 'sport = :{port}'", en: "see who: ss -ltnp 'sport = :{port}'" }
    port_taken_other(port) { ko: "다른 호스트 포트: -p {port}:80", en: "another host port: -p {port}:80" }
    limit_refused(limit) {
        ko: "이 호스트는 제한을 지킬 수 없습니다: {limit}",
        en: "this host cannot keep the limit: {limit}",
    }
    limit_refused_cause(why) {
        ko: "{why} · 지킬 수 없는 제한을 무시하지 않으므로 실행하지 않았습니다.",
        en: "{why} · docent does not ignore a limit, so nothing was run.",
    }
    see_doctor() { ko: "docent doctor", en: "docent doctor" }
    not_a_terminal() {
        ko: "표준 입력이 터미널이 아닙니다 (-t)",
        en: "the input device is not a TTY",
    }
    not_a_terminal_fix() {
        ko: "파이프로 입력할 때는 -t 없이 -i만 씁니다",
        en: "with piped input use -i without -t",
    }
    no_free_address(subnet) {
        ko: "{subnet} 대역에 남은 주소가 없습니다",
        en: "no available IPv4 addresses on this network's address pools: {subnet}",
    }
    no_free_address_fix() {
        ko: "쓰지 않는 컨테이너를 지웁니다: docent rm NAME",
        en: "remove containers that are not used: docent rm NAME",
    }
    monitor_died(id) {
        ko: "{id} 컨테이너를 돌볼 프로세스가 시작하기 전에 사라졌습니다",
        en: "the process that looks after {id} died before the container ran",
    }
    monitor_died_cause() {
        ko: "누군가 강제로 종료했거나, 메모리가 모자라 커널이 종료했습니다.",
        en: "It was killed, by somebody or by the kernel for lack of memory.",
    }
    monitor_died_fix(id) { ko: "docent start {id}", en: "docent start {id}" }
}
