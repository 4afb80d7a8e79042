//! The endpoint as a program: flags in, one server, until SIGINT or SIGTERM.
//!
//! The signal ends it in order, so that a temporary state directory and the ready file are removed.

use std::process::ExitCode;
use std::sync::mpsc;

use clap::Parser;
use endpoint::{Endpoint, Options};

/// A local NOMYO endpoint: HTTPS on loopback, with an echo model or in front of an
/// OpenAI-compatible server.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    match run(Cli::parse().options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("endpoint: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let (signalled, signal) = mpsc::channel();
    // Sending fails when the first signal has already ended `run`.
    ctrlc::set_handler(move || {
        let _ = signalled.send(());
    })?;
    let endpoint = Endpoint::start(options)?;
    println!("endpoint     {}", endpoint.base_url());
    if let Some(plain) = endpoint.plain_base_url() {
        println!("plain HTTP   {plain}");
    }
    println!("CA           {}", endpoint.ca_file().display());
    println!("fingerprint  {}", endpoint.key_fingerprint());
    signal.recv()?;
    Ok(())
}
