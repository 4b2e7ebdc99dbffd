//! Parses arguments, runs one command, prints one error chain.

fn main() {}
