//! The verbs of the story. Korean: past, present, negated past. English: past, infinitive.

use super::lang::Verb;

macro_rules! verbs {
    ($($name:ident { ko: $ko:expr, en: $en:expr })*) => {
        $(pub(crate) const $name: Verb = Verb { ko: $ko, en: $en };)*
    };
}

verbs! {
    MAKE { ko: ["만들었습니다", "만듭니다", "만들지 못했습니다"], en: ["made", "make"] }
    WRITE { ko: ["썼습니다", "씁니다", "쓰지 못했습니다"], en: ["wrote", "write"] }
    READ { ko: ["읽었습니다", "읽습니다", "읽지 못했습니다"], en: ["read", "read"] }
    UNPACK { ko: ["풀었습니다", "풉니다", "풀지 못했습니다"], en: ["unpacked", "unpack"] }
    ATTACH { ko: ["붙였습니다", "붙입니다", "붙이지 못했습니다"], en: ["put", "put"] }
    START { ko: ["시작했습니다", "시작합니다", "시작하지 못했습니다"], en: ["started", "start"] }
    REMOVE { ko: ["지웠습니다", "지웁니다", "지우지 못했습니다"], en: ["removed", "remove"] }
    ENTER { ko: ["들어갔습니다", "들어갑니다", "들어가지 못했습니다"], en: ["entered", "enter"] }
    SET { ko: ["정했습니다", "정합니다", "정하지 못했습니다"], en: ["set", "set"] }
    MOVE { ko: ["옮겼습니다", "옮깁니다", "옮기지 못했습니다"], en: ["moved", "move"] }
    FREEZE { ko: ["멈췄습니다", "멈춥니다", "멈추지 못했습니다"], en: ["froze", "freeze"] }
    THAW { ko: ["다시 움직이게 했습니다", "다시 움직이게 합니다", "다시 움직이게 하지 못했습니다"], en: ["thawed", "thaw"] }
    CONFINE { ko: ["않게 했습니다", "않게 합니다", "않게 하지 못했습니다"], en: ["kept", "keep"] }
    STACK { ko: ["얹었습니다", "얹습니다", "얹지 못했습니다"], en: ["put", "put"] }
    MOUNT { ko: ["마운트했습니다", "마운트합니다", "마운트하지 못했습니다"], en: ["mounted", "mount"] }
    SHOW { ko: ["보이게 했습니다", "보이게 합니다", "보이게 하지 못했습니다"], en: ["showed", "show"] }
    HIDE { ko: ["가렸습니다", "가립니다", "가리지 못했습니다"], en: ["hid", "hide"] }
    CHANGE { ko: ["바꿨습니다", "바꿉니다", "바꾸지 못했습니다"], en: ["changed", "change"] }
    COPY { ko: ["복사했습니다", "복사합니다", "복사하지 못했습니다"], en: ["copied", "copy"] }
    CONNECT { ko: ["이었습니다", "잇습니다", "잇지 못했습니다"], en: ["connected", "connect"] }
    GIVE { ko: ["주었습니다", "줍니다", "주지 못했습니다"], en: ["gave", "give"] }
    OPEN { ko: ["열었습니다", "엽니다", "열지 못했습니다"], en: ["opened", "open"] }
    KEEP { ko: ["남겼습니다", "남깁니다", "남기지 못했습니다"], en: ["kept", "keep"] }
    INSTALL { ko: ["걸었습니다", "겁니다", "걸지 못했습니다"], en: ["installed", "install"] }
    FORBID { ko: ["막았습니다", "막습니다", "막지 못했습니다"], en: ["forbade", "forbid"] }
    ALLOW { ko: ["허용했습니다", "허용합니다", "허용하지 못했습니다"], en: ["allowed", "allow"] }
    SEND { ko: ["보냈습니다", "보냅니다", "보내지 못했습니다"], en: ["sent", "send"] }
    RUN { ko: ["실행했습니다", "실행합니다", "실행하지 못했습니다"], en: ["ran", "run"] }
    CLEAN { ko: ["치웠습니다", "치웁니다", "치우지 못했습니다"], en: ["cleaned up", "clean up"] }
    LIGHT { ko: ["켰습니다", "켭니다", "켜지 못했습니다"], en: ["brought up", "bring up"] }
    SEAL { ko: ["막아 두었습니다", "막아 둡니다", "막아 두지 못했습니다"], en: ["sealed", "seal"] }
    PLACE { ko: ["두기로 했습니다", "둡니다", "두지 못했습니다"], en: ["placed", "place"] }
    TAKE { ko: ["마쳤습니다", "거칩니다", "마치지 못했습니다"], en: ["took", "take"] }
    TIE { ko: ["묶었습니다", "묶습니다", "묶지 못했습니다"], en: ["tied", "tie"] }
}
