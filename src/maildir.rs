//! A mailbox as a Maildir that an MTA, getmail or fetchmail fills: new files since the last look, and a wait for more.
