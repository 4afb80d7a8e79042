//! Opening a TCP connection to one of several addresses: Happy Eyeballs (RFC 8305, sections 4 and 5).

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::failure::Failure;
use super::os::is_under_way;
use super::stage::Stage;
use super::step::Step;
use super::tcp::poll;

/// How long the other side may be silent before the system asks whether it is still there, and between two questions.
/// Gateways drop connections that are silent for two minutes or so, and a model may think for longer. The file `tcp`
/// looks at the answers.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How long one address is tried alone before the next is tried as well (RFC 8305, section 8).
const STAGGER: Duration = Duration::from_millis(250);
/// The longest poll that does not look at the cancel.
const SLICE: Duration = Duration::from_millis(25);

/// A connection to the first of `addresses` that answers. It does not block. The family that comes first is tried first, and
/// then the two take turns.
pub(super) fn to_one_of(addresses: &[SocketAddr], step: &Step<'_>) -> Result<TcpStream, Failure> {
    step.enters(Stage::Connecting);
    let mut untried = interleaved(addresses);
    let mut trying: Vec<Socket> = Vec::new();
    let mut next_at = Instant::now();
    let mut last = Failure::UnknownName;
    loop {
        let left = step.left()?;
        if (trying.is_empty() || Instant::now() >= next_at)
            && let Some(address) = untried.pop_front()
        {
            next_at = Instant::now() + STAGGER;
            match begin(address) {
                Ok((socket, true)) => return Ok(socket.into()),
                Ok((socket, false)) => trying.push(socket),
                Err(e) => last = e.into(),
            }
            continue;
        }
        if trying.is_empty() {
            return Err(last);
        }
        let until_next = if untried.is_empty() { SLICE } else { next_at.saturating_duration_since(Instant::now()) };
        let most = left.min(SLICE).min(until_next);
        if let Some((index, outcome)) = first_decided(&trying, most)? {
            let socket = trying.swap_remove(index);
            match outcome {
                Ok(None) => return Ok(socket.into()),
                Ok(Some(e)) | Err(e) => last = e.into(),
            }
            // The next address need not wait for its turn.
            next_at = Instant::now();
        }
    }
}

/// The first of `sockets` that is connected (`Ok(None)`) or has failed, within `most`.
fn first_decided(
    sockets: &[Socket],
    most: Duration,
) -> std::io::Result<Option<(usize, std::io::Result<Option<std::io::Error>>)>> {
    let mut asked: Vec<_> = sockets.iter().map(|socket| PollFd::new(socket, PollFlags::OUT)).collect();
    poll(&mut asked, most)?;
    // Windows before 10 2004 does not poll a socket ready if its connection failed. Therefore each socket's error is taken.
    Ok(sockets.iter().zip(asked).enumerate().find_map(|(index, (socket, asked))| match socket.take_error() {
        Ok(None) if asked.revents().is_empty() => None,
        outcome => Some((index, outcome)),
    }))
}

/// Begins to connect; true if the connection is there already.
fn begin(address: SocketAddr) -> std::io::Result<(Socket, bool)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))?;
    match socket.connect(&address.into()) {
        Err(e) if is_under_way(&e) => Ok((socket, false)),
        outcome => outcome.map(|()| (socket, true)),
    }
}

/// The addresses with their families taking turns, in the order in which the families came.
fn interleaved(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, mut second): (VecDeque<_>, VecDeque<_>) =
        addresses.iter().copied().partition(|address| address.is_ipv6() == first_is_v6);
    let mut all = VecDeque::with_capacity(addresses.len());
    while let Some(address) = first.pop_front().or_else(|| second.pop_front()) {
        all.push_back(address);
        all.extend(second.pop_front());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;
    use crate::wait::{Cancel, Wait};
    use std::net::TcpListener;

    /// A listener whose queue is full, so that a connection to it is not answered.
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

    fn within(ms: u64, addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
        let wait = Wait::patient();
        to_one_of(addresses, &Step::new(&wait, "a test").within(Duration::from_millis(ms)))
    }

    #[test]
    fn an_address_that_refuses_or_is_silent_does_not_hold_up_the_next() {
        let (_deaf, _waiting, silent) = deaf();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let refusing = SocketAddr::from(([127, 0, 0, 1], 1));
        let good = listener.local_addr().expect("an address");
        let socket = within(60_000, &[refusing, silent, silent, good]).expect("a connection");
        assert_eq!(socket.peer_addr().expect("a peer"), good);
        let socket = Socket::from(socket);
        assert!(socket.keepalive().expect("an option") && socket.tcp_nodelay().expect("an option"));
        assert_eq!(socket.tcp_keepalive_time().expect("an option"), KEEPALIVE);
    }

    #[test]
    fn no_answer_is_a_failure_in_time() {
        let (_deaf, _waiting, silent) = deaf();
        assert!(matches!(within(100, &[silent]), Err(Failure::TooSlow(Stage::Connecting))));
        assert!(matches!(within(60_000, &[SocketAddr::from(([127, 0, 0, 1], 1))]), Err(Failure::Io(_))));
        assert!(matches!(within(60_000, &[]), Err(Failure::UnknownName)));
    }

    #[test]
    fn a_cancelled_call_does_not_wait_for_a_connection() {
        let (_deaf, _waiting, silent) = deaf();
        let cancel = Cancel::new();
        let wait = Wait::new(Duration::from_secs(600), Some(&cancel));
        std::thread::scope(|scope| {
            let call = scope.spawn(|| to_one_of(&[silent, silent], &Step::new(&wait, "a test")));
            std::thread::sleep(Duration::from_millis(50));
            cancel.trigger();
            let Err(Failure::Stopped(error)) = call.join().expect("no panic") else { panic!("it is cancelled") };
            assert_eq!(error.status(), Status::Cancelled);
        });
    }

    #[test]
    fn the_families_take_turns() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let [a6, b6, a4, b4] = ["[::1]:1", "[::2]:1", "1.1.1.1:1", "2.2.2.2:1"].map(address);
        assert_eq!(interleaved(&[a6, b6, a4, b4]), [a6, a4, b6, b4]);
        assert_eq!(interleaved(&[a4, a6, b6]), [a4, a6, b6]);
        assert_eq!(interleaved(&[a6, b6]), [a6, b6]);
    }
}
