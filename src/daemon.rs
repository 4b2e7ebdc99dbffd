//! Every task: how they start, wake each other and stop; nobody else spawns.
