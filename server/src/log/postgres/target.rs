//! The address of the shared log, and the connections to it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The longest time that opening a connection may take, unless the address says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The address of a PostgreSQL database, as libpq takes it: `postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE`.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterUrl(Box<Config>);

/// The address is not one of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with several HOST:PORT separated by commas for standbys"
)]
pub struct ClusterUrlError(String);

impl FromStr for ClusterUrl {
    type Err = ClusterUrlError;

    fn from_str(text: &str) -> Result<Self, ClusterUrlError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(ClusterUrlError("it does not begin with postgres://".to_owned()));
        }
        // The certificate is always verified, so these two of libpq's words mean the same here.
        let text =
            text.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = text.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            ClusterUrlError(format!("{error}{}", cause.unwrap_or_default()))
        })?;
        if config.get_hosts().is_empty() {
            return Err(ClusterUrlError("it names no host".to_owned()));
        }
        if config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("pulseboard");
        }
        Ok(Self(Box::new(config)))
    }
}

impl fmt::Debug for ClusterUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ClusterUrl {
    /// Shows the hosts and the database, and never the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.0.get_ports();
        for (at, host) in self.0.get_hosts().iter().enumerate() {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5_432);
            let comma = if at == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}:{port}")?,
                Host::Unix(path) => write!(f, "{comma}{}:{port}", path.display())?,
            }
        }
        write!(f, "/{}", self.0.get_dbname().or(self.0.get_user()).unwrap_or_default())
    }
}

/// An open connection and the part that must be polled.
pub(super) type Opened<T> = (Client, Connection<Socket, T>);

type RustlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

impl ClusterUrl {
    /// Opens a connection. TLS is used where the server offers it, unless the address has `sslmode=disable`; the
    /// certificate must then be valid for the machine's certificate authorities.
    pub(super) async fn connect(&self) -> Result<Opened<RustlsStream>, tokio_postgres::Error> {
        self.0.connect(tls(self.0.get_ssl_mode())).await
    }
}

fn tls(mode: SslMode) -> MakeRustlsConnect {
    let mut roots = RootCertStore::empty();
    if mode != SslMode::Disable {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("ring has the default versions of the protocol");
    MakeRustlsConnect::new(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_shown_without_its_password() {
        let url: ClusterUrl = "postgres://me:secret@a:5432,b:6000/boards?sslmode=verify-full".parse().unwrap();
        assert_eq!(url.to_string(), "a:5432,b:6000/boards");
        assert!(!format!("{url:?}").contains("secret"));
    }

    #[test]
    fn address_that_is_none_is_refused_with_its_form() {
        for (text, wanted) in [
            ("nats://a/b", "it does not begin with postgres://"),
            ("postgres:///boards", "it names no host"),
            ("postgres://a/b?sslmode=perhaps", "sslmode"),
            ("postgres://a:port/b", ""),
        ] {
            let error = text.parse::<ClusterUrl>().unwrap_err().to_string();
            assert!(error.contains(wanted) && error.contains("postgres://USER"), "{text}: {error}");
        }
    }
}
