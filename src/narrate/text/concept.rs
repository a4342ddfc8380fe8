//! Concepts, told when a learner meets them for the first time. One or two short sentences each.

use crate::event::messages::messages;

messages! {
    image() {
        ko: "이미지는 읽기 전용 레이어를 쌓은 것입니다.",
        en: "An image is a stack of read-only layers.",
    }
    from_host() {
        ko: "내려받은 것이 아니라 이 컴퓨터의 파일로 만든 이미지입니다.",
        en: "Nothing was downloaded: the image is made of this machine's files.",
    }
    archive() {
        ko: "아카이브의 각 레이어는 해시를 확인한 뒤에만 저장소에 들어갑니다.",
        en: "Each layer of the archive enters the store only after its hash was checked.",
    }
    write_layer() {
        ko: "이미지는 읽기 전용이고, 변경은 여기에만(마운트는 빼고) 남습니다.",
        en: "The image is read-only: changes stay here, save those in mounts.",
    }
    namespaces(pid, inside) {
        ko: "호스트의 {pid}번 프로세스가 안에서는 {inside}번(PID {inside})으로 보입니다.",
        en: "Process {pid} of the host is number {inside} (PID {inside}) inside.",
    }
    join() {
        ko: "새 컨테이너가 아닙니다. 새 프로세스가 실행 중인 컨테이너 안으로 들어갔습니다.",
        en: "No new container: a new process went into the one that runs.",
    }
    cgroup() {
        ko: "cgroup은 프로세스를 묶어 자원을 세고 제한합니다.",
        en: "A cgroup is a group of processes whose use of resources is counted and limited.",
    }
    limit() {
        ko: "커널이 이 값을 지킵니다. 메모리를 넘으면 프로그램을 종료하고(OOM), CPU는 기다리게 합니다.",
        en: "The kernel keeps these: over the memory limit it kills (OOM), over the CPU limit it makes wait.",
    }
    bridge() {
        ko: "컨테이너의 eth0은 veth라는 가상 랜선으로 이 브리지에 꽂혀 있습니다.",
        en: "The container's eth0 is plugged into this bridge by a virtual cable, a veth pair.",
    }
    forwarding() {
        ko: "이제 이 호스트는 패킷을 전달합니다. 컨테이너가 바깥과 통신하려면 필요합니다. 컨테이너와 관계없는 패킷은 전처럼 전달하지 않도록 막았습니다.",
        en: "This host forwards packets from now on, which containers need to reach the outside. What concerns no container is dropped, as before.",
    }
    publish() {
        ko: "호스트의 포트로 온 연결을 컨테이너의 주소로 넘겨줍니다.",
        en: "Connections to the host's port are passed on to the container's address.",
    }
    no_network() {
        ko: "자기만의 네트워크 네임스페이스라서 호스트의 네트워크 장치가 보이지 않습니다.",
        en: "Its network namespace is its own: none of the host's devices can be seen.",
    }
    isolation() {
        ko: "안에서는 root라도 이 권한과 시스템 콜만 쓸 수 있습니다.",
        en: "Even as root the program has only these capabilities and system calls.",
    }
    pause() {
        ko: "종료한 것이 아닙니다. 메모리는 그대로이고 CPU만 받지 못합니다.",
        en: "It has not ended: its memory stays as it is, it only gets no CPU.",
    }
    unpause() {
        ko: "멈춘 자리에서 이어서 실행됩니다. 프로그램은 멈췄던 것을 모릅니다.",
        en: "It goes on where it stopped; the program does not know that it was frozen.",
    }
    signal(signal) {
        ko: "{signal} 신호는 끝내 달라는 부탁이고, SIGKILL은 커널이 바로 끝냅니다.",
        en: "{signal} asks a program to end; SIGKILL lets the kernel end it at once.",
    }
    signal_own(signal) {
        ko: "{signal} 신호를 받고 무엇을 할지는 프로그램이 정합니다.",
        en: "What a program does on {signal} is for the program to say.",
    }
    exit() {
        ko: "PID 1이 끝나면 컨테이너도 끝납니다. 쓰기 레이어는 rm 할 때까지 남습니다.",
        en: "When PID 1 ends the container ends. Its write layer stays until rm.",
    }
    exit_signal(code, signal, number) {
        ko: "종료 코드 {code} = 128 + {number}. {signal} 신호의 번호가 {number}번이기 때문입니다.",
        en: "Exit code {code} is 128 + {number}, the number of {signal}.",
    }
    remove() {
        ko: "쓰기 레이어에만 있던 변경도 함께 사라졌습니다. 이미지는 그대로입니다.",
        en: "Changes that lay in the write layer alone are gone with it. The image is as it was.",
    }
}
