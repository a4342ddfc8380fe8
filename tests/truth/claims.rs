//! What docent told: the calls that its events claim, process by process and in order; and whether a claimed call is a seen
//! one.

use super::witness::{Seen, split_args};
use docent::inside::{Definition, Event, Fact};
use std::collections::BTreeMap;

/// One call that an event claims.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Of its event.
    pub definition: &'static Definition,
    pub name: String,
    pub args: Vec<String>,
    pub ret: i64,
    /// The last call of its event.
    pub last: bool,
    pub entries: u64,
}

impl Claim {
    pub fn shown(&self) -> String {
        format!("{}: {}({}) = {}", self.definition.name, self.name, self.args.join(", "), self.ret)
    }
}

/// Claims of all events by process, in the order in which the process made the calls.
pub fn by_process(events: &[Event]) -> BTreeMap<i32, Vec<Claim>> {
    let mut events: Vec<&Event> = events.iter().collect();
    events.sort_by_key(|e| e.at_us);
    let mut all: BTreeMap<i32, Vec<Claim>> = BTreeMap::new();
    for event in events {
        let entries = if let Fact::Copied { entries, .. } = event.fact { entries.unwrap_or(0) } else { 0 };
        let definition = event.fact.definition();
        for (n, call) in event.calls.iter().enumerate() {
            let claim = Claim {
                definition,
                name: call.name.clone(),
                args: split_args(&call.args),
                ret: call.ret,
                last: n + 1 == event.calls.len(),
                entries,
            };
            match event.fact {
                // Told by the parent, done by the child, before anything else.
                Fact::HelperStarted { pid: Some(pid), .. } if call.name == "execve" => {
                    all.entry(pid).or_default().insert(0, claim)
                }
                _ => all.entry(event.pid).or_default().push(claim),
            }
        }
    }
    all
}

/// Whether the claim is this call: its name, its main arguments, its outcome.
pub fn fits(claim: &Claim, seen: &Seen) -> bool {
    if claim.name == "vfork" {
        return seen.is_spawn() && (claim.ret < 0) == seen.failed();
    }
    if claim.name != seen.name {
        return false;
    }
    if claim.name == "sendto" {
        return netlink(claim, seen);
    }
    if (claim.ret < 0) != seen.failed() {
        return false;
    }
    let mut args = seen.args.as_slice();
    // What is relative to the working directory, or is about a descriptor that the claim does not name.
    let named = claim.args.first().is_some_and(|a| a.starts_with('<') || a == "AT_FDCWD");
    if args.first().is_some_and(|a| !named && (a.starts_with("AT_FDCWD") || descriptor(a).is_some())) {
        args = &args[1..];
    }
    let told = claim.args.split(|a| a == "...").next().unwrap_or_default();
    if told.is_empty() {
        return args.is_empty();
    }
    told.len() <= args.len() && told.iter().zip(args).all(|(told, seen)| same(told, seen))
}

/// `5</path>` or `5<pid:7>`: what the descriptor is.
pub fn descriptor(arg: &str) -> Option<&str> {
    let (number, what) = arg.split_once('<')?;
    let number = number.strip_prefix("AT_FDCWD").unwrap_or(number);
    let what = what.strip_suffix('>').or_else(|| what.strip_suffix(">(deleted)"))?;
    number.bytes().all(|b| b.is_ascii_digit()).then_some(what)
}

fn same(told: &str, seen: &str) -> bool {
    if let Some(told) = told.strip_prefix('<').and_then(|t| t.strip_suffix('>')) {
        let Some(seen) = descriptor(seen) else { return false };
        // A path as the container sees it, or the file system in the making by its kind.
        return seen == told
            || told == "/"
            || seen.ends_with(&format!("/{}", told.trim_start_matches('/')))
            || seen == "anon_inode:[fscontext]"
            || (told == "pts" && seen.starts_with("/dev/pts/"))
            || (told.starts_with("tcp") && seen.starts_with("TCP"));
    }
    if let Some(told) = told.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
        let Some(seen) = seen.strip_prefix('{') else { return false };
        let field = |text: &str, name: &str| -> Option<String> {
            let fields = split_args(text.trim_end_matches('}'));
            fields.iter().find_map(|f| f.strip_prefix(name)?.strip_prefix('=').map(str::to_string))
        };
        let seen = seen.split_once("} => {").map_or(seen, |(before, _)| before);
        return split_args(told).iter().all(|f| match f.split_once('=') {
            Some((name, value)) => field(seen, name).is_some_and(|seen| same(value, &seen)),
            None => seen.contains(f.as_str()),
        });
    }
    if told == "AT_FDCWD" {
        return seen.starts_with("AT_FDCWD<");
    }
    // Names of bits come in the order of their table.
    let bits = |text: &str| -> Vec<String> {
        // rustix asks for O_LARGEFILE, which means nothing on a 64-bit machine.
        let mut bits: Vec<String> = text.split('|').filter(|b| *b != "O_LARGEFILE").map(str::to_string).collect();
        bits.sort();
        bits
    };
    told == seen || (!told.starts_with('"') && told.contains('|') && bits(told) == bits(seen))
}

/// Types of rtnetlink messages; strace names them only for sockets of its own network namespace.
const ROUTE: [(&str, &str); 6] = [
    ("RTM_NEWLINK", "0x10"),
    ("RTM_DELLINK", "0x11"),
    ("RTM_NEWADDR", "0x14"),
    ("RTM_DELADDR", "0x15"),
    ("RTM_NEWROUTE", "0x18"),
    ("RTM_DELROUTE", "0x19"),
];

/// The type of the first message: as strace names or numbers it.
pub fn message_type(seen: &Seen) -> Option<&str> {
    let at = seen.args.get(1)?.split_once("nlmsg_type=")?.1;
    Some(at.split([',', ' ', '}']).next().unwrap_or(at))
}

/// Requests that only look.
pub fn is_look(seen: &Seen) -> bool {
    let number = |t: &str| t.strip_prefix("0x").and_then(|t| u16::from_str_radix(t, 16).ok());
    message_type(seen).is_some_and(|t| {
        t.contains("_GET")
            || number(t).is_some_and(|n| match n >> 8 {
                0 => n >= 0x10 && n % 4 == 2,
                // NFT_MSG_GETTABLE, GETCHAIN, GETRULE
                10 => matches!(n & 0xff, 1 | 4 | 7),
                _ => false,
            })
    })
}

fn netlink(claim: &Claim, seen: &Seen) -> bool {
    let words = claim.args.get(1).map(String::as_str).unwrap_or("");
    let told = words.split([' ', '|']).next().unwrap_or("");
    let kind = message_type(seen).unwrap_or("");
    let kind_fits = if told.starts_with("NFT_MSG") {
        let rest = seen.args.get(1).map(String::as_str).unwrap_or("");
        // Inside a batch; strace names its messages where it can.
        (kind == "NFNL_MSG_BATCH_BEGIN" || kind == "0x10") && (!rest.contains("NFT_MSG") || rest.contains(told))
    } else {
        ROUTE.iter().any(|(name, number)| *name == told && (kind == *name || kind == *number))
    };
    // The kernel's refusal comes in the answer; the send itself is done.
    kind_fits && (claim.ret < 0 || seen.ret == claim.ret.to_string())
}
