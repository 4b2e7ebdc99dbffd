//! A mailbox over IMAP: new messages since the cursor, and a wait for more. async-imap lives here only.
