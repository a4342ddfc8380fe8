//! The doctor's verdict: tier, each check, and the exact command that installs or enables what is missing.

use super::Narrator;
use super::layout::{clean, padded};
use super::text::{doctor, frame};
use crate::event::words::errno;
use crate::event::{Lang, Probe, Shown, Word};
use crate::kernel::process::own_command;
use unicode_width::UnicodeWidthStr;

impl Narrator {
    /// The verdict in one line, for the session's greeting.
    pub fn verdict_line(&self, probe: &Probe) -> String {
        format!("{} · {}", probe.tier.word(self.lang), able(self.lang, probe))
    }

    pub fn doctor(&self, probe: &Probe) -> String {
        let lang = self.lang;
        let mut out = clean(&doctor::head(lang, probe.tier.word(lang), &probe.kernel)) + "\n";
        out.push_str(&clean(&match probe.cgroup {
            0 => doctor::cgroup_none(lang),
            version => format!("cgroup v{version} · {}", probe.controllers.join(" ")),
        }));
        out.push_str("\n\n");
        let column = probe.shown.iter().map(|s| name(lang, &s.what).width()).max().unwrap_or(0) + 2;
        for shown in &probe.shown {
            out.push_str(&self.check(shown, column, probe.uid));
        }
        out + "\n" + &able(lang, probe) + "\n"
    }

    fn check(&self, shown: &Shown, column: usize, uid: u32) -> String {
        let lang = self.lang;
        let word = if shown.ok { doctor::ok(lang) } else { doctor::missing(lang) };
        let width = doctor::ok(lang).width().max(doctor::missing(lang).width()) + 2;
        let mark = if shown.ok { "✓" } else { "✗" };
        let mut parts: Vec<String> = Vec::new();
        if !shown.ok {
            parts.push(if shown.required { doctor::required(lang) } else { doctor::optional(lang) });
        }
        if !shown.detail.is_empty() {
            parts.push(shown.detail.clone());
        }
        if let Some(e) = &shown.error {
            parts.push(format!("{}({}): {}", e.call, e.object, errno(e.errno)));
        }
        let line =
            format!("{mark} {}{}{}", padded(&name(lang, &shown.what), column), padded(&word, width), parts.join(" · "));
        let mut out = clean(line.trim_end()) + "\n";
        if !shown.ok
            && let Some(fix) = fix(lang, &shown.what, uid)
        {
            out.push_str(&format!("{}{}  {fix}\n", " ".repeat(column + 2), frame::tag_fix(lang)));
        }
        out
    }
}

fn able(lang: Lang, probe: &Probe) -> String {
    match (crate::engine::doctor::containers_can_run(probe), probe.uid) {
        (true, _) => doctor::verdict_ok(lang),
        (false, 0) => doctor::verdict_bad(lang),
        (false, _) => doctor::verdict_root(lang, own_command()),
    }
}

fn name(lang: Lang, what: &str) -> String {
    match what {
        "namespaces" => doctor::what_namespaces(lang),
        "bridge" => doctor::what_bridge(lang),
        "nat" => doctor::what_nat(lang),
        "id-ranges" => doctor::what_id_ranges(lang),
        "freezer" => doctor::what_freezer(lang),
        "directory" => doctor::what_directory(lang),
        "proc" => doctor::what_proc(lang),
        "user-namespace" => doctor::what_user_namespace(lang),
        "probe" => doctor::what_probe(lang),
        "devices" => doctor::what_devices(lang),
        // overlay, cgroup, seccomp.
        other => other.to_string(),
    }
}

/// The command that fixes it, which is one in any language; for an ordinary user most checks only pass as root.
fn fix(lang: Lang, what: &str, uid: u32) -> Option<String> {
    Some(match what {
        "namespaces" => doctor::fix_namespaces(lang, own_command()),
        "id-ranges" => "sudo apt install uidmap && \
                        sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER"
            .into(),
        "user-namespace" => "sudo sysctl -w kernel.unprivileged_userns_clone=1 \
                             kernel.apparmor_restrict_unprivileged_userns=0"
            .into(),
        "cgroup" => doctor::fix_cgroup(lang),
        "seccomp" => doctor::fix_seccomp(lang),
        _ if uid != 0 => "sudo docent doctor".into(),
        "directory" => doctor::fix_directory(lang),
        "overlay" => doctor::fix_overlay(lang),
        "bridge" => "sudo modprobe -a bridge veth".into(),
        "nat" => "sudo modprobe -a nf_tables nft_chain_nat nft_masq".into(),
        "freezer" | "devices" => {
            let at = format!("/sys/fs/cgroup/{what}");
            format!("sudo mkdir -p {at} && sudo mount -t cgroup -o {what} none {at}")
        }
        _ => return None,
    })
}
