//! docent's own verbs, for learners and instructors.

use crate::cli::lang::{Level, parse_level};
use crate::cli::parsers::{bad, parse_number};
use crate::fact::Fault;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `explain [N] [--level L]` retells a command; `explain -- COMMAND…` forecasts one.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ExplainArgs {
    /// None is the last command.
    #[arg(value_name = "N", value_parser = parse_number)]
    pub number: Option<u64>,
    #[arg(long, value_name = "LEVEL", value_parser = parse_level)]
    pub level: Option<Level>,
    /// The command to forecast, without `docker` or `docent` before it; empty: retell.
    #[arg(last = true, value_name = "COMMAND")]
    pub forecast: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct VerifyArgs {
    /// None is the last command.
    #[arg(value_name = "N", value_parser = parse_number)]
    pub number: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum LabVerb {
    List,
    Start {
        #[arg(value_name = "LAB")]
        lab: String,
    },
    Status,
    Hint {
        /// None is the first task that is not done.
        #[arg(value_name = "TASK")]
        task: Option<String>,
    },
    Check,
    Reset,
    Guide {
        /// None is the lab that is started.
        #[arg(value_name = "LAB")]
        lab: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct GradeArgs {
    #[arg(long, value_name = "human|json", default_value = "human", value_parser = parse_report)]
    pub format: GradeFormat,
    #[arg(long, value_name = "ID")]
    pub student: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub secret: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    pub labs: Option<PathBuf>,
    #[arg(value_name = "LAB")]
    pub lab: String,
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GradeFormat {
    Human,
    Json,
}

fn parse_report(text: &str) -> Result<GradeFormat, Fault> {
    match text {
        "human" => Ok(GradeFormat::Human),
        "json" => Ok(GradeFormat::Json),
        _ => Err(bad("--format", text, "human|json")),
    }
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct BookArgs {
    /// None lists the chapters.
    #[arg(value_name = "CHAPTER")]
    pub chapter: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum JournalVerb {
    List,
    Show {
        /// None is the last command.
        #[arg(value_name = "N", value_parser = parse_number)]
        number: Option<u64>,
    },
}
