//! Shuts the process in, for good, and with it all that it starts: no network, no reach into other processes, few files, little time and memory.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use landlock::{
    ABI, Access as _, AccessFs, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, sock_filter};

/// Seconds of computing.
const SECONDS: u64 = 50;
/// Octets of memory: many times the largest letter.
const MEMORY: u64 = 2 << 30;
/// Octets of the largest file: the largest letter, and authorities' lists.
const FILE: u64 = 512 << 20;
/// Open files.
const FILES: u64 = 64;

/// What is refused: whatever makes, takes over or asks the kernel for a connection, and whatever reaches into other processes or the
/// kernel itself. A list of what is allowed would be stricter, and another one for each version of openssl and libc.
const REFUSED: [libc::c_long; 38] = [
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
];

/// Shuts this process in.
///
/// # Errors
/// The kernel does not know how to, or this is a processor that nobody wrote it for; then nothing may be looked at.
pub fn confine() -> Result<()> {
    for (resource, most) in [
        (Resource::Cpu, SECONDS),
        (Resource::As, MEMORY),
        (Resource::Fsize, FILE),
        (Resource::Nofile, FILES),
        (Resource::Core, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit).context("A limit can't be set")?;
    }
    let arch = std::env::consts::ARCH;
    let refused: BTreeMap<i64, _> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let filter = SeccompFilter::new(
        refused,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        arch.try_into().context("No filter for this processor")?,
    )?;
    let filter: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&filter).context("The filter of system calls can't be set")?;
    if arch == "x86_64" {
        seccompiler::apply_filter(&no_x32()).context("The second filter can't be set")?;
    }
    Ok(())
}

/// Where programs and their libraries are, and what every program opens.
const PROGRAMS: [&str; 9] = [
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/opt",
    "/nix/store",
    "/etc/ld.so.cache",
    "/dev/urandom",
    "/dev/null",
];

/// Takes the files away, but for programs and these to read, and the current folder to write. Does what the kernel can (Landlock, Linux
/// 5.13): where it can't, the desk's files are guarded by the missing network alone.
///
/// # Errors
/// The kernel refuses.
pub fn leave_files(readable: &[PathBuf]) -> Result<()> {
    // The second version: the first could not move files, which nothing here needs.
    let abi = ABI::V2;
    let read = AccessFs::from_read(abi);
    let null = read | AccessFs::WriteFile;
    Ruleset::default()
        .handle_access(AccessFs::from_all(abi))?
        .create()?
        .add_rules(path_beneath_rules(PROGRAMS, read))?
        .add_rules(path_beneath_rules(["/dev/null"], null))?
        .add_rules(path_beneath_rules(readable, read))?
        .add_rules(path_beneath_rules(["."], AccessFs::from_all(abi)))?
        .restrict_self()
        .context("The files can't be taken away")?;
    Ok(())
}

/// On x86-64 each call has a second number for the x32 programs of old, past which the first filter would not look.
fn no_x32() -> BpfProgram {
    const X32: u32 = 0x4000_0000;
    let statement = |code: u16, k: u32, jt: u8| sock_filter { code, jt, jf: 0, k };
    vec![
        // The call's number; of x32: refuse it; else go on.
        statement(0x20, 0, 0),
        sock_filter {
            jf: 1,
            ..statement(0x35, X32, 0)
        },
        statement(0x06, 0x0005_0000 | libc::EPERM.unsigned_abs(), 0),
        statement(0x06, 0x7fff_0000, 0),
    ]
}
