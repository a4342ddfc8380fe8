//! The blocks of what a container has around it: its network, and the many small steps that isolate it.

use super::Lang;
use super::describe::{describe, shown_ip};
use super::layout::Line;
use super::learn::Told;
use super::text::{concept, frame, mount, network, security};
use super::topic::Concept;
use crate::fact::{Event, Fact};

pub fn networks(lang: Lang, list: &[&Event]) -> Told {
    let (mut parts, mut short, mut bridge, mut forwarding, mut ports) = (Vec::new(), Vec::new(), false, false, false);
    for event in list {
        match &event.fact {
            Fact::Bridge { name, .. } | Fact::BridgeReused { name, .. } => {
                bridge = true;
                parts.insert(0, network::head_bridge(lang, name));
            }
            Fact::Address { address, device } if device != "lo" => {
                let address = address.split('/').next().unwrap_or(address).to_string();
                parts.push(address.clone());
                short.push(address);
            }
            Fact::Published { host_ip, host_port, port, .. } => {
                ports = true;
                let host = match shown_ip(host_ip) {
                    "0.0.0.0" => host_port.to_string(),
                    ip => format!("{ip}:{host_port}"),
                };
                // The same port once for each address family.
                let words = network::head_port(lang, host, port);
                if host_ip != "::" && !parts.contains(&words) {
                    parts.push(words.clone());
                    short.push(words);
                }
            }
            Fact::Nat { .. } => parts.push(network::short_nat(lang)),
            Fact::Sysctl { name, value, .. } => {
                let (on, name) = (value == "1", name.rsplit('.').next().unwrap_or(name));
                forwarding |= on;
                parts.push(if on { network::short_on(lang, name) } else { network::short_off(lang, name) });
            }
            _ => {}
        }
    }
    let loopback = list.iter().any(|e| matches!(e.fact, Fact::Loopback));
    let text = |c: Concept, t: String| (c, vec![Line::Text(t)]);
    let mut lessons = Vec::new();
    if bridge {
        lessons.push(text(Concept::Bridge, concept::bridge(lang)));
    } else if parts.is_empty() && loopback {
        parts.push(network::head_none(lang));
        short.push(network::head_none(lang));
        lessons.push(text(Concept::NoNetwork, concept::no_network(lang)));
    }
    if forwarding {
        lessons.push(text(Concept::Forwarding, concept::forwarding(lang)));
    }
    if ports {
        lessons.push(text(Concept::Publish, concept::publish(lang)));
    }
    if parts.is_empty() {
        parts.extend(list.iter().map(|e| describe(e, lang)));
    }
    if short.is_empty() {
        short.push(frame::label_network(lang));
    }
    let head = if parts.is_empty() { Vec::new() } else { vec![parts.join(" · ")] };
    Told { head, short, lessons, ..Told::default() }
}

/// Many small mounts and steps in one line: `/proc, /sys, /dev, … · 권한 14개 · seccomp`.
pub fn isolation(lang: Lang, list: &[&Event]) -> Told {
    let (mut mounted, mut parts) = (Vec::new(), Vec::new());
    for event in list {
        match &event.fact {
            Fact::Mounted { target, .. } => mounted.push(target.clone()),
            Fact::Bound { source, target, read_only } if !source.contains("/containers/") => {
                let shown = if *read_only { mount::short_bound_read_only } else { mount::short_bound };
                parts.push(shown(lang, source, target));
            }
            Fact::MountPoint { path } => parts.push(mount::short_point(lang, path)),
            Fact::Capabilities { kept, .. } => parts.push(security::short_capabilities(lang, kept.len())),
            Fact::Seccomp { .. } => parts.push("seccomp".into()),
            Fact::NoNewPrivileges => parts.push("no_new_privs".into()),
            Fact::UserSet { uid, gid, .. } if *uid != 0 => parts.push(security::short_user(lang, uid, gid)),
            Fact::Masked { paths, .. } => parts.push(mount::short_masked(lang, paths.len())),
            _ => {}
        }
    }
    if !mounted.is_empty() {
        let known = ["/proc", "/sys", "/dev"];
        let mut first: Vec<&str> = known.into_iter().filter(|k| mounted.iter().any(|m| m == k)).collect();
        if first.is_empty() {
            first = mounted.iter().take(3).map(String::as_str).collect();
        }
        let more = if mounted.len() > first.len() { ", …" } else { "" };
        parts.insert(0, format!("{}{more}", first.join(", ")));
    }
    if parts.is_empty() {
        // A helper's own care (sealed program, private mounts) belongs to level deep, unless nothing else was done.
        parts.extend(list.iter().map(|e| match &e.fact {
            Fact::Sealed { .. } => security::short_sealed(lang),
            Fact::MountsPrivate => security::short_private_mounts(lang),
            _ => describe(e, lang),
        }));
    }
    let teaches = list.iter().any(|e| matches!(e.fact, Fact::Capabilities { .. } | Fact::Seccomp { .. }));
    let lesson = if teaches { vec![Line::Text(concept::isolation(lang))] } else { Vec::new() };
    let head = parts.join(" · ");
    let short = if teaches { frame::label_isolation(lang) } else { head.clone() };
    Told { head: vec![head], short: vec![short], lessons: vec![(Concept::Isolation, lesson)], ..Told::default() }
}
