//! What a person sees, by the `data-testid`s of the client.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use shared::Picture;
use thirtyfour::WebDriver;

use crate::until;

/// Keeps all that the page is told, before any script of the page runs.
const RECORD: &str = "
    window.__told = [];
    window.EventSource = class extends EventSource {
        constructor(...args) {
            super(...args);
            this.addEventListener('message', (e) => window.__told.push([e.lastEventId, e.data]));
        }
    };";

/// Reads a tile in one go: between two calls the page moves on.
const TILE: &str = "
    const tile = document.querySelector(`[data-testid=tile][data-series='${arguments[0]}']`);
    if (!tile) return null;
    const text = (id) => tile.querySelector(`[data-testid=${id}]`)?.textContent.trim() ?? '';
    return { value: text('value'), age: text('age'), change: text('change') };";

/// One series, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The current value, in large figures.
    pub value: String,
    /// The time since the last point.
    pub age: String,
    /// How far the value moved.
    pub change: String,
}

/// The page that is open.
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

    /// The session, for what is not offered here.
    #[must_use]
    pub fn driver(&self) -> &'a WebDriver {
        self.driver
    }

    /// Goes to an address.
    ///
    /// # Panics
    /// When the browser cannot.
    pub async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|error| panic!("{url} cannot be opened: {error}"));
    }

    /// From now on, keeps what each page is told, for [`Page::told`].
    ///
    /// # Panics
    /// When the browser cannot.
    pub async fn record(&self) {
        self.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": RECORD })).await;
    }

    /// The picture that all the events add up to which the page was told since it was opened.
    ///
    /// # Panics
    /// When they do not add up.
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

    /// A series, where it is shown.
    ///
    /// # Panics
    /// When the page cannot be asked.
    pub async fn tile(&self, series: &str) -> Option<Tile> {
        let tile = self.eval(TILE, &[series]).await;
        let text = |field: &str| tile[field].as_str().unwrap_or_default().to_owned();
        tile.is_object().then(|| Tile { value: text("value"), age: text("age"), change: text("change") })
    }

    /// The text of the first element with this `data-testid`.
    ///
    /// # Panics
    /// When the page cannot be asked.
    pub async fn text(&self, testid: &str) -> Option<String> {
        let script = "return document.querySelector(`[data-testid=${arguments[0]}]`)?.textContent.trim() ?? null";
        self.eval(script, &[testid]).await.as_str().map(str::to_owned)
    }

    /// The texts of all elements with this `data-testid`.
    ///
    /// # Panics
    /// When the page cannot be asked.
    pub async fn texts(&self, testid: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(`[data-testid=${arguments[0]}]`)].map((e) => e.textContent)";
        serde_json::from_value(self.eval(script, &[testid]).await).expect("a list of texts")
    }

    /// Waits until a series shows a value.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn shows(&self, series: &str, value: &str) {
        until(&format!("{series} shows {value}"), async || match self.tile(series).await {
            Some(tile) if tile.value == value => Ok(()),
            Some(tile) => Err(format!("it shows {tile:?}")),
            None => Err(format!("no such tile; {}", self.account().await)),
        })
        .await;
    }

    /// Waits until the badge tells this state of the connection.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn badge_is(&self, state: &str) {
        until(&format!("the badge says {state}"), async || {
            let script = "return document.querySelector('[data-testid=badge]')?.dataset.state ?? null";
            let now = self.eval(script, &[]).await;
            if now == state { Ok(()) } else { Err(format!("it says {now}; {}", self.account().await)) }
        })
        .await;
    }

    /// All that the page reads, and what it wrote to the console since it was last asked.
    ///
    /// # Panics
    /// When the page cannot be asked.
    pub async fn account(&self) -> String {
        let body = self.eval("return document.body?.innerText ?? ''", &[]).await;
        let console = self.driver.browser_log().await.expect("the browser keeps its console");
        let console: Vec<String> = console.into_iter().map(|entry| entry.message).collect();
        format!("the page reads {body}, its console {console:?}")
    }

    /// What a script returns.
    ///
    /// # Panics
    /// When it fails.
    pub async fn eval(&self, script: &str, args: &[&str]) -> Value {
        let args = args.iter().map(|arg| Value::from(*arg)).collect::<Vec<_>>();
        let result = self.driver.execute(script, args).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Runs a script that calls the function it is given last when it is done.
    ///
    /// # Panics
    /// When it fails, or takes longer than WebDriver waits.
    pub async fn eval_async(&self, script: &str) {
        self.driver.execute_async(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"));
    }

    /// Waits until nothing is fetched any more: half a second after the last answer.
    ///
    /// # Panics
    /// When it does not come to that.
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

    /// Writes a picture of the whole page, also of what is below the fold.
    ///
    /// # Panics
    /// When the browser cannot, or the file cannot be written.
    pub async fn screenshot(&self, file: &Path) {
        let size = "const e = document.documentElement; return [e.clientWidth, Math.max(e.scrollHeight, innerHeight)]";
        let size = self.eval(size, &[]).await;
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let shot = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let shot = self.cdp("Page.captureScreenshot", shot).await;
        let png = BASE64_STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("in base64");
        std::fs::write(file, png).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Calls the browser's own protocol, for what WebDriver has no words.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn cdp(&self, method: &str, params: Value) -> Value {
        self.driver.cdp().send_raw(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}
