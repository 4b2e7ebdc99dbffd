//! Order or question (R9), and which type (R25).
