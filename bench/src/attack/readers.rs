//! Item 7: readers that take every slot, that each have another selection, or that want every change separately.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use super::client::Client;
use super::ground::Ground;
use super::http2::{Connection, block_on};
use super::outcome::{Check, Outcome};
use super::pushes::{fields, gzip};
use super::subject::{Setup, storm};

/// The number of slots of a limited server.
const SLOTS: usize = 200;

/// HTTP/2 connections with closed windows hold every slot.
pub(crate) fn closed_windows(ground: &Ground) -> anyhow::Result<Outcome> {
    // The server's default limits the slots of an address only if it is reachable from other machines, so the flag is
    // set here.
    let setup = Setup::default().flag("max-readers", &SLOTS).flag("max-readers-per-address", &(SLOTS / 2));
    let mut server = ground.start(&setup)?;
    let (client, other) = (server.attacker(), server.other());
    let mut statuses = Vec::new();
    let measured = server.under(|tally| {
        let until = Instant::now() + ground.scale.lasts;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _attacked = block_on(async {
                    let mut connections = Vec::new();
                    let mut bodies = Vec::new();
                    while Instant::now() < until && tally.goes_on() {
                        if let Ok(mut connection) = Connection::open(&client, 0).await {
                            for _ in 0..100 {
                                match connection.ask_and_wait("/sse?series=past/s0", tally).await {
                                    Ok(body) => bodies.push(body),
                                    Err(_) => break,
                                }
                            }
                            connections.push(connection);
                        }
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    Ok(())
                });
            });
            // Gives the attack time to begin.
            std::thread::sleep(ground.scale.lasts / 4);
            while Instant::now() < until {
                let answer = Client { patience: Duration::from_secs(5), ..other }.get("/sse?series=past/s1");
                statuses.push(answer.map_or(0, |answer| answer.status));
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Ok(())
    })?;
    let good = statuses.iter().filter(|&&status| status == 200).count();
    let found = format!("{good} of {}", statuses.len());
    let held = good == statuses.len();
    Ok(Outcome::of(measured).and(Check::new("200 for each stream that another client opens", held, found)))
}

/// A thousand different selections over the same series, read slowly.
pub(crate) fn selections(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let pusher = server.other();
    let measured = server.under(|tally| {
        let until = Instant::now() + ground.scale.lasts;
        let mut readers = Vec::new();
        for number in 0..ground.scale.of(1_000) {
            let Ok(mut socket) = client.connect() else {
                tally.count("no connection");
                continue;
            };
            let path = format!("/sse?series=past/**&series=none/n{number}");
            if socket.write_all(&client.request("GET", &path, &[], b"")).is_ok() {
                socket.set_nonblocking(true)?;
                readers.push((socket, false));
            }
        }
        let mut turn = 0;
        while Instant::now() < until && tally.goes_on() {
            for (socket, answered) in &mut readers {
                let mut piece = [0; 1_024];
                match socket.read(&mut piece) {
                    Ok(len) if len > 12 && !*answered => {
                        tally.count(&String::from_utf8_lossy(&piece[9..12]));
                        *answered = true;
                    }
                    _ => {}
                }
            }
            // Every series changes, so every selection gets another frame.
            let line = |n: usize| format!("{{\"series\":\"past/s{n}\",\"value\":{turn}}}\n");
            let _pushed = pusher.post("/in", (0..super::ground::PAST_SERIES).map(line).collect::<String>().as_bytes());
            turn += 1;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}

/// Twenty readers that want every change separately, and large pushes.
pub(crate) fn every_change(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let bombs = [fields("f", ground.scale.of(1_000_000)), fields("f", ground.scale.of(90_000))];
    let bombs = bombs.iter().map(|text| gzip(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let measured = server.under(|tally| {
        let until = Instant::now() + ground.scale.lasts;
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let Ok(mut socket) = client.connect() else { return };
                    let _sent = socket.write_all(&client.request("GET", "/sse?series=f/**&hz=0", &[], b""));
                    let mut piece = vec![0; 64 << 10];
                    let _set = socket.set_read_timeout(Some(Duration::from_millis(100)));
                    while Instant::now() < until {
                        if matches!(socket.read(&mut piece), Ok(0)) {
                            break;
                        }
                    }
                });
            }
            storm(tally, 1, ground.scale.lasts, |_, turn| {
                let body = &bombs[turn % bombs.len()];
                tally.note(&client.send("POST", "/write", &[("Content-Encoding", "gzip")], body));
            });
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}
