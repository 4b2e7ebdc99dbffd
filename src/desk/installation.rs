//! Which installation a letter is about (R8).
