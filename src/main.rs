//! Parses arguments, runs one command, prints one error chain.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use postdesk::cli::check_signature;
use postdesk::cli::command::{self, Arguments, Command};
use postdesk::cli::failure::Failure;
use postdesk::telemetry;

/// Room for a hostile letter's nesting on the threads that read letters; only touched pages cost memory.
const STACK: usize = 16 << 20;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The daemon tells its life; a command has its result to tell, and the log would stand in the middle of it.
    let daemon = matches!(arguments.command, Command::Run);
    telemetry::start(if daemon { "info" } else { "warn" });
    if matches!(arguments.command, Command::CheckSignature) {
        // It shuts itself in, which holds for one thread: there may be no other.
        return end(check_signature::check_signature());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(command::run(arguments)),
        Err(error) => Err(anyhow::Error::new(error)
            .context("The program can't start its threads")
            .into()),
    };
    end(done)
}

fn end(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.to_string();
            if !text.is_empty() {
                let _ = writeln!(std::io::stderr(), "{text}");
            }
            ExitCode::from(failure.code())
        }
    }
}
