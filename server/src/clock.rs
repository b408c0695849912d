//! The two clocks: wall time and uptime. Only code at the edge reads them; all other code gets the time as an argument.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use shared::Millis;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since the process first read the clock. It is monotonic, so deadlines use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uptime(pub u64);

impl Uptime {
    /// Returns the moment `ms` milliseconds later.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// The present time on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock. Clients see this time. It may jump.
    pub wall: Millis,
    /// The clock for deadlines.
    pub up: Uptime,
}

/// Formats a time to the second, in UTC (RFC 3339), for messages.
#[must_use]
pub fn rfc3339(at: Millis) -> String {
    let seconds = i64::try_from(at.0 / 1_000).unwrap_or_default();
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
    time.unwrap_or_else(|| format!("{at} ms after 1970"))
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The milliseconds that the machine had been suspended before [`asleep`] was first called.
#[cfg(target_os = "linux")]
static SLEPT: LazyLock<u64> = LazyLock::new(slept);

/// Returns the milliseconds that the machine was suspended since the first call: [`Uptime`] does not include them.
#[cfg(target_os = "linux")]
#[must_use]
pub fn asleep() -> u64 {
    slept().saturating_sub(*SLEPT)
}

/// Returns 0: only Linux reports the time that the machine was suspended.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn asleep() -> u64 {
    0
}

#[cfg(target_os = "linux")]
fn slept() -> u64 {
    use rustix::time::{ClockId, Timespec, clock_gettime};
    let ms = |time: Timespec| time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000);
    let slept = ms(clock_gettime(ClockId::Boottime)) - ms(clock_gettime(ClockId::Monotonic));
    u64::try_from(slept).unwrap_or_default()
}

/// Reads both clocks.
#[must_use]
pub fn now() -> Now {
    let whole = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { wall: Millis(whole(wall)), up: Uptime(whole(START.elapsed())) }
}
