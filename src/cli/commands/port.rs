//! `docker port`: which ports of the host lead to a container.

use super::*;
use std::net::{IpAddr, SocketAddr};

/// 컨테이너의 포트가 호스트의 어느 포트로 공개되었는지 보여 줍니다 |
/// List port mappings or a specific mapping for the container
#[derive(Debug, Args)]
pub struct Port {
    #[arg(value_name = "CONTAINER")]
    name: String,
    #[arg(value_name = "PRIVATE_PORT[/PROTO]")]
    port: Option<String>,
}

impl Command for Port {
    const PATHS: &'static [&'static str] = &["container port", "port"];
    const EXAMPLE: &'static str = "docker port web 80";
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let container = context.store.find_container(&self.name)?;
        let up = container.state.up();
        let mut all: Vec<(u16, &str, SocketAddr)> = Vec::new();
        for port in up.iter().flat_map(|life| &life.ports) {
            let ips = port.families().into_iter().filter_map(|ip| ip.parse::<IpAddr>().ok());
            let on_host = ips.map(|ip| SocketAddr::new(ip, port.host_port.unwrap_or(0)));
            all.extend(on_host.map(|address| (port.port, port.proto.as_str(), address)));
        }
        all.sort();
        let Some(asked) = self.port else {
            let lines = all.iter().map(|(port, proto, address)| format!("{port}/{proto} -> {address}\n"));
            context.print(&lines.collect::<String>());
            return Ok(0);
        };
        let (port, proto) = asked.split_once('/').unwrap_or((&asked, "tcp"));
        all.retain(|(p, pr, _)| port.parse() == Ok(*p) && proto == *pr);
        if all.is_empty() {
            return Err(Fault::NotPublished { port: asked, container: self.name });
        }
        context.print(&all.iter().map(|(_, _, address)| format!("{address}\n")).collect::<String>());
        Ok(0)
    }
}
