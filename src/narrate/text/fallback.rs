//! Another way than the usual one was taken: why, and what would bring the usual one back.

use crate::narrate::messages::messages;

messages! {
    old_overlay() {
        ko: "6.5 이전의 커널이라 lowerdir+ 옵션이 없습니다. mount(2)에 짧은 이름을 주어 마운트했습니다.",
        en: "This kernel has no lowerdir+ (before 6.5): mounted by mount(2) with short names instead.",
    }
    no_devices() {
        ko: "장치 제어(devices cgroup)가 없습니다. 대신 CAP_MKNOD 권한을 빼서 장치를 만들 수 없게 했습니다.",
        en: "No device controller here: CAP_MKNOD is dropped instead, so that no device can be made.",
    }
    no_devices_fix() {
        ko: "mount -t cgroup -o devices cgroup /sys/fs/cgroup/devices   (root)",
        en: "mount -t cgroup -o devices cgroup /sys/fs/cgroup/devices   (root)",
    }
    no_freezer() {
        ko: "freezer가 없어서 SIGSTOP 신호로 하나씩 멈췄습니다. 프로그램이 멈춘 것을 알아챌 수 있습니다.",
        en: "No freezer here: each process was stopped by SIGSTOP, which the programs can notice.",
    }
    no_freezer_fix() {
        ko: "mount -t cgroup -o freezer cgroup /sys/fs/cgroup/freezer   (root)",
        en: "mount -t cgroup -o freezer cgroup /sys/fs/cgroup/freezer   (root)",
    }
    no_nat() {
        ko: "nf_tables를 쓸 수 없어 NAT와 필터가 없습니다. 컨테이너끼리와 호스트까지만 통신합니다.",
        en: "nf_tables is not to be had, so no NAT and no filter: containers reach each other and the host, not the outside.",
    }
    no_nat_fix() { ko: "modprobe -a nf_tables nft_chain_nat nft_masq nft_ct   (root)", en: "modprobe -a nf_tables nft_chain_nat nft_masq nft_ct   (root)" }
    no_ipv6() {
        ko: "IPv6가 꺼져 있어 포트를 IPv4에만 열었습니다.",
        en: "IPv6 is off here: ports are published on IPv4 alone.",
    }
    no_ipv6_fix() {
        ko: "sysctl -w net.ipv6.conf.all.disable_ipv6=0   (root)",
        en: "sysctl -w net.ipv6.conf.all.disable_ipv6=0   (root)",
    }
    built_in() {
        ko: "레지스트리 없이 이 컴퓨터의 프로그램으로 만든 이미지입니다.",
        en: "No registry can be asked: made of this machine's programs.",
    }
    built_in_fix() {
        ko: "다른 이미지 넣기: docent load -i FILE.tar",
        en: "to have another image: docent load -i FILE.tar",
    }
    no_nameserver() {
        ko: "호스트의 이름 서버는 loopback 주소뿐이라 컨테이너가 쓸 수 없습니다. 이름 풀이가 안 될 수 있습니다.",
        en: "The host names only loopback name servers, out of a container's reach: names may not resolve.",
    }
    no_nameserver_fix() {
        ko: "/etc/resolv.conf에 닿을 수 있는 nameserver를 적습니다",
        en: "put a nameserver that can be reached into /etc/resolv.conf",
    }
    short_old_overlay() { ko: "mount(2)로 마운트", en: "by mount(2)" }
    short_no_devices() { ko: "장치 제어 없음", en: "no device controller" }
    short_no_freezer() { ko: "freezer 없음: SIGSTOP", en: "no freezer: SIGSTOP" }
    short_no_nat() { ko: "NAT 없음", en: "no NAT" }
    short_no_ipv6() { ko: "IPv4만", en: "IPv4 alone" }
    short_built_in() { ko: "내장 이미지", en: "built-in image" }
    short_no_nameserver() { ko: "이름 서버 없음", en: "no name server" }
    short_optional(what) { ko: "{what} 건너뜀", en: "{what} left out" }
    optional(what) {
        ko: "이 커널이 거부한 선택 사항은 건너뛰었습니다: {what}",
        en: "Optional, and refused by this kernel, so left out: {what}",
    }
}
