//! Programs that run *inside* containers: docent's own stand-ins for what this machine lacks, in its built-in images.
//!
//! Each is an ordinary program that speaks to its user in its own words, as the program that it stands in for does, and
//! says what it is; nothing of the engine is used but system calls.

mod files;
mod http;
pub mod nginx;
mod nginx_conf;
mod web;
