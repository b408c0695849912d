//! The start of every test: a server and a browser.

use std::path::Path;

use tempfile::TempDir;

use crate::{Browser, Page, Server, Tab, Trunk};

/// A server with new data and a browser with a new profile. Both end when this is dropped.
#[derive(Debug)]
pub struct Stage {
    /// The server under test.
    pub server: Server,
    browser: Browser,
    /// The folder of everything that the two write, removed last.
    folder: TempDir,
}

impl Stage {
    /// Starts with default flags.
    ///
    /// # Panics
    /// If something does not start; see [`Server::start`] and [`Browser::start`].
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts with flags for the server.
    ///
    /// # Panics
    /// As [`Stage::start`].
    pub async fn with(flags: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let server = Server::start(&folder.path().join("data"), flags).await;
        let browser = Browser::start(folder.path()).await;
        Self { server, browser, folder }
    }

    /// Opens a path of the server.
    ///
    /// # Panics
    /// If the browser cannot.
    pub async fn open(&self, path: &str) -> Page<'_> {
        let page = self.page();
        page.open(&format!("{}{path}", self.server.base())).await;
        page
    }

    /// Opens a path of the server in a new tab and brings it to the front.
    ///
    /// # Panics
    /// If the browser cannot.
    pub async fn open_tab(&self, path: &str) -> Tab<'_> {
        Tab::open(self.browser.driver(), &format!("{}{path}", self.server.base())).await
    }

    /// Starts `trunk serve` in front of the server.
    ///
    /// # Panics
    /// As [`Trunk::start`].
    pub async fn trunk(&self) -> Trunk {
        Trunk::start(self.folder.path(), &self.server).await
    }

    /// A folder for other files of a test.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The browser.
    #[must_use]
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// The open page.
    #[must_use]
    pub fn page(&self) -> Page<'_> {
        Page::new(self.browser.driver())
    }
}
