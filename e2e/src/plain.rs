//! A web site of another origin.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};

/// A site of one page with its own origin. It starts without the page, since the server's flags need its origin and
/// the page needs the server's.
#[derive(Debug)]
pub struct PlainSite {
    origin: String,
    page: Arc<OnceLock<String>>,
}

impl PlainSite {
    /// Starts the site on a free port. It ends with the test process.
    ///
    /// # Panics
    /// If it cannot listen on loopback.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be listened on");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let page = Arc::new(OnceLock::<String>::new());
        let served = Arc::clone(&page);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // One read returns a whole request of a browser here, and its content does not matter.
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

    /// The origin, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Sets the page.
    ///
    /// # Panics
    /// If it is set already.
    pub fn put(&self, page: String) {
        self.page.set(page).expect("a site of one page");
    }
}
