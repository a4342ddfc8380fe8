//! The life of a container.

macro_rules! container {
    ($($so_far:tt)*) => { families! { $($so_far)*

    ContainerCreated {
        #[serde(rename = "container_id")]
        id: Option<String>,
        #[serde(rename = "container_name", alias = "name")]
        name: Option<String>,
        image: String,
        path: Option<String>,
    } = "container.created" {
        in Block::Start; calls [rename];
        proof [grep stat] broken "its configuration has another name";
        plan if (name.is_none()) [MAKE] { ko: "컨테이너를 {v}", en: "{v} a container" }
        plan [MAKE] (name) { ko: "{name} 컨테이너를 {v}", en: "{v} the container {name}" }
        [MAKE] (name, id = id.as_deref().map(short)) { ko: "{name} 컨테이너를 {v} · {id}", en: "{v} the container {name} · {id}" }
        #[cfg(test)]
        sample { id: Some(s(ID)), name: Some(s("web")), image: s("nginx"), path: Some(upper()) }
    }

    ContainerStarted {
        #[serde(rename = "container_id")]
        id: String,
        #[serde(rename = "container_name", alias = "name")]
        name: String,
        pid: Option<i32>,
    } = "container.started" {
        in Block::Start;
        proof [grep] broken "its state has another process";
        plan (name) { ko: "{name} 컨테이너를 시작합니다", en: "will start the container {name}" }
        [START] (name, pid) {
            ko: "{name} 컨테이너를 {v} · 호스트의 {pid}번 프로세스",
            en: "{v} the container {name} · process {pid} of the host",
        }
        #[cfg(test)]
        sample { id: s(ID), name: s("web"), pid: Some(48213) }
    }

    ContainerExited {
        #[serde(rename = "container_id")]
        id: String,
        #[serde(rename = "container_name", alias = "name")]
        name: String,
        #[serde(rename = "exit_code", alias = "code")]
        code: Option<i32>,
        signal: Option<i32>,
        /// PID 1 itself was killed for memory.
        oom: bool,
        /// How many of its processes were.
        #[serde(default)]
        oom_kills: u64,
    } = "container.exited" {
        in Block::Exit;
        proof [grep] broken "its state has another exit code"; man "wait(2)";
        plan (name) { ko: "{name} 컨테이너의 프로그램이 끝나면 그 종료 코드를 적습니다", en: "will write down how {name} ended" }
        when (signal.is_some()) (name, code, signal = signal.map(signal_name)) {
            ko: "{name} 컨테이너가 {signal} 신호로 끝났습니다 · 종료 코드 {code}",
            en: "{name} was ended by {signal} · exit code {code}",
        }
        (name, code) { ko: "{name} 컨테이너가 끝났습니다 · 종료 코드 {code}", en: "{name} ended · exit code {code}" }
        also if (*oom) {
            ko: "메모리 제한을 넘어서(OOM) 커널이 강제로 종료했습니다",
            en: "It went over its memory limit, and the kernel killed it (OOM)",
        }
        also if (!*oom && *oom_kills > 0) (oom_kills) {
            ko: "그 전에 커널이 메모리 제한 때문에(OOM) 안의 다른 프로세스를 강제로 종료했습니다 ({oom_kills}번)",
            en: "Before that the kernel had killed other processes in it for memory (OOM, {oom_kills} times)",
        }
        #[cfg(test)]
        sample { id: s(ID), name: s("web"), code: Some(137), signal: Some(9), oom: true, oom_kills: 1 }
        #[cfg(test)]
        sample { id: s(ID), name: s("web"), code: Some(0), signal: None, oom: false, oom_kills: 2 }
    }

    ContainerRemoved {
        #[serde(rename = "container_id")]
        id: String,
        #[serde(rename = "container_name", alias = "name")]
        name: String,
    } = "container.removed" {
        in Block::Cleanup; calls [rename];
        proof [stat] broken "a directory stands in its place";
        [REMOVE] (name) { ko: "{name} 컨테이너와 그 쓰기 레이어를 {v}", en: "{v} the container {name} and its write layer" }
        #[cfg(test)]
        sample { id: s(ID), name: s("web") }
    }

    ContainerRenamed {
        #[serde(rename = "container_id")]
        id: String,
        #[serde(rename = "container_name", alias = "name")]
        name: String,
        #[serde(rename = "container_name_was", alias = "was")]
        was: String,
    } = "container.renamed" {
        in Block::Store; calls [rename];
        proof [grep stat] broken "its configuration has another name";
        [CHANGE] (name, was) { ko: "컨테이너의 이름을 {v} · {was} → {name}", en: "{v} the container's name · {was} → {name}" }
        #[cfg(test)]
        sample { id: s(ID), name: s("site"), was: s("web") }
    }

    /// Its monitor died without recording an end; found and recovered by a later command.
    ContainerLost {
        #[serde(rename = "container_id")]
        id: String,
        #[serde(rename = "container_name", alias = "name")]
        name: String,
    } = "container.lost" {
        in Block::Host;
        proof [grep] broken "its state says that it runs";
        (name) {
            ko: "{name} 컨테이너를 돌보던 프로세스가 말없이 사라졌습니다. 종료된 것으로 정리했습니다",
            en: "the process that looked after {name} was gone without a word; it is now listed as exited",
        }
        #[cfg(test)]
        sample { id: s(ID), name: s("web") }
    }
    } };
}
