//! Item 8: state that a client can grow: series, idempotency keys, boards, the disk.

use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;

use super::ground::{Ground, now_ms};
use super::outcome::{Check, Outcome};
use super::subject::{Setup, storm};

/// The name of the database in the data folder.
pub(crate) const DATABASE: &str = "pulseboard.sqlite";

/// Creates new series as fast as the server accepts them.
pub(crate) fn series(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let next = AtomicUsize::new(0);
    let measured = server.under(|tally| {
        storm(tally, 4, ground.scale.lasts, |_, _| {
            let first = next.fetch_add(10_000, Ordering::Relaxed);
            let line = |n: usize| format!("{{\"series\":\"evil/{n}/that-is-a-rather-long-name\",\"value\":1}}\n");
            tally.note(&client.post("/in", (first..first + 10_000).map(line).collect::<String>().as_bytes()));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}

/// Sends a new idempotency key with each push.
pub(crate) fn keys(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let next = AtomicUsize::new(0);
    let measured = server.under(|tally| {
        storm(tally, 8, ground.scale.lasts, |_, _| {
            let key = format!("{:0>250}", next.fetch_add(1, Ordering::Relaxed));
            tally.note(&client.send("POST", "/in/evil", &[("Idempotency-Key", &key)], b"1"));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}

/// Two million keys expire at once.
pub(crate) fn expired_keys(ground: &Ground) -> anyhow::Result<Outcome> {
    let data = ground.filled()?;
    let at = i64::try_from(now_ms()?)? - 86_400_000 + 3_000;
    let mut conn = Connection::open(data.join(DATABASE))?;
    let columns: i64 = conn.query_row("SELECT count(*) FROM pragma_table_info('pushes')", [], |row| row.get(0))?;
    anyhow::ensure!(columns >= 2, "the table of keys has another name or form than this scenario knows");
    let required = required_columns(&conn)?;
    let tx = conn.transaction()?;
    {
        let insert = format!(
            "INSERT INTO pushes (key, at{}) VALUES (?1, ?2{})",
            required.iter().map(|name| format!(", {name}")).collect::<String>(),
            ", x''".repeat(required.len())
        );
        let mut insert = tx.prepare(&insert)?;
        for n in 0..ground.scale.of(2_000_000) {
            insert.execute((format!("key-{n}"), at))?;
        }
    }
    tx.commit()?;
    drop(conn);
    let mut server = ground.start_on(&Setup::default(), &data)?;
    let client = server.attacker();
    let measured = server.under(|tally| {
        // Pushes continue, since the server removes expired keys along with pushes.
        storm(tally, 1, ground.scale.lasts, |_, turn| {
            let key = format!("new-{turn}");
            tally.note(&client.send("POST", "/in/evil", &[("Idempotency-Key", &key)], b"1"));
            std::thread::sleep(std::time::Duration::from_millis(20));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}

/// The columns of the key table that must have a value, besides the key and its time.
fn required_columns(conn: &Connection) -> anyhow::Result<Vec<String>> {
    let mut select = conn.prepare(
        "SELECT name FROM pragma_table_info('pushes') WHERE \"notnull\" = 1 AND dflt_value IS NULL AND name NOT IN ('key', 'at')",
    )?;
    let names = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}

/// Creates boards of the greatest possible size.
pub(crate) fn boards(ground: &Ground) -> anyhow::Result<Outcome> {
    let mut server = ground.start(&Setup::default())?;
    let client = server.attacker();
    let note = |n: usize| serde_json::json!({"id": format!("n{n}"), "type": "text", "markdown": "word ".repeat(3_200)});
    let document = serde_json::json!({"widgets": (0..15).map(note).collect::<Vec<_>>()}).to_string();
    let next = AtomicUsize::new(0);
    let measured = server.under(|tally| {
        storm(tally, 4, ground.scale.lasts, |_, _| {
            let path = format!("/api/boards/evil{}", next.fetch_add(1, Ordering::Relaxed));
            tally.note(&client.send("PUT", &path, &[("Content-Type", "application/json")], document.as_bytes()));
        });
        Ok(())
    })?;
    Ok(Outcome::of(measured))
}

/// The limit of a bounded data folder, in bytes.
const BOUND: u64 = 32 << 20;

/// Pushes texts without end to a server with a bounded data folder.
pub(crate) fn disk(ground: &Ground) -> anyhow::Result<Outcome> {
    let data = ground.fresh()?;
    let mut server = ground.start_on(&Setup::default().flag("max-data", &format!("{}MiB", BOUND >> 20)), &data)?;
    let client = server.attacker();
    let line = |n: usize| format!("{{\"series\":\"evil/{n}\",\"text\":\"{}\"}}\n", "x".repeat(4_000));
    let body: String = (0..250).map(line).collect();
    let measured = server.under_without_pushes(|tally| {
        storm(tally, 4, ground.scale.lasts, |_, _| {
            tally.note(&client.post("/in", body.as_bytes()));
        });
        Ok(())
    })?;
    let size = folder_size(&data)?;
    let json = [("Content-Type", "application/json")];
    let board = server.other().send("PUT", "/api/boards/mine", &json, b"{}").map_or(0, |answer| answer.status);
    let deleted = server.other().send("DELETE", "/api/boards/mine", &[], b"").map_or(0, |answer| answer.status);
    Ok(Outcome::of(measured)
        .and(Check::new(
            format!("at most {} MiB in the data folder", BOUND >> 20),
            size <= BOUND,
            format!("{} MiB", size >> 20),
        ))
        .and(Check::new(
            "a board can be made and deleted",
            board == 201 && deleted == 204,
            format!("{board}, {deleted}"),
        )))
}

/// The size of the files in a folder, in bytes.
pub(crate) fn folder_size(folder: &std::path::Path) -> anyhow::Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        size += entry?.metadata()?.len();
    }
    Ok(size)
}
