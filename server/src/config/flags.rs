//! The flags of `pulseboard serve`: the one declaration of each setting, with its default and its help.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use shared::access::Grant;
use shared::{Duration, Tier};

use super::duration::Keep;
use super::error::ConfigError;
use crate::access::proxy_users::GroupGrant;
use crate::http::forwarded::ProxyNetwork;
use crate::http::host::Host;
use crate::http::origin::Origin;
use crate::limits::Limits;
use crate::log::postgres::ClusterUrl;
use crate::logging::Logging;
use crate::store::Retention;

/// The flag that names the file. It is no key of the file.
pub(super) const CONFIG: &str = "config";

/// The settings, from the command line, the environment, the file and the defaults.
#[derive(Args, Clone, Debug)]
pub struct Flags {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7878")]
    pub(super) addr: String,
    /// Folder that the points are kept in
    #[arg(long, default_value = "./pulseboard-data")]
    pub(super) data: PathBuf,
    /// Be a node of a cluster: the address of the PostgreSQL database that has the log of all nodes, such as
    /// <postgres://user:password@host/database>; hosts of standbys after commas [default: none, the log is in --data]
    #[arg(long, value_name = "URL")]
    pub(super) cluster: Option<ClusterUrl>,
    /// How far this node may be behind the log of the cluster before GET /readyz says that it is not ready
    #[arg(long, default_value = "30s")]
    pub(super) max_lag: Duration,
    /// Folder of boards, ID.toml or ID.json each, read at start and whenever they change [default: none]
    #[arg(long)]
    pub(super) boards: Option<PathBuf>,
    /// While there is no token and no user, let everyone who can reach the server read, push, edit and delete without a password
    #[arg(long, num_args = 0..=1, action = ArgAction::Set, default_value = "false", default_missing_value = "true")]
    pub(super) open: bool,
    /// Let visitors without a credential do this, such as read:public/** or push:in/**; may be given several times. Everything
    /// else then needs one
    #[arg(long, value_name = "VERB:SELECTOR", value_delimiter = ',')]
    pub(super) anonymous: Vec<Grant>,
    /// Let pages of this origin read and push, such as <https://example.org>; may be given several times
    #[arg(long, value_delimiter = ',')]
    pub(super) allow_origin: Vec<Origin>,
    /// Let pages of this origin show boards in a frame, such as <https://wiki.example.org>; may be given several times
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    pub(super) allow_frame: Vec<Origin>,
    /// Also answer requests for this host, such as board.example.org, which a proxy passes on; may be given several times
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) host: Vec<Host>,
    /// Also believe the proxy at this address, such as 10.0.0.7 or 172.16.0.0/12, when it names the host of a request in
    /// X-Forwarded-Host; may be given several times [default: only proxies on this machine]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub(super) trusted_proxy: Vec<ProxyNetwork>,
    /// Believe the proxies of --trusted-proxy when they name a user in Remote-User, and groups in Remote-Groups. A proxy on this
    /// machine counts only if --trusted-proxy names it. Everything else then needs a credential
    #[arg(long, num_args = 0..=1, action = ArgAction::Set, default_value = "false", default_missing_value = "true")]
    pub(super) remote_user: bool,
    /// Let the members of a group of Remote-Groups do this, such as staff=read:**; may be given several times
    #[arg(long, value_name = "GROUP=GRANT", value_delimiter = ',')]
    pub(super) remote_group: Vec<GroupGrant>,
    /// Serve HTTPS, with HTTP/2, with the certificate in this PEM file (those that signed it behind it); needs --tls-key
    #[arg(long)]
    pub(super) tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, in PEM
    #[arg(long)]
    pub(super) tls_key: Option<PathBuf>,
    /// Compress streams with gzip, for readers that take it
    #[arg(long, num_args = 0..=1, action = ArgAction::Set, default_value = "true", default_missing_value = "true")]
    pub(super) compress: bool,
    #[command(flatten)]
    pub(super) limits: Limits,
    /// Milliseconds that each phase of a connection may last; for tests
    #[arg(long, hide = true)]
    pub(super) phase_timeout: Option<u64>,
    /// Seconds after which a silent stream has a heartbeat; a proxy that cuts idle connections earlier needs less
    #[arg(long, default_value = "15", value_parser = heartbeat)]
    pub(super) heartbeat: u16,
    /// How far behind the server's clock a pushed point may be
    #[arg(long, default_value = "24h")]
    pub(super) late: Duration,
    #[command(flatten)]
    pub(super) keep: KeepFlags,
    /// Also push this machine's own figures, to host/…
    #[arg(long, num_args = 0..=1, action = ArgAction::Set, default_value = "false", default_missing_value = "true")]
    pub(super) agent: bool,
    /// What to log, to standard error: error, warn, info, debug or trace, also by module; json for lines of JSON, such as
    /// json,debug
    #[arg(long, default_value = "info")]
    pub(super) log: Logging,
    /// A TOML file; its keys are these flags with _ for -, such as `addr = "127.0.0.1:7878"`
    #[arg(long)]
    pub(super) config: Option<PathBuf>,
}

/// Reads the value of `--heartbeat`, in seconds.
fn heartbeat(text: &str) -> Result<u16, String> {
    let seconds = text.parse().ok().filter(|seconds| (1..=300).contains(seconds));
    seconds.ok_or_else(|| format!("heartbeat must be from 1 to 300 seconds, not {text}"))
}

/// Retention times: a duration like `48h`, or `forever`. Their defaults are those of [`Retention`].
#[derive(Args, Clone, Debug)]
pub(super) struct KeepFlags {
    /// How long to keep numbers one by one
    #[arg(long, default_value_t = Keep::of(Retention::default().raw))]
    keep_raw: Keep,
    /// How long to keep texts
    #[arg(long, default_value_t = Keep::of(Retention::default().texts))]
    keep_texts: Keep,
    /// How long to keep buckets of 1 s
    #[arg(long, default_value_t = default_of(Tier::Second))]
    keep_1s: Keep,
    /// How long to keep buckets of 10 s
    #[arg(long, default_value_t = default_of(Tier::TenSeconds))]
    keep_10s: Keep,
    /// How long to keep buckets of 1 min
    #[arg(long, default_value_t = default_of(Tier::Minute))]
    keep_1m: Keep,
    /// How long to keep buckets of 10 min
    #[arg(long, default_value_t = default_of(Tier::TenMinutes))]
    keep_10m: Keep,
    /// How long to keep buckets of 1 h
    #[arg(long, default_value_t = default_of(Tier::Hour))]
    keep_1h: Keep,
    /// How long to keep buckets of 1 day
    #[arg(long, default_value_t = default_of(Tier::Day))]
    keep_1d: Keep,
}

fn default_of(tier: Tier) -> Keep {
    Keep::of(Retention::default().of(tier))
}

/// Upper bound of the time until a change has reached all tiers, in milliseconds, with plenty to spare.
const SETTLING: u64 = 3_600_000;

impl KeepFlags {
    /// Returns the retention, if it is long enough for points that are `late`.
    ///
    /// # Errors
    /// [`ConfigError::TooShort`].
    pub(super) fn retention(&self, late: Duration) -> Result<Retention, ConfigError> {
        let tiers = [
            ("1s", self.keep_1s),
            ("10s", self.keep_10s),
            ("1m", self.keep_1m),
            ("10m", self.keep_10m),
            ("1h", self.keep_1h),
            ("1d", self.keep_1d),
        ];
        // A coarser bucket is rebuilt from all of its finer ones, so those must still exist.
        let coarser = Tier::ALL.into_iter().skip(1).chain([Tier::Day]);
        for ((name, keep), coarser) in tiers.into_iter().zip(coarser) {
            // Rounded up to whole hours, for people.
            let hours = late.as_millis().saturating_add(coarser.width_ms()).div_ceil(SETTLING).saturating_add(1);
            let least = Duration::from_millis(hours.saturating_mul(SETTLING));
            if keep.ms().is_some_and(|kept| kept < least.as_millis()) {
                return Err(ConfigError::TooShort { name, late, least });
            }
        }
        Ok(Retention { raw: self.keep_raw.ms(), texts: self.keep_texts.ms(), tiers: tiers.map(|(_, keep)| keep.ms()) })
    }
}
