//! Opening a TCP connection: one address after the other, within a limit, until one answers.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::cancel;
use super::limit::Limit;
use super::wire::ready;

/// After how long without a word the system asks whether the other side is still there. Gateways forget connections that
/// are silent for two minutes or so, and a model may think for longer.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// How long a wait goes without asking whether the call is still wanted.
const PATIENCE: Duration = Duration::from_millis(25);

/// A connection to one of the addresses, which does not block. Each gets its share of the time that is left, so that one
/// that does not answer leaves some for the others.
pub(super) fn to_one_of(addresses: &[SocketAddr], limit: Limit) -> Result<TcpStream, ureq::Error> {
    let mut last = ureq::Error::HostNotFound;
    for (i, address) in addresses.iter().enumerate() {
        match to(*address, limit.share(addresses.len() - i)?) {
            Ok(socket) => return Ok(socket),
            Err(e) if cancel::still_wanted().is_err() => return Err(e),
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn to(address: SocketAddr, limit: Limit) -> Result<TcpStream, ureq::Error> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))?;
    match socket.connect(&address.into()) {
        Err(e) if e.raw_os_error() == Some(libc::EINPROGRESS) => {
            while !ready(&socket, libc::POLLOUT, limit.left()?.min(PATIENCE))? {
                if cancel::still_wanted().is_err() {
                    return Err(cancel::interrupted());
                }
            }
            socket.take_error()?.map_or(Ok(()), Err)?;
        }
        outcome => outcome?,
    }
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Status};
    use crate::transport::Cancel;
    use std::net::TcpListener;
    use std::time::Instant;
    use ureq::Timeout;
    use ureq::unversioned::transport::{NextTimeout, time};

    fn within(ms: u64) -> Limit {
        let after = time::Duration::from_millis(ms);
        Limit::of(NextTimeout { after, reason: Timeout::Connect, ..NextTimeout::default() })
    }

    /// A listener whose queue is full, so that who connects to it waits.
    fn deaf() -> (Socket, Vec<Socket>, SocketAddr) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
        listener.listen(0).expect("a listener");
        let address = listener.local_addr().expect("an address").as_socket().expect("an IP address");
        let fill = |_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            socket.set_nonblocking(true).expect("a socket option");
            let _ = socket.connect(&address.into());
            socket
        };
        let waiting = (0..8).map(fill).collect();
        (listener, waiting, address)
    }

    #[test]
    fn an_address_that_refuses_or_is_silent_leaves_time_for_the_next() {
        let (_deaf, _waiting, silent) = deaf();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let refusing = SocketAddr::from(([127, 0, 0, 1], 1));
        let good = listener.local_addr().expect("an address");
        let socket = to_one_of(&[refusing, silent, good], within(2000)).expect("a connection");
        assert_eq!(socket.peer_addr().expect("a peer"), good);
        let socket = Socket::from(socket);
        assert!(socket.keepalive().expect("an option") && socket.tcp_nodelay().expect("an option"));
        assert_eq!(socket.tcp_keepalive_time().expect("an option"), KEEPALIVE);
    }

    #[test]
    fn nobody_who_answers_is_an_error_in_time() {
        let (_deaf, _waiting, silent) = deaf();
        assert!(matches!(to_one_of(&[silent], within(100)), Err(ureq::Error::Timeout(Timeout::Connect))));
        assert!(matches!(to_one_of(&[SocketAddr::from(([127, 0, 0, 1], 1))], within(100)), Err(ureq::Error::Io(_))));
        assert!(matches!(to_one_of(&[], within(100)), Err(ureq::Error::HostNotFound)));
    }

    #[test]
    fn a_cancelled_call_does_not_wait_for_a_connection() {
        let (_deaf, _waiting, silent) = deaf();
        let (cancel, start) = (Cancel::new(), Instant::now());
        let call = || {
            cancel.during(|| {
                to_one_of(&[silent, silent], within(600_000))
                    .map(|_| ())
                    .map_err(|e| Error::new(Status::Connection, e.to_string()))
            })
        };
        std::thread::scope(|scope| {
            let call = scope.spawn(call);
            std::thread::sleep(Duration::from_millis(50));
            cancel.trigger();
            assert_eq!(call.join().expect("no panic").expect_err("cancelled").status(), Status::Cancelled);
        });
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}
