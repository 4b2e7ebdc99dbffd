//! A private Dovecot: any number of mailboxes on random loopback ports, IMAP, IMAPS and LMTP, as root or as any plain user.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use super::authority::Authority;
use super::guarded::{self, End, Guarded, User};
use super::loopback_ports;
use super::raw_imap::{RawImap, Stored};
use super::raw_lmtp::Handover;
use super::wait;

/// The desk's mailbox.
pub const DESK: &str = "support@desk.test";
/// The password of every mailbox; any address is a mailbox as soon as something arrives for it.
pub const PASSWORD: &str = "secret";

/// How a Dovecot is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sdbox` or `maildir`.
    pub mail_format: &'static str,
    /// The mechanisms that it offers.
    pub auth_mechanisms: &'static str,
    /// Whether passwords are taken without TLS; with `false` it says LOGINDISABLED.
    pub plain_login: bool,
    /// Whether `name+detail@…` goes to the mailbox of `name@…`, as most servers do it; otherwise it is a mailbox of its own.
    pub plus_to_base: bool,
    /// Further lines of its configuration.
    pub further: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mail_format: "sdbox",
            auth_mechanisms: "plain login",
            plain_login: true,
            plus_to_base: true,
            further: String::new(),
        }
    }
}

/// A running Dovecot; it ends and its folder goes when this is dropped.
#[derive(Debug)]
pub struct Dovecot {
    // Ends before the folder below goes.
    server: Option<Guarded>,
    folder: TempDir,
    /// IMAP, with STARTTLS.
    pub imap: u16,
    /// IMAP with TLS from the first byte.
    pub imaps: u16,
    /// LMTP.
    pub lmtp: u16,
    /// Its authentication for an MTA.
    pub auth: u16,
    /// Its certificate and who vouches for it.
    pub authority: Authority,
    owner: User,
}

impl Dovecot {
    /// Starts one with the usual options.
    pub fn start() -> Self {
        Self::start_with(&Options::default())
    }

    /// Starts one.
    ///
    /// # Panics
    /// Dovecot is not installed or doesn't start: with what it printed.
    pub fn start_with(options: &Options) -> Self {
        assert!(
            Path::new("/usr/sbin/dovecot").exists(),
            "Dovecot is not installed: run `bash tests/run`, or apt-get install dovecot-imapd dovecot-lmtpd"
        );
        let folder = tempfile::Builder::new()
            .prefix("desk-dovecot-")
            .tempdir()
            .expect("A temporary folder");
        let [imap, imaps, lmtp, auth] = loopback_ports::free();
        let owner = if guarded::is_root() {
            guarded::user("nobody").expect("The user nobody")
        } else {
            guarded::me()
        };
        let mut made = Self {
            server: None,
            authority: Authority::for_loopback(&folder.path().join("tls")),
            folder,
            imap,
            imaps,
            lmtp,
            auth,
            owner,
        };
        for name in ["run", "state", "mail", "log"] {
            fs::create_dir(made.folder.path().join(name)).expect("A folder of Dovecot");
        }
        fs::set_permissions(made.folder.path(), Permissions::from_mode(0o755))
            .expect("A folder open to Dovecot's users");
        if guarded::is_root() {
            chown(made.mail(), Some(owner.uid), Some(owner.gid)).expect("A folder for mail");
        }
        fs::write(made.configuration(), made.text(options)).expect("Dovecot's configuration");
        made.up();
        made
    }

    /// Starts it again after [`Dovecot::down`], on the same ports with the same mail.
    pub fn up(&mut self) {
        let command = ["/usr/sbin/dovecot", "-F", "-c"].map(str::to_owned);
        let mut command = command.to_vec();
        command.push(self.configuration().display().to_string());
        let server = Guarded::start(&command, self.folder.path(), None, End::Kill);
        wait::until("Dovecot's greeting", Duration::from_secs(20), || {
            assert!(
                server.runs(),
                "Dovecot ended: {}{}",
                server.printed(),
                self.log()
            );
            greets(self.imap, "* OK").then_some(())
        });
        self.server = Some(server);
    }

    /// Ends it at once, as a power failure would; its mail stays.
    pub fn down(&mut self) {
        if let Some(server) = self.server.take() {
            server.end_and_keep_folder();
        }
        // Its word about itself would make the next one believe that it still runs.
        drop(fs::remove_file(self.folder.path().join("run/master.pid")));
    }

    /// The process id of its master.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Guarded::pid)
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log/dovecot.log")).unwrap_or_default()
    }

    /// Hands a letter over by LMTP.
    pub fn deliver(&self, from: &str, to: &str, letter: &[u8]) {
        Handover::lmtp(self.lmtp).deliver(from, to, letter);
    }

    /// Puts a letter into a folder with an INTERNALDATE (`20-Nov-2026 16:42:00 +0500`), none for now.
    pub fn append(&self, user: &str, folder: &str, letter: &[u8], date: Option<&str>) {
        self.client(user).append(folder, letter, date);
    }

    /// The letters in a folder, by UID; nothing changes in it.
    pub fn letters(&self, user: &str, folder: &str) -> Vec<Stored> {
        self.client(user).letters(folder)
    }

    /// Removes letters for good.
    pub fn expunge(&self, user: &str, folder: &str, uids: &[u32]) {
        self.client(user).expunge(folder, uids);
    }

    /// The UIDVALIDITY of a folder.
    pub fn uid_validity(&self, user: &str, folder: &str) -> u32 {
        self.client(user).uid_validity(folder)
    }

    /// Gives a folder another UIDVALIDITY, as a restored or rebuilt server has.
    pub fn change_uid_validity(&self, user: &str, folder: &str, value: u32) {
        let value = value.to_string();
        self.doveadm(&[
            "mailbox",
            "update",
            "--uid-validity",
            &value,
            "-u",
            user,
            folder,
        ]);
    }

    /// Takes all letters of a Maildir into the mailbox's INBOX. The Maildir is handed over to Dovecot's user, who writes its index into it.
    pub fn import(&self, user: &str, maildir: &Path) {
        if guarded::is_root() {
            hand_over(maildir, self.owner);
        }
        let from = format!("maildir:{}", maildir.display());
        self.doveadm(&["import", "-u", user, &from, "", "all"]);
    }

    /// A logged-in client of a mailbox.
    pub fn client(&self, user: &str) -> RawImap {
        RawImap::login(self.imap, user, PASSWORD)
    }

    fn doveadm(&self, arguments: &[&str]) {
        let Output { status, stderr, .. } = Command::new("doveadm")
            .arg("-c")
            .arg(self.configuration())
            .args(arguments)
            .output()
            .expect("doveadm starts");
        assert!(
            status.success(),
            "doveadm {arguments:?}: {}",
            String::from_utf8_lossy(&stderr)
        );
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("dovecot.conf")
    }

    fn mail(&self) -> PathBuf {
        self.folder.path().join("mail")
    }

    /// Dovecot 2.3's configuration; 2.4 knows another language.
    fn text(&self, options: &Options) -> String {
        let me = guarded::me();
        let my_name = guarded::name_of("/etc/passwd", me.uid).expect("A name of this user");
        let my_group = guarded::name_of("/etc/group", me.gid).expect("A name of this group");
        let (internal, internal_group, login) = if guarded::is_root() {
            ("dovecot", "dovecot", "dovenull")
        } else {
            (my_name.as_str(), my_group.as_str(), my_name.as_str())
        };
        let mut text = CONFIGURATION.to_owned();
        for (name, value) in [
            ("@FOLDER@", self.folder.path().display().to_string()),
            ("@INTERNAL@", internal.to_owned()),
            ("@INTERNAL_GROUP@", internal_group.to_owned()),
            ("@LOGIN@", login.to_owned()),
            ("@UID@", self.owner.uid.to_string()),
            ("@GID@", self.owner.gid.to_string()),
            ("@FORMAT@", options.mail_format.to_owned()),
            ("@MECHANISMS@", options.auth_mechanisms.to_owned()),
            ("@NO_PLAIN@", yes_no(!options.plain_login)),
            (
                "@DELIMITER@",
                if options.plus_to_base { "+" } else { "" }.to_owned(),
            ),
            ("@PASSWORD@", PASSWORD.to_owned()),
            ("@IMAP@", self.imap.to_string()),
            ("@IMAPS@", self.imaps.to_string()),
            ("@LMTP@", self.lmtp.to_string()),
            ("@AUTH@", self.auth.to_string()),
        ] {
            text = text.replace(name, &value);
        }
        if !guarded::is_root() {
            text.push_str(&format!("service auth-worker {{\n  user = {my_name}\n}}\nservice imap-urlauth-login {{\n  chroot =\n}}\n"));
        }
        text + &options.further
    }
}

/// Whether a server says its greeting on a port.
pub fn greets(port: u16, greeting: &str) -> bool {
    use std::io::Read;
    let Ok(mut call) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    drop(call.set_read_timeout(Some(Duration::from_secs(5))));
    let mut first = vec![0; greeting.len()];
    call.read_exact(&mut first).is_ok() && first == greeting.as_bytes()
}

fn hand_over(path: &Path, to: User) {
    chown(path, Some(to.uid), Some(to.gid)).expect("A file handed over");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("A folder's entries") {
            hand_over(&entry.expect("A folder's entry").path(), to);
        }
    }
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

const CONFIGURATION: &str = r#"base_dir = @FOLDER@/run
state_dir = @FOLDER@/state
instance_name = desk-@IMAP@
log_path = @FOLDER@/log/dovecot.log
log_timestamp = "%Y-%m-%d %H:%M:%S.%{usecs} "
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = @INTERNAL@
default_internal_group = @INTERNAL_GROUP@
default_login_user = @LOGIN@
first_valid_uid = 1
mail_uid = @UID@
mail_gid = @GID@
mail_location = @FORMAT@:@FOLDER@/mail/%u
mail_home = @FOLDER@/mail/%u.home
mail_fsync = never
mail_max_userip_connections = 200
mailbox_list_index = yes
recipient_delimiter = @DELIMITER@
auth_mechanisms = @MECHANISMS@
auth_failure_delay = 0
auth_username_format = %Lu
auth_username_chars =
disable_plaintext_auth = @NO_PLAIN@
ssl = yes
ssl_cert = <@FOLDER@/tls/server.pem
ssl_key = <@FOLDER@/tls/server.key
ssl_min_protocol = TLSv1.2
passdb {
  driver = static
  args = password=@PASSWORD@
}
userdb {
  driver = static
  args = uid=@UID@ gid=@GID@ home=@FOLDER@/mail/%u.home allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Processed {
    auto = create
  }
}
service imap-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    port = @IMAP@
  }
  inet_listener imaps {
    port = @IMAPS@
    ssl = yes
  }
}
service imap {
  process_limit = 256
}
service lmtp {
  chroot =
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    port = @LMTP@
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service auth {
  chroot =
  inet_listener auth-client {
    port = @AUTH@
  }
}
"#;
