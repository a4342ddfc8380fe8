//! The bridge network against the real kernel. Each test is its own machine: a thread with a network namespace of its own
//! stands for the host, and small processes with theirs stand for containers. As an ordinary user nothing can be shown here.

mod common;

use docent::inside::Host;
use docent::inside::Netlink;
use docent::inside::Store;
use docent::inside::Table;
use docent::inside::firewall;
use docent::inside::network::{self, Network};
use docent::inside::ports;
use docent::inside::sys::{self, Calls};
use docent::inside::{ContainerId, Endpoint, verify};
use docent::inside::{Event, Expect, Fact, FaultPoint, Outcome, Receipt, Story};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a test on a "host" of its own: a network namespace of one thread, and a root in a temporary directory.
fn on_a_host(test: fn(&Store)) {
    if !rustix::process::geteuid().is_root() {
        common::skip("network", "a network namespace of its own needs root");
        return;
    }
    let thread = std::thread::spawn(move || {
        sys::unshare(&mut Calls::default(), libc::CLONE_NEWNET).expect("unshare");
        // A new namespace starts with the real host's setting, which may be on already.
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "0").expect("ip_forward");
        let dir = tempfile::tempdir().expect("tempdir");
        let (store, made) = Store::open(&dir.path().join("root"), Host::look()).expect("store");
        made.expect("a new store").tell(&mut Story::new());
        test(&store);
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A process in a network namespace of its own; it ends when dropped.
struct Apart(Child);

impl Apart {
    fn new() -> Apart {
        let mut child = Command::new("unshare")
            .args(["-n", "sh", "-c", "echo here; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        let mut line = String::new();
        let out = child.stdout.take().expect("stdout");
        BufReader::new(out).read_line(&mut line).expect("its word");
        assert_eq!(line, "here\n");
        Apart(child)
    }

    fn pid(&self) -> i32 {
        self.0.id() as i32
    }

    /// The container that receipts name.
    const ID: &str = "c0ffee";

    /// Runs `f` in its network namespace.
    fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        let net = File::open(format!("/proc/{}/ns/net", self.pid())).expect("its namespace");
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                sys::setns(&mut Calls::default(), net.as_fd(), libc::CLONE_NEWNET, "net").expect("setns");
                f()
            });
            thread.join().expect("a thread in it")
        })
    }

    /// What a launch does: the pair from outside, the rest from inside.
    fn connect(&self, endpoint: &Endpoint) -> Vec<Event> {
        let mut story = Story::new();
        network::attach_veth(Self::ID, endpoint, self.pid()).expect("attach").tell(&mut story);
        let inside = self.run(|| {
            let mut story = Story::new();
            story.about(Self::ID);
            network::loopback(&mut story).expect("loopback");
            network::inside(Self::ID, endpoint, &mut story).expect("inside");
            story.events().to_vec()
        });
        [story.events(), &inside].concat()
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().expect("its end");
    }
}

fn ensure(store: &Store) -> (Network, Vec<Event>) {
    let mut story = Story::new();
    let network = network::ensure(store, &mut story).expect("ensure");
    (network, story.events().to_vec())
}

fn lease(network: &Network, pair: &str, in_use: &[Ipv4Addr]) -> Endpoint {
    network::lease(network, &ContainerId::parse(&pair.repeat(32)).expect("an id"), in_use).expect("lease")
}

#[track_caller]
fn output(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output().expect(program);
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Runs the proofs where the learner would: on this thread's host.
#[track_caller]
fn assert_proved(receipt: &Option<Receipt>) {
    let receipt = receipt.as_ref().expect("a receipt");
    for proof in receipt.proofs() {
        let answer = verify::run(proof, &[]).expect("an answer");
        assert!(verify::agrees(receipt, &proof.expect, &answer), "{receipt:?}: {answer:?}");
    }
}

fn calls(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .flat_map(|event| &event.calls)
        .map(|call| format!("{}({}) = {}", call.name, call.args, call.ret))
        .collect()
}

#[test]
fn the_first_container_finds_everything_made_and_the_second_makes_nothing() {
    on_a_host(|store| {
        let (foreseen, endpoint) = network::forecast(store, &ContainerId::unborn()).expect("a forecast");
        let (first, events) = ensure(store);
        assert_eq!(endpoint.map(|e| (e.address, e.gateway)), Some(([172, 30, 0, 2].into(), first.gateway)));
        assert_eq!(foreseen, events.iter().map(|event| event.fact.clone()).collect::<Vec<_>>());
        assert_eq!((first.gateway, first.subnet), ([172, 30, 0, 1].into(), ([172, 30, 0, 0].into(), 16)));
        assert!(first.nat);
        let facts: Vec<&Fact> = events.iter().map(|event| &event.fact).collect();
        let expected = matches!(
            facts[..],
            [Fact::Bridge { .. }, Fact::Nat { .. }, Fact::ForwardGuard { .. }, Fact::Sysctl { .. }]
        );
        assert!(expected, "{facts:?}");
        let shown = calls(&events);
        let bridge = &first.bridge;
        assert!(shown[0].starts_with(&format!("sendto(<netlink:route>, RTM_NEWLINK {bridge} bridge address 02:42:")));
        let setting =
            |name: &str, value: &str| format!("write(</proc/sys/net/ipv6/conf/{bridge}/{name}>, \"{value}\", 1) = 1");
        assert_eq!(shown[1..3], [setting("disable_ipv6", "1"), setting("accept_ra", "0")]);
        let alias = format!("RTM_NEWLINK {bridge} alias \"docent mnt:[");
        assert!(shown[3].contains(&alias) && shown[3].contains(&*store.root().to_string_lossy()), "{}", shown[3]);
        assert!(shown[4].starts_with(&format!("sendto(<netlink:route>, RTM_NEWLINK {bridge} up) = ")), "{}", shown[4]);
        assert!(shown[5].starts_with(&format!("sendto(<netlink:route>, RTM_NEWADDR {bridge} 172.30.0.1/16) = ")));
        assert!(shown[6].starts_with("rename("), "where the subnet is remembered: {}", shown[6]);
        for (call, table) in shown[7..9].iter().zip([bridge.as_str(), "docent"]) {
            assert!(
                call.starts_with("sendto(<netlink:netfilter>, NFT_MSG_NEWTABLE|NFT_MSG_DELTABLE|NFT_MSG_NEWTABLE|")
            );
            assert!(call.contains(&format!("|NFT_MSG_NEWRULE inet {table}: ")), "{call}");
        }
        // Forwarding is switched on when what guards it stands.
        assert_eq!(shown[9], "write(</proc/sys/net/ipv4/ip_forward>, \"1\", 1) = 1");
        assert_eq!(shown.len(), 10);
        events.iter().for_each(|event| assert_proved(&event.receipt));
        let table = output("nft", &["list", "table", "inet", bridge]);
        assert!(table.contains("type nat hook postrouting priority srcnat; policy accept;"), "{table}");
        // What was said to the kernel is what nft reads there.
        for rule in Table::of_bridge(bridge, (first.gateway, 16), "").rules {
            assert!(table.contains(&format!("{rule} comment \"{}\"", rule.comment)), "{rule}: {table}");
        }
        assert!(table.contains("comment \"docent mnt:["), "{table}");
        let guard = output("nft", &["list", "table", "inet", "docent"]);
        assert!(guard.contains("type filter hook forward priority filter; policy drop;"), "{guard}");
        assert_eq!(guard.matches("iifname \"dcnt*\" accept").count(), 1, "{guard}");

        let (second, events) = ensure(store);
        assert_eq!(second, first);
        assert!(matches!(&events[..], [Event { fact: Fact::BridgeReused { .. }, .. }]), "{events:?}");
        assert!(calls(&events).is_empty());
        assert_proved(&events[0].receipt);
        assert_eq!(network::forecast(store, &ContainerId::unborn()).expect("a forecast").0, [events[0].fact.clone()]);
    });
}

#[test]
fn containers_reach_the_host_each_other_and_the_outside() {
    on_a_host(|store| {
        let (net, _) = ensure(store);
        let (a, b, outside) = (Apart::new(), Apart::new(), Apart::new());
        let one = lease(&net, "a1", &[]);
        let two = lease(&net, "b2", &[one.address]);
        assert_eq!((one.address, two.address), ([172, 30, 0, 2].into(), [172, 30, 0, 3].into()));
        assert_eq!(one.veth, "vetha1a1a1a1a1a");
        let events = a.connect(&one);
        b.connect(&two);
        let facts: Vec<&Fact> = events.iter().map(|event| &event.fact).collect();
        let [Fact::Veth { .. }, Fact::Loopback, Fact::Address { address, .. }, Fact::Route { gateway, .. }] = facts[..]
        else {
            panic!("{facts:?}")
        };
        assert_eq!((address.as_deref(), gateway.as_deref()), (Some("172.30.0.2/16"), Some("172.30.0.1")));
        assert_eq!(calls(&events).len(), 5, "{:?}", calls(&events));
        assert_proved(&events[0].receipt);
        for event in &events[1..] {
            // As by nsenter, whose target is one process and not one of our threads.
            let receipt = event.receipt.as_ref().expect("a receipt");
            let argv: Vec<&str> = receipt.first.argv.iter().filter_map(|word| word.text()).collect();
            assert_eq!(argv[0], "nsenter");
            let text = a.run(|| output(argv[4], &argv[5..]));
            assert!(
                matches!(&receipt.first.expect, Expect::Contains(wanted) if text.contains(wanted.as_str())),
                "{receipt:?}: {text}"
            );
        }
        let mac = a.run(|| Netlink::open().expect("netlink").existing("eth0").expect("eth0").mac);
        assert_eq!(mac, one.mac);

        // The outside: a machine on another network of this host, which knows no way back to 172.30.0.0/16.
        let pid = outside.pid().to_string();
        output("ip", &["link", "add", "out", "type", "veth", "peer", "name", "eth0", "netns", &pid]);
        output("ip", &["addr", "add", "192.0.2.1/24", "dev", "out"]);
        output("ip", &["link", "set", "out", "up"]);
        outside.run(|| {
            output("ip", &["addr", "add", "192.0.2.2/24", "dev", "eth0"]);
            output("ip", &["link", "set", "eth0", "up"]);
        });
        let listen = || TcpListener::bind((Ipv4Addr::UNSPECIFIED, 8080)).expect("listen");
        let from = |listener: &TcpListener| listener.accept().expect("accept").1.ip();
        let connect = |to: [u8; 4]| {
            let to = SocketAddr::from((to, 8080));
            drop(TcpStream::connect_timeout(&to, common::seconds(5)).unwrap_or_else(|e| panic!("{to}: {e}")));
        };
        output("ip", &["link", "set", "lo", "up"]);
        let (here, there, away) = (listen(), b.run(listen), outside.run(listen));
        a.run(|| connect([172, 30, 0, 1]));
        assert_eq!(from(&here), IpAddr::from(one.address));
        a.run(|| connect([172, 30, 0, 3]));
        assert_eq!(from(&there), IpAddr::from(one.address), "within the bridge nothing is translated");
        a.run(|| connect([192, 0, 2, 2]));
        assert_eq!(from(&away), IpAddr::from([192, 0, 2, 1]), "outside only the host's address is seen");
    });
}

/// A router advertisement by a container, as a frame of its own making: `fe80::1` is a router for everything, and
/// `2001:db8:bad::/64` is a network in which every host may choose itself an address.
const ADVERTISE: &str = r#"
import socket, struct
dst = bytes.fromhex("333300000001")
src = bytes.fromhex("024200000bad")
fe80 = socket.inet_pton(socket.AF_INET6, "fe80::1")
all_nodes = socket.inet_pton(socket.AF_INET6, "ff02::1")
prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 3600, 3600, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8:bad::")
body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + bytes([1, 1]) + src + prefix
pseudo = fe80 + all_nodes + struct.pack("!II", len(body), 58)
words = struct.unpack("!%dH" % ((len(pseudo) + len(body)) // 2), pseudo + body)
total = sum(words)
while total >> 16:
    total = (total & 0xffff) + (total >> 16)
body = body[:2] + struct.pack("!H", ~total & 0xffff) + body[4:]
packet = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + fe80 + all_nodes + body
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0x86dd))
s.send(dst + src + struct.pack("!H", 0x86dd) + packet)
"#;

/// CVE-2020-13401: a container could become the host's router for IPv6.
#[test]
fn the_bridge_takes_no_router_advertisements() {
    on_a_host(|store| {
        if !std::path::Path::new("/proc/sys/net/ipv6").exists() {
            return println!("SKIPPED: this kernel has no IPv6");
        }
        let (net, events) = ensure(store);
        let setting = |device: &str, name: &str| {
            let path = format!("/proc/sys/net/ipv6/conf/{device}/{name}");
            std::fs::read_to_string(path).expect("a setting").trim().to_string()
        };
        // A bridge as any other shows that what the container sends is taken where nobody refuses it.
        let (member, other) = (Apart::new(), Apart::new());
        member.connect(&lease(&net, "a1", &[]));
        output("ip", &["link", "add", "plain", "up", "type", "bridge"]);
        let pid = other.pid().to_string();
        output("ip", &["link", "add", "port", "up", "master", "plain", "type", "veth", "peer", "eth0", "netns", &pid]);
        other.run(|| output("ip", &["link", "set", "eth0", "up"]));
        let routes = || output("ip", &["-6", "route", "show", "default"]);
        let until = Instant::now() + common::seconds(20);
        while !routes().contains("dev plain") && Instant::now() < until {
            member.run(|| output("python3", &["-c", ADVERTISE]));
            other.run(|| output("python3", &["-c", ADVERTISE]));
        }
        assert!(routes().contains("dev plain"), "the other bridge took it: {}", routes());
        assert!(!routes().contains(&net.bridge), "{}", routes());
        assert_eq!(output("ip", &["-6", "addr", "show", "dev", &net.bridge]), "");

        assert_eq!((setting(&net.bridge, "disable_ipv6"), setting(&net.bridge, "accept_ra")), ("1".into(), "0".into()));
        let shown = calls(&events);
        let place = |what: &str| shown.iter().position(|call| call.contains(what)).expect(what);
        let up = place(&format!("RTM_NEWLINK {} up", net.bridge));
        assert!(place("disable_ipv6") < up && place("accept_ra") < up, "before it is up: {shown:?}");

        // Switched on again behind our back (or by a bridge of an earlier docent): the next command sees to it.
        std::fs::write(format!("/proc/sys/net/ipv6/conf/{}/disable_ipv6", net.bridge), "0").expect("on");
        let (_, events) = ensure(store);
        assert!(matches!(&events[0].fact, Fact::Bridge { .. }), "{events:?}");
        assert_eq!(setting(&net.bridge, "disable_ipv6"), "1");
    });
}

/// A machine on another network of this host, by the veth `name`, whose way to everything else leads through this host.
fn neighbour(name: &str, network: u8) -> (Apart, Ipv4Addr) {
    let apart = Apart::new();
    let pid = apart.pid().to_string();
    output("ip", &["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", &pid]);
    output("ip", &["addr", "add", &format!("192.0.{network}.1/24"), "dev", name]);
    output("ip", &["link", "set", name, "up"]);
    apart.run(|| {
        output("ip", &["addr", "add", &format!("192.0.{network}.2/24"), "dev", "eth0"]);
        output("ip", &["link", "set", "eth0", "up"]);
        output("ip", &["route", "add", "default", "via", &format!("192.0.{network}.1")]);
    });
    (apart, Ipv4Addr::new(192, 0, network, 2))
}

/// Two stores on a host with two neighbours, and who reaches whom.
fn who_reaches_whom(store: &Store, forwarding: bool) {
    std::fs::write("/proc/sys/net/ipv4/ip_forward", if forwarding { "1" } else { "0" }).expect("ip_forward");
    output("ip", &["link", "set", "lo", "up"]);
    // A bridge of somebody else; where br_netfilter is loaded, what passes through a bridge is seen by every filter.
    let (member, other_member) = (Apart::new(), Apart::new());
    output("ip", &["link", "add", "plain", "up", "type", "bridge"]);
    for (n, apart) in [&member, &other_member].into_iter().enumerate() {
        let (port, pid) = (format!("port{n}"), apart.pid().to_string());
        output("ip", &["link", "add", &port, "up", "master", "plain", "type", "veth", "peer", "eth0", "netns", &pid]);
        apart.run(|| {
            output("ip", &["addr", "add", &format!("198.51.100.{}/24", n + 1), "dev", "eth0"]);
            output("ip", &["link", "set", "eth0", "up"]);
        });
    }
    let dir = tempfile::tempdir().expect("tempdir");
    let (other_store, made) = Store::open(&dir.path().join("root"), Host::look()).expect("store");
    made.expect("a new store").tell(&mut Story::new());
    let ((net, events), (other_net, others)) = (ensure(store), ensure(&other_store));
    let switched = |events: &[Event]| events.iter().any(|e| matches!(e.fact, Fact::Sysctl { .. }));
    assert_eq!((switched(&events), switched(&others)), (!forwarding, false));
    let ([a, b, c], near, far) = ([(); 3].map(|()| Apart::new()), neighbour("near", 2), neighbour("far", 3));
    let one = lease(&net, "a1", &[]);
    let two = lease(&net, "b2", &[one.address]);
    let three = lease(&other_net, "c3", &[]);
    for (apart, lease) in [(&a, &one), (&b, &two), (&c, &three)] {
        apart.connect(lease);
    }
    let listen = || TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).expect("listen");
    let _listeners = [
        listen(),
        a.run(listen),
        b.run(listen),
        c.run(listen),
        near.0.run(listen),
        far.0.run(listen),
        member.run(listen),
    ];
    // `-p 127.0.0.1:8080:80`
    let published =
        ports::bind("c0ffee", Some(Ipv4Addr::LOCALHOST.into()), Some(8080), SocketAddrV4::new(one.address, 80))
            .expect("bind");
    let _published = published.tell(&mut Story::new());
    // What is dropped is never answered; what is not is answered within microseconds, once every device is up.
    let connect = |to: Ipv4Addr, port: u16, patience: u64| {
        TcpStream::connect_timeout(&SocketAddr::from((to, port)), Duration::from_millis(patience * common::slow()))
            .is_ok()
    };
    let (reach, try_to_reach) = (|to, port| connect(to, port, 20_000), |to, port| connect(to, port, 600));
    let yes = |whose: &str, reached: bool| assert!(reached, "{whose} must be reached");
    let no = |whose: &str, reached: bool| assert!(!reached, "{whose} must not be reached");

    yes("a container by its host", reach(one.address, 80));
    yes("the host by its own address on the bridge", reach(net.gateway, 80));
    yes("a container by another of its network", b.run(|| reach(one.address, 80)));
    yes("the host by a container", a.run(|| reach(net.gateway, 80)));
    yes("a neighbour by a container", a.run(|| reach(near.1, 80)));
    yes("a neighbour by the other store's container", c.run(|| reach(near.1, 80)));
    yes("the host by its neighbour", near.0.run(|| reach([192, 0, 2, 1].into(), 80)));
    yes("a member of a foreign bridge by another", other_member.run(|| reach([198, 51, 100, 1].into(), 80)));

    no("an unpublished port by a neighbour", near.0.run(|| try_to_reach(one.address, 80)));
    no("a port of the host's loopback by a neighbour", near.0.run(|| try_to_reach([192, 0, 2, 1].into(), 8080)));
    no("the address on the bridge by a neighbour", near.0.run(|| try_to_reach(net.gateway, 80)));
    no("a container by the other store's container", c.run(|| try_to_reach(one.address, 80)));
    no("the other store's container by a container", a.run(|| try_to_reach(three.address, 80)));
    // Whoever switches forwarding on answers for what it makes possible.
    let routed = near.0.run(|| if forwarding { reach(far.1, 80) } else { try_to_reach(far.1, 80) });
    assert_eq!(routed, forwarding, "a neighbour by another, through this host");
}

#[test]
fn what_is_forwarded_belongs_to_a_container() {
    on_a_host(|store| who_reaches_whom(store, false));
}

/// Somebody else has switched forwarding on: what passes that is not ours is theirs.
#[test]
fn forwarding_that_was_on_is_left_alone_and_containers_are_guarded() {
    on_a_host(|store| who_reaches_whom(store, true));
}

#[test]
fn loopback_alone() {
    on_a_host(|_| {
        let apart = Apart::new();
        apart.run(|| {
            let mut story = Story::new();
            story.about("c0ffee");
            network::loopback(&mut story).expect("loopback");
            let [Event { fact: Fact::Loopback, calls, .. }] = story.events() else { panic!("{:?}", story.events()) };
            assert_eq!(calls[0].args, "<netlink:route>, RTM_NEWLINK lo up");
            let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
            TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
        });
    });
}

#[test]
fn a_subnet_in_use_is_left_alone_and_the_choice_is_remembered() {
    on_a_host(|store| {
        output("ip", &["link", "set", "lo", "up"]);
        output("ip", &["addr", "add", "172.30.7.1/24", "dev", "lo"]);
        let (net, _) = ensure(store);
        assert_eq!(net.gateway, Ipv4Addr::from([172, 31, 0, 1]));
        // As after a reboot, but with the first subnet free again.
        output("ip", &["link", "delete", &net.bridge]);
        output("ip", &["addr", "delete", "172.30.7.1/24", "dev", "lo"]);
        assert_eq!(ensure(store).0.gateway, Ipv4Addr::from([172, 31, 0, 1]));
        // The remembered one is taken now: another is found, and the rule follows the subnet.
        output("ip", &["link", "delete", &net.bridge]);
        output("ip", &["addr", "add", "172.31.7.1/24", "dev", "lo"]);
        let (net, events) = ensure(store);
        assert_eq!(net.gateway, Ipv4Addr::from([172, 30, 0, 1]));
        let last = calls(&events).pop().expect("a call");
        assert!(last.contains("NFT_MSG_DELTABLE|NFT_MSG_NEWTABLE"), "{last}");
        let table = output("nft", &["list", "table", "inet", &net.bridge]);
        assert_eq!(table.matches("masquerade").count(), 1, "{table}");
        assert!(table.contains("ip saddr 172.30.0.0/16"), "{table}");
    });
}

#[test]
fn what_a_killed_command_left_half_made_is_completed() {
    on_a_host(|store| {
        let bridge = docent::inside::bridge_name(store.root());
        output("ip", &["link", "add", &bridge, "type", "bridge"]);
        let (net, events) = ensure(store);
        assert_eq!(net.bridge, bridge);
        let shown = calls(&events);
        assert!(shown[3].starts_with(&format!("sendto(<netlink:route>, RTM_NEWLINK {bridge} up) = ")), "{shown:?}");
        assert!(shown[4].contains("RTM_NEWADDR"), "{shown:?}");
        output("nft", &["flush", "ruleset"]);
        let (net, events) = ensure(store);
        assert!(net.nat && events.iter().any(|event| matches!(event.fact, Fact::Nat { .. })), "{events:?}");
    });
}

#[test]
fn a_device_that_is_no_bridge_is_not_taken_for_one() {
    on_a_host(|store| {
        let bridge = docent::inside::bridge_name(store.root());
        output("ip", &["link", "add", &bridge, "type", "veth", "peer", "name", "other"]);
        let mut story = Story::new();
        network::ensure(store, &mut story).expect_err("not a bridge");
        let [Event { fact: Fact::Bridge { .. }, outcome: Outcome::Failed { error }, .. }] = story.events() else {
            panic!("{:?}", story.events())
        };
        assert_eq!(error.errno, libc::EEXIST);
    });
}

#[test]
fn many_roots_at_once_get_a_subnet_each() {
    on_a_host(|_| {
        let host = File::open("/proc/thread-self/ns/net").expect("namespace");
        let mut gateways: Vec<Ipv4Addr> = std::thread::scope(|scope| {
            let start = |_| {
                let host = host.try_clone().expect("clone");
                scope.spawn(move || {
                    sys::setns(&mut Calls::default(), host.as_fd(), libc::CLONE_NEWNET, "net").expect("setns");
                    let dir = tempfile::tempdir().expect("tempdir");
                    let (store, made) = Store::open(dir.path(), Host::look()).expect("store");
                    if let Some(made) = made {
                        made.tell(&mut Story::new());
                    }
                    ensure(&store).0.gateway
                })
            };
            let threads: Vec<_> = (0..8).map(start).collect();
            threads.into_iter().map(|thread| thread.join().expect("a root")).collect()
        });
        gateways.sort();
        let all = gateways.len();
        gateways.dedup();
        assert_eq!(gateways.len(), all, "{gateways:?}");
    });
}

#[test]
fn a_restart_replaces_the_pair_of_the_last_run() {
    on_a_host(|store| {
        let (net, _) = ensure(store);
        let lease = lease(&net, "c3", &[]);
        let (last, now) = (Apart::new(), Apart::new());
        last.connect(&lease);
        let events = now.connect(&lease);
        let shown = calls(&events[..1]);
        assert!(shown[0].ends_with(" = -17"), "{shown:?}");
        assert!(shown[1].contains("RTM_DELLINK vethc3c3c3c3c3c"), "{shown:?}");
        assert!(last.run(|| Netlink::open().expect("netlink").link("eth0").expect("look")).is_none());

        let removed = network::remove_veth(&lease.veth).expect("remove_veth").expect("there");
        assert_proved(&removed.event().receipt);
        removed.tell(&mut Story::new());
        assert!(network::remove_veth(&lease.veth).expect("remove_veth").is_none(), "nothing to do, nothing told");
    });
}

#[test]
fn a_process_that_is_gone_is_refused_with_the_kernels_errno() {
    on_a_host(|store| {
        let (net, _) = ensure(store);
        let lease = lease(&net, "d4", &[]);
        let error = network::attach_veth("c0ffee", &lease, i32::MAX).expect_err("no such process");
        assert_eq!((error.errno, error.calls.len()), (libc::ESRCH, 1), "{error}");
        assert_eq!(error.calls[0].ret, -i64::from(libc::ESRCH));
        assert!(network::remove_veth(&lease.veth).expect("remove_veth").is_none(), "nothing is left behind");
    });
}

#[test]
fn nat_that_is_refused_is_told_and_no_error() {
    on_a_host(|store| {
        let (net, _) = ensure(store);
        output("nft", &["delete", "table", "inet", &net.bridge]);
        // nf_tables answers nobody without CAP_NET_ADMIN, as a kernel without it answers nobody at all.
        let mut sets = rustix::thread::capabilities(None).expect("capabilities");
        sets.effective.remove(rustix::thread::CapabilitySet::NET_ADMIN);
        rustix::thread::set_capabilities(None, sets).expect("of this thread");
        let (net, events) = ensure(store);
        assert!(!net.nat);
        let [reused, nat, fallback] = &events[..] else { panic!("{events:?}") };
        assert!(matches!(reused.fact, Fact::BridgeReused { .. }));
        assert!(
            matches!((&nat.fact, &nat.outcome), (Fact::Nat { .. }, Outcome::Failed { error }) if error.errno == libc::EPERM)
        );
        assert!(matches!(&fallback.fact, Fact::Fallback { what, point: FaultPoint::NoNat } if what == "nftables"));
        // Where there is no packet filter, there is nothing of docent's in it, and a store can end all the same.
        assert!(firewall::remove(&net.bridge).expect("nothing to do").is_none());
        firewall::release(&mut Story::new()).expect("nothing to do");
    });
}

#[test]
fn a_published_port_has_one_number_in_both_families() {
    on_a_host(|_| {
        output("ip", &["link", "set", "lo", "up"]);
        let to = SocketAddrV4::new(Ipv4Addr::new(172, 30, 0, 2), 80);
        let deed = ports::bind("c0ffee", None, None, to).expect("bind");
        assert_proved(&deed.event().receipt);
        let event = deed.event().clone();
        let listeners = deed.tell(&mut Story::new());
        let port = listeners[0].1.port();
        assert_ne!(port, 0);
        assert!(listeners.iter().all(|(_, address)| address.port() == port));
        assert!(matches!(event.fact, Fact::Published { host_port, .. } if host_port == Some(port)));
        assert_eq!(event.calls.iter().filter(|call| call.name == "listen" && call.ret == 0).count(), listeners.len());
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connect");
        if listeners.len() == 2 {
            TcpStream::connect((Ipv6Addr::LOCALHOST, port)).expect("connect");
        }
        for ip in ["", "127.0.0.1"] {
            let refused = ports::bind("other", ip.parse().ok(), Some(port), to).expect_err("taken");
            assert_eq!(refused.errno, libc::EADDRINUSE);
            assert!(refused.calls.last().is_some_and(|call| call.failed()), "the try is told: {refused:?}");
        }
    });
}
