//! A minimal server of streams: one thread, one epoll, and for each event one write(2) to each reader. Its cost is
//! the cost of the kernel.

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX);

/// Serves until it is killed.
pub(crate) fn run() -> anyhow::Result<()> {
    use socket2::{Domain, Socket, Type};
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    listener.listen(4_096)?;
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener.into());
    println!("listening on http://{}", listener.local_addr()?);

    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(4_096);
    let mut sockets: HashMap<usize, TcpStream> = HashMap::new();
    let mut readers: Vec<usize> = Vec::new();
    let mut next = 0;
    let mut piece = vec![0; 64 << 10];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                loop {
                    match listener.accept() {
                        Ok((mut socket, _)) => {
                            socket.set_nodelay(true)?;
                            poll.registry().register(&mut socket, Token(next), Interest::READABLE)?;
                            sockets.insert(next, socket);
                            next += 1;
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) => return Err(error.into()),
                    }
                }
                continue;
            }
            let Some(socket) = sockets.get_mut(&event.token().0) else { continue };
            let len = socket.read(&mut piece).unwrap_or(0);
            if len == 0 {
                sockets.remove(&event.token().0);
                readers.retain(|&reader| reader != event.token().0);
            } else if piece.starts_with(b"GET") {
                let head =
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\r\n: hi\n\n";
                socket.write_all(head.as_bytes())?;
                readers.push(event.token().0);
            } else {
                // A push of the load generator arrives in one piece.
                let body = memchr::memmem::find(&piece[..len], b"\r\n\r\n").map_or(len, |at| at + 4);
                let mut frame = b"data: ".to_vec();
                frame.extend_from_slice(&piece[body..len]);
                frame.extend_from_slice(b"\n\n");
                socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
                for reader in &readers {
                    // A reader whose socket is full loses the event, and its count shows it.
                    if let Some(socket) = sockets.get_mut(reader) {
                        let _written = socket.write(&frame);
                    }
                }
            }
        }
    }
}
