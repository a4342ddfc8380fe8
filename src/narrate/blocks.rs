//! What each topic of a story has to say: its head, its lesson with evidence, and its words when folded.

use super::blocks_inside::{isolation, networks};
use super::describe::{describe, fallback_text, image_layers, limit_name, limit_value};
use super::layout::Line;
use super::learn::Told;
use super::text::{cgroup, concept, count, cow, frame, image, mount, namespace, process};
use super::topic::{Concept, Topic, fallback_concept};
use super::units::{brief, command_line, file_name, short, size};
use super::{Lang, Narrator};
use crate::fact::{Event, Fact, FaultPoint, Outcome, Resolved};
use crate::kernel::signals::name as signal_name;

/// `list` are the topic's events, `all` those of the container's whole story.
pub fn tell(n: &Narrator, topic: Topic, list: &[&Event], all: &[&Event]) -> Told {
    let lang = n.lang;
    let usual: Vec<&Event> = list.iter().filter(|e| !matches!(e.fact, Fact::Fallback { .. })).copied().collect();
    let mut told = match topic {
        Topic::Image => image_told(lang, &usual),
        Topic::Layer => layer(lang, &usual, all),
        Topic::Namespaces => namespaces(lang, &usual),
        Topic::Cgroup => cgroups(lang, &usual),
        Topic::Network => networks(lang, &usual),
        Topic::Isolation => isolation(lang, &usual),
        Topic::Start => start(lang, &usual),
        Topic::Copy => copy(lang, &usual),
        Topic::Pause => simple(lang, &usual, Concept::Pause, concept::pause(lang), cgroup::short_frozen(lang)),
        Topic::Unpause => simple(lang, &usual, Concept::Unpause, concept::unpause(lang), cgroup::short_thawed(lang)),
        Topic::Exit => exit(lang, &usual, all),
        Topic::Cleanup => cleanup(lang, &usual),
        Topic::Signal => signals(lang, &usual),
        Topic::Store => sentences(lang, &usual, Concept::Store, Vec::new()),
        Topic::Host | Topic::Changes => {
            Told { always: true, lessons: Vec::new(), ..sentences(lang, &usual, Concept::Store, Vec::new()) }
        }
    };
    if told.head.iter().all(String::is_empty) {
        // Nothing in it makes a head of its own (a blob by itself, a host name): the facts' own sentences.
        told.head = usual.iter().map(|e| brief(&describe(e, lang))).collect();
        told.short = told.head.clone();
    }
    for event in list {
        if let Fact::Fallback { what, point } = &event.fact {
            if *point == FaultPoint::BuiltIn {
                // Its reason says all that the lesson would.
                told.lessons.iter_mut().filter(|(c, _)| *c == Concept::FromHost).for_each(|(_, lines)| lines.clear());
            }
            fallback(lang, event, what, *point, &mut told);
        }
    }
    told
}

fn fallback(lang: Lang, event: &Event, what: &str, point: FaultPoint, told: &mut Told) {
    use super::text::fallback as f;
    let (why, fix) = fallback_text(lang, point, what);
    let why = match &event.outcome {
        Outcome::Failed { error } => format!("{why} · {}", super::units::errno(error.errno)),
        _ => why,
    };
    told.short.push(match point {
        FaultPoint::OldOverlayApi => f::short_old_overlay(lang),
        FaultPoint::NoDeviceControl => f::short_no_devices(lang),
        FaultPoint::NoFreezer => f::short_no_freezer(lang),
        FaultPoint::NoNat => f::short_no_nat(lang),
        FaultPoint::NoIpv6 => f::short_no_ipv6(lang),
        FaultPoint::BuiltIn => f::short_built_in(lang),
        FaultPoint::NoNameserver => f::short_no_nameserver(lang),
        FaultPoint::Optional => f::short_optional(lang, what),
    });
    let mut lines = vec![Line::Text(why)];
    lines.extend(fix.map(|fix| Line::Tagged(frame::tag_fix(lang), fix)));
    told.notes.push((fallback_concept(point), lines));
}

/// Each event's own sentence.
fn sentences(lang: Lang, list: &[&Event], concept: Concept, lesson: Vec<Line>) -> Told {
    let head: Vec<String> = list.iter().map(|e| brief(&describe(e, lang))).collect();
    Told { short: head.clone(), head, lessons: vec![(concept, lesson)], ..Told::default() }
}

/// The lesson speaks of the signal that was sent: an image may name its own (nginx: SIGQUIT).
fn signals(lang: Lang, list: &[&Event]) -> Told {
    let sent = list.iter().find_map(|e| match &e.fact {
        Fact::Signalled { name, .. } if name != "SIGKILL" => Some(name.as_str()),
        _ => None,
    });
    let lesson = match sent.unwrap_or("SIGTERM") {
        asks @ ("SIGTERM" | "SIGINT" | "SIGQUIT") => concept::signal(lang, asks),
        other => concept::signal_own(lang, other),
    };
    sentences(lang, list, Concept::Signal, vec![Line::Text(lesson)])
}

fn evidence(lang: Lang, event: Option<&&Event>) -> Option<Line> {
    let receipt = event?.receipt.as_ref()?;
    Some(Line::Tagged(frame::tag_evidence(lang), brief(&receipt.evidence)))
}

fn simple(lang: Lang, list: &[&Event], concept: Concept, lesson: String, short: String) -> Told {
    let mut lines = vec![Line::Text(lesson)];
    lines.extend(evidence(lang, list.first()));
    Told { head: vec![short.clone()], short: vec![short], lessons: vec![(concept, lines)], ..Told::default() }
}

fn image_told(lang: Lang, list: &[&Event]) -> Told {
    let (mut name, mut parts, mut lessons) = (None, Vec::new(), Vec::new());
    let (mut unpacked, mut reused, mut made, mut tags) = (0, 0, false, Vec::new());
    for event in list {
        match &event.fact {
            Fact::ImageResolved { reference, by, layers, bytes, .. } => {
                name = Some(reference.clone());
                match by {
                    Resolved::Local => parts.push(image::here(lang)),
                    Resolved::Id => parts.push(image::by_id(lang)),
                    Resolved::BuiltIn => made = true,
                }
                parts.push(format!("{}, {}", count::layers(lang, layers.len()), size(lang, *bytes)));
            }
            Fact::ImageFromHost { reference, server, .. } => {
                made = true;
                name = name.or_else(|| Some(reference.clone()));
                parts.extend(server.as_ref().map(|s| image::own_server(lang, file_name(s))));
            }
            Fact::ArchiveRead { path, .. } => {
                parts.push(image::from_archive(lang, path));
                lessons.push((Concept::Archive, vec![Line::Text(concept::archive(lang))]));
            }
            Fact::LayerUnpacked { .. } => unpacked += 1,
            Fact::LayerReused { .. } => reused += 1,
            Fact::Tagged { reference, .. } => tags.push(reference.clone()),
            _ => {}
        }
    }
    if made {
        parts.insert(0, image::built_in(lang));
        lessons.push((Concept::FromHost, vec![Line::Text(concept::from_host(lang))]));
    }
    if name.is_none() {
        name = (!tags.is_empty()).then(|| tags.join(", "));
        if unpacked > 0 {
            parts.push(count::new_layers(lang, unpacked));
        }
    }
    if unpacked == 0 && reused > 0 {
        parts.push(image::nothing_new(lang, count::layers(lang, reused)));
    }
    lessons.push((Concept::Image, vec![Line::Text(concept::image(lang))]));
    let short = name.clone().map_or_else(|| parts.join(" · "), |n| format!("{} {n}", frame::label_image(lang)));
    let head: Vec<String> = name.into_iter().chain(parts).collect();
    Told { head: vec![head.join(" · ")], short: vec![short], lessons, ..Told::default() }
}

fn layer(lang: Lang, list: &[&Event], all: &[&Event]) -> Told {
    let fresh = all.iter().any(|e| matches!(e.fact, Fact::ContainerCreated { .. }) && e.outcome == Outcome::Done);
    let (mut head, mut lines) = (Vec::new(), vec![Line::Text(concept::write_layer(lang))]);
    for event in list {
        let Fact::Overlay { lower, upper, .. } = &event.fact else { continue };
        let layers = count::layers(lang, image_layers(lower));
        head.push(if fresh { mount::head_new(lang, layers) } else { mount::head_again(lang, layers) });
        // Of the line read back from mountinfo the option that matters here; else where the layer lies.
        let read = event.receipt.as_ref().map(|r| r.evidence.clone()).unwrap_or_default();
        let option = read.split([',', ' ']).find(|o| o.starts_with("upperdir="));
        let text = option.map_or_else(|| format!("upperdir={upper}"), str::to_string);
        if event.receipt.is_some() {
            lines.push(Line::Tagged(frame::tag_evidence(lang), brief(&text)));
        }
    }
    Told { head, short: vec![frame::label_layer(lang)], lessons: vec![(Concept::WriteLayer, lines)], ..Told::default() }
}

/// Whether this event enters at least these namespaces of the same process.
fn enters(event: &Event, whose: i32, kinds: &[String]) -> bool {
    matches!(&event.fact, Fact::NamespacesJoined { kinds: all, of, .. } if *of == whose && kinds.iter().all(|k| all.contains(k)))
}

fn namespaces(lang: Lang, list: &[&Event]) -> Told {
    let mut told = Told::default();
    let made = list.iter().any(|e| matches!(e.fact, Fact::NamespacesMade { .. }));
    for (n, event) in list.iter().enumerate() {
        match &event.fact {
            Fact::NamespacesMade { pid, inside, namespaces } => {
                // The cgroup namespace is made by the new process itself, once it sits in its cgroup.
                let own = list.iter().skip(n + 1).take_while(|e| !matches!(e.fact, Fact::NamespacesMade { .. }));
                let own = own.filter_map(|e| match &e.fact {
                    Fact::PrivateMounts { kinds } => Some(kinds.iter().map(String::as_str)),
                    _ => None,
                });
                let own: Vec<&str> = own.flatten().collect();
                let kinds = |shared: bool| -> Vec<&str> {
                    namespaces.iter().filter(|n| n.shared == shared).map(|n| n.kind.as_str()).collect()
                };
                let (mut new, shared) = (kinds(false), kinds(true));
                new.extend(own);
                let mut head = namespace::head_new(lang, new.len(), new.join(" "));
                if !shared.is_empty() {
                    head = format!("{head} · {}", namespace::head_shared(lang, shared.join(" ")));
                }
                told.head.push(head);
                told.short.push(namespace::short_new(lang, new.len(), pid, inside));
                let mut lines = vec![Line::Text(concept::namespaces(lang, pid, inside))];
                let first = namespaces.iter().find(|n| n.kind == "pid").or_else(|| namespaces.first());
                if let Some((ns, new, host)) = first.and_then(|n| Some((n, n.inode?, n.host?))) {
                    let named = |inode: u64| format!("{}:[{inode}]", ns.kind);
                    let text = namespace::evidence(lang, named(new), named(host));
                    lines.push(Line::Tagged(frame::tag_evidence(lang), text));
                }
                told.lessons.push((Concept::Namespaces, lines));
            }
            // The pid namespace is entered first, for the child; the child then enters all of them.
            Fact::NamespacesJoined { kinds, of, .. }
                if list.iter().skip(n + 1).any(|later| enters(later, *of, kinds)) => {}
            Fact::NamespacesJoined { kinds, of, .. } => {
                told.head.push(namespace::head_joined(lang, kinds.len(), kinds.join(" "), of));
                told.short.push(namespace::short_joined(lang, kinds.len()));
                let mut lines = vec![Line::Text(concept::join(lang))];
                lines.extend(evidence(lang, Some(event)));
                told.lessons.push((Concept::Join, lines));
            }
            Fact::PrivateMounts { kinds } if !made => {
                told.head.push(namespace::head_private(lang, kinds.join(" ")));
                told.short.push(namespace::short_private(lang));
                told.lessons.push((Concept::PrivateLook, vec![Line::Text(concept::private_look(lang))]));
            }
            _ => {}
        }
    }
    told
}

fn cgroups(lang: Lang, list: &[&Event]) -> Told {
    let (mut name, mut limits, mut seen) = (None, Vec::new(), Vec::new());
    let mut told = Told::default();
    for event in list {
        match &event.fact {
            Fact::CgroupMade { name: made, .. } => name = Some(brief(made)),
            Fact::CgroupJoined { name: joined, .. } => name = name.or_else(|| Some(brief(joined))),
            Fact::CgroupLimit { limit, value, .. } => {
                limits.push(cgroup::limited(lang, limit_name(lang, *limit), limit_value(*limit, value, false)));
                seen.extend(evidence(lang, Some(event)));
            }
            Fact::CgroupNone { .. } => {
                told.head.push(describe(event, lang));
                told.lessons.push((Concept::Cgroup, vec![Line::Tagged(frame::tag_fix(lang), cgroup::none_fix(lang))]));
            }
            _ => {}
        }
    }
    if let Some(name) = name {
        let made = list.iter().any(|e| matches!(e.fact, Fact::CgroupMade { .. }));
        let what = match limits.is_empty() {
            true if made => format!("{name} · {}", cgroup::no_limit(lang)),
            true => name,
            false => format!("{name} · {}", limits.join(", ")),
        };
        told.head.push(what);
        if !limits.is_empty() {
            let mut lines = vec![Line::Text(concept::limit(lang))];
            lines.extend(seen);
            told.lessons.push((Concept::Limit, lines));
        }
        told.lessons.push((Concept::Cgroup, vec![Line::Text(concept::cgroup(lang))]));
    }
    let words = if limits.is_empty() { frame::label_cgroup(lang) } else { format!("cgroup {}", limits.join(", ")) };
    told.short.push(words);
    told
}

fn start(lang: Lang, list: &[&Event]) -> Told {
    let mut label = None;
    let exec = list.iter().find_map(|e| match &e.fact {
        Fact::Exec { argv, .. } => Some(command_line(argv)),
        _ => None,
    });
    let name = list.iter().find_map(|e| match &e.fact {
        Fact::ContainerCreated { name, .. } | Fact::ContainerStarted { name, .. } => Some(name.clone()),
        _ => None,
    });
    let mut parts: Vec<String> = Vec::new();
    let short = match &exec {
        Some(argv) => {
            parts.push(argv.clone());
            parts.extend(name);
            parts.extend(list.iter().find_map(|e| match &e.fact {
                Fact::HelperStarted { pid, role } if role == "monitor" => Some(process::monitor(lang, pid)),
                Fact::Terminal { .. } => Some(process::with_terminal(lang)),
                _ => None,
            }));
            argv.clone()
        }
        None => {
            let created: Vec<String> = list
                .iter()
                .filter(|e| matches!(e.fact, Fact::ContainerCreated { .. } | Fact::ContainerStarted { .. }))
                .map(|e| describe(e, lang))
                .collect();
            if !created.is_empty() {
                label = Some(frame::label_container(lang));
            }
            parts.extend(if created.is_empty() { list.iter().map(|e| describe(e, lang)).collect() } else { created });
            parts.join(" · ")
        }
    };
    Told {
        head: vec![parts.join(" · ")],
        short: vec![short],
        lessons: vec![(Concept::Start, Vec::new())],
        label,
        ..Told::default()
    }
}

fn copy(lang: Lang, list: &[&Event]) -> Told {
    let mut told = Told::default();
    for event in list {
        let Fact::Copied { from, to, bytes, entries, into_container } = &event.fact else { continue };
        let many =
            if *entries > 1 { format!(" · {}", count::entries(lang, *entries as usize)) } else { String::new() };
        let head = format!("{from} → {to} · {}{many}", size(lang, *bytes));
        told.short.push(format!("{} {head}", frame::label_copy(lang)));
        told.head.push(head);
        if *into_container {
            told.lessons.push((Concept::CopyIn, Vec::new()));
        } else {
            let name = from.split(':').next().unwrap_or(from);
            told.lessons.push((Concept::CopyOut, vec![Line::Text(cow::out_note(lang, name))]));
        }
    }
    if told.head.is_empty() {
        return sentences(lang, list, Concept::CopyOut, Vec::new());
    }
    told
}

fn exit(lang: Lang, list: &[&Event], all: &[&Event]) -> Told {
    let ended: Vec<&Event> = list.iter().filter(|e| matches!(e.fact, Fact::ContainerExited { .. })).copied().collect();
    let list = if ended.is_empty() { list } else { &ended };
    let mut told = sentences(lang, list, Concept::Exit, vec![Line::Text(concept::exit(lang))]);
    // What ended was a guest of `exec`, not the container; or, with --rm, the write layer does not stay.
    if ended.is_empty() || all.iter().any(|e| matches!(e.fact, Fact::ContainerRemoved { .. })) {
        told.lessons.clear();
    }
    for event in &ended {
        if let Fact::ContainerExited { signal: Some(signal), oom, code, .. } = &event.fact {
            told.lessons.insert(
                0,
                (Concept::ExitSignal, vec![Line::Text(concept::exit_signal(lang, code, signal_name(*signal), signal))]),
            );
            told.always |= *oom;
        }
    }
    told
}

fn cleanup(lang: Lang, list: &[&Event]) -> Told {
    let mut parts = Vec::new();
    let removed = list.iter().any(|e| matches!(e.fact, Fact::ContainerRemoved { .. }));
    for event in list {
        parts.push(match &event.fact {
            Fact::CgroupRemoved { name, .. } => format!("cgroup {}", brief(name)),
            Fact::VethRemoved { host } => format!("veth {}", short(host)),
            Fact::Unmounted { target } => brief(target),
            _ => describe(event, lang),
        });
    }
    let lesson = if removed { vec![Line::Text(concept::remove(lang))] } else { Vec::new() };
    let head = parts.join(" · ");
    let short = format!("{}: {head}", frame::label_cleanup(lang));
    // Without its container this is only the tidying up of a stop: one line, and no lesson of its own.
    let lessons = if removed { vec![(Concept::Remove, lesson)] } else { Vec::new() };
    Told { head: vec![head], short: vec![short], lessons, ..Told::default() }
}
