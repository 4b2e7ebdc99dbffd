//! Did a machine write it (R46)? Marks of automatic mail, bounces and receipts.
