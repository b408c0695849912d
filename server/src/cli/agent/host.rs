//! Metrics of this machine for the agent: CPU, memory, load, network and disk, read with the crate `sysinfo`.

use std::time::Instant;

use shared::SeriesName;
use sysinfo::{Disks, Networks, System};

use crate::cli::upload::Sent;

/// The state of this machine at the last measurement. Rates need two measurements.
#[derive(Debug)]
pub struct Host {
    system: System,
    networks: Networks,
    disks: Disks,
    last_look: Instant,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// Makes the first measurement.
    #[must_use]
    pub fn new() -> Self {
        let mut system = System::new();
        system.refresh_cpu_usage();
        Self {
            system,
            networks: Networks::new_with_refreshed_list(),
            disks: Disks::new_with_refreshed_list(),
            last_look: Instant::now(),
        }
    }

    /// Measures again: CPU in total and per core, memory, load, and the bytes per second of networks and disks since
    /// the last measurement. Every series is named `host/…`; its name ends in its unit.
    pub fn look(&mut self) -> Vec<Sent> {
        let seconds = self.last_look.elapsed().as_secs_f64().max(1e-3);
        self.last_look = Instant::now();
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.networks.refresh(true);
        self.disks.refresh(true);

        let mut seen = Seen(Vec::new());
        seen.add("cpu/all_pct", f64::from(self.system.global_cpu_usage()));
        for (core, cpu) in self.system.cpus().iter().enumerate() {
            seen.add(&format!("cpu/core{core}_pct"), f64::from(cpu.cpu_usage()));
        }
        seen.add("memory/used_bytes", whole(self.system.used_memory()));
        seen.add("memory/used_pct", share(self.system.used_memory(), self.system.total_memory()));
        seen.add("load/1min", System::load_average().one);
        seen.add("load/5min", System::load_average().five);
        for (name, network) in &self.networks {
            // Skips loopback: its traffic stays on the machine, and includes this agent's own pushes.
            if name != "lo" {
                seen.add(&format!("net/{}/received_bytes_per_s", segment(name)), whole(network.received()) / seconds);
                seen.add(&format!("net/{}/sent_bytes_per_s", segment(name)), whole(network.transmitted()) / seconds);
            }
        }
        if let Some(root) = self.disks.iter().find(|disk| disk.mount_point() == std::path::Path::new("/")) {
            let used = root.total_space().saturating_sub(root.available_space());
            seen.add("disk/used_pct", share(used, root.total_space()));
            let usage = root.usage();
            seen.add("disk/read_bytes_per_s", whole(usage.read_bytes) / seconds);
            seen.add("disk/written_bytes_per_s", whole(usage.written_bytes) / seconds);
        }
        seen.0
    }
}

struct Seen(Vec<Sent>);

impl Seen {
    fn add(&mut self, name: &str, value: f64) {
        // One decimal is enough for people, and it keeps the frames short.
        let value = Some((value * 10.0).round() / 10.0);
        match format!("host/{name}").parse::<SeriesName>() {
            Ok(series) => self.0.push(Sent { series, value, text: None, ts: None, kind: None }),
            Err(error) => tracing::debug!(name, %error, "passed over"),
        }
    }
}

/// Turns the name of a device into a segment of a series name: replaces characters that are not allowed by `_`, and
/// cuts it at the maximum length.
fn segment(name: &str) -> String {
    let allowed = shared::name::is_allowed;
    let name = shared::nfc(name);
    name.chars().map(|c| if allowed(c) { c } else { '_' }).take(shared::name::MAX_SEGMENT_LEN).collect()
}

#[expect(clippy::cast_precision_loss, reason = "bytes of one machine stay below 2^53")]
fn whole(number: u64) -> f64 {
    number as f64
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { 100.0 * whole(part) / whole(of) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sees_a_cpu_memory_and_load_on_any_machine() {
        let mut host = Host::new();
        let seen = host.look();
        for wanted in ["host/cpu/all_pct", "host/cpu/core0_pct", "host/memory/used_pct", "host/load/1min"] {
            let found = seen.iter().find(|sent| sent.series.as_str() == wanted);
            let value = found.and_then(|sent| sent.value).unwrap_or(f64::NAN);
            assert!(value >= 0.0, "{wanted} is {value}");
        }
    }

    #[test]
    fn the_name_of_a_device_becomes_a_segment() {
        assert_eq!(segment("veth@if 3"), "veth_if_3");
        assert_eq!(segment(&"x".repeat(99)).len(), 64);
    }
}
