//! Networks: the bridge and its rules on the host, the veth pair, and what the container has of it.

/// The address alone, without the length of its prefix.
pub fn bare(address: &str) -> &str {
    address.split('/').next().unwrap_or(address)
}

/// No address is all of them.
pub fn shown_ip(ip: Option<&str>) -> &str {
    ip.unwrap_or("0.0.0.0")
}

/// The words of a name that has several (`inet docent0`).
pub fn split(name: &str) -> Vec<String> {
    name.split(' ').map(str::to_string).collect()
}

/// The last part of a setting's name (`ip_forward`).
pub fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Where the host listens, in as few words as say it.
pub fn shown_port(ip: Option<&str>, port: Option<u16>) -> String {
    let port = port.map_or_else(|| "…".into(), |port| port.to_string());
    match shown_ip(ip) {
        "0.0.0.0" => port,
        ip => format!("{ip}:{port}"),
    }
}

macro_rules! network {
    ($($so_far:tt)*) => { families! { $($so_far)*

    Loopback = "network.loopback" {
        in Block::Network; calls [sendto];
        proof [nsenter] broken "lo is set down"; man "ip-address(8), netlink(7)";
        [LIGHT] { ko: "컨테이너의 loopback(lo)을 {v}", en: "{v} the container's loopback (lo)" }
        hand { "ip link set lo up" }
        #[cfg(test)]
        sample {}
    }

    Bridge {
        #[serde(rename = "bridge", alias = "name")]
        name: Option<String>,
        address: Option<String>,
        /// The host takes no router advertisements from containers (CVE-2020-13401).
        #[serde(default)]
        ipv6_off: bool,
    } = "network.bridge" {
        in Block::Network; calls [sendto rename write];
        proof [ip cat] broken "its address goes, or IPv6 is switched on"; man "ip-link(8), bridge(8)";
        plan if (name.is_none()) {
            ko: "IPv6를 끈 브리지가 없으면 만듭니다",
            en: "will make the bridge, with IPv6 off, unless it is there",
        }
        [MAKE] (name, address) { ko: "{name} 브리지를 {v} · {address}", en: "{v} the bridge {name} · {address}" }
        also if (*ipv6_off) {
            ko: "IPv6 끔: 컨테이너의 라우터 광고를 받지 않음",
            en: "IPv6 off: the host takes no router advertisements from containers",
        }
        short (name) { ko: "{name} 브리지", en: "bridge {name}" }
        hand (name, address) { "ip link add {name} type bridge && ip addr add {address} dev {name} && ip link set {name} up" }
        #[cfg(test)]
        sample { name: Some(s("docent0")), address: Some(s("172.30.0.1/16")), ipv6_off: true }
    }

    BridgeReused {
        #[serde(rename = "bridge", alias = "name")]
        name: String,
        address: String,
    } = "network.bridge-reused" {
        in Block::Network;
        proof [ip cat] broken "its address goes, or IPv6 is switched on"; man "ip-link(8), bridge(8)";
        plan (name, address) {
            ko: "이미 있는 {name} 브리지를 그대로 씁니다 · {address}",
            en: "will use the bridge {name}, which is here · {address}",
        }
        (name, address) {
            ko: "{name} 브리지는 이미 있어서 그대로 씁니다 · {address}",
            en: "the bridge {name} was here already · {address}",
        }
        short (name) { ko: "{name} 브리지", en: "bridge {name}" }
        #[cfg(test)]
        sample { name: s("docent0"), address: s("172.30.0.1/16") }
    }

    Veth {
        #[serde(rename = "device", alias = "host")]
        host: Option<String>,
        #[serde(rename = "device_inside", alias = "inside")]
        inside: String,
        bridge: Option<String>,
    } = "network.veth" {
        in Block::Network; calls [sendto];
        proof [ip] broken "it is taken out of the bridge"; man "veth(4)";
        plan if (host.is_none()) {
            ko: "veth 쌍으로 컨테이너를 브리지에 잇습니다",
            en: "will connect the container to the bridge by a veth pair",
        }
        [CONNECT] (host, inside, bridge) {
            ko: "veth 쌍을 {v}: 안쪽 {inside}, 바깥쪽 {host} · {bridge} 브리지에 꽂음",
            en: "{v} a veth pair: {inside} inside, {host} outside, plugged into {bridge}",
        }
        hand (host, inside, bridge) { "ip link add {host} master {bridge} up type veth peer name {inside} netns PID" }
        #[cfg(test)]
        sample { host: Some(s("veth3f2a9c")), inside: s("eth0"), bridge: Some(s("docent0")) }
    }

    Address {
        #[serde(rename = "device_inside", alias = "device")]
        device: String,
        address: Option<String>,
    } = "network.address" {
        in Block::Network; calls [sendto];
        proof [nsenter] broken "the address is taken away"; man "ip-address(8), netlink(7)";
        [GIVE] (device, address) { ko: "{device} 장치에 {address} 주소를 {v}", en: "{v} {device} the address {address}" }
        short (address = address.as_deref().map(bare)) { "{address}" }
        hand (device, address) { "ip addr add {address} dev {device} && ip link set {device} up" }
        #[cfg(test)]
        sample { device: s("eth0"), address: Some(s("172.30.0.2/16")) }
    }

    Route {
        gateway: Option<String>,
        #[serde(rename = "device_inside", alias = "device")]
        device: String,
    } = "network.route" {
        in Block::Network; calls [sendto];
        proof [nsenter] broken "the route is taken away"; man "ip-route(8)";
        [SET] (gateway, device) { ko: "바깥으로 가는 길을 {gateway} 주소로 {v} ({device})", en: "{v} the way out: by {gateway} ({device})" }
        hand (gateway, device) { "ip route add default via {gateway} dev {device}" }
        #[cfg(test)]
        sample { gateway: Some(s("172.30.0.1")), device: s("eth0") }
    }

    /// The bridge's table: NAT on the way out, and a filter that lets nobody in but replies.
    Nat { table: String, subnet: String } = "network.nat" {
        in Block::Network; calls [sendto];
        proof [nft] broken "a rule is added"; man "nft(8)";
        [INSTALL] (subnet, table) {
            ko: "{subnet} 대역에 NAT와 필터 규칙을 {v} · 바깥에서는 응답만 들어옴 · nft {table} 테이블",
            en: "{v} NAT and a filter for {subnet} · from outside only replies come in · nft table {table}",
        }
        short { ko: "NAT, 필터", en: "NAT, filter" }
        hand (table = split(table), subnet) { "nft add rule {table} postrouting ip saddr {subnet} masquerade" }
        #[cfg(test)]
        sample { table: s("inet docent0"), subnet: s("172.30.0.0/16") }
    }

    /// Forwarding was off before: what concerns no bridge of docent is still not forwarded.
    ForwardGuard { table: String } = "network.forward-guard" {
        in Block::Network; calls [sendto];
        proof [nft] broken "a rule is added"; man "nft(8)";
        [INSTALL] (table) {
            ko: "컨테이너와 관계없는 패킷은 전달하지 않게 하는 규칙을 {v} · nft {table} 테이블",
            en: "{v} a guard: what concerns no container is not forwarded · nft table {table}",
        }
        hand (table = split(table)) { "nft add chain {table} forward '{{ type filter hook forward priority filter; policy drop; }}'" }
        #[cfg(test)]
        sample { table: s("inet docent") }
    }

    Sysctl {
        #[serde(rename = "sysctl", alias = "name")]
        name: String,
        value: String,
        #[serde(rename = "value_was", alias = "was")]
        was: String,
    } = "network.sysctl" {
        in Block::Network; calls [write];
        proof [cat] broken "the setting is written"; man "sysctl(8)";
        [CHANGE] (name, was, value) {
            ko: "커널 설정 {name} 값을 {v}: {was} → {value}",
            en: "{v} the kernel setting {name}: {was} → {value}",
        }
        short if (value == "1") (name = last(name)) { ko: "{name} 켬", en: "{name} on" }
        short (name = last(name)) { ko: "{name} 끔", en: "{name} off" }
        hand (name, value) { "sysctl -w {name}={value}" }
        #[cfg(test)]
        sample { name: s("net.ipv4.ip_forward"), value: s("1"), was: s("0") }
    }

    Published { host_ip: Option<String>, host_port: Option<u16>, address: Option<String>, port: u16, proto: String } = "network.published" {
        in Block::Network; calls [bind listen];
        proof [ss] broken "the socket listens no more";
        [OPEN] (host = shown_ip(host_ip.as_deref()), host_port, port, proto) {
            ko: "호스트의 {host}:{host_port} 포트를 {v} → 컨테이너 {port}/{proto}",
            en: "{v} {host}:{host_port} of the host → {port}/{proto} of the container",
        }
        // The same port once for each address family.
        short if (host_ip.as_deref() != Some("::")) (host = shown_port(host_ip.as_deref(), *host_port), port) {
            ko: "호스트 {host} → 컨테이너 {port}",
            en: "host {host} → container {port}",
        }
        hand (host_port, address, port) { "socat TCP-LISTEN:{host_port},fork TCP:{address}:{port}" }
        #[cfg(test)]
        sample { host_ip: None, host_port: Some(8080), address: Some(s("172.30.0.2")), port: 80, proto: s("tcp") }
    }

    /// hosts, hostname and resolv.conf of the container, written in its directory.
    NetworkFiles {
        #[serde(rename = "paths", alias = "files")]
        files: Vec<String>,
    } = "network.files" {
        in Block::Network; calls [openat];
        proof [cat] broken "it is written to";
        [WRITE] (names = files) { ko: "컨테이너의 {names} 파일을 {v}", en: "{v} the container's {names}" }
        #[cfg(test)]
        sample { files: vec![s("/etc/hosts")] }
    }

    VethRemoved {
        #[serde(rename = "device", alias = "host")]
        host: String,
    } = "network.veth-removed" {
        in Block::Cleanup; calls [sendto];
        proof [ip] broken "a device of the name is made"; man "veth(4)";
        [REMOVE] (host) { ko: "{host} veth를 {v}", en: "{v} the veth {host}" }
        short (host = short(host)) { "veth {host}" }
        hand (host) { "ip link del {host}" }
        #[cfg(test)]
        sample { host: s("veth3f2a9c") }
    }

    BridgeRemoved {
        #[serde(rename = "bridge", alias = "name")]
        name: String,
    } = "network.bridge-removed" {
        in Block::Cleanup; calls [sendto];
        proof [ip] broken "a device of the name is made"; man "ip-link(8), bridge(8)";
        [REMOVE] (name) { ko: "{name} 브리지를 {v}", en: "{v} the bridge {name}" }
        hand (name) { "ip link del {name}" }
        #[cfg(test)]
        sample { name: s("docent0") }
    }

    /// A table of nf_tables, with all its rules.
    TableRemoved { table: String } = "network.table-removed" {
        in Block::Cleanup; calls [sendto];
        proof [nft] broken "a table of the name is made"; man "nft(8)";
        [REMOVE] (table) { ko: "nft {table} 테이블을 {v}", en: "{v} the nft table {table}" }
        hand (table = split(table)) { "nft delete table {table}" }
        #[cfg(test)]
        sample { table: s("inet docent0") }
    }
    } };
}
