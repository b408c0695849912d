//! The state that the calls of InfluxDB clients share.

use super::databases::Databases;
use super::warnings::WarningLog;

/// The state of these calls.
#[derive(Debug, Default)]
pub struct Influx {
    /// The names that clients gave to databases and buckets.
    pub databases: Databases,
    /// Decides which warnings are logged.
    pub warnings: WarningLog,
}
