//! What each block of a story has to say: its head, its lesson with evidence, and its words when folded.

use super::Narrator;
use super::blocks_inside::{isolation, networks};
use super::concept::Concept;
use super::layout::Line;
use super::learn::Told;
use super::text::{concept, cow, frame, head};
use crate::event::signal::name as signal_name;
use crate::event::words::{Size, brief, errno, file_name, size};
use crate::event::{Block, Event, Fact, FaultPoint, Lang, Outcome, Resolved, Word, counts};

/// `list` are the block's events, `all` those of the container's whole story.
pub fn tell(n: &Narrator, topic: Block, list: &[&Event], all: &[&Event]) -> Told {
    let lang = n.lang;
    let usual: Vec<&Event> = list.iter().filter(|e| !matches!(e.fact, Fact::Fallback { .. })).copied().collect();
    let mut told = match topic {
        Block::Image => image_told(lang, &usual),
        Block::Layer => layer(lang, &usual),
        Block::Namespaces => namespaces(lang, &usual),
        Block::Cgroup => cgroups(lang, &usual),
        Block::Network => networks(lang, &usual),
        Block::Isolation => isolation(lang, &usual),
        Block::Start => start(lang, &usual),
        Block::Copy => copy(lang, &usual),
        Block::Pause => simple(lang, &usual, Concept::Pause, concept::pause(lang)),
        Block::Unpause => simple(lang, &usual, Concept::Unpause, concept::unpause(lang)),
        Block::Exit => exit(lang, &usual, all),
        Block::Cleanup => cleanup(lang, &usual),
        Block::Signal => signals(lang, &usual),
        Block::Store => sentences(lang, &usual, Concept::Store, Vec::new()),
        Block::Host | Block::Changes => {
            Told { always: true, lessons: Vec::new(), ..sentences(lang, &usual, Concept::Store, Vec::new()) }
        }
    };
    if told.head.iter().all(String::is_empty) {
        // Nothing in it makes a head of its own (a blob by itself, a host name): the facts' own sentences.
        told.head = usual.iter().map(|e| brief(&e.sentence(lang))).collect();
        told.short = told.head.clone();
    }
    for event in list {
        if let Fact::Fallback { point, .. } = &event.fact {
            if *point == FaultPoint::BuiltIn {
                // Its reason says all that the lesson would.
                told.lessons.iter_mut().filter(|(c, _)| *c == Concept::FromHost).for_each(|(_, lines)| lines.clear());
            }
            let why = event.sentence(lang);
            let why = match &event.outcome {
                Outcome::Failed { error } => format!("{why} · {}", errno(error.errno)),
                _ => why,
            };
            told.short.extend(event.fact.short(lang));
            let mut lines = vec![Line::Text(why)];
            lines.extend(point.fix(lang).map(|fix| Line::Tagged(frame::tag_fix(lang), fix.into())));
            told.notes.push((Concept::Fallback(*point), lines));
        }
    }
    told
}

/// What an event says of itself when several stand in one line.
pub fn words(lang: Lang, event: &Event) -> String {
    event.fact.short(lang).unwrap_or_else(|| event.sentence(lang))
}

/// Each event's own sentence.
fn sentences(lang: Lang, list: &[&Event], concept: Concept, lesson: Vec<Line>) -> Told {
    let head: Vec<String> = list.iter().map(|e| brief(&e.sentence(lang))).collect();
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
    Some(Line::Tagged(frame::tag_evidence(lang), brief(&receipt.seen())))
}

fn simple(lang: Lang, list: &[&Event], concept: Concept, lesson: String) -> Told {
    let mut lines = vec![Line::Text(lesson)];
    lines.extend(evidence(lang, list.first()));
    let head: Vec<String> = list.first().map(|e| words(lang, e)).into_iter().collect();
    Told { short: head.clone(), head, lessons: vec![(concept, lines)], ..Told::default() }
}

fn image_told(lang: Lang, list: &[&Event]) -> Told {
    let (mut name, mut parts, mut lessons) = (None, Vec::new(), Vec::new());
    let (mut unpacked, mut reused, mut made, mut tags) = (0, 0, false, Vec::new());
    for event in list {
        match &event.fact {
            Fact::ImageResolved { reference, by, layers, bytes, .. } => {
                name = Some(reference.clone());
                match by {
                    Resolved::Local => parts.push(head::here(lang)),
                    Resolved::Id => parts.push(head::by_id(lang)),
                    Resolved::BuiltIn => made = true,
                }
                if let (Some(layers), Some(bytes)) = (layers, bytes) {
                    parts.push(format!("{}, {}", counts::layers(lang, layers.len()), size(lang, *bytes)));
                }
            }
            Fact::ImageFromHost { reference, server, .. } => {
                made = true;
                name = name.or_else(|| Some(reference.clone()));
                parts.extend(server.as_ref().map(|s| head::own_server(lang, file_name(s))));
            }
            Fact::ArchiveRead { .. } => {
                parts.extend(event.fact.short(lang));
                lessons.push((Concept::Archive, vec![Line::Text(concept::archive(lang))]));
            }
            Fact::LayerUnpacked { .. } => unpacked += 1,
            Fact::LayerReused { .. } => reused += 1,
            Fact::Tagged { reference, .. } => tags.push(reference.clone()),
            _ => {}
        }
    }
    if made {
        parts.insert(0, head::built_in(lang));
        lessons.push((Concept::FromHost, vec![Line::Text(concept::from_host(lang))]));
    }
    if name.is_none() {
        name = (!tags.is_empty()).then(|| tags.join(", "));
        if unpacked > 0 {
            parts.push(counts::new_layers(lang, unpacked));
        }
    }
    if unpacked == 0 && reused > 0 {
        parts.push(head::nothing_new(lang, counts::layers(lang, reused)));
    }
    lessons.push((Concept::Image, vec![Line::Text(concept::image(lang))]));
    let short = name.clone().map_or_else(|| parts.join(" · "), |n| format!("{} {n}", Block::Image.label(lang)));
    let head: Vec<String> = name.into_iter().chain(parts).collect();
    Told { head: vec![head.join(" · ")], short: vec![short], lessons, ..Told::default() }
}

fn layer(lang: Lang, list: &[&Event]) -> Told {
    let (mut heads, mut lines) = (Vec::new(), vec![Line::Text(concept::write_layer(lang))]);
    for event in list {
        let Fact::Overlay { lower, upper, kept, .. } = &event.fact else { continue };
        let layers = counts::layers(lang, lower.as_ref().map_or(0, Vec::len));
        heads.push(if *kept { head::layer_again(lang, layers) } else { head::layer_new(lang, layers) });
        // Of the line read back from mountinfo the option that matters here; else where the layer lies.
        let read = event.receipt.as_ref().map(|r| r.evidence.clone()).unwrap_or_default();
        let option = read.split([',', ' ']).find(|o| o.starts_with("upperdir="));
        let text = option.map_or_else(|| format!("upperdir={upper}"), str::to_string);
        if event.receipt.is_some() {
            lines.push(Line::Tagged(frame::tag_evidence(lang), brief(&text)));
        }
    }
    Told {
        head: heads,
        short: vec![Block::Layer.label(lang)],
        lessons: vec![(Concept::WriteLayer, lines)],
        ..Told::default()
    }
}

fn namespaces(lang: Lang, list: &[&Event]) -> Told {
    let mut told = Told::default();
    for event in list.iter() {
        match &event.fact {
            Fact::NamespacesMade { pid, inside, namespaces } => {
                let kinds = |shared: bool| -> Vec<&str> {
                    namespaces.iter().filter(|n| n.shared == shared).map(|n| n.kind.as_str()).collect()
                };
                let (new, shared) = (kinds(false), kinds(true));
                let mut head = head::namespaces_new(lang, new.len(), new.join(" "));
                if !shared.is_empty() {
                    head = format!("{head} · {}", head::namespaces_shared(lang, shared.join(" ")));
                }
                told.head.push(head);
                let pid = pid.word(lang);
                told.short.push(head::namespaces_short(lang, new.len(), &pid, inside));
                let mut lines = vec![Line::Text(concept::namespaces(lang, &pid, inside))];
                let first = namespaces.iter().find(|n| n.kind == "pid").or_else(|| namespaces.first());
                if let Some((ns, new, host)) = first.and_then(|n| Some((n, n.inode?, n.host?))) {
                    let named = |inode: u64| format!("{}:[{inode}]", ns.kind);
                    let text = head::namespaces_evidence(lang, named(new), named(host));
                    lines.push(Line::Tagged(frame::tag_evidence(lang), text));
                }
                told.lessons.push((Concept::Namespaces, lines));
            }
            Fact::NamespacesJoined { kinds, of, .. } => {
                told.head.push(head::namespaces_joined(lang, kinds.len(), kinds.join(" "), of.word(lang)));
                told.short.extend(event.fact.short(lang));
                let mut lines = vec![Line::Text(concept::join(lang))];
                lines.extend(evidence(lang, Some(event)));
                told.lessons.push((Concept::Join, lines));
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
            Fact::CgroupLimit { .. } => {
                limits.extend(event.fact.short(lang));
                seen.extend(evidence(lang, Some(event)));
            }
            Fact::CgroupNone { .. } => {
                told.head.push(event.sentence(lang));
                let fix = "systemd-run --user --scope -p Delegate=yes docent";
                told.lessons.push((Concept::Cgroup, vec![Line::Tagged(frame::tag_fix(lang), fix.into())]));
            }
            _ => {}
        }
    }
    if let Some(name) = name {
        let made = list.iter().any(|e| matches!(e.fact, Fact::CgroupMade { .. }));
        let what = match limits.is_empty() {
            true if made => format!("{name} · {}", head::no_limit(lang)),
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
    let words = if limits.is_empty() { Block::Cgroup.label(lang) } else { format!("cgroup {}", limits.join(", ")) };
    told.short.push(words);
    told
}

fn start(lang: Lang, list: &[&Event]) -> Told {
    let name = list.iter().find_map(|e| match &e.fact {
        Fact::ContainerCreated { name, .. } => name.clone(),
        Fact::ContainerStarted { name, .. } => Some(name.clone()),
        _ => None,
    });
    let is_its_own = |e: &&&Event| matches!(e.fact, Fact::ContainerCreated { .. } | Fact::ContainerStarted { .. });
    let said = |events: Vec<&&Event>| events.iter().map(|e| e.sentence(lang)).collect::<Vec<_>>().join(" · ");
    let (head, short, label) = match list.iter().find(|e| matches!(e.fact, Fact::Exec { .. })) {
        Some(exec) => {
            let short = words(lang, exec);
            let beside = |e: &&Event| matches!(e.fact, Fact::HelperStarted { .. } | Fact::Terminal { .. });
            let beside = list.iter().copied().filter(beside).find_map(|e| e.fact.short(lang));
            let parts: Vec<String> = [Some(short.clone()), name, beside].into_iter().flatten().collect();
            (parts.join(" · "), short, None)
        }
        None if list.iter().any(|e| is_its_own(&e)) => {
            let head = said(list.iter().filter(is_its_own).collect());
            (head.clone(), head, Some(frame::label_container(lang)))
        }
        None => {
            let head = said(list.iter().collect());
            (head.clone(), head, None)
        }
    };
    let lessons = vec![(Concept::Start, Vec::new())];
    Told { head: vec![head], short: vec![short], lessons, label, ..Told::default() }
}

fn copy(lang: Lang, list: &[&Event]) -> Told {
    let mut told = Told::default();
    for event in list {
        if matches!(event.fact, Fact::PartlyCopied { .. }) {
            told.head.push(event.sentence(lang));
            told.always = true;
        }
        let Fact::Copied { from, to, bytes, entries, into_container } = &event.fact else { continue };
        let many = entries.filter(|n| *n > 1).map(|n| format!(" · {}", counts::entries(lang, n as usize)));
        let head =
            format!("{} → {} · {}{}", from.shown(), to.shown(), bytes.map(Size).word(lang), many.unwrap_or_default());
        told.short.push(format!("{} {head}", Block::Copy.label(lang)));
        told.head.push(head);
        if *into_container {
            told.lessons.push((Concept::CopyIn, Vec::new()));
        } else {
            let from = from.shown();
            let name = from.split(':').next().unwrap_or_default();
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
    // What ended was a program of `exec`, not the container; or, with --rm, the write layer does not stay.
    if ended.is_empty() || all.iter().any(|e| matches!(e.fact, Fact::ContainerRemoved { .. })) {
        told.lessons.clear();
    }
    for event in &ended {
        if let Fact::ContainerExited { signal: Some(signal), oom, code: Some(code), .. } = &event.fact {
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
    let removed = list.iter().any(|e| matches!(e.fact, Fact::ContainerRemoved { .. }));
    let parts: Vec<String> = list.iter().map(|e| words(lang, e)).collect();
    let head = parts.join(" · ");
    let short = format!("{}: {head}", Block::Cleanup.label(lang));
    // Without its container this is only the tidying up of a stop: one line, and no lesson of its own.
    let lessons = if removed { vec![(Concept::Remove, vec![Line::Text(concept::remove(lang))])] } else { Vec::new() };
    Told { head: vec![head], short: vec![short], lessons, ..Told::default() }
}
