//! Values of flags: ports, limits, networks, labels and numbers, read as Docker reads them.
//!
//! A value that is wrong is a typed [`Fault::BadValue`] whose `expected` is a pattern, free of any language; a value that
//! Docker knows and docent cannot honour is [`Fault::Unsupported`]. A limit is never rounded to something weaker.

use crate::container::{NetworkMode, PortBinding, valid_name};
use crate::event::Fault;
use std::net::IpAddr;

/// A parser that serves several flags does not name one: [`super::usage_errors`] does.
pub(super) fn bad(flag: &str, value: &str, expected: &str) -> Fault {
    Fault::BadValue { flag: flag.into(), value: value.into(), expected: expected.into() }
}

fn unsupported(what: String, instead: &str) -> Fault {
    Fault::Unsupported { what, instead: Some(instead.into()) }
}

/// Go's strconv.ParseBool, by which Docker reads `--rm=false`.
pub(super) fn boolean(text: &str) -> Result<bool, Fault> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(bad("", text, "true|false")),
    }
}

/// One `-p`: as many ports as its range has, each with the container's (`80/tcp`) first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortSpec(pub Vec<(String, PortBinding)>);

const PORTS: &str = "[IP:][HOST-PORT:]PORT[-PORT][/tcp], 1-65535";

/// `8080:80`, `127.0.0.1:8080:80`, `[::1]:8080:80`, `80`, `8080-8081:80-81`, each with `/tcp`.
pub(super) fn parse_publish(text: &str) -> Result<PortSpec, Fault> {
    let wrong = || bad("--publish", text, PORTS);
    let (rest, proto) = text.split_once('/').unwrap_or((text, "tcp"));
    match proto.to_ascii_lowercase().as_str() {
        "tcp" => {}
        "udp" | "sctp" => return Err(unsupported(format!("--publish {text}"), &format!("--publish {rest}/tcp"))),
        _ => return Err(wrong()),
    }
    let (host, inside) = rest.rsplit_once(':').unwrap_or(("", rest));
    let (ip, host) = match host.strip_prefix('[') {
        Some(bracketed) => {
            let (ip, after) = bracketed.split_once(']').ok_or_else(wrong)?;
            (ip, after.strip_prefix(':').ok_or_else(wrong)?)
        }
        None => host.rsplit_once(':').unwrap_or(("", host)),
    };
    let host_ip = if ip.is_empty() { None } else { Some(ip.parse::<IpAddr>().map_err(|_| wrong())?) };
    let (first, last) = port_range(inside).ok_or_else(wrong)?;
    let count = u32::from(last) - u32::from(first) + 1;
    let host_ports = if host.is_empty() { None } else { Some(port_range(host).ok_or_else(wrong)?) };
    if let Some((low, high)) = host_ports
        && u32::from(high) - u32::from(low) + 1 != count
    {
        // Docker picks one of a range for a single port (`8000-9000:80`); docent says so rather than choose.
        return Err(if count == 1 {
            unsupported(format!("--publish {text}"), &format!("--publish {low}:{inside}"))
        } else {
            wrong()
        });
    }
    let ports = (first..=last)
        .enumerate()
        .map(|(n, port)| {
            let host_port = host_ports.map(|(low, _)| low + n as u16);
            (format!("{port}/tcp"), PortBinding { host_ip, host_port })
        })
        .collect();
    Ok(PortSpec(ports))
}

fn port_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |t: &str| digits(t)?.parse::<u16>().ok().filter(|p| *p != 0);
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

/// Only digits: `+80` is no port, whatever Rust's own parser thinks.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// Docker's floor: below this not even an init can start.
const MEMORY_MIN: u64 = 6 << 20;

/// `-m`, in bytes; 0 is no limit.
pub(super) fn parse_memory(text: &str) -> Result<u64, Fault> {
    let wrong = || bad("--memory", text, "NUMBER[b|k|m|g|t]");
    let lower = text.to_ascii_lowercase();
    let unit = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(unit);
    let shift = match unit.trim_start_matches(' ') {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(wrong()),
    };
    // Fractions in integers: 1.5g is exactly 1610612736.
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 9 || (number.contains('.') && digits(fraction).is_none()) {
        return Err(wrong());
    }
    let whole: u128 = digits(whole).and_then(|w| w.parse().ok()).ok_or_else(wrong)?;
    let scale = 10u128.pow(fraction.len() as u32);
    let parts: u128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| wrong())? };
    let scaled = whole.checked_mul(scale).and_then(|w| w.checked_add(parts)).and_then(|n| n.checked_mul(1 << shift));
    // i64::MAX: the kernel's page counter reads no more.
    let bytes = scaled.map(|n| n / scale).filter(|n| *n <= i64::MAX as u128).ok_or_else(wrong)? as u64;
    if (1..MEMORY_MIN).contains(&bytes) { Err(Fault::MemoryTooLow { value: text.into() }) } else { Ok(bytes) }
}

/// `--cpus`, in thousandths; 0 is no limit.
pub(super) fn parse_cpus(text: &str) -> Result<u64, Fault> {
    let wrong = || bad("--cpus", text, "NUMBER[.NNN], >= 0.01");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    if (whole.is_empty() && !text.starts_with('.')) || text == "." || fraction.len() > 3 {
        return Err(wrong());
    }
    let number = |t: &str| if t.is_empty() { Some(0) } else { digits(t)?.parse::<u64>().ok() };
    let whole = number(whole).filter(|n| *n <= 100_000).ok_or_else(wrong)?;
    let milli = whole * 1000 + number(&format!("{fraction:0<3}")).ok_or_else(wrong)?;
    if (1..10).contains(&milli) { Err(wrong()) } else { Ok(milli) }
}

/// `--pids-limit`; -1, or 0 as Docker reads it, is no limit.
pub(super) fn parse_pids(text: &str) -> Result<i64, Fault> {
    text.parse().ok().filter(|n| *n >= -1).ok_or_else(|| bad("--pids-limit", text, "NUMBER|-1"))
}

pub(super) fn parse_network(text: &str) -> Result<NetworkMode, Fault> {
    match text {
        "bridge" | "default" => Ok(NetworkMode::Bridge),
        "none" => Ok(NetworkMode::None),
        "host" => Ok(NetworkMode::Host),
        "" => Err(bad("--network", text, NETWORKS)),
        _ => Err(unsupported(format!("--network {text}"), &format!("--network {NETWORKS}"))),
    }
}

const NETWORKS: &str = "none|bridge|host";

pub(super) fn parse_name(text: &str) -> Result<String, Fault> {
    // Docker takes `/web` for `web`: that is how the API writes names.
    let name = text.strip_prefix('/').unwrap_or(text);
    if valid_name(name) { Ok(name.into()) } else { Err(Fault::BadName { name: text.into() }) }
}

/// A host name of sethostname(2): at most 64 bytes, here of the characters that RFC 1123 allows, and `_`.
pub(super) fn parse_hostname(text: &str) -> Result<String, Fault> {
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if text.len() <= 64 && text.split('.').all(label) {
        Ok(text.into())
    } else {
        Err(bad("--hostname", text, "[a-zA-Z0-9_.-]{1,64}"))
    }
}

pub(super) fn parse_label(text: &str) -> Result<(String, String), Fault> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    if key.is_empty() {
        return Err(bad("--label", text, "KEY[=VALUE]"));
    }
    Ok((key.into(), value.into()))
}

pub(super) fn parse_workdir(text: &str) -> Result<String, Fault> {
    if text.starts_with('/') { Ok(text.into()) } else { Err(bad("--workdir", text, "/PATH")) }
}

/// `--filter name=value`; the name is read without regard to case, as Docker does.
pub(super) fn parse_filter(text: &str) -> Result<super::filter::Term, Fault> {
    let (key, value) = text.split_once('=').ok_or_else(|| bad("--filter", text, "NAME=VALUE"))?;
    Ok(super::filter::Term { key: key.trim().to_lowercase(), value: value.trim().to_string() })
}

/// Seconds of grace: 0 kills at once, -1 waits for ever.
pub(super) fn parse_timeout(text: &str) -> Result<i64, Fault> {
    text.parse::<i32>().ok().filter(|n| *n >= -1).map(i64::from).ok_or_else(|| bad("", text, "SECONDS|-1"))
}

pub(super) fn parse_last(text: &str) -> Result<i64, Fault> {
    text.parse().map_err(|_| bad("--last", text, "NUMBER"))
}

pub(super) fn parse_signal(text: &str) -> Result<i32, Fault> {
    crate::kernel::signals::number(text).ok_or_else(|| Fault::BadSignal { signal: text.into() })
}

/// The number of a command in the journal.
pub(super) fn parse_number(text: &str) -> Result<u64, Fault> {
    digits(text).and_then(|t| t.parse().ok()).ok_or_else(|| bad("N", text, "NUMBER"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(host_ip: &str, host_port: u16, port: u16) -> (String, PortBinding) {
        let binding = PortBinding { host_ip: host_ip.parse().ok(), host_port: (host_port != 0).then_some(host_port) };
        (format!("{port}/tcp"), binding)
    }

    #[test]
    fn ports_in_all_their_forms() {
        for (text, ports) in [
            ("8080:80", vec![port("", 8080, 80)]),
            ("80", vec![port("", 0, 80)]),
            ("80/tcp", vec![port("", 0, 80)]),
            ("8080:80/TCP", vec![port("", 8080, 80)]),
            ("127.0.0.1:8080:80", vec![port("127.0.0.1", 8080, 80)]),
            ("127.0.0.1::80", vec![port("127.0.0.1", 0, 80)]),
            ("[::1]:8080:80", vec![port("::1", 8080, 80)]),
            ("[::1]::80", vec![port("::1", 0, 80)]),
            ("8080-8081:80-81", vec![port("", 8080, 80), port("", 8081, 81)]),
            ("80-81", vec![port("", 0, 80), port("", 0, 81)]),
            ("65535:65535", vec![port("", 65535, 65535)]),
        ] {
            assert_eq!(parse_publish(text), Ok(PortSpec(ports)), "{text}");
        }
    }

    #[test]
    fn ports_that_are_wrong_or_not_to_be_had() {
        for text in [
            "",
            "abc",
            ":",
            "0",
            "70000:80",
            "80:70000",
            "80-82:80-81",
            "82-80",
            "a.b:80:80",
            "80/foo",
            "+80:80",
            "80:",
            "[::1:80:80",
            "[::1]80:80",
            "1:2:3:4:5",
            "8080:80:",
            "-80",
            "256.0.0.1:80:80",
        ] {
            assert!(matches!(parse_publish(text), Err(Fault::BadValue { .. })), "{text}");
        }
        for text in ["53:53/udp", "80/sctp", "8000-9000:80"] {
            assert!(matches!(parse_publish(text), Err(Fault::Unsupported { .. })), "{text}");
        }
    }

    #[test]
    fn memory_as_docker_reads_it() {
        for (text, bytes) in [
            ("64m", 64 << 20),
            ("64M", 64 << 20),
            ("64MB", 64 << 20),
            ("64MiB", 64 << 20),
            ("64 m", 64 << 20),
            ("1g", 1 << 30),
            ("1.5g", 3 << 29),
            ("6291456", 6 << 20),
            ("6291456b", 6 << 20),
            ("6144k", 6 << 20),
            ("6m", 6 << 20),
        ] {
            assert_eq!(parse_memory(text), Ok(bytes), "{text}");
        }
        assert_eq!(parse_memory("0"), Ok(0));
        for text in ["", "m", "5x", "-1", "5m", "6291455", "1.g", ".5g", "1e9", "64mm", "9999999999t", "1.2.3g", "१m"]
        {
            assert!(parse_memory(text).is_err(), "{text}");
        }
    }

    #[test]
    fn cpus_and_pids() {
        for (text, milli) in [("1.5", 1500), ("0.01", 10), ("2", 2000), (".5", 500), ("0.5000", 500), ("1.", 1000)] {
            assert_eq!(parse_cpus(text), Ok(milli), "{text}");
        }
        assert_eq!(parse_cpus("0"), Ok(0));
        for text in ["", ".", "abc", "-1", "0.001", "0.3333", "1,5", "99999999999999999999", "1.5.5", "+1", "1.-5"] {
            assert!(parse_cpus(text).is_err(), "{text}");
        }
        assert_eq!(parse_pids("10"), Ok(10));
        assert_eq!(parse_pids("-1"), Ok(-1));
        assert!(parse_pids("abc").is_err() && parse_pids("-2").is_err());
    }

    #[test]
    fn names_networks_labels_and_the_rest() {
        assert_eq!(parse_name("web"), Ok("web".into()));
        assert_eq!(parse_name("/web"), Ok("web".into()));
        assert!(matches!(parse_name("웹"), Err(Fault::BadName { .. })));
        assert_eq!(parse_network("none"), Ok(NetworkMode::None));
        assert!(matches!(parse_network("container:web"), Err(Fault::Unsupported { .. })));
        assert!(matches!(parse_network(""), Err(Fault::BadValue { .. })));
        assert_eq!(parse_label("a.b/c=d=e"), Ok(("a.b/c".into(), "d=e".into())));
        assert_eq!(parse_label("a"), Ok(("a".into(), String::new())));
        assert!(parse_label("=x").is_err());
        assert!(parse_hostname("web-1.lab").is_ok());
        assert!(parse_hostname("").is_err() && parse_hostname("a b").is_err() && parse_hostname("-a").is_err());
        assert!(parse_hostname(&"a".repeat(65)).is_err());
        assert!(parse_workdir("/srv").is_ok() && parse_workdir("srv").is_err());
        assert_eq!(parse_timeout("-1"), Ok(-1));
        assert!(parse_timeout("-2").is_err() && parse_timeout("x").is_err());
        assert!(parse_number("+3").is_err() && parse_number("3").is_ok());
        assert_eq!(boolean("T"), Ok(true));
        assert!(boolean("maybe").is_err());
    }
}
