//! What strace saw: its lines taken apart, joined where they were interrupted, and attributed to docent's own processes.

use std::collections::HashMap;

/// One system call of a process of docent's.
#[derive(Debug, Clone)]
pub struct Seen {
    pub pid: i32,
    pub name: String,
    /// Arguments, split at the commas that separate them.
    pub args: Vec<String>,
    /// The value returned as strace prints it, with what it adds (`8</path>`).
    pub ret: String,
}

impl Seen {
    pub fn failed(&self) -> bool {
        self.ret.starts_with('-') || self.ret.starts_with('?')
    }

    /// `clone`, `clone3` or `vfork` by which the C library starts a program.
    pub fn is_spawn(&self) -> bool {
        self.name == "vfork" || (self.name.starts_with("clone") && self.args.iter().any(|a| a.contains("CLONE_VFORK")))
    }

    pub fn shown(&self) -> String {
        format!("{} {}({}) = {}", self.pid, self.name, self.args.join(", "), self.ret)
    }
}

/// Splits at top-level commas: not within quotes, brackets or `<…>`.
pub fn split_args(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth, mut quoted) = (Vec::new(), String::new(), 0i32, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => {
                part.push(c);
                part.extend(chars.next());
                continue;
            }
            '"' => quoted = !quoted,
            _ if quoted => {}
            // `=>` and `<<` are no brackets.
            '<' if chars.peek() == Some(&'<') => {
                part.push_str("<<");
                chars.next();
                continue;
            }
            '=' if chars.peek() == Some(&'>') => {
                part.push_str("=>");
                chars.next();
                continue;
            }
            '-' if chars.peek() == Some(&'>') => {
                part.push_str("->");
                chars.next();
                continue;
            }
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_string());
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if !part.trim().is_empty() || !parts.is_empty() {
        parts.push(part.trim().to_string());
    }
    parts
}

/// Every call of docent's own processes, in order; a process is docent's from the execve of `docent` on (or as a child of
/// one that is) up to the execve of anything else.
pub fn read(trace: &str, docent: &str) -> Vec<Seen> {
    let lines = whole_lines(trace);
    // Who made whom: a child may be seen before its parent's clone returns.
    let mut parents = HashMap::new();
    for call in &lines {
        if matches!(call.name.as_str(), "clone" | "clone3" | "vfork" | "fork")
            && let Ok(child) = call.ret.split(['<', ' ']).next().unwrap_or("").parse::<i32>()
        {
            parents.insert(child, call.pid);
        }
    }
    let mut ours: HashMap<i32, bool> = HashMap::new();
    let mut calls = Vec::new();
    for call in lines {
        let pid = call.pid;
        let own = match ours.get(&pid) {
            Some(own) => *own,
            None => parents.get(&pid).and_then(|parent| ours.get(parent)).copied().unwrap_or(false),
        };
        ours.insert(pid, own);
        if call.name == "execve" && !call.failed() {
            let path = call.args.first().map(|a| a.trim_matches('"')).unwrap_or("");
            let hidden = call.args.get(1).is_some_and(|argv| argv.contains(", \"__"));
            ours.insert(pid, path == docent || (own && hidden && path.starts_with("/proc/self/fd/")));
        }
        if own {
            calls.push(call);
        }
    }
    calls
}

/// Joins `<unfinished ...>` with `<... resumed>`, at the place where the call began.
fn whole_lines(trace: &str) -> Vec<Seen> {
    let mut calls: Vec<Option<Seen>> = Vec::new();
    let mut open: HashMap<i32, (usize, String)> = HashMap::new();
    for line in trace.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let (Ok(pid), rest) = (pid.parse::<i32>(), rest.trim_start()) else { continue };
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            calls.push(None);
            open.insert(pid, (calls.len() - 1, begun.trim_end().to_string()));
        } else if rest.starts_with("<... ") {
            let Some((at, begun)) = open.remove(&pid) else { continue };
            let ended = rest.split_once(" resumed>").map_or("", |(_, ended)| ended);
            calls[at] = parse(pid, &format!("{begun}{ended}"));
        } else {
            calls.push(parse(pid, rest));
        }
    }
    // A call that never returned: the process ended in it.
    for (pid, (at, begun)) in open {
        calls[at] = parse(pid, &format!("{begun}) = ?"));
    }
    calls.into_iter().flatten().collect()
}

fn parse(pid: i32, text: &str) -> Option<Seen> {
    let (name, rest) = text.split_once('(')?;
    let (args, ret) = rest.rsplit_once(") = ").or_else(|| {
        let at = rest.rfind(")  ")?;
        rest.get(at + 1..)?.trim_start().strip_prefix("= ").map(|ret| (&rest[..at], ret))
    })?;
    // `) = -1 EXDEV (…)` ends in a parenthesis of its own, which rsplit_once has not cut at.
    Some(Seen { pid, name: name.to_string(), args: split_args(args), ret: ret.trim().to_string() })
}
