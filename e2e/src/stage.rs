//! What every test starts from.

use std::path::Path;

use tempfile::TempDir;

use crate::{Browser, Page, Server, Tab, Trunk};

/// A server with data of its own and a browser that has never seen it. They end with it.
#[derive(Debug)]
pub struct Stage {
    /// The server under test.
    pub server: Server,
    browser: Browser,
    /// All that the two write, removed last.
    folder: TempDir,
}

impl Stage {
    /// A server as it comes.
    ///
    /// # Panics
    /// When something does not start; see [`Server::start`] and [`Browser::start`].
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with flags.
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
    /// When the browser cannot.
    pub async fn open(&self, path: &str) -> Page<'_> {
        let page = self.page();
        page.open(&format!("{}{path}", self.server.base())).await;
        page
    }

    /// Opens a path of the server in a tab of its own, which is then in front.
    ///
    /// # Panics
    /// When the browser cannot.
    pub async fn open_tab(&self, path: &str) -> Tab<'_> {
        Tab::open(self.browser.driver(), &format!("{}{path}", self.server.base())).await
    }

    /// `trunk serve` in front of the server.
    ///
    /// # Panics
    /// As [`Trunk::start`].
    pub async fn trunk(&self) -> Trunk {
        Trunk::start(self.folder.path(), &self.server).await
    }

    /// A folder for what else a test writes.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The browser.
    #[must_use]
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// The page that is open.
    #[must_use]
    pub fn page(&self) -> Page<'_> {
        Page::new(self.browser.driver())
    }
}
