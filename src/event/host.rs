//! The host: what was found here, cleaned up, or done in another way than the usual one.

use super::{Block, Lang, SysError, Word};
use serde::{Deserialize, Serialize};

/// Which of the four worlds this host is (design: tiers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Tier {
    /// root
    T0,
    /// rootless with id ranges
    T1,
    /// rootless, one id
    T2,
    /// no user namespaces: image work only
    T3,
}

/// What `doctor` found, by attempting the real thing in a disposable child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Probe {
    pub tier: Tier,
    pub kernel: String,
    pub uid: u32,
    /// 1, 2, or 0 for none.
    #[serde(rename = "cgroup_version", alias = "cgroup")]
    pub cgroup: u8,
    /// Controllers that can be used, by name.
    pub controllers: Vec<String>,
    pub shown: Vec<Shown>,
}

/// One line of the doctor's verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Shown {
    /// `namespaces`, `overlay`, `cgroup`, `bridge`, `nat`, `id-ranges`, `freezer`, …
    pub what: String,
    pub ok: bool,
    /// Needed for containers to run at all; otherwise only something less is possible.
    pub required: bool,
    pub error: Option<SysError>,
    pub detail: String,
}

impl Word for Tier {
    fn word(&self, lang: Lang) -> String {
        let (ko, en) = match self {
            Tier::T0 => ("T0 (root)", "T0 (root)"),
            Tier::T1 => ("T1 (rootless, 여러 ID)", "T1 (rootless, a range of ids)"),
            Tier::T2 => ("T2 (rootless, ID 하나)", "T2 (rootless, one id)"),
            Tier::T3 => ("T3 (사용자 네임스페이스 없음)", "T3 (no user namespaces)"),
        };
        (if lang == Lang::Ko { ko } else { en }).into()
    }
}

/// Why something is left as it is; each goes with what stands in `by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// The store that it belongs to lies in another mount namespace, or is not named: whether it is gone cannot be known.
    Unsure,
    /// Somebody else may need it.
    Needed,
    /// There is more in it than docent's.
    Shared,
}

/// Reasons for another way: what the learner reads, in full and folded, and what brings the usual way back.
macro_rules! fallbacks {
    ($(
        $(#[$doc:meta])*
        $variant:ident $key:literal in $block:ident {
            ko: $ko:literal, en: $en:literal,
            short { ko: $short_ko:literal, en: $short_en:literal }
            $(fix { ko: $fix_ko:literal, en: $fix_en:literal })?
        }
    )*) => {
        /// Reasons for taking another way, each with its own sentence.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum FaultPoint { $($(#[$doc])* $variant),* }

        impl FaultPoint {
            #[cfg(test)]
            pub const ALL: &[FaultPoint] = &[$(FaultPoint::$variant),*];

            /// Stable: it stands in the learner's record.
            pub fn key(self) -> &'static str {
                match self { $(FaultPoint::$variant => $key),* }
            }

            pub fn block(self) -> Block {
                match self { $(FaultPoint::$variant => Block::$block),* }
            }

            /// Why another way was taken.
            pub fn why(self, lang: Lang, what: &str) -> String {
                match (self, lang) { $(
                    (FaultPoint::$variant, Lang::Ko) => $ko,
                    (FaultPoint::$variant, Lang::En) => $en,
                )* }.replace("{what}", what)
            }

            pub fn short(self, lang: Lang, what: &str) -> String {
                match (self, lang) { $(
                    (FaultPoint::$variant, Lang::Ko) => $short_ko,
                    (FaultPoint::$variant, Lang::En) => $short_en,
                )* }.replace("{what}", what)
            }

            /// What would bring the usual way back.
            pub fn fix(self, lang: Lang) -> Option<&'static str> {
                match (self, lang) {
                    $($((FaultPoint::$variant, Lang::Ko) => Some($fix_ko),
                    (FaultPoint::$variant, Lang::En) => Some($fix_en),)?)*
                    _ => None,
                }
            }

            #[cfg(test)]
            pub(crate) fn rows() -> Vec<super::Row> {
                vec![$(
                    super::Row { name: $key, ko: $ko, en: $en },
                    super::Row { name: $key, ko: $short_ko, en: $short_en },
                    $(super::Row { name: $key, ko: $fix_ko, en: $fix_en },)?
                )*]
            }
        }
    };
}

fallbacks! {
    /// The kernel has no `lowerdir+` (before 6.5): mount(2) with short names.
    OldOverlayApi "fallback.overlay" in Layer {
        ko: "6.5 이전의 커널이라 lowerdir+ 옵션이 없습니다. mount(2)에 짧은 이름을 주어 마운트했습니다.",
        en: "This kernel has no lowerdir+ (before 6.5): mounted by mount(2) with short names instead.",
        short { ko: "mount(2)로 마운트", en: "by mount(2)" }
    }
    /// No device controller here: CAP_MKNOD is dropped instead, so no device can be made.
    NoDeviceControl "fallback.devices" in Cgroup {
        ko: "장치 제어(devices cgroup)가 없습니다. 대신 CAP_MKNOD 권한을 빼고 루트를 nodev로 마운트하여 장치를 만들 수도, 이미지에 든 장치를 열 수도 없게 했습니다.",
        en: "No device controller here. Instead CAP_MKNOD is dropped and the root is mounted nodev: no device can be made, and none that an image brings can be opened.",
        short { ko: "장치 제어 없음", en: "no device controller" }
        fix {
            ko: "mount -t cgroup -o devices cgroup /sys/fs/cgroup/devices   (root)",
            en: "mount -t cgroup -o devices cgroup /sys/fs/cgroup/devices   (root)"
        }
    }
    /// Version 2 of cgroups: CAP_MKNOD is dropped, and the root is mounted nodev.
    UnifiedDevices "fallback.unified-devices" in Cgroup {
        ko: "cgroup v2에는 장치 제어 파일이 없습니다. 대신 CAP_MKNOD 권한을 빼고 루트를 nodev로 마운트하여 장치를 만들 수도, 이미지에 든 장치를 열 수도 없게 했습니다.",
        en: "cgroup v2 has no files that control devices. Instead CAP_MKNOD is dropped and the root is mounted nodev: no device can be made, and none that an image brings can be opened.",
        short { ko: "장치 제어 없음(v2)", en: "no device controller (v2)" }
    }
    /// nf_tables is not to be had: containers reach each other and the host, not the outside.
    NoNat "fallback.nat" in Network {
        ko: "nf_tables를 쓸 수 없어 NAT와 필터가 없습니다. 컨테이너끼리와 호스트까지만 통신합니다.",
        en: "nf_tables is not to be had, so no NAT and no filter: containers reach each other and the host, not the outside.",
        short { ko: "NAT 없음", en: "no NAT" }
        fix {
            ko: "modprobe -a nf_tables nft_chain_nat nft_masq nft_ct   (root)",
            en: "modprobe -a nf_tables nft_chain_nat nft_masq nft_ct   (root)"
        }
    }
    /// IPv6 is off: ports are published on IPv4 alone.
    NoIpv6 "fallback.ipv6" in Network {
        ko: "IPv6가 꺼져 있어 포트를 IPv4에만 열었습니다.",
        en: "IPv6 is off here: ports are published on IPv4 alone.",
        short { ko: "IPv4만", en: "IPv4 alone" }
        fix {
            ko: "sysctl -w net.ipv6.conf.all.disable_ipv6=0   (root)",
            en: "sysctl -w net.ipv6.conf.all.disable_ipv6=0   (root)"
        }
    }
    /// The image is made from this machine because no registry can be asked.
    BuiltIn "fallback.built-in" in Image {
        ko: "레지스트리 없이 이 컴퓨터의 프로그램으로 만든 이미지입니다.",
        en: "No registry can be asked: made of this machine's programs.",
        short { ko: "내장 이미지", en: "built-in image" }
        fix {
            ko: "다른 이미지 넣기: docent load -i FILE.tar",
            en: "to have another image: docent load -i FILE.tar"
        }
    }
    /// resolv.conf of the host names only loopback servers, which a container cannot reach.
    NoNameserver "fallback.nameserver" in Network {
        ko: "호스트의 이름 서버는 loopback 주소뿐이라 컨테이너가 쓸 수 없습니다. 이름 풀이가 안 될 수 있습니다.",
        en: "The host names only loopback name servers, out of a container's reach: names may not resolve.",
        short { ko: "이름 서버 없음", en: "no name server" }
        fix {
            ko: "/etc/resolv.conf에 닿을 수 있는 nameserver를 적습니다",
            en: "put a nameserver that can be reached into /etc/resolv.conf"
        }
    }
    /// A mount option or object that this kernel refuses and Docker treats as optional.
    Optional "fallback.optional" in Isolation {
        ko: "이 커널이 거부한 선택 사항은 건너뛰었습니다: {what}",
        en: "Optional, and refused by this kernel, so left out: {what}",
        short { ko: "{what} 건너뜀", en: "{what} left out" }
    }
}

/// A reason with what it is about, as words.
pub struct Why<'a>(pub FaultPoint, pub &'a str);

impl Word for Why<'_> {
    fn word(&self, lang: Lang) -> String {
        self.0.why(lang, self.1)
    }
}

/// The same, folded.
pub struct Brief<'a>(pub FaultPoint, pub &'a str);

impl Word for Brief<'_> {
    fn word(&self, lang: Lang) -> String {
        self.0.short(lang, self.1)
    }
}

macro_rules! host {
    ($($so_far:tt)*) => { families! { $($so_far)*

    /// Another way was taken than the usual one.
    Fallback { what: String, point: FaultPoint } = "host.fallback" {
        in point.block(); unproven "what was not done leaves nothing to look at; docent doctor looks for the reason";
        (why = Why(*point, what)) { "{why}" }
        short (why = Brief(*point, what)) { "{why}" }
        #[cfg(test)]
        sample { what: s("x"), point: FaultPoint::NoNat }
    }

    /// A step without an event of its own (bookkeeping, waiting, a look): told only when a call of it has failed.
    StepTaken { step: String } = "host.step" {
        in Block::Host;
        calls [
            bind capset clone3 close_range execve fchmod fchown fsconfig fsmount fsopen ioctl linkat listen mkdir mkdirat mknod
            mknodat mount mount_setattr move_mount open openat open_tree pidfd_send_signal pivot_root prctl rename renameat2
            rmdir seccomp sendto sethostname setgroups setns setresgid setresuid setsid symlink symlinkat umount2 unlink
            unlinkat unshare utimensat vfork write
        ];
        unproven "what has failed leaves nothing to look at";
        [TAKE] (step) { ko: "{step} 단계를 {v}", en: "{v} the step: {step}" }
        #[cfg(test)]
        sample { step: s("state") }
    }

    /// Something that a killed command had left behind was cleaned up.
    Cleaned { what: String } = "host.cleaned" {
        in Block::Host; calls [rename unlinkat]; unproven "what is gone left nothing to look at";
        [CLEAN] (what) { ko: "강제로 끝난 명령이 남긴 것을 {v}: {what}", en: "{v} what a killed command had left: {what}" }
        #[cfg(test)]
        sample { what: s("veth3f2a9c") }
    }

    /// Something was not taken away, and why.
    Left {
        what: String,
        why: Kept,
        #[serde(rename = "held_by", alias = "by")]
        by: String,
    } = "host.left" {
        in Block::Host; unproven "nothing was done";
        when (*why == Kept::Unsure && by.is_empty()) (what) {
            ko: "{what} 항목은 그대로 두었습니다 · 어느 저장소의 것인지 적혀 있지 않음",
            en: "left {what} as it is · it does not say whose it is",
        }
        when (*why == Kept::Unsure) (what, by) {
            ko: "{what} 항목은 그대로 두었습니다 · 저장소가 다른 마운트 네임스페이스에 있어 사라졌는지 알 수 없음 ({by})",
            en: "left {what} as it is · its store lies in another mount namespace and may still be there ({by})",
        }
        when (*why == Kept::Needed) (what, by) {
            ko: "커널 설정 {what} 값은 켜진 채로 두었습니다 · {by} 항목이 쓸 수 있음",
            en: "left the kernel setting {what} on · {by} may need it",
        }
        (what, by) {
            ko: "{what} 디렉터리는 남겼습니다 · docent의 것이 아닌 것이 있음: {by}",
            en: "left the directory {what} · there is more in it than docent's: {by}",
        }
        #[cfg(test)]
        sample { what: s("dcnt0a1b2c3d"), why: Kept::Unsure, by: s("mnt:[4026531841] /srv/docent") }
        #[cfg(test)]
        sample { what: s("dcnt0a1b2c3d"), why: Kept::Unsure, by: s("") }
        #[cfg(test)]
        sample { what: s("net.ipv4.ip_forward"), why: Kept::Needed, by: s("docker0") }
        #[cfg(test)]
        sample { what: s("/srv/docent"), why: Kept::Shared, by: s("notes.txt") }
    }

    /// What was found here, for `doctor`.
    Probed {
        #[serde(flatten)]
        probe: Probe,
    } = "host.probed" {
        in Block::Host; unproven "tried in a child that is gone; docent doctor tries again";
        (tier = probe.tier, kernel = &probe.kernel) {
            ko: "이 호스트를 살펴보았습니다 · {tier}, 커널 {kernel}",
            en: "looked at this host · {tier}, kernel {kernel}",
        }
        #[cfg(test)]
        sample { probe: probe() }
    }
    } };
}
