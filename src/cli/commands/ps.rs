//! `docker ps`: which containers are shown, in what order, and what stands in each column.

use super::*;
use crate::cli::filter::{ContainerFilter, Term};
use crate::cli::parsers::{parse_filter, parse_last};
use crate::cli::table::{Row, ellipsis, list};
use crate::cli::times::{ago, human_duration, local, zone};
use crate::container::{Container, Life, NetworkMode, Port, State};
use chrono::{DateTime, FixedOffset, Utc};

/// 컨테이너 목록을 보여 줍니다 | List containers
#[derive(Debug, Default, Args)]
pub struct Ps {
    /// 멈춘 컨테이너도 보여 줍니다 | Show all containers (default shows just running)
    #[arg(short, long)]
    all: bool,
    /// 조건에 맞는 것만 보여 줍니다 | Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = parse_filter)]
    filter: Vec<Term>,
    /// 출력 형식: 'table', 'table TEMPLATE', 'json', 'TEMPLATE' (Go 템플릿) |
    /// Format output: 'table', 'table TEMPLATE', 'json', 'TEMPLATE' (a Go template)
    #[arg(long, value_name = "string")]
    format: Option<String>,
    // Negative: no bound, as Docker's default -1.
    /// 마지막에 만든 n개를 보여 줍니다 (상태에 상관없이) | Show n last created containers (includes all states)
    #[arg(short = 'n', long, value_name = "int", default_value = "-1", value_parser = parse_last)]
    last: i64,
    /// 마지막에 만든 하나를 보여 줍니다 (상태에 상관없이) | Show the latest created container (includes all states)
    #[arg(short, long)]
    latest: bool,
    /// 출력을 자르지 않습니다 | Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// 컨테이너 ID만 보여 줍니다 | Only display container IDs
    #[arg(short, long)]
    quiet: bool,
}

impl Command for Ps {
    const PATHS: &'static [&'static str] = &["container ls|list|ps", "ps"];
    const EXAMPLE: &'static str = "docker ps -a";
    const BARE: Bare = Bare::Shells(|args, _| {
        args.iter().all(|a| ["-a", "-q", "-aq", "-qa", "-l", "--all", "--no-trunc"].contains(a))
    });
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let all = context.list_containers()?;
        context.print_foreign(&ps(&all, &self, Utc::now(), zone())?);
        Ok(0)
    }
}

const TABLE: &str = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
const HEADINGS: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("CreatedAt", "CREATED AT"),
    ("RunningFor", "CREATED"),
    ("Ports", "PORTS"),
    ("State", "STATE"),
    ("Status", "STATUS"),
    ("Names", "NAMES"),
    ("Labels", "LABELS"),
    ("Mounts", "MOUNTS"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Networks", "NETWORKS"),
];

/// Lines for stdout, the newest container first. `zone` is the local one, for `.CreatedAt`.
fn ps(containers: &[Container], args: &Ps, now: DateTime<Utc>, zone: FixedOffset) -> Result<String, Fault> {
    let filter = ContainerFilter::new(&args.filter)?;
    let last = match (args.latest, usize::try_from(args.last)) {
        (true, _) => Some(1),
        (false, Ok(n)) if n > 0 => Some(n),
        _ => None,
    };
    // `-n` and `-l` count containers in every state, and so does a question about the state.
    let all = args.all || last.is_some() || filter.asks_for_state();
    let mut shown: Vec<&Container> =
        containers.iter().filter(|c| filter.shows(c) && (all || c.state.up().is_some())).collect();
    shown.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    shown.truncate(last.unwrap_or(usize::MAX));
    let rows: Vec<Row> = shown.iter().map(|c| row(c, args.no_trunc, now, zone)).collect();
    if args.quiet {
        return list(Some("{{.ID}}"), TABLE, HEADINGS, &rows);
    }
    list(args.format.as_deref(), TABLE, HEADINGS, &rows)
}

fn row(container: &Container, whole: bool, now: DateTime<Utc>, zone: FixedOffset) -> Row {
    let command = command(&container.config.argv());
    let labels: Vec<String> = container.config.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let fields = serde_json::json!({
        "Command": quote(&if whole { command } else { ellipsis(&command, 20) }),
        "CreatedAt": local(container.created, zone),
        "ID": if whole { container.id.as_str() } else { container.short_id() },
        "Image": container.config.image,
        "Labels": labels.join(","),
        "LocalVolumes": "0",
        "Mounts": "",
        "Names": container.name,
        "Networks": container.host_config.network_mode.name(),
        "Ports": ports(container),
        "RunningFor": ago(now, container.created),
        "State": container.state.status().word(),
        "Status": status(container, now),
    });
    Row { fields, labels: container.config.labels.clone() }
}

/// `Up 41 seconds (Paused)`, `Exited (137) 1 second ago`, `Created`.
pub fn status(container: &Container, now: DateTime<Utc>) -> String {
    let up = |life: &Life| human_duration(now - life.init.map_or(now, |init| init.at));
    match &container.state {
        State::Created { .. } | State::Starting(_) => "Created".into(),
        State::Running(life) => format!("Up {}", up(life)),
        State::Paused(life) => format!("Up {} (Paused)", up(life)),
        State::Exited(end) => format!("Exited ({}) {}", end.code, ago(now, end.finished)),
    }
}

/// The command line; an argument with a space in it stands in quotes.
fn command(argv: &[String]) -> String {
    let mut words = argv.iter();
    let program = words.next().cloned();
    let rest = words.map(|w| if w.contains(' ') { format!("'{w}'") } else { w.clone() });
    program.into_iter().chain(rest).collect::<Vec<_>>().join(" ")
}

/// In double quotes as Go writes them: what cannot be printed (a newline, an escape sequence meant for the terminal of
/// whoever lists containers) is spelled out.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if is_hidden(c) && (c as u32) < 0x10000 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c if is_hidden(c) => out.push_str(&format!("\\U{:08x}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// Controls and marks that turn the writing direction: on a terminal they show something else than what is there.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// One published port on one address family.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    port: u16,
    ip: String,
    host_port: u16,
    proto: String,
}

/// `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp`; ports that are exposed and not published stand alone (`80/tcp`). Neighbours
/// are drawn together (`81-82/tcp`), as Docker does where host and container use the same numbers.
fn ports(container: &Container) -> String {
    let bridged = container.host_config.network_mode == NetworkMode::Bridge;
    let Some(life) = container.state.up().filter(|_| bridged) else { return String::new() };
    let on_host = |p: &Port| {
        let (port, host_port, proto) = (p.port, p.host_port.unwrap_or(0), p.proto.clone());
        p.families().into_iter().map(move |ip| Shown { port, ip, host_port, proto: proto.clone() })
    };
    let mut shown: Vec<Shown> = life.ports.iter().flat_map(on_host).collect();
    for exposed in container.config.exposed_ports.keys() {
        let (port, proto) = exposed.split_once('/').unwrap_or((exposed, "tcp"));
        let Ok(port) = port.parse::<u16>() else { continue };
        if !life.ports.iter().any(|p| p.port == port && p.proto == proto) {
            shown.push(Shown { port, ip: String::new(), host_port: 0, proto: proto.into() });
        }
    }
    shown.sort();
    shown.dedup();
    let (same, mapped): (Vec<Shown>, Vec<Shown>) =
        shown.into_iter().partition(|s| s.ip.is_empty() || s.host_port == s.port);
    let mut runs: Vec<(Shown, u16)> = Vec::new();
    for next in same {
        let run = runs.iter_mut().find(|(first, last)| {
            (&first.ip, &first.proto) == (&next.ip, &next.proto) && last.checked_add(1) == Some(next.port)
        });
        match run {
            Some((_, last)) => *last = next.port,
            None => runs.push((next.clone(), next.port)),
        }
    }
    let run = |(first, last): &(Shown, u16)| {
        let range = if first.port == *last { last.to_string() } else { format!("{}-{last}", first.port) };
        match first.ip.is_empty() {
            true => format!("{range}/{}", first.proto),
            false => format!("{}->{range}/{}", address(&first.ip, &range), first.proto),
        }
    };
    let mapped = mapped.iter().map(|s| format!("{}->{}/{}", address(&s.ip, &s.host_port.to_string()), s.port, s.proto));
    runs.iter().map(run).chain(mapped).collect::<Vec<_>>().join(", ")
}

fn address(ip: &str, port: &str) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

#[cfg(test)]
#[path = "ps_tests.rs"]
mod tests;
