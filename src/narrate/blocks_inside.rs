//! The blocks of what a container has around it: its network, and the many small steps that isolate it.

use super::blocks::words;
use super::concept::Concept;
use super::layout::Line;
use super::learn::Told;
use super::text::{concept, head};
use crate::event::{Block, Event, Fact, Lang};

pub fn networks(lang: Lang, list: &[&Event]) -> Told {
    let (mut parts, mut short, mut bridge, mut forwarding, mut ports) = (Vec::new(), Vec::new(), false, false, false);
    for event in list {
        let Some(words) = event.fact.short(lang).filter(|words| !parts.contains(words)) else { continue };
        match &event.fact {
            Fact::Bridge { .. } | Fact::BridgeReused { .. } => {
                bridge = true;
                parts.insert(0, words);
            }
            Fact::Nat { .. } => parts.push(words),
            Fact::Sysctl { value, .. } => {
                forwarding |= value == "1";
                parts.push(words);
            }
            fact => {
                ports |= matches!(fact, Fact::Published { .. });
                parts.push(words.clone());
                short.push(words);
            }
        }
    }
    let loopback = list.iter().any(|e| matches!(e.fact, Fact::Loopback));
    let text = |c: Concept, t: String| (c, vec![Line::Text(t)]);
    let mut lessons = Vec::new();
    // The bridge alone, when the launch has failed after it, has nothing plugged into it.
    if bridge && list.iter().any(|e| matches!(e.fact, Fact::Veth { .. })) {
        lessons.push(text(Concept::Bridge, concept::bridge(lang)));
    } else if !bridge && parts.is_empty() && loopback {
        parts.push(head::loopback_only(lang));
        short.push(head::loopback_only(lang));
        lessons.push(text(Concept::NoNetwork, concept::no_network(lang)));
    }
    if forwarding {
        lessons.push(text(Concept::Forwarding, concept::forwarding(lang)));
    }
    if ports {
        lessons.push(text(Concept::Publish, concept::publish(lang)));
    }
    if parts.is_empty() {
        parts.extend(list.iter().map(|e| e.sentence(lang)));
    }
    if short.is_empty() {
        short.push(if lessons.is_empty() { parts.join(" · ") } else { Block::Network.label(lang) });
    }
    let head = if parts.is_empty() { Vec::new() } else { vec![parts.join(" · ")] };
    Told { head, short, lessons, ..Told::default() }
}

/// Many small mounts and steps in one line: `/proc, /sys, /dev, … · 권한 14개 · seccomp`.
pub fn isolation(lang: Lang, list: &[&Event]) -> Told {
    // A helper's own care (sealed program, mounts kept inside) belongs to level deep, unless nothing else was done.
    let aside = |e: &&&Event| matches!(e.fact, Fact::Sealed { .. } | Fact::MountsKept { .. });
    let mut parts: Vec<String> = list.iter().filter(|e| !aside(e)).filter_map(|e| e.fact.short(lang)).collect();
    let mounted = list.iter().filter_map(|e| match &e.fact {
        Fact::Mounted { target, .. } => Some(target.as_str()),
        _ => None,
    });
    let mounted: Vec<&str> = mounted.collect();
    if !mounted.is_empty() {
        let known = ["/proc", "/sys", "/dev"];
        let mut first: Vec<&str> = known.into_iter().filter(|k| mounted.contains(k)).collect();
        if first.is_empty() {
            first = mounted.iter().take(3).copied().collect();
        }
        let more = if mounted.len() > first.len() { ", …" } else { "" };
        parts.insert(0, format!("{}{more}", first.join(", ")));
    }
    if parts.is_empty() {
        parts.extend(list.iter().map(|e| words(lang, e)));
    }
    let teaches = list.iter().any(|e| matches!(e.fact, Fact::Capabilities { .. } | Fact::Seccomp { .. }));
    let lesson = if teaches { vec![Line::Text(concept::isolation(lang))] } else { Vec::new() };
    let head = parts.join(" · ");
    let short = if teaches { Block::Isolation.label(lang) } else { head.clone() };
    Told { head: vec![head], short: vec![short], lessons: vec![(Concept::Isolation, lesson)], ..Told::default() }
}
