//! Fuzz targets for texts that operators write: durations, configuration files, origins, addresses.

use pulseboard::config::duration::Keep;
use pulseboard::fuzzing;
use pulseboard::http::host::Host;
use pulseboard::http::origin::Origin;
use shared::Duration;

/// A configuration file, and durations.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(duration) = text.parse::<Duration>() {
        assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
    }
    let _keep = text.parse::<Keep>();
    if let Some(message) = fuzzing::config(text) {
        assert!(!message.contains('\n'), "a message of one line: {message:?}");
    }
}

/// An origin and a host are equal after they are printed and parsed again.
pub fn origin(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(origin) = text.parse::<Origin>() {
        assert_eq!(origin.to_string().parse::<Origin>().expect("what is printed is an origin"), origin);
    }
    if let Ok(host) = text.parse::<Host>() {
        assert_eq!(host.to_string().parse::<Host>().expect("what is printed is a host"), host);
    }
}

/// An address for `doctor` is equal after it is printed and parsed again.
pub fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(address) = fuzzing::address(text) {
        assert_eq!(fuzzing::address(&address), Some(address));
    }
}
