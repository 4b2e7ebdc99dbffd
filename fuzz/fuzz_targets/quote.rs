//! See `src/quote.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postdesk_fuzz::quote::hold(input));
