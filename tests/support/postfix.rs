//! A private Postfix (root only): mail for anyone is delivered to a private Dovecot by LMTP; submission with AUTH by STARTTLS and by implicit TLS, and a plain loopback port.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::dovecot::{self, Dovecot};
use super::guarded::{self, End, Guarded};
use super::loopback_ports;
use super::wait;

const MASTER: &str = "/usr/lib/postfix/sbin/master";

/// A running Postfix; it ends and its folder goes when this is dropped.
#[derive(Debug)]
pub struct Postfix {
    // Ends before the folder below goes.
    server: Option<Guarded>,
    folder: TempDir,
    /// Takes mail for anyone without TLS and AUTH, as port 25 does.
    pub smtp: u16,
    /// STARTTLS and AUTH demanded, as port 587 does.
    pub submission: u16,
    /// TLS from the first byte and AUTH demanded, as port 465 does.
    pub submissions: u16,
}

impl Postfix {
    /// Starts one that delivers to `dovecot`, which also checks its passwords. These local parts are refused at RCPT:
    /// `tempfail` (450), `greylist` (451), `overquota` (452), `nouser` (550), `blocked` (554). `gone@raduga.example` and
    /// `full@raduga.example` are taken and come back as Postfix's own reports.
    ///
    /// # Panics
    /// It is not installed, this is not root, or it doesn't start: with what it logged.
    pub fn start(dovecot: &Dovecot) -> Self {
        assert!(
            Path::new(MASTER).exists(),
            "Postfix is not installed: run `bash tests/run`, or apt-get install postfix"
        );
        assert!(
            guarded::is_root(),
            "Postfix starts as root only: run the tests as root, or `bash tests/run` with sudo"
        );
        let folder = tempfile::Builder::new()
            .prefix("desk-postfix-")
            .tempdir()
            .expect("A temporary folder");
        let [smtp, submission, submissions] = loopback_ports::free();
        let mut made = Self {
            server: None,
            folder,
            smtp,
            submission,
            submissions,
        };
        made.lay_out();
        made.configure(dovecot);
        made.up();
        made
    }

    /// Starts it again after [`Postfix::down`], with the queue it had.
    pub fn up(&mut self) {
        let etc = self.folder.path().join("etc").display().to_string();
        // -d: stays in the foreground and in our process group.
        let command = [MASTER, "-c", &etc, "-d"].map(str::to_owned);
        let server = Guarded::start(&command, self.folder.path(), None, End::Kill);
        wait::until("Postfix's greeting", Duration::from_secs(20), || {
            assert!(
                server.runs(),
                "Postfix ended: {}{}",
                server.printed(),
                self.log()
            );
            dovecot::greets(self.smtp, "220").then_some(())
        });
        self.server = Some(server);
    }

    /// Ends it at once; its queue stays.
    pub fn down(&mut self) {
        if let Some(server) = self.server.take() {
            server.end_and_keep_folder();
        }
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("mail.log")).unwrap_or_default()
    }

    /// The folders that `postfix start` would make, made by hand: a quarter of the time.
    fn lay_out(&self) {
        let root = self.folder.path();
        fs::set_permissions(root, Permissions::from_mode(0o755)).expect("A folder open to Postfix");
        let postfix = guarded::user("postfix").expect("The user postfix");
        let postdrop = guarded::group("postdrop").expect("The group postdrop");
        let make = |name: &str, mode: u32, uid: u32, gid: u32| {
            let path = root.join(name);
            fs::create_dir_all(&path).expect("A folder of Postfix");
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("A folder's mode");
            chown(&path, Some(uid), Some(gid)).expect("A folder's owner");
        };
        make("etc", 0o755, 0, 0);
        make("queue", 0o755, 0, 0);
        make("queue/pid", 0o755, 0, 0);
        make("data", 0o700, postfix.uid, postfix.gid);
        for name in [
            "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
            "private", "saved", "trace",
        ] {
            make(&format!("queue/{name}"), 0o700, postfix.uid, 0);
        }
        make("queue/public", 0o710, postfix.uid, postdrop);
        make("queue/maildrop", 0o730, postfix.uid, postdrop);
    }

    fn configure(&self, dovecot: &Dovecot) {
        let root = self.folder.path();
        let mut main = MAIN.to_owned();
        for (name, value) in [
            ("@FOLDER@", root.display().to_string()),
            ("@LMTP@", dovecot.lmtp.to_string()),
            ("@AUTH@", dovecot.auth.to_string()),
            (
                "@CERTIFICATE@",
                dovecot.authority.certificate.display().to_string(),
            ),
            ("@KEY@", dovecot.authority.key.display().to_string()),
        ] {
            main = main.replace(name, &value);
        }
        let master = MASTER_SERVICES
            .replace("@SMTP@", &self.smtp.to_string())
            .replace("@SUBMISSION@", &self.submission.to_string())
            .replace("@SUBMISSIONS@", &self.submissions.to_string());
        // Postfix waits until a configuration file is a few seconds old each time it reads it: two seconds at start. So they are an hour old.
        let old = SystemTime::now() - Duration::from_secs(3600);
        for (name, text) in [
            ("main.cf", main.as_str()),
            ("master.cf", master.as_str()),
            ("refused", REFUSED),
            ("transports", TRANSPORTS),
        ] {
            let path = root.join("etc").join(name);
            fs::write(&path, text).expect("A file of Postfix");
            let file = File::options()
                .write(true)
                .open(&path)
                .expect("A file of Postfix");
            file.set_times(FileTimes::new().set_modified(old).set_accessed(old))
                .expect("An older date");
        }
    }
}

const MAIN: &str = "compatibility_level = 3.6
queue_directory = @FOLDER@/queue
data_directory = @FOLDER@/data
maillog_file = @FOLDER@/mail.log
maillog_file_prefixes = @FOLDER@
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.desk.test
mydestination =
mynetworks = 192.0.2.0/24
relay_domains =
local_recipient_maps =
local_transport = error:no local mail
virtual_mailbox_domains = static:any
virtual_transport = lmtp:inet:127.0.0.1:@LMTP@
transport_maps = texthash:@FOLDER@/etc/transports
default_transport = error:5.1.2 nothing leaves this machine
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:@AUTH@
smtpd_sasl_auth_enable = yes
smtpd_tls_security_level = may
smtpd_tls_cert_file = @CERTIFICATE@
smtpd_tls_key_file = @KEY@
smtpd_tls_auth_only = yes
smtpd_relay_restrictions = permit_sasl_authenticated, permit_auth_destination, reject
smtpd_recipient_restrictions = check_recipient_access texthash:@FOLDER@/etc/refused, permit
smtpd_peername_lookup = no
smtpd_delay_reject = yes
smtputf8_enable = yes
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
bounce_queue_lifetime = 1h
minimal_backoff_time = 5s
maximal_backoff_time = 20s
queue_run_delay = 5s
disable_dns_lookups = yes
smtp_dns_support_level = disabled
message_size_limit = 52428800
mailbox_size_limit = 0
";

const REFUSED: &str = "tempfail@ 450 4.7.1 Try again later
greylist@ 451 4.7.1 Greylisted
overquota@ 452 4.2.2 Mailbox full
nouser@ 550 5.1.1 No such user
blocked@ 554 5.7.1 Rejected by policy
";

/// Taken and then found undeliverable. Not by the service `error`: smtpd asks it beforehand and refuses at once.
const TRANSPORTS: &str = "gone@raduga.example gone:
full@raduga.example full:
";

const MASTER_SERVICES: &str = "127.0.0.1:@SMTP@ inet n - n - - smtpd
127.0.0.1:@SUBMISSION@ inet n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_client_restrictions=permit_sasl_authenticated,reject
127.0.0.1:@SUBMISSIONS@ inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
gone unix - n n - - pipe user=nobody argv=/bin/sh -c {echo 5.1.1 No such mailbox here; exit 67}
full unix - n n - - pipe user=nobody argv=/bin/sh -c {echo 5.2.2 Mailbox full; exit 69}
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
";
