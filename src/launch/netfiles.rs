//! The three files that tell a container who and where it is: /etc/hosts, /etc/hostname and /etc/resolv.conf, with the
//! content that Docker gives them. Texts in, texts out: writing them is the caller's.

use std::net::{IpAddr, Ipv4Addr};

/// Names of this machine itself, as Docker writes them.
const LOCAL: &str = "127.0.0.1\tlocalhost\n\
    ::1\tlocalhost ip6-localhost ip6-loopback\n\
    fe00::\tip6-localnet\n\
    ff00::\tip6-mcastprefix\n\
    ff02::1\tip6-allnodes\n\
    ff02::2\tip6-allrouters\n";

/// Docker's way out when the host names no server that a container could reach.
const DEFAULT_SERVERS: [&str; 2] = ["8.8.8.8", "8.8.4.4"];

/// Where systemd-resolved keeps the servers that it asks itself.
pub const SYSTEMD_RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// A container's resolv.conf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolv {
    pub text: String,
    /// The host named only servers that a container cannot reach, and public ones stand in (FaultPoint::NoNameserver).
    pub stand_in: bool,
}

/// `/etc/hosts`. Without an address (`--network none`) the container has no name that leads to it.
pub fn hosts(hostname: &str, address: Option<Ipv4Addr>) -> String {
    match address {
        Some(address) => format!("{LOCAL}{address}\t{hostname}\n"),
        None => LOCAL.to_string(),
    }
}

/// `/etc/hostname`
pub fn hostname(hostname: &str) -> String {
    format!("{hostname}\n")
}

/// Whether the host's resolv.conf names nothing but systemd-resolved's stub. Then [`SYSTEMD_RESOLVED`] has the real servers,
/// and its text is what [`resolv_conf`] should be given.
pub fn is_systemd_stub(host: &str) -> bool {
    let servers: Vec<&str> = Lines::of(host).servers;
    !servers.is_empty() && servers.iter().all(|server| *server == "127.0.0.53")
}

/// `/etc/resolv.conf` of a container with a network of its own, from the host's. Servers on the host's loopback are out of
/// its reach, and so are IPv6 ones, since the bridge is IPv4 only. For `--network host` the host's file is right as it is.
pub fn resolv_conf(host: &str) -> Resolv {
    let lines = Lines::of(host);
    let reachable = |server: &&str| server.parse().is_ok_and(|ip: Ipv4Addr| !ip.is_loopback() && !ip.is_unspecified());
    let mut servers: Vec<&str> = lines.servers.iter().copied().filter(reachable).collect();
    let stand_in = servers.is_empty();
    if stand_in {
        servers = DEFAULT_SERVERS.to_vec();
    }
    let mut text = String::from("# From the host's /etc/resolv.conf, by docent.\n");
    for server in servers {
        text.push_str(&format!("nameserver {server}\n"));
    }
    for (name, words) in [("search", lines.search), ("options", lines.options)] {
        if !words.is_empty() {
            text.push_str(&format!("{name} {}\n", words.join(" ")));
        }
    }
    Resolv { text, stand_in }
}

/// What counts in a resolv.conf (resolv.conf(5)): all servers; of `search` and `domain` the last; all options.
#[derive(Default)]
struct Lines<'a> {
    servers: Vec<&'a str>,
    search: Vec<&'a str>,
    options: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Lines<'a> {
        let mut lines = Lines::default();
        for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
            let mut words = line.split_whitespace();
            match words.next() {
                // An IPv6 server may carry a zone (fe80::1%eth0).
                Some("nameserver") => lines.servers.extend(
                    words.next().filter(|w| w.split('%').next().is_some_and(|ip| ip.parse::<IpAddr>().is_ok())),
                ),
                Some("search") => lines.search = words.collect(),
                Some("domain") => lines.search = words.take(1).collect(),
                Some("options") => lines.options.extend(words),
                _ => {}
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_names_the_container_only_where_it_has_an_address() {
        assert!(hosts("web", Some([172, 30, 0, 2].into())).ends_with("ip6-allrouters\n172.30.0.2\tweb\n"));
        assert!(!hosts("web", None).contains("web"));
        assert_eq!(hostname("web"), "web\n");
    }

    #[test]
    fn servers_out_of_reach_are_left_out() {
        let host = "; a comment\nnameserver 127.0.0.1\nnameserver 10.1.1.1\nnameserver 2001:db8::1\nnameserver ::1\n\
                    domain old\nsearch lab.example example\noptions ndots:2\noptions edns0\n";
        let resolv = resolv_conf(host);
        let expected = "nameserver 10.1.1.1\nsearch lab.example example\noptions ndots:2 edns0\n";
        assert_eq!(resolv.text.split_once('\n').map(|(_, rest)| rest), Some(expected));
        assert!(!resolv.stand_in);
    }

    #[test]
    fn public_servers_stand_in_and_that_is_said() {
        for host in ["", "nameserver 127.0.0.53\n", "nameserver ::1\n#nameserver 1.1.1.1\n", "nameserver nonsense\n"] {
            let resolv = resolv_conf(host);
            assert!(resolv.stand_in, "{host:?}");
            assert!(resolv.text.ends_with("nameserver 8.8.8.8\nnameserver 8.8.4.4\n"), "{}", resolv.text);
        }
    }

    #[test]
    fn the_stub_of_systemd_is_known() {
        assert!(is_systemd_stub("nameserver 127.0.0.53\noptions edns0 trust-ad\n"));
        assert!(!is_systemd_stub("nameserver 127.0.0.53\nnameserver 10.0.0.1\n"));
        assert!(!is_systemd_stub("nameserver 127.0.0.1\n"));
        assert!(!is_systemd_stub(""));
    }
}
