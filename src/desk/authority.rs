//! Who may do what (R5–R14): the only place that grants anything.
