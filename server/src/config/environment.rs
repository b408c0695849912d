//! The environment: each flag of `serve` has a variable, and unknown variables cause a warning.

use clap::{Arg, Args as _, Command};

use super::flags::Flags;
use crate::cli::server::TOKEN_VARIABLE;

/// The prefix of all variables that this program reads.
const PREFIX: &str = "PULSEBOARD_";

/// Variables that are not flags of `pulseboard serve`: the address that the other commands push to, their token, and the
/// commit of a build.
const OTHERS: [&str; 3] = ["PULSEBOARD_TO", TOKEN_VARIABLE, "PULSEBOARD_COMMIT"];

/// Gives each flag of `serve` its variable: `PULSEBOARD_MAX_ROWS` for `--max-rows`.
pub(super) fn add_variables(serve: Command) -> Command {
    serve.mut_args(|flag| match variable(&flag) {
        Some(variable) => flag.env(variable),
        None => flag,
    })
}

fn variable(flag: &Arg) -> Option<String> {
    Some(format!("{PREFIX}{}", flag.get_long()?.to_uppercase().replace('-', "_")))
}

/// Returns a warning for each unknown variable with the prefix of this program. The warning names the most similar
/// known variable. Variables that Kubernetes and Docker set for a service of this name are left out.
#[must_use]
pub fn warnings(variables: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let known = known();
    let mut unknown: Vec<_> = variables
        .into_iter()
        .filter(|(name, value)| name.starts_with(PREFIX) && !known.contains(name) && !is_service(name, value))
        .map(|(name, _)| name)
        .collect();
    unknown.sort_unstable();
    let warning = |name: String| {
        let closest = known.iter().min_by_key(|known| strsim::damerau_levenshtein(known, &name));
        let closest = closest.map_or(PREFIX, String::as_str);
        format!("the environment variable {name} is not known and has no effect; is {closest} meant?")
    };
    unknown.into_iter().map(warning).collect()
}

/// Returns the names of all known variables, in order.
fn known() -> Vec<String> {
    let flags = add_variables(Flags::augment_args(Command::new("")));
    let variables = flags.get_arguments().filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned));
    let mut known: Vec<_> = variables.chain(OTHERS.map(str::to_owned)).collect();
    known.sort_unstable();
    known
}

/// Returns true if a cluster sets this variable for a service with the name `pulseboard`.
fn is_service(name: &str, value: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    let is_port = rest.strip_prefix("PORT_").is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()));
    is_port || rest.starts_with("SERVICE_") || (rest == "PORT" && value.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(name: &str, value: &str) -> Vec<String> {
        warnings([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn unknown_variable_is_told_with_the_known_one_that_is_most_like_it() {
        for (name, meant) in [
            ("PULSEBOARD_ADR", "PULSEBOARD_ADDR"),
            ("PULSEBOARD_MAX_READER", "PULSEBOARD_MAX_READERS"),
            ("PULSEBOARD_KEEP_RAWS", "PULSEBOARD_KEEP_RAW"),
            ("PULSEBOARD_ALLOW_ORIGINS", "PULSEBOARD_ALLOW_ORIGIN"),
            ("PULSEBOARD_T0", "PULSEBOARD_TO"),
        ] {
            let warnings = warned(name, "1");
            assert_eq!(warnings.len(), 1, "{name}");
            assert!(warnings[0].contains(&format!("{name} is not known")), "{warnings:?}");
            assert!(warnings[0].ends_with(&format!("is {meant} meant?")), "{warnings:?}");
        }
    }

    #[test]
    fn known_variables_and_those_of_others_are_not_told() {
        for name in known() {
            assert_eq!(warned(&name, "1"), [""; 0]);
        }
        for (name, value) in [
            ("PATH", "/bin"),
            ("PULSEBOARD", "1"),
            ("PULSEBOARD_SERVICE_HOST", "10.0.0.1"),
            ("PULSEBOARD_PORT", "tcp://10.0.0.1:7878"),
            ("PULSEBOARD_PORT_7878_TCP_ADDR", "10.0.0.1"),
        ] {
            assert_eq!(warned(name, value), [""; 0], "{name}");
        }
        assert_eq!(warned("PULSEBOARD_PORT", "7878").len(), 1);
    }
}
