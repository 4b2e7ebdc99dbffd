//! One letter's whole way out: due, attempt, fate.
