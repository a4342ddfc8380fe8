//! Verbs on images, and `version`.

use crate::cli::filter::Term;
use crate::cli::parsers::parse_filter;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Default, Args)]
pub struct ImagesArgs {
    /// Docker's older builder had intermediate images to hide; here `-a` shows what is shown without it.
    #[arg(short, long)]
    pub all: bool,
    #[arg(long)]
    pub digests: bool,
    #[arg(short, long, value_name = "filter", value_parser = parse_filter)]
    pub filter: Vec<Term>,
    #[arg(long, value_name = "string")]
    pub format: Option<String>,
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(short, long)]
    pub quiet: bool,
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub reference: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct LoadArgs {
    /// None is standard input.
    #[arg(short, long, value_name = "string")]
    pub input: Option<PathBuf>,
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct VersionArgs {
    #[arg(short, long, value_name = "string")]
    pub format: Option<String>,
}
