//! The courier: one letter's bytes to one recipient; Sent, Later or Never back. lettre's transport lives here only.
