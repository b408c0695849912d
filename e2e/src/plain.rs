//! Somebody else's web site.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};

/// A site of one page, on an origin of its own. It is there from the start, since the server wants to know its origin;
/// the page is put there later, since it wants to know the server's.
#[derive(Debug)]
pub struct PlainSite {
    origin: String,
    page: Arc<OnceLock<String>>,
}

impl PlainSite {
    /// Starts it on a free port. It ends with the process of the test.
    ///
    /// # Panics
    /// When loopback cannot be listened on.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be listened on");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let page = Arc::new(OnceLock::<String>::new());
        let served = Arc::clone(&page);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // One read has all of a browser's request here; its head says nothing that matters.
                let _ = stream.read(&mut [0; 8192]);
                let page = served.get().map_or("", String::as_str);
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n{page}",
                    page.len()
                );
            }
        });
        Self { origin, page }
    }

    /// Its origin, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Puts the page there.
    ///
    /// # Panics
    /// When there is one already.
    pub fn put(&self, page: String) {
        self.page.set(page).expect("a site of one page");
    }
}
