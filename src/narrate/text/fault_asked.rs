//! What was asked cannot be done: the sentence, the cause, the way out. English keeps Docker's wording where it has one.

use crate::event::messages::messages;

messages! {
    unknown_flag(word) { ko: "없는 옵션입니다: {word}", en: "unknown flag: {word}" }
    unknown_shorthand(letter, word) {
        ko: "없는 옵션입니다: {word} 안의 '{letter}'",
        en: "unknown shorthand flag: '{letter}' in {word}",
    }
    unknown_command(word) { ko: "없는 명령입니다: {word}", en: "unknown command: docent {word}" }
    missing_arguments(command, text) {
        ko: "{command} 명령에 꼭 필요한 인자가 빠졌습니다 ({text})",
        en: "\"{command}\" {text}",
    }
    conflict(word) { ko: "함께 쓸 수 없는 옵션입니다: {word}", en: "conflicting options: {word}" }
    too_many(command, word) {
        ko: "{command} 명령은 이 인자를 받지 않습니다: {word}",
        en: "\"{command}\" does not take this argument: {word}",
    }
    value_missing(word) { ko: "값이 있어야 하는 옵션입니다: {word}", en: "flag needs an argument: {word}" }
    not_utf8() {
        ko: "명령에 글자로 읽을 수 없는 바이트가 있습니다 (UTF-8이 아님)",
        en: "the command line has bytes that are no text (not UTF-8)",
    }
    usage_other(text) { ko: "명령을 이해하지 못했습니다: {text}", en: "cannot understand the command: {text}" }
    did_you_mean(suggestion) { ko: "혹시 이것을 쓰려고 하셨나요? {suggestion}", en: "did you mean: {suggestion}" }
    see_help(command) { ko: "사용법 보기: {command} --help", en: "see: {command} --help" }

    unsupported(what) { ko: "docent에 없는 기능입니다: {what}", en: "not supported by docent: {what}" }
    unsupported_cause() {
        ko: "Docker에는 있지만 docent에는 없습니다. 조용히 무시하지 않고 알려 드립니다.",
        en: "Docker has it; docent refuses it rather than ignore it.",
    }
    instead(instead) { ko: "대신 쓸 것: {instead}", en: "use instead: {instead}" }

    bad_value(flag, value) {
        ko: "{flag} 옵션의 값이 잘못되었습니다: {value}",
        en: "invalid argument \"{value}\" for \"{flag}\" flag",
    }
    bad_value_cause(expected) { ko: "받을 수 있는 값: {expected}", en: "expected: {expected}" }

    bad_signal(signal) { ko: "없는 시그널입니다: {signal}", en: "invalid signal: {signal}" }
    bad_signal_cause() {
        ko: "이름(TERM, SIGTERM)이나 번호(15)로 적습니다. 목록은 man 7 signal에 있습니다.",
        en: "A signal is written by its name (TERM, SIGTERM) or number (15); man 7 signal lists them.",
    }
    memory_too_low() {
        ko: "메모리 제한은 6MB보다 작을 수 없습니다",
        en: "Minimum memory limit allowed is 6MB",
    }
    memory_too_low_cause(value) {
        ko: "이보다 작으면 어떤 프로그램도 시작하지 못합니다 (--memory {value}).",
        en: "In less than that no program can even start (--memory {value}).",
    }

    bad_reference(text) { ko: "이미지 이름의 형식이 잘못되었습니다: {text}", en: "invalid reference format: {text}" }
    reference_empty() { ko: "이름이 비어 있습니다.", en: "The name is empty." }
    reference_uppercase() { ko: "이름은 소문자여야 합니다.", en: "repository name must be lowercase" }
    reference_characters() {
        ko: "소문자와 숫자, 그 사이의 기호(._-/)만 쓸 수 있습니다.",
        en: "Only lowercase letters and digits, with . _ - / between them.",
    }
    reference_tag() {
        ko: "태그는 문자, 숫자, 기호(._-)로 128자까지이고, 점이나 빼기 기호로 시작할 수 없습니다.",
        en: "A tag has letters, digits, . _ and -, at most 128 of them, and does not begin with . or -.",
    }
    reference_digest() {
        ko: "다이제스트는 sha256: 뒤에 16진수 64자리입니다.",
        en: "A digest is sha256: and 64 hexadecimal digits.",
    }
    reference_colon() { ko: "콜론(:) 뒤에 태그가 없습니다.", en: "Nothing follows the colon." }
    reference_dash() {
        ko: "옵션이라면 긴 줄표가 아니라 빼기 기호 두 개(--)로 시작합니다. 노트를 복사할 때 바뀌기 쉽습니다.",
        en: "If an option is meant: it begins with two hyphens (--), not with a long dash, which copying from notes often makes.",
    }
    reference_fix() { ko: "올바른 예: nginx, nginx:1.27, me/web:v2", en: "for example: nginx, nginx:1.27, me/web:v2" }

    bad_name(name) {
        ko: "컨테이너 이름으로 쓸 수 없습니다: {name}",
        en: "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
    }
    bad_name_cause() {
        ko: "영문자나 숫자로 시작하고, 영문자, 숫자, 기호(_.-)로 두 글자 이상이어야 합니다.",
        en: "It begins with a letter or digit, and has two or more letters, digits, _ . or -.",
    }
    bad_template(template) { ko: "--format 틀을 읽지 못했습니다: {template}", en: "template parsing error: {template}" }
    bad_template_fix() {
        ko: "올바른 예: ps --format '{{{{.Names}}}}' · inspect 필드 보기: docker inspect NAME",
        en: "for example: ps --format '{{{{.Names}}}}' · the fields of inspect: docker inspect NAME",
    }

    still_running(name, id) {
        ko: "실행 중인 {name} 컨테이너는 지울 수 없습니다 ({id})",
        en: "cannot remove container \"{name}\": container is running ({id})",
    }
    still_paused(name, id) {
        ko: "일시정지된 {name} 컨테이너는 지울 수 없습니다 ({id})",
        en: "cannot remove container \"{name}\": container is paused ({id})",
    }
    still_running_cause() {
        ko: "프로세스가 아직 있습니다.",
        en: "It still has processes: stop the container before removing or force remove.",
    }
    still_running_fix(name) { ko: "docent stop {name}  또는  docent rm -f {name}", en: "docent stop {name}  or  docent rm -f {name}" }
    not_running(name, id) { ko: "{name} 컨테이너가 실행 중이 아닙니다 ({id})", en: "container {name} is not running ({id})" }
    start_it(name) { ko: "docent start {name}", en: "docent start {name}" }
    is_paused(name, id) {
        ko: "{name} 컨테이너가 일시정지되어 있습니다 ({id})",
        en: "Container {name} is paused, unpause the container first ({id})",
    }
    unpause_it(name) { ko: "docent unpause {name}", en: "docent unpause {name}" }
    not_paused(name, id) {
        ko: "{name} 컨테이너는 일시정지 상태가 아닙니다 ({id})",
        en: "Container {name} is not paused ({id})",
    }
    see_ps() { ko: "docent ps -a 명령으로 상태를 볼 수 있습니다", en: "docent ps -a shows the states" }

    same_name(name) {
        ko: "새 이름이 지금 이름과 같습니다: {name}",
        en: "Renaming a container with the same name as its current name: {name}",
    }
    name_taken(name, by) {
        ko: "이름이 겹칩니다. \"/{name}\" 이름은 {by} 컨테이너가 이미 쓰고 있습니다",
        en: "Conflict. The container name \"/{name}\" is already in use by container \"{by}\".",
    }
    name_taken_cause() {
        ko: "멈춘 컨테이너도 지울 때까지 이름을 가집니다.",
        en: "You have to remove (or rename) that container to be able to reuse that name.",
    }
    name_taken_fix(name) {
        ko: "docent rm -f {name}  또는 다른 --name",
        en: "docent rm -f {name}  or another --name",
    }
    no_such_container(name) { ko: "컨테이너를 찾을 수 없습니다: {name}", en: "No such container: {name}" }
    ambiguous(prefix) {
        ko: "{prefix} 값으로 시작하는 ID가 여럿입니다",
        en: "multiple IDs found with provided prefix: {prefix}",
    }
    ambiguous_fix() { ko: "ID를 더 길게 적습니다", en: "write more of the id" }
    no_such_image(reference) {
        ko: "이 컴퓨터에 없는 이미지입니다: {reference}",
        en: "Unable to find image '{reference}' locally",
    }
    no_such_image_cause() {
        ko: "docent에는 아직 레지스트리에서 내려받는 기능이 없습니다.",
        en: "docent has no registry client yet, so nothing can be pulled.",
    }
    similar(names) { ko: "비슷한 이름: {names}", en: "similar names here: {names}" }
    load_it() { ko: "docent load -i FILE.tar  (docker save로 만든 파일)", en: "docent load -i FILE.tar  (made by docker save)" }
    use_built_in() {
        ko: "내장 이미지는 언제나 있습니다: nginx, tiny",
        en: "built in, and always here: nginx, tiny",
    }
    not_published(port, container) {
        ko: "{container} 컨테이너에는 공개된 {port} 포트가 없습니다",
        en: "No public port '{port}' published for {container}",
    }
    not_published_fix(container) { ko: "docent port {container}", en: "docent port {container}" }
    no_such_object(name) { ko: "그런 이름의 컨테이너나 이미지가 없습니다: {name}", en: "No such object: {name}" }
    see_both() { ko: "docent ps -a, docent images", en: "docent ps -a, docent images" }
    no_command(image) { ko: "실행할 명령이 없습니다: {image}", en: "no command specified: {image}" }
    no_command_cause() {
        ko: "이미지에도 명령줄에도 프로그램 이름이 없습니다.",
        en: "Neither the image nor the command line names a program.",
    }
    no_command_fix(image) { ko: "docent run {image} sh", en: "docent run {image} sh" }
}
