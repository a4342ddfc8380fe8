//! One sentence for every fact, in the tense of its outcome. The match is exhaustive: a fact without a sentence does not
//! compile, and `messages!` sees to both languages.

use super::Lang;
use super::cow;
use super::messages::Tense;
use super::text::{cgroup, container, count, fallback, host, image, mount, namespace, network, process, security};
use super::units::{command_line, file_name, memory, short, size};
use crate::fact::{Event, Fact, FaultPoint, Kept, Limit, Outcome};
use crate::kernel::signals::name as signal_name;

/// The tense that an outcome asks for.
pub fn tense(outcome: &Outcome) -> Tense {
    match outcome {
        Outcome::Done => Tense::Done,
        Outcome::Failed { .. } => Tense::Failed,
        Outcome::Undone => Tense::Undone,
        Outcome::Planned => Tense::Planned,
    }
}

/// What happened (or was meant to), in one sentence without its full stop.
pub fn describe(event: &Event, lang: Lang) -> String {
    // A forecast leaves empty what only the kernel will know.
    sentence(&event.fact, lang, tense(&event.outcome)).trim_end_matches(" · ").to_string()
}

pub fn sentence(fact: &Fact, lang: Lang, t: Tense) -> String {
    let planned = t == Tense::Planned;
    let list = |items: &[String]| items.join(", ");
    match fact {
        Fact::ImageResolved { reference, .. } if planned => image::resolved_plan(lang, reference),
        Fact::ImageResolved { reference, .. } => image::resolved(lang, reference),
        Fact::ImageFromHost { reference, programs, .. } => {
            image::from_host(lang, t, reference, list(&programs.iter().map(|p| file_name(p)).collect::<Vec<_>>()))
        }
        Fact::ArchiveRead { path, images, layers } => {
            image::archive_read(lang, t, path, count::images(lang, *images), count::layers(lang, *layers))
        }
        Fact::BlobWritten { digest, bytes } => image::blob_written(lang, t, short(digest), size(lang, *bytes)),
        Fact::LayerUnpacked { chain_id, entries, bytes, .. } => {
            let entries = count::entries(lang, *entries as usize);
            image::layer_unpacked(lang, t, short(chain_id), entries, size(lang, *bytes))
        }
        Fact::LayerReused { chain_id, .. } => image::layer_reused(lang, short(chain_id)),
        Fact::Tagged { reference, id, was } => {
            let now = image::tagged(lang, t, reference, short(id));
            match was {
                Some(was) => format!("{now} · {}", image::tag_moved(lang, short(was))),
                None => now,
            }
        }
        Fact::StoreRemoved { path } => image::store_removed(lang, t, path),
        Fact::StoreMade { path } => image::store_made(lang, t, path),

        Fact::ContainerCreated { id, name, .. } => container::created(lang, t, name, short(id)),
        Fact::ContainerStarted { name, .. } if planned => container::started_plan(lang, name),
        Fact::ContainerStarted { name, pid, .. } => container::started(lang, t, name, pid),
        Fact::ContainerExited { name, code, signal, oom, .. } => {
            let how = match signal {
                Some(s) => container::exited_signal(lang, name, code, signal_name(*s)),
                None => container::exited(lang, name, code),
            };
            if *oom { format!("{how} · {}", container::oom(lang).trim_end_matches('.')) } else { how }
        }
        Fact::ContainerRemoved { name, .. } => container::removed(lang, t, name),
        Fact::ContainerLost { name, .. } => container::lost(lang, name),

        Fact::NamespacesMade { namespaces, .. } => {
            let new: Vec<&str> = namespaces.iter().filter(|n| !n.shared).map(|n| n.kind.as_str()).collect();
            namespace::made(lang, t, new.len(), new.join(" "))
        }
        Fact::NamespacesJoined { kinds, .. } if planned => namespace::joined_plan(lang, kinds.join(" ")),
        Fact::NamespacesJoined { pid, kinds, of } => namespace::joined(lang, t, pid, kinds.join(" "), of),
        Fact::PrivateMounts { kinds } if kinds.iter().all(|k| k == "cgroup") => namespace::own_cgroup(lang, t),
        Fact::PrivateMounts { kinds } => namespace::private(lang, t, kinds.join(" ")),
        Fact::HostnameSet { name } => namespace::hostname(lang, t, name),

        Fact::CgroupMade { version, name, .. } => cgroup::made(lang, t, name, version),
        Fact::CgroupLimit { limit, file, value, .. } => {
            cgroup::limit(lang, t, limit_name(lang, *limit), limit_value(*limit, value, planned), file)
        }
        Fact::CgroupDevices { path, allowed } => cgroup::devices(lang, t, allowed.len(), path),
        Fact::CgroupJoined { name, .. } if planned => cgroup::joined_plan(lang, name),
        Fact::CgroupJoined { pid, name, .. } => cgroup::joined(lang, t, pid, name),
        Fact::CgroupFrozen { file, .. } => cgroup::frozen(lang, t, file),
        Fact::CgroupThawed { file, .. } => cgroup::thawed(lang, t, file),
        Fact::CgroupRemoved { name, .. } => cgroup::removed(lang, t, name),
        Fact::CgroupNone { why } if why.is_empty() => cgroup::none_plain(lang),
        Fact::CgroupNone { why } => cgroup::none(lang, why),

        Fact::MountsPrivate => mount::private(lang, t),
        Fact::Overlay { lower, target, .. } => {
            let layers = image_layers(lower);
            let text = mount::overlay(lang, t, count::layers(lang, layers), target);
            if layers < lower.len() { mount::with_mount_points(lang, text) } else { text }
        }
        Fact::Mounted { kind, target, .. } => mount::mounted(lang, t, kind, target),
        Fact::Bound { source, target, read_only } => {
            let bound = mount::bound(lang, t, source, target);
            if *read_only { format!("{bound} · {}", mount::bound_read_only(lang)) } else { bound }
        }
        Fact::DeviceNodes { devices, links } => {
            let names: Vec<String> = devices.iter().map(|d| d.path.clone()).chain(links.iter().cloned()).collect();
            mount::devices(lang, t, devices.len(), links.len(), list(&names))
        }
        Fact::Masked { paths, absent } => and_absent(lang, mount::masked(lang, t, list(paths)), absent),
        Fact::ReadOnly { paths, absent } => and_absent(lang, mount::read_only(lang, t, list(paths)), absent),
        Fact::RootPivoted { .. } if planned => mount::pivot_plan(lang),
        Fact::RootPivoted { to } => mount::pivot(lang, t, to),
        Fact::MountPoint { path } => mount::point(lang, t, path),
        Fact::Unmounted { target } => mount::unmounted(lang, t, target),

        Fact::Changed { .. } => cow::sentence(fact, lang),
        // How much it will be nobody has counted.
        Fact::Copied { from, to, .. } if planned => super::text::cow::copied_plan(lang, t, from, to),
        Fact::Copied { from, to, bytes, .. } => super::text::cow::copied(lang, t, from, to, size(lang, *bytes)),

        Fact::Loopback => network::loopback(lang, t),
        Fact::Bridge { name, .. } if planned && name.is_empty() => network::bridge_plan(lang),
        Fact::Bridge { name, address, ipv6_off } => {
            let made = network::bridge(lang, t, name, address);
            if *ipv6_off { format!("{made} · {}", network::bridge_ipv6_off(lang)) } else { made }
        }
        Fact::BridgeReused { name, address } if planned => network::bridge_reused_plan(lang, name, address),
        Fact::BridgeReused { name, address } => network::bridge_reused(lang, name, address),
        Fact::Veth { host, .. } if planned && host.is_empty() => network::veth_plan(lang),
        Fact::Veth { host, inside, bridge } => network::veth(lang, t, host, inside, bridge),
        Fact::Address { device, address } => network::address(lang, t, device, address),
        Fact::Route { gateway, device } => network::route(lang, t, gateway, device),
        Fact::Nat { table, subnet } => network::nat(lang, t, subnet, table),
        Fact::ForwardGuard { table } => network::forward_guard(lang, t, table),
        Fact::Sysctl { name, value, was } => network::sysctl(lang, t, name, was, value),
        Fact::Published { host_ip, host_port, port, proto, .. } => {
            network::published(lang, t, shown_ip(host_ip), host_port, port, proto)
        }
        Fact::NetworkFiles { files } => network::files(lang, t, list(files)),
        Fact::BridgeRemoved { name } => network::bridge_removed(lang, t, name),
        Fact::TableRemoved { table } => network::table_removed(lang, t, table),
        Fact::VethRemoved { host } => network::veth_removed(lang, t, host),

        Fact::Capabilities { kept, .. } if planned => security::capabilities_plan(lang, kept.len()),
        Fact::Capabilities { kept, dropped } => security::capabilities(lang, t, kept.len(), list(kept), dropped),
        Fact::Seccomp { .. } if planned => security::seccomp_plan(lang),
        Fact::Seccomp { allowed, filters } => security::seccomp(lang, t, filters, allowed),
        Fact::CapabilitySets { held } => security::capability_sets(lang, t, held.len(), list(held)),
        Fact::NoNewPrivileges => security::no_new_privileges(lang, t),
        Fact::UserSet { uid, gid, .. } => security::user(lang, t, uid, gid),
        Fact::SessionMade { tty: true } => security::session_tty(lang, t),
        Fact::SessionMade { tty: false } => security::session(lang, t),
        Fact::Guarded { .. } => security::guarded(lang, t),
        Fact::Sealed { program } => security::sealed(lang, t, program),

        Fact::HelperStarted { role, .. } if planned => process::helper_plan(lang, role_name(lang, role)),
        Fact::HelperStarted { pid, role } => process::helper(lang, t, role_name(lang, role), pid),
        Fact::Exec { argv, cwd, user, .. } => {
            let cwd = if cwd.is_empty() { "/" } else { cwd };
            let user = if user.is_empty() { process::root_user(lang) } else { user.clone() };
            process::exec(lang, t, command_line(argv), cwd, user)
        }
        Fact::Signalled { signal, .. } if planned => process::signalled_plan(lang, signal_name(*signal)),
        Fact::Signalled { signal, all: true, .. } => process::signalled_all(lang, t, signal_name(*signal)),
        Fact::Signalled { pid, signal, .. } => process::signalled(lang, t, signal_name(*signal), pid),
        Fact::Terminal { path } => process::terminal(lang, t, path),
        Fact::Reaped { pid, signal: Some(s), .. } => process::reaped_signal(lang, pid, signal_name(*s)),
        Fact::Reaped { pid, code, signal: None } => process::reaped(lang, pid, code),

        Fact::Fallback { what, point } => fallback_text(lang, *point, what).0,
        Fact::Cleaned { what } => host::cleaned(lang, t, what),
        Fact::Left { what, why: Kept::Unsure, by } if by.is_empty() => host::left_nameless(lang, what),
        Fact::Left { what, why: Kept::Unsure, by } => host::left_unsure(lang, what, by),
        Fact::Left { what, why: Kept::Needed, by } => host::left_needed(lang, what, by),
        Fact::Left { what, why: Kept::Shared, by } => host::left_shared(lang, what, by),
        Fact::FileWritten { path, bytes } => host::file_written(lang, t, path, size(lang, *bytes)),
        Fact::Probed(probe) => host::probed(lang, super::doctor::tier(lang, probe.tier), &probe.kernel),
    }
}

/// Why another way was taken, and what would bring back the usual one.
/// What this kernel lacks was left out.
fn and_absent(lang: Lang, text: String, absent: &[String]) -> String {
    if absent.is_empty() { text } else { format!("{text} · {}", mount::absent(lang, absent.join(", "))) }
}

pub fn fallback_text(lang: Lang, point: FaultPoint, what: &str) -> (String, Option<String>) {
    use fallback as f;
    match point {
        FaultPoint::OldOverlayApi => (f::old_overlay(lang), None),
        FaultPoint::NoDeviceControl => (f::no_devices(lang), Some(f::no_devices_fix(lang))),
        FaultPoint::NoFreezer => (f::no_freezer(lang), Some(f::no_freezer_fix(lang))),
        FaultPoint::NoNat => (f::no_nat(lang), Some(f::no_nat_fix(lang))),
        FaultPoint::NoIpv6 => (f::no_ipv6(lang), Some(f::no_ipv6_fix(lang))),
        FaultPoint::BuiltIn => (f::built_in(lang), Some(f::built_in_fix(lang))),
        FaultPoint::NoNameserver => (f::no_nameserver(lang), Some(f::no_nameserver_fix(lang))),
        FaultPoint::Optional => (f::optional(lang, what), None),
    }
}

pub fn limit_name(lang: Lang, limit: Limit) -> String {
    match limit {
        Limit::Memory => cgroup::memory(lang),
        Limit::Swap => cgroup::swap(lang),
        Limit::Cpu => cgroup::cpu(lang),
        Limit::Pids => cgroup::pids(lang),
    }
}

/// In the units in which a limit is asked for. A forecast has thousandths of a CPU; the kernel's file takes microseconds of
/// each 100,000 (`50000`, or `50000 100000` in version 2).
pub fn limit_value(limit: Limit, value: &str, planned: bool) -> String {
    let mut numbers = value.split_whitespace().map_while(|w| w.parse::<u64>().ok());
    let (first, period) = (numbers.next(), numbers.next());
    match (limit, first) {
        (Limit::Memory | Limit::Swap, Some(bytes)) => memory(bytes),
        (Limit::Cpu, Some(milli)) if planned => format!("{}", milli as f64 / 1000.0),
        (Limit::Cpu, Some(quota)) => format!("{}", quota as f64 / period.unwrap_or(100_000).max(1) as f64),
        _ => value.trim().to_string(),
    }
}

/// How many of an overlay's lowers are the image's: the lowest is docent's own, empty places to mount on.
pub fn image_layers(lower: &[String]) -> usize {
    lower.iter().filter(|l| !l.contains("mount-points")).count()
}

/// The empty address is all of them.
pub fn shown_ip(ip: &str) -> &str {
    if ip.is_empty() { "0.0.0.0" } else { ip }
}

fn role_name(lang: Lang, role: &str) -> String {
    match role {
        "monitor" => process::role_monitor(lang),
        "private" | "private-look" => process::role_private(lang),
        other => other.to_string(),
    }
}
