//! Level deep: every event with its process, its calls as strace prints them, what was read back, the proof with how long
//! it holds and what it needs, and the manual pages. Nothing is shortened.

use super::describe::{describe, fallback_text, tense};
use super::layout::{Block, Bullet, Line};
use super::messages::Tense;
use super::text::{count, frame};
use super::topic::Topic;
use super::units::command_line;
use super::{Lang, Narrator};
use crate::fact::{Call, Event, Fact, Holds, Needs, Outcome, Receipt};

pub fn story(n: &Narrator, events: &[Event]) -> String {
    events.iter().map(|e| block(n, e).render(n.width, n.color)).collect()
}

fn block(n: &Narrator, event: &Event) -> Block {
    let lang = n.lang;
    let mut block = Block::new(Topic::of(event).label(lang)).text(describe(event, lang));
    block.bullet = match tense(&event.outcome) {
        Tense::Done => Bullet::Done,
        Tense::Planned => Bullet::Planned,
        Tense::Failed => Bullet::Failed,
        Tense::Undone => Bullet::Undone,
    };
    for (i, line) in calls(lang, &event.calls).into_iter().enumerate() {
        let pid = if i == 0 { event.pid.to_string() } else { " ".repeat(event.pid.to_string().len()) };
        block = block.copy(pid, line);
    }
    if let Outcome::Failed { error } = &event.outcome {
        let failure = format!("{}({}): {}", error.call, error.object, super::units::errno(error.errno));
        block = block.text(failure);
    }
    if let Fact::Fallback { what, point } = &event.fact
        && let Some(fix) = fallback_text(lang, *point, what).1
    {
        block = block.tagged(frame::tag_fix(lang), fix);
    }
    if let Some(receipt) = &event.receipt {
        block = block.tagged(frame::tag_read_back(lang), &receipt.evidence);
        let how_long = [holds(lang, &receipt.holds), needs(lang, receipt)].join("; ");
        block = block.copy(frame::tag_proof(lang), command_line(&receipt.proof));
        block.lines.push(Line::Text(how_long.trim_end_matches("; ").to_string()));
    }
    match man(&event.fact) {
        Some(pages) => block.tagged(frame::tag_man(lang), pages),
        None => block,
    }
}

/// Calls that differ in nothing but their arguments' values stand one by one; exact repetitions are counted.
fn calls(lang: Lang, calls: &[Call]) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for call in calls {
        let ret = match call.ret {
            r if call.failed() => {
                let errno = i32::try_from(-r).unwrap_or(0);
                format!("-1 {}", super::units::errno(errno))
            }
            r => r.to_string(),
        };
        let line = format!("{}({}) = {ret}", call.name, call.args);
        match lines.last_mut() {
            Some((last, times)) if *last == line => *times += 1,
            _ => lines.push((line, 1)),
        }
    }
    lines.into_iter().map(|(l, n)| if n > 1 { format!("{l}   ({})", count::times(lang, n)) } else { l }).collect()
}

pub fn holds(lang: Lang, holds: &Holds) -> String {
    let short = super::units::short;
    match holds {
        Holds::Now => frame::holds_now(lang),
        Holds::WhileRunning(id) => frame::holds_running(lang, short(id)),
        Holds::WhileExists(id) => frame::holds_exists(lang, short(id)),
        Holds::UntilEdited { .. } => frame::holds_until_edited(lang),
        Holds::Forever => frame::holds_forever(lang),
    }
}

pub fn needs(lang: Lang, receipt: &Receipt) -> String {
    let each = |need: &Needs| match need {
        Needs::Root => frame::needs_root(lang),
        Needs::Tool(tool) => frame::needs_tool(lang, tool),
    };
    receipt.needs.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// Where the kernel's own words about it are.
fn man(fact: &Fact) -> Option<&'static str> {
    Some(match fact {
        Fact::NamespacesMade { .. } => "clone(2), namespaces(7), pid_namespaces(7)",
        Fact::NamespacesJoined { .. } => "setns(2), nsenter(1)",
        Fact::PrivateMounts { kinds } if kinds.iter().all(|k| k == "cgroup") => "unshare(2), cgroup_namespaces(7)",
        Fact::PrivateMounts { .. } | Fact::MountsPrivate => "unshare(2), mount_namespaces(7)",
        Fact::HostnameSet { .. } => "sethostname(2), uts_namespaces(7)",
        Fact::CgroupMade { .. } | Fact::CgroupJoined { .. } | Fact::CgroupRemoved { .. } | Fact::CgroupNone { .. } => {
            "cgroups(7)"
        }
        Fact::CgroupLimit { .. } => "cgroups(7); kernel: Documentation/admin-guide/cgroup-v2.rst",
        Fact::CgroupDevices { .. } => "kernel: Documentation/admin-guide/cgroup-v1/devices.rst",
        Fact::CgroupFrozen { .. } | Fact::CgroupThawed { .. } => {
            "kernel: Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst"
        }
        Fact::Overlay { .. } => "mount(2), fsopen(2); kernel: Documentation/filesystems/overlayfs.rst",
        Fact::Changed { .. } => "kernel: Documentation/filesystems/overlayfs.rst",
        Fact::Mounted { .. } | Fact::Bound { .. } | Fact::ReadOnly { .. } | Fact::Masked { .. } => {
            "mount(2), mount_setattr(2)"
        }
        Fact::Unmounted { .. } => "umount2(2)",
        Fact::DeviceNodes { .. } => "mknod(2), null(4)",
        Fact::RootPivoted { .. } => "pivot_root(2)",
        Fact::Bridge { .. } | Fact::BridgeReused { .. } | Fact::BridgeRemoved { .. } => "ip-link(8), bridge(8)",
        Fact::Veth { .. } | Fact::VethRemoved { .. } => "veth(4)",
        Fact::Address { .. } | Fact::Loopback => "ip-address(8), netlink(7)",
        Fact::Route { .. } => "ip-route(8)",
        Fact::Nat { .. } | Fact::ForwardGuard { .. } | Fact::TableRemoved { .. } => "nft(8)",
        Fact::Sysctl { .. } => "sysctl(8)",
        Fact::Capabilities { .. } | Fact::CapabilitySets { .. } => "capabilities(7), prctl(2)",
        Fact::Seccomp { .. } => "seccomp(2)",
        Fact::NoNewPrivileges | Fact::Guarded { .. } => "prctl(2)",
        Fact::UserSet { .. } => "setgroups(2), setresuid(2), setresgid(2)",
        Fact::SessionMade { .. } => "setsid(2)",
        Fact::Terminal { .. } => "pty(7)",
        Fact::Exec { .. } => "execve(2)",
        Fact::Signalled { .. } => "signal(7), pidfd_send_signal(2)",
        Fact::Reaped { .. } | Fact::ContainerExited { .. } => "wait(2)",
        _ => return None,
    })
}
