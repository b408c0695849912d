//! Several tabs of one browser.

use thirtyfour::{WebDriver, WindowHandle};

use crate::Page;

/// A tab. WebDriver talks to one tab at a time: the one that was brought to the front last.
#[derive(Debug)]
pub struct Tab<'a> {
    driver: &'a WebDriver,
    handle: WindowHandle,
}

impl<'a> Tab<'a> {
    /// Opens an address in a new tab and brings it to the front.
    ///
    /// # Panics
    /// If the browser cannot.
    pub async fn open(driver: &'a WebDriver, url: &str) -> Self {
        let handle = driver.new_tab().await.expect("a browser can have another tab");
        let tab = Self { driver, handle };
        tab.front().await.open(url).await;
        tab
    }

    /// Brings the tab to the front.
    ///
    /// # Panics
    /// If it is closed.
    pub async fn front(&self) -> Page<'a> {
        self.driver.switch_to_window(self.handle.clone()).await.expect("the tab is there");
        Page::new(self.driver)
    }

    /// Closes the tab. Bring another one to the front afterwards.
    ///
    /// # Panics
    /// If it is closed.
    pub async fn close(self) {
        self.front().await;
        self.driver.close_window().await.expect("the tab is there");
    }
}
