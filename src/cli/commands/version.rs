//! `docker version`: what this is, and whose commands it speaks.

use super::*;
use crate::cli::{DOCKER, render};

/// 버전 정보를 보여 줍니다 | Show the version information
#[derive(Debug, Args)]
pub struct Version {
    /// 출력 형식: 'json', 'TEMPLATE' (Go 템플릿) | Format output: 'json', 'TEMPLATE' (a Go template)
    #[arg(short, long, value_name = "string")]
    format: Option<String>,
}

impl Command for Version {
    const PATHS: &'static [&'static str] = &["version"];
    const EXAMPLE: &'static str = "docker version";
    const GRADED: Graded = Graded::Always;

    fn start(self, globals: &Globals) -> Result<i32, Fault> {
        let kernel = rustix::system::uname();
        // Go's names of architectures, as Docker has them.
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let version = env!("CARGO_PKG_VERSION");
        let release = kernel.release().to_string_lossy();
        // One program is both.
        let part = serde_json::json!({
            "Platform": {"Name": "docent"},
            "Version": version,
            "ApiVersion": "",
            "DockerCommands": DOCKER,
            "Os": "linux",
            "Arch": arch,
            "KernelVersion": release,
        });
        let json = serde_json::json!({"Client": part, "Server": part});
        let text = match &self.format {
            Some(template) => render(template, &json)? + "\n",
            None => narrator(globals.lang, Level::Off).version(version, DOCKER, arch, &release),
        };
        print!("{text}");
        Ok(0)
    }
}
