//! The host: what was cleaned up, written or found.

use crate::narrate::messages::messages;

messages! {
    cleaned[CLEAN](what) {
        ko: "강제로 끝난 명령이 남긴 것을 {v}: {what}",
        en: "{v} what a killed command had left: {what}",
    }
    left_nameless(what) {
        ko: "{what} 항목은 그대로 두었습니다 · 어느 저장소의 것인지 적혀 있지 않음",
        en: "left {what} as it is · it does not say whose it is",
    }
    left_unsure(what, by) {
        ko: "{what} 항목은 그대로 두었습니다 · 저장소가 다른 마운트 네임스페이스에 있어 사라졌는지 알 수 없음 ({by})",
        en: "left {what} as it is · its store lies in another mount namespace and may still be there ({by})",
    }
    left_needed(what, by) {
        ko: "커널 설정 {what} 값은 켜진 채로 두었습니다 · {by} 항목이 쓸 수 있음",
        en: "left the kernel setting {what} on · {by} may need it",
    }
    left_shared(what, by) {
        ko: "{what} 디렉터리는 남겼습니다 · docent의 것이 아닌 것이 있음: {by}",
        en: "left the directory {what} · there is more in it than docent's: {by}",
    }
    file_written[WRITE](path, size) { ko: "{path} 파일을 {v} · {size}", en: "{v} the file {path} · {size}" }
    probed(tier, kernel) { ko: "이 호스트를 살펴보았습니다 · {tier}, 커널 {kernel}", en: "looked at this host · {tier}, kernel {kernel}" }
}
