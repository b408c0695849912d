//! Chromium, driven over WebDriver.

use std::path::{Path, PathBuf};

use thirtyfour::common::log::LoggingPrefsLogLevel;
use thirtyfour::{ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver};
use tokio::process::Command;

use crate::Child;

/// Headless, usable as root, and silent: only the requests of a test leave the browser.
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
    // Scrollbars would only take room in screenshots.
    "--hide-scrollbars",
    // Pages are also tested while another tab is in front.
    "--disable-background-timer-throttling",
    // Resolves the host name that stands for another machine (`ELSEWHERE`).
    "--host-resolver-rules=MAP board.test 127.0.0.1",
];

/// The most starts of chromedriver. It takes a port that is free for IPv6, and ends if another process has it for IPv4.
const ATTEMPTS: u32 = 3;

/// The text in the console's message about each violation.
const VIOLATION: &str = "Content Security Policy";

/// A browser with its own profile.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    /// Chromium's log, which includes the console of the pages.
    log: PathBuf,
    /// Chromium belongs to its process group, and ends with it.
    _chromedriver: Child,
}

impl Browser {
    /// Starts chromedriver on a free port and a browser through it, with its profile in `folder`.
    ///
    /// # Panics
    /// If they are not installed (`make test` installs them) or do not start.
    pub async fn start(folder: &Path) -> Self {
        let port = |line: &str| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        };
        let log = folder.join("chromedriver.log");
        let mut attempts = 1;
        let (chromedriver, port) = loop {
            let mut command = Command::new(std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into()));
            command.arg("--port=0");
            if attempts == ATTEMPTS {
                break Child::start("chromedriver", command, log, port).await;
            }
            if let (child, Some(port)) = Child::spawn("chromedriver", command, log.clone(), port).await {
                break (child, port);
            }
            attempts += 1;
        };
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

    /// The WebDriver session, for calls that [`crate::Page`] does not offer.
    #[must_use]
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// The log lines of all violations of a content security policy so far.
    ///
    /// # Panics
    /// If the browser keeps no log.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let log = std::fs::read(&self.log).expect("Chromium keeps a log");
        let log = String::from_utf8_lossy(&log);
        log.lines().filter(|line| line.contains(VIOLATION)).map(str::to_owned).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver's own end would be a blocking call, of up to two minutes if a page does not release a stream.
        // Nothing of the profile is needed, so killing the group is enough. An error means that it ended before.
        let _ = self.driver.clone().leak();
        if !std::thread::panicking() {
            assert_eq!(self.violations(), [""; 0], "the pages of every test keep to their policy");
        }
    }
}
