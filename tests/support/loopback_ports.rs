//! Free ports on the loopback address: bound to 0, noted, closed.

use std::net::TcpListener;

/// As many different free ports as asked for. All are held while the last is taken, so none comes twice.
pub fn free<const N: usize>() -> [u16; N] {
    let held: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).expect("A free loopback port"));
    std::array::from_fn(|i| held[i].local_addr().expect("A bound port").port())
}
