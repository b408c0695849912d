//! Item 2: a page of a site whose name resolves to this machine (DNS rebinding). The browser treats it as the same
//! origin, so only the `Host` header shows the attack.

use super::ground::Ground;
use super::outcome::{Check, Outcome};
use super::subject::{Setup, storm};

/// The requests that such a page may try.
const REQUESTS: [(&str, &str, &str); 8] = [
    ("POST", "/in/evil", "1"),
    ("POST", "/in", "{\"series\":\"evil\",\"value\":1}"),
    ("POST", "/write", "evil value=1"),
    ("PUT", "/api/boards/evil", "{}"),
    ("DELETE", "/api/boards/evil", ""),
    ("GET", "/api/series", ""),
    ("GET", "/api/history?series=past/s0", ""),
    ("GET", "/sse?series=past/s0", ""),
];

/// Every request is refused, while requests with a name of this machine are accepted.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let port = server.addr.port();
    let measured = server.under(|tally| {
        storm(tally, 4, ground.scale.lasts, |_, turn| {
            let (method, path, body) = REQUESTS[turn % REQUESTS.len()];
            let host = format!("evil.example:{port}");
            let origin = format!("http://{host}");
            let site = "same-origin";
            let headers = [("Host", &*host), ("Origin", &*origin), ("Sec-Fetch-Site", site)];
            tally.note(&client.send(method, path, &headers, body.as_bytes()));
        });
        Ok(())
    })?;
    let refused = measured.answers.keys().all(|kind| kind == "421");
    let found = measured.answers();
    let mut outcome = Outcome::of(measured).and(Check::new("421 for every request", refused, found));
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let answer = client.send("GET", "/api/boards", &[("Host", &host)], b"")?;
        outcome =
            outcome.and(Check::new(format!("200 for Host: {host}"), answer.status == 200, answer.status.to_string()));
    }
    Ok(outcome)
}
