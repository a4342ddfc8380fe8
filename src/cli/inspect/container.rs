//! A container's JSON.

use crate::cli::format::Json;
use crate::cli::times::rfc3339;
use crate::container::{Container, Endpoint, NetworkMode, Port, State, Status};
use crate::event::Fault;
use crate::narrate::Lang;
use serde_json::json;

/// Where the store keeps what belongs to this container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Paths {
    pub resolv_conf: String,
    pub hostname: String,
    pub hosts: String,
    pub log: String,
    /// Colon-separated, the topmost layer first, as overlayfs takes them.
    pub lower: String,
    pub upper: String,
    pub work: String,
    pub merged: String,
}

/// One object of `docker container inspect`.
pub fn inspect_container(container: &Container, paths: &Paths) -> Json {
    let state = &container.state;
    let up = state.up();
    let pid = up.and_then(|life| life.init).map_or(0, |init| init.pid);
    let end = if let State::Exited(end) = state { Some(end) } else { None };
    let started = end.map(|end| end.started).or(state.init().map(|init| init.at));
    let argv = container.config.argv();
    let (path, args) = match argv.split_first() {
        Some((path, args)) => (path.as_str(), args),
        None => ("", &[][..]),
    };
    json!({
        "Id": container.id,
        "Created": rfc3339(Some(container.created)),
        "Path": path,
        "Args": args,
        "State": json!({
            "Status": state.status().word(),
            // Docker: a paused container runs.
            "Running": up.is_some(),
            "Paused": state.status() == Status::Paused,
            "Restarting": false,
            "OOMKilled": end.is_some_and(|end| end.oom_killed),
            "Dead": false,
            "Pid": pid,
            "ExitCode": state.exit_code(),
            "Error": state.error().map(reason).unwrap_or_default(),
            "StartedAt": rfc3339(started),
            "FinishedAt": rfc3339(end.map(|end| end.finished)),
        }),
        "Image": container.image_id,
        "ResolvConfPath": paths.resolv_conf,
        "HostnamePath": paths.hostname,
        "HostsPath": paths.hosts,
        "LogPath": paths.log,
        "Name": format!("/{}", container.name),
        "RestartCount": 0,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": null,
        "HostConfig": container.host_config,
        "GraphDriver": {
            "Data": {
                "ID": container.id,
                "LowerDir": paths.lower,
                "MergedDir": paths.merged,
                "UpperDir": paths.upper,
                "WorkDir": paths.work,
            },
            "Name": "overlay2",
        },
        "Mounts": [],
        "Config": container.config,
        "NetworkSettings": network_settings(container),
    })
}

fn bind(to: &mut serde_json::Map<String, Json>, port: &Port, ip: &str, host_port: String) {
    let key = format!("{}/{}", port.port, port.proto);
    let binding = json!({"HostIp": ip, "HostPort": host_port});
    match to.entry(key).or_insert_with(|| json!([])) {
        Json::Array(list) => list.push(binding),
        // A port that is exposed and not published stands as null until it is.
        other => *other = json!([binding]),
    }
}

fn network_settings(container: &Container) -> Json {
    let up = container.state.up();
    let mode = container.host_config.network_mode;
    let end = up.and_then(|life| life.endpoint.as_ref());
    let mut ports = serde_json::Map::new();
    if let Some(life) = up.filter(|_| mode == NetworkMode::Bridge) {
        for exposed in container.config.exposed_ports.keys() {
            ports.insert(exposed.clone(), Json::Null);
        }
        for port in &life.ports {
            for ip in port.families() {
                bind(&mut ports, port, &ip, port.host_port.unwrap_or(0).to_string());
            }
        }
    }
    let text = |of: fn(&Endpoint) -> String| end.map(of).unwrap_or_default();
    let (address, gateway, mac) =
        (text(|e| e.address.to_string()), text(|e| e.gateway.to_string()), text(|e| e.mac.clone()));
    let prefix = end.map_or(0, |e| e.prefix);
    let endpoint = json!({
        "IPAMConfig": null,
        "Links": null,
        "Aliases": null,
        "MacAddress": mac,
        "DriverOpts": null,
        "GwPriority": 0,
        "NetworkID": text(|e| network_id(&e.bridge)),
        "EndpointID": "",
        "Gateway": gateway,
        "IPAddress": address,
        "IPPrefixLen": prefix,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": null,
    });
    let mut networks = serde_json::Map::new();
    networks.insert(mode.name().to_string(), endpoint);
    // A process has its namespace here as long as it lives.
    let sandbox = up.and_then(|life| life.init).map(|init| format!("/proc/{}/ns/net", init.pid)).unwrap_or_default();
    json!({
        "Bridge": "",
        "SandboxID": "",
        "SandboxKey": sandbox,
        "Ports": ports,
        "EndpointID": "",
        "Gateway": gateway,
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": address,
        "IPPrefixLen": prefix,
        "IPv6Gateway": "",
        "MacAddress": mac,
        "Networks": networks,
    })
}

/// Why it could not be started, as Docker's field has it: a sentence in English.
fn reason(error: &str) -> String {
    let told = |fault: Fault| fault.sentence(Lang::En).error;
    serde_json::from_str(error).map(told).unwrap_or_else(|_| error.to_string())
}

/// docent's networks have no names but their bridges': the digest of that one is as long as Docker's ids, and as lasting.
fn network_id(bridge: &str) -> String {
    if bridge.is_empty() { String::new() } else { crate::image::BlobDigest::of_bytes(bridge.as_bytes()).hex().into() }
}

/// A running `nginx` with a published port; `id` is filled up to its 64 digits.
#[cfg(test)]
pub(crate) fn sample(id: &str, name: &str) -> Container {
    use crate::container::{Config, Empty, HostConfig, Init, Life, PortBinding};
    use chrono::TimeZone;
    let words = |text: &[&str]| text.iter().map(|w| w.to_string()).collect::<Vec<_>>();
    let time = chrono::Utc.timestamp_opt(1_772_604_360, 250_000_000).single();
    let port = Port { host_ip: None, host_port: Some(8080), port: 80, proto: "tcp".into() };
    Container {
        id: format!("{id:0<64}").try_into().expect("hex digits"),
        name: name.into(),
        created: time.unwrap_or_default(),
        image_id: crate::image::ImageId::of_hex(&"9d1c".repeat(16)),
        layers: ["a", "b", "c"].iter().filter_map(|c| crate::image::ChainId::of_hex(&c.repeat(64))).collect(),
        config: Config {
            hostname: Some(id.into()),
            exposed_ports: [("80/tcp".to_string(), Empty {})].into(),
            env: words(&["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]),
            cmd: Some(words(&["nginx", "-g", "daemon off;"])),
            image: "nginx".into(),
            working_dir: Some("/".into()),
            labels: [("tier".to_string(), "one".to_string())].into(),
            stop_signal: Some("SIGQUIT".into()),
            ..Config::default()
        },
        host_config: HostConfig {
            port_bindings: [("80/tcp".to_string(), vec![PortBinding { host_ip: None, host_port: Some(8080) }])].into(),
            memory: Some(64 << 20),
            nano_cpus: Some(1_500_000_000),
            ..HostConfig::default()
        },
        networking_config: Default::default(),
        origin: None,
        state: State::Running(Life {
            boot_id: "boot".into(),
            monitor: 48212,
            init: Some(Init { pid: 48213, start_time: 1, at: time.unwrap_or_default() }),
            endpoint: Some(Endpoint {
                bridge: "docent0".into(),
                address: [172, 30, 0, 2].into(),
                prefix: 16,
                gateway: [172, 30, 0, 1].into(),
                mac: "02:42:ac:1e:00:02".into(),
                veth: "veth".into(),
            }),
            ports: vec![port],
            cgroups: Vec::new(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render;

    fn get(container: &Container, template: &str) -> String {
        render(template, &inspect_container(container, &Paths::default())).expect("a template")
    }

    #[test]
    fn the_fields_that_scripts_ask_for() {
        let web = sample("3f2a9c0d1e4b", "web");
        for (template, text) in [
            ("{{.Name}}", "/web"),
            ("{{.Path}} {{.Args}}", "nginx [-g daemon off;]"),
            ("{{.State.Status}} {{.State.Running}} {{.State.Pid}}", "running true 48213"),
            ("{{.State.StartedAt}} {{.State.FinishedAt}}", "2026-03-04T06:06:00.25Z 0001-01-01T00:00:00Z"),
            ("{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}", "67108864 1500000000"),
            ("{{len .NetworkSettings.Networks.bridge.NetworkID}}", "64"),
            ("{{.Config.Entrypoint}} {{.Config.StopSignal}}", "[] SIGQUIT"),
            ("{{.NetworkSettings.IPAddress}}", "172.30.0.2"),
            ("{{range .NetworkSettings.Networks}}{{.IPAddress}}/{{.IPPrefixLen}}{{end}}", "172.30.0.2/16"),
            ("{{.NetworkSettings.Networks.bridge.Gateway}}", "172.30.0.1"),
            ("{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080"),
            ("{{json .HostConfig.PortBindings}}", r#"{"80/tcp":[{"HostIp":"","HostPort":"8080"}]}"#),
            (
                "{{json .NetworkSettings.Ports}}",
                r#"{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}]}"#,
            ),
            ("{{index .Config.Labels \"tier\"}}", "one"),
            ("{{.GraphDriver.Name}} {{.Driver}}", "overlay2 overlay2"),
            ("{{.Mounts}} {{.HostConfig.Binds}}", "[] []"),
        ] {
            assert_eq!(get(&web, template), text, "{template}");
        }
    }

    #[test]
    fn what_has_stopped_has_no_process_and_no_address() {
        let mut old = sample("3f2a9c0d1e4b", "old");
        let life = old.state.life().cloned().expect("it runs");
        old.state = life.lost(Vec::new());
        let template = "{{.State.Pid}} {{.State.ExitCode}} {{.NetworkSettings.IPAddress}}|{{.NetworkSettings.Ports}}";
        assert_eq!(get(&old, template), "0 137 |map[]");
        old.state = State::Paused(life);
        assert_eq!(get(&old, "{{.State.Running}} {{.State.Paused}} {{.State.Status}}"), "true true paused");
    }

    #[test]
    fn a_command_line_without_words_is_no_accident() {
        let mut empty = sample("3f2a9c0d1e4b", "empty");
        empty.config.exposed_ports.clear();
        empty.config.cmd = None;
        assert_eq!(get(&empty, "{{.Path}}|{{.Args}}|{{json .Config.Cmd}}"), "|[]|null");
        let json = inspect_container(&empty, &Paths::default());
        assert!(json.pointer("/Config/ExposedPorts").is_none());
    }

    #[test]
    fn paths_stand_where_docker_has_them() {
        let paths = Paths { upper: "/r/upper".into(), log: "/r/log".into(), ..Paths::default() };
        let json = inspect_container(&sample("3f2a9c0d1e4b", "web"), &paths);
        assert_eq!(json.pointer("/GraphDriver/Data/UpperDir"), Some(&json!("/r/upper")));
        assert_eq!(json.pointer("/LogPath"), Some(&json!("/r/log")));
    }
}
