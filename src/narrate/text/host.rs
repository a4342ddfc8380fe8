//! The host: what was cleaned up, written or found.

use crate::narrate::messages::messages;

messages! {
    cleaned[CLEAN](what) {
        ko: "강제로 끝난 명령이 남긴 것을 {v}: {what}",
        en: "{v} what a killed command had left: {what}",
    }
    file_written[WRITE](path, size) { ko: "{path} 파일을 {v} · {size}", en: "{v} the file {path} · {size}" }
    probed(tier, kernel) { ko: "이 호스트를 살펴보았습니다 · {tier}, 커널 {kernel}", en: "looked at this host · {tier}, kernel {kernel}" }
}
