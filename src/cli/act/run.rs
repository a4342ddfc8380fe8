//! `run`, `create`, `start`, `exec`: what starts programs.

use crate::cli::context::Context;
use crate::cli::{CreateArgs, ExecArgs, RunArgs, StartArgs, process_environ};
use crate::container::{Config, Container, CreateRequest, HostConfig};
use crate::engine::attach::{Ends, Outcome, attach};
use crate::engine::start::Join;
use crate::engine::{cow, create as make, exec as execute, remove, start as launch};
use crate::fact::Fault;
use crate::kernel::{signals, terminal};
use crate::narrate::Level;
use std::path::Path;

/// How long the look at what a program changed may take, in microseconds.
const LOOK: u64 = 50_000;

/// The flags as Docker's API takes them.
pub fn request(a: &CreateArgs, detached: bool) -> Result<CreateRequest, Fault> {
    let limits = a.limits();
    let cpus = std::thread::available_parallelism().map_or(1, |n| n.get());
    if let Some(milli) = limits.cpu_milli.filter(|milli| *milli > cpus as u64 * 1000) {
        let value = format!("{}.{:03}", milli / 1000, milli % 1000);
        return Err(Fault::BadValue { flag: "--cpus".into(), value, expected: format!("0.01 .. {cpus}.00") });
    }
    let (image, command) = a.line.split_first().map(|(i, c)| (i.clone(), c.to_vec())).unwrap_or_default();
    let config = Config {
        hostname: a.hostname.clone(),
        user: a.user.clone(),
        attach_stdin: a.interactive && !detached,
        attach_stdout: !detached,
        attach_stderr: !detached,
        tty: a.tty,
        open_stdin: a.interactive,
        stdin_once: a.interactive && !detached,
        env: a.environment(&process_environ)?,
        cmd: (!command.is_empty()).then_some(command),
        image,
        working_dir: a.workdir.clone(),
        entrypoint: a.entrypoint.clone().map(|program| vec![program]),
        labels: a.labels(),
        stop_signal: a.stop_signal.map(signals::name),
        stop_timeout: a.stop_timeout,
        ..Config::default()
    };
    let host_config = HostConfig {
        network_mode: a.network(),
        port_bindings: a.port_bindings(),
        auto_remove: a.rm,
        memory: limits.memory,
        nano_cpus: limits.cpu_milli.map(|milli| milli * 1_000_000),
        pids_limit: limits.pids.and_then(|n| i64::try_from(n).ok()),
        ..HostConfig::default()
    };
    Ok(CreateRequest { name: a.name.clone(), config, host_config, networking_config: Default::default() })
}

pub fn create(context: &mut Context, a: &CreateArgs) -> Result<i32, Fault> {
    let container = make::create(&context.store, &mut context.story, request(a, false)?)?;
    context.narrate();
    context.print(&format!("{}\n", container.id));
    Ok(0)
}

pub fn run(context: &mut Context, a: &RunArgs) -> Result<i32, Fault> {
    if !a.detach {
        terminal_for(a.create.tty, a.create.interactive)?;
        context.json_needs_a_file()?;
    }
    let container = make::create(&context.store, &mut context.story, request(&a.create, a.detach)?)?;
    let join = Join { output: !a.detach, input: container.config.attach_stdin };
    let started = launch::start(&context.store, &mut context.story, &container, join, size(container.config.tty));
    let started = match started {
        Ok(Some(started)) => started,
        // Nobody else knows of it yet, unless somebody guessed its id.
        Ok(None) => return Err(Fault::MonitorDied { id: container.id }),
        Err(fault) => {
            // As Docker: a container that could not start stays `Created`; with --rm it goes.
            if container.host_config.auto_remove {
                remove::remove(&context.store, &mut context.story, &container, false)?;
            }
            return Err(fault);
        }
    };
    if a.detach {
        let hint = context.hint();
        context.narrate();
        context.print(&format!("{}\n", container.id));
        if let Some(hint) = hint {
            context.say(&hint);
        }
        return Ok(0);
    }
    context.narrate();
    let ends = Ends::new(container.config.tty, started.input, [None, None]);
    let outcome = attach(&started.client, ends, &mut context.story)?;
    finish(context, &container, outcome, !container.host_config.auto_remove)
}

pub fn start(context: &mut Context, a: &StartArgs) -> Result<i32, Fault> {
    let attached = a.attach || a.interactive;
    let mut failed = 0;
    for name in &a.names {
        let one = start_one(context, name, attached, a.interactive);
        match one {
            Ok(Some(code)) => return Ok(code),
            Ok(None) => context.print(&format!("{name}\n")),
            Err(fault) => {
                context.narrate();
                context.complain(&fault);
                failed += 1;
            }
        }
    }
    Ok(i32::from(failed > 0))
}

/// Some: it was attached and has ended with this code.
fn start_one(context: &mut Context, name: &str, attached: bool, interactive: bool) -> Result<Option<i32>, Fault> {
    let container = context.store.find_container(name)?;
    if container.state.live() {
        // Starting what runs is no error; Docker does nothing, and says the name.
        return Ok(None);
    }
    if attached {
        context.json_needs_a_file()?;
        if context.narrator.level != Level::Off {
            cow::baseline(&context.store, &container, LOOK, &mut context.story);
        }
    }
    let join = Join { output: attached, input: interactive && container.config.open_stdin };
    let started = launch::start(&context.store, &mut context.story, &container, join, size(container.config.tty))?;
    let Some(started) = started.filter(|_| attached) else {
        context.narrate_last();
        return Ok(None);
    };
    context.narrate();
    let ends = Ends::new(container.config.tty, started.input, [None, None]);
    let outcome = attach(&started.client, ends, &mut context.story)?;
    finish(context, &container, outcome, !container.host_config.auto_remove).map(Some)
}

pub fn exec(context: &mut Context, a: &ExecArgs) -> Result<i32, Fault> {
    if a.detach {
        return Err(Fault::Unsupported {
            what: "exec -d".into(),
            instead: Some("docker exec NAME sh -c 'COMMAND &'".into()),
        });
    }
    terminal_for(a.tty, a.interactive)?;
    context.json_needs_a_file()?;
    let Some((name, command)) = a.line.split_first() else { return Ok(1) };
    let container = context.store.find_container(name)?;
    let ask = execute::Ask {
        command: command.to_vec(),
        env: a.environment(&process_environ)?,
        workdir: a.workdir.clone(),
        user: a.user.clone(),
        tty: a.tty,
        stdin: a.interactive,
    };
    if context.narrator.level != Level::Off {
        cow::baseline(&context.store, &container, LOOK, &mut context.story);
    }
    let begun = execute::begin(&context.store, &mut context.story, &container, &ask, size(a.tty))?;
    context.narrate();
    let outcome = begun.attach(&mut context.story)?;
    finish(context, &container, outcome, true)
}

/// What came of an attached program: what it changed, and its exit code as our own.
fn finish(context: &mut Context, container: &Container, outcome: Outcome, look: bool) -> Result<i32, Fault> {
    if look && context.narrator.level != Level::Off {
        cow::tell(&context.store, container, Path::new("/"), LOOK, &mut context.story)?;
    }
    context.narrate_last();
    match outcome {
        Outcome::Exited(exited) => Ok(exited.code),
        Outcome::Detached => Ok(0),
        // As a shell says of a program that SIGPIPE ended.
        Outcome::Unread => Ok(128 + libc::SIGPIPE),
        Outcome::Lost => Err(Fault::MonitorDied { id: container.id.clone() }),
    }
}

fn terminal_for(tty: bool, interactive: bool) -> Result<(), Fault> {
    if tty && interactive && !terminal::is_terminal(std::io::stdin()) {
        return Err(Fault::NotATerminal);
    }
    Ok(())
}

fn size(tty: bool) -> Option<(u16, u16)> {
    tty.then(|| terminal::size(std::io::stdout())).flatten()
}
