//! Item 12: the database is deleted or replaced while the server runs.

use std::time::{Duration, Instant};

use super::ground::Ground;
use super::outcome::{Check, Outcome};
use super::state::DATABASE;
use super::subject::{Setup, Subject};

/// The time within which pushes must be refused.
const SOON: Duration = Duration::from_secs(10);

/// Pushes until one is refused. Returns the time until then, and the answer.
fn refused(server: &Subject) -> Option<(Duration, String)> {
    let begun = Instant::now();
    while begun.elapsed() < SOON {
        if let Ok(answer) = server.other().post("/in/a", b"1")
            && answer.status >= 500
        {
            return Some((begun.elapsed(), answer.text));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}

/// Pushes are refused within seconds, and `/readyz` is 503.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    for what in ["deleted", "replaced"] {
        let data = ground.fresh()?;
        let server = ground.start_on(&Setup::default(), &data)?;
        server.push("/in/a", b"1")?;
        let file = data.join(DATABASE);
        if what == "replaced" {
            let other = data.join("other");
            std::fs::copy(&file, &other)?;
            std::fs::rename(&other, &file)?;
        } else {
            std::fs::remove_file(&file)?;
        }
        let refused = refused(&server);
        let found = match &refused {
            None => format!("pushes are still acknowledged after {} s", SOON.as_secs()),
            Some((after, text)) => {
                format!("{} after {:.1} s", text.lines().next().unwrap_or_default(), after.as_secs_f64())
            }
        };
        outcome =
            outcome.and(Check::new(format!("{what}: pushes are refused within seconds"), refused.is_some(), found));
        let ready = server.other().get("/readyz")?;
        outcome =
            outcome.and(Check::new(format!("{what}: /readyz is 503"), ready.status == 503, ready.status.to_string()));
    }
    Ok(outcome)
}
