//! Reads the page as a user sees it, by the `data-testid`s of the client.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use shared::Picture;
use thirtyfour::WebDriver;

use crate::until;

/// Records all messages of the stream, before any script of the page runs.
const RECORD: &str = "
    window.__told = [];
    window.EventSource = class extends EventSource {
        constructor(...args) {
            super(...args);
            this.addEventListener('message', (e) => window.__told.push([e.lastEventId, e.data]));
        }
    };";

/// Reads a tile in one call, since the page changes between two calls.
const TILE: &str = "
    const tile = document.querySelector(`[data-testid=tile][data-series='${arguments[0]}']`);
    if (!tile) return null;
    const text = (id) => tile.querySelector(`[data-testid=${id}]`)?.textContent.trim() ?? '';
    return { value: text('value'), age: text('age'), change: text('change') };";

/// One series as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The current value, in large figures.
    pub value: String,
    /// The time since the last point.
    pub age: String,
    /// The change of the value.
    pub change: String,
}

/// The open page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    driver: &'a WebDriver,
}

impl<'a> Page<'a> {
    /// The page of a browser.
    #[must_use]
    pub fn new(driver: &'a WebDriver) -> Self {
        Self { driver }
    }

    /// The WebDriver session, for calls that are not offered here.
    #[must_use]
    pub fn driver(&self) -> &'a WebDriver {
        self.driver
    }

    /// Opens an address.
    ///
    /// # Panics
    /// If the browser cannot.
    pub async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|error| panic!("{url} cannot be opened: {error}"));
    }

    /// Starts to record the messages that each page receives, for [`Page::told`].
    ///
    /// # Panics
    /// If the browser cannot.
    pub async fn record(&self) {
        self.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": RECORD })).await;
    }

    /// Folds all messages that the page received since it was opened into a picture.
    ///
    /// # Panics
    /// If they do not fit together.
    pub async fn told(&self) -> Picture {
        let told = self.eval("return window.__told", &[]).await;
        let told: Vec<(String, String)> = serde_json::from_value(told).expect("the page records what it is told");
        let mut picture = Picture::default();
        for (id, data) in told {
            let event = serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error} in {data}"));
            picture.apply(id.parse().expect("a cursor"), event).expect("each event continues the picture");
        }
        picture
    }

    /// The tile of a series; `None` if the page shows none.
    ///
    /// # Panics
    /// If the page does not respond.
    pub async fn tile(&self, series: &str) -> Option<Tile> {
        let tile = self.eval(TILE, &[series]).await;
        let text = |field: &str| tile[field].as_str().unwrap_or_default().to_owned();
        tile.is_object().then(|| Tile { value: text("value"), age: text("age"), change: text("change") })
    }

    /// The text of the first element with this `data-testid`.
    ///
    /// # Panics
    /// If the page does not respond.
    pub async fn text(&self, testid: &str) -> Option<String> {
        let script = "return document.querySelector(`[data-testid=${arguments[0]}]`)?.textContent.trim() ?? null";
        self.eval(script, &[testid]).await.as_str().map(str::to_owned)
    }

    /// The texts of all elements with this `data-testid`.
    ///
    /// # Panics
    /// If the page does not respond.
    pub async fn texts(&self, testid: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(`[data-testid=${arguments[0]}]`)].map((e) => e.textContent)";
        serde_json::from_value(self.eval(script, &[testid]).await).expect("a list of texts")
    }

    /// Waits until a series shows a value.
    ///
    /// # Panics
    /// If that does not happen in time.
    pub async fn shows(&self, series: &str, value: &str) {
        until(&format!("{series} shows {value}"), async || match self.tile(series).await {
            Some(tile) if tile.value == value => Ok(()),
            Some(tile) => Err(format!("it shows {tile:?}")),
            None => Err(format!("no such tile; {}", self.account().await)),
        })
        .await;
    }

    /// Waits until the badge shows this connection state.
    ///
    /// # Panics
    /// If that does not happen in time.
    pub async fn badge_is(&self, state: &str) {
        until(&format!("the badge says {state}"), async || {
            let script = "return document.querySelector('[data-testid=badge]')?.dataset.state ?? null";
            let now = self.eval(script, &[]).await;
            if now == state { Ok(()) } else { Err(format!("it says {now}; {}", self.account().await)) }
        })
        .await;
    }

    /// The whole text of the page, and its console output since the last call.
    ///
    /// # Panics
    /// If the page does not respond.
    pub async fn account(&self) -> String {
        let body = self.eval("return document.body?.innerText ?? ''", &[]).await;
        let console = self.driver.browser_log().await.expect("the browser keeps its console");
        let console: Vec<String> = console.into_iter().map(|entry| entry.message).collect();
        format!("the page reads {body}, its console {console:?}")
    }

    /// Runs a script and returns its result.
    ///
    /// # Panics
    /// If it fails.
    pub async fn eval(&self, script: &str, args: &[&str]) -> Value {
        let args = args.iter().map(|arg| Value::from(*arg)).collect::<Vec<_>>();
        let result = self.driver.execute(script, args).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Runs a script that calls the function in its last argument when it is done.
    ///
    /// # Panics
    /// If it fails, or takes longer than WebDriver waits.
    pub async fn eval_async(&self, script: &str) -> Value {
        let result = self.driver.execute_async(script, Vec::new()).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Waits until there is an element with this `data-testid`.
    ///
    /// # Panics
    /// If that does not happen in time.
    pub async fn appears(&self, testid: &str) {
        until(&format!("{testid} is on the page"), async || match self.text(testid).await {
            Some(_) => Ok(()),
            None => Err(self.account().await),
        })
        .await;
    }

    /// Waits until half a second has passed since the last fetched response.
    ///
    /// # Panics
    /// If that does not happen in time.
    pub async fn rests(&self) {
        until("all that was asked for is there", async || {
            let script = "
                const ends = performance.getEntriesByType('resource').filter((e) => e.initiatorType === 'fetch').map((e) => e.responseEnd);
                return performance.now() - Math.max(0, ...ends)";
            let since = self.eval(script, &[]).await;
            if since.as_f64().unwrap_or_default() > 500.0 { Ok(()) } else { Err(format!("{since} ms ago")) }
        })
        .await;
    }

    /// Writes a screenshot of the whole page, including the part below the window.
    ///
    /// # Panics
    /// If the browser cannot, or the file cannot be written.
    pub async fn screenshot(&self, file: &Path) {
        let size = "const e = document.documentElement; return [e.clientWidth, Math.max(e.scrollHeight, innerHeight)]";
        let size = self.eval(size, &[]).await;
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let png = self.picture(json!({ "format": "png", "captureBeyondViewport": true, "clip": clip })).await;
        std::fs::write(file, png).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Takes a picture, with parameters of `Page.captureScreenshot`, and returns the bytes of its file.
    ///
    /// # Panics
    /// If the browser cannot.
    pub async fn picture(&self, params: Value) -> Vec<u8> {
        let shot = self.cdp("Page.captureScreenshot", params).await;
        BASE64_STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("in base64")
    }

    /// Sends a command of the Chrome `DevTools` protocol, for features that WebDriver lacks.
    ///
    /// # Panics
    /// If the browser refuses.
    pub async fn cdp(&self, method: &str, params: Value) -> Value {
        self.driver.cdp().send_raw(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}
