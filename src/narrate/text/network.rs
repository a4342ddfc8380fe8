//! Networks.

use crate::narrate::messages::messages;

messages! {
    loopback[LIGHT]() { ko: "컨테이너의 loopback(lo)을 {v}", en: "{v} the container's loopback (lo)" }
    bridge[MAKE](name, address) { ko: "{name} 브리지를 {v} · {address}", en: "{v} the bridge {name} · {address}" }
    bridge_ipv6_off() {
        ko: "IPv6 끔: 컨테이너의 라우터 광고를 받지 않음",
        en: "IPv6 off: the host takes no router advertisements from containers",
    }
    bridge_reused(name, address) {
        ko: "{name} 브리지는 이미 있어서 그대로 씁니다 · {address}",
        en: "the bridge {name} was here already · {address}",
    }
    veth[CONNECT](host, inside, bridge) {
        ko: "veth 쌍을 {v}: 안쪽 {inside}, 바깥쪽 {host} · {bridge} 브리지에 꽂음",
        en: "{v} a veth pair: {inside} inside, {host} outside, plugged into {bridge}",
    }
    address[GIVE](device, address) { ko: "{device} 장치에 {address} 주소를 {v}", en: "{v} {device} the address {address}" }
    route[SET](gateway, device) {
        ko: "바깥으로 가는 길을 {gateway} 주소로 {v} ({device})",
        en: "{v} the way out: by {gateway} ({device})",
    }
    nat[INSTALL](subnet, table) {
        ko: "{subnet} 대역에 NAT와 필터 규칙을 {v} · 바깥에서는 응답만 들어옴 · nft {table} 테이블",
        en: "{v} NAT and a filter for {subnet} · from outside only replies come in · nft table {table}",
    }
    forward_guard[INSTALL](table) {
        ko: "컨테이너와 관계없는 패킷은 전달하지 않게 하는 규칙을 {v} · nft {table} 테이블",
        en: "{v} a guard: what concerns no container is not forwarded · nft table {table}",
    }
    sysctl[CHANGE](name, was, value) {
        ko: "커널 설정 {name} 값을 {v}: {was} → {value}",
        en: "{v} the kernel setting {name}: {was} → {value}",
    }
    published[OPEN](host, host_port, port, proto) {
        ko: "호스트의 {host}:{host_port} 포트를 {v} → 컨테이너 {port}/{proto}",
        en: "{v} {host}:{host_port} of the host → {port}/{proto} of the container",
    }
    files[WRITE](names) { ko: "컨테이너의 {names} 파일을 {v}", en: "{v} the container's {names}" }
    bridge_removed[REMOVE](name) { ko: "{name} 브리지를 {v}", en: "{v} the bridge {name}" }
    table_removed[REMOVE](table) { ko: "nft {table} 테이블을 {v}", en: "{v} the nft table {table}" }
    veth_removed[REMOVE](host) { ko: "{host} veth를 {v}", en: "{v} the veth {host}" }

    bridge_plan() { ko: "IPv6를 끈 브리지가 없으면 만듭니다", en: "will make the bridge, with IPv6 off, unless it is there" }
    bridge_reused_plan(name, address) {
        ko: "이미 있는 {name} 브리지를 그대로 씁니다 · {address}",
        en: "will use the bridge {name}, which is here · {address}",
    }
    veth_plan() {
        ko: "veth 쌍으로 컨테이너를 브리지에 잇습니다",
        en: "will connect the container to the bridge by a veth pair",
    }

    // ---- parts of the block ----
    head_bridge(name) { ko: "{name} 브리지", en: "bridge {name}" }
    head_port(host, port) { ko: "호스트 {host} → 컨테이너 {port}", en: "host {host} → container {port}" }
    head_none() { ko: "loopback뿐 · 바깥과 이어지지 않음", en: "loopback only · no way out" }
    short_nat() { ko: "NAT, 필터", en: "NAT, filter" }
    short_on(name) { ko: "{name} 켬", en: "{name} on" }
    short_off(name) { ko: "{name} 끔", en: "{name} off" }
}
