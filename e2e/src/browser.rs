//! Chromium, driven over WebDriver.

use std::path::{Path, PathBuf};

use thirtyfour::common::log::LoggingPrefsLogLevel;
use thirtyfour::{ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver};
use tokio::process::Command;

use crate::Child;

/// Headless, as root too, and silent: nothing but what a test asks for leaves it.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // In pictures they would only take room from the page.
    "--hide-scrollbars",
    // A page is also tested while another one is in front.
    "--disable-background-timer-throttling",
    // The name of another machine (`ELSEWHERE`).
    "--host-resolver-rules=MAP board.test 127.0.0.1",
];

/// Text that the console has for each violation.
const VIOLATION: &str = "Content Security Policy";

/// A browser with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    /// Chromium's log, which includes the console of the pages.
    log: PathBuf,
    /// Chromium is of its group, and ends with it.
    _chromedriver: Child,
}

impl Browser {
    /// Starts chromedriver on a free port, and a browser by it, with its profile in `folder`.
    ///
    /// # Panics
    /// When they are not installed (`make test` does that) or do not start.
    pub async fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into()));
        command.arg("--port=0");
        let port = |line: &str| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        };
        let (chromedriver, port) = Child::start("chromedriver", command, folder.join("chromedriver.log"), port).await;
        let mut capabilities = DesiredCapabilities::chrome();
        let profile = format!("--user-data-dir={}", folder.join("profile").display());
        let log = folder.join("chromium.log");
        let log_flag = format!("--log-file={}", log.display());
        for flag in FLAGS.iter().copied().chain(["--enable-logging", profile.as_str(), log_flag.as_str()]) {
            capabilities.add_arg(flag).expect("a flag is a string");
        }
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a level is a string");
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await;
        Self { driver: driver.expect("chromedriver starts Chromium"), log, _chromedriver: chromedriver }
    }

    /// The session, for what [`crate::Page`] does not offer.
    #[must_use]
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Log lines of all violations of a content security policy so far.
    ///
    /// # Panics
    /// When the browser keeps no log.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let log = std::fs::read(&self.log).expect("Chromium keeps a log");
        let log = String::from_utf8_lossy(&log);
        log.lines().filter(|line| line.contains(VIOLATION)).map(str::to_owned).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its own end would be a call that blocks, for two minutes where a page does not let go of a stream.
        // Nothing of the profile is wanted: the end of the group is enough. An error says that it ended before.
        let _ = self.driver.clone().leak();
        if !std::thread::panicking() {
            assert_eq!(self.violations(), [""; 0], "the pages of every test keep to their policy");
        }
    }
}
