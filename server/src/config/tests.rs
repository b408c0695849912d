use super::*;

/// Resolves the settings of a file and of a command line.
fn with_file(text: &str, flags: &[&str]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pulseboard.toml");
    std::fs::write(&file, text).unwrap();
    resolve(&[&["--config", file.to_str().unwrap()], flags].concat())
}

/// Resolves the settings of a command line.
fn resolve(flags: &[&str]) -> Result<Config, String> {
    let program = Command::new("pulseboard").subcommand(Flags::augment_args(Command::new(SERVE)));
    let arguments: Vec<_> = ["pulseboard", SERVE].iter().chain(flags).map(OsString::from).collect();
    let matches = parse(program, arguments).map_err(|error| error.to_string())?;
    let flags = Flags::from_arg_matches(matches.subcommand_matches(SERVE).unwrap()).unwrap();
    flags.resolve().map_err(|error| error.to_string())
}

#[test]
fn bounds_on_memory_are_sizes_and_no_bound_is_zero() {
    let sizes = "max_topic_memory = \"2MiB\"\nmax_history_bytes = \"1KiB\"\nmax_queue = \"3MiB\"";
    let limits = with_file(sizes, &[]).unwrap().limits;
    assert_eq!((limits.topic_memory, limits.history_bytes, limits.queue), (2 << 20, 1 << 10, 3 << 20));
    for (key, example) in [
        ("max_readers = 0", "--max-readers 10000"),
        ("max_connections = 0", "--max-connections 15000"),
        ("max_data = 0", "--max-data 10GB"),
        ("max_history_bytes = \"0\"", "--max-history-bytes 256MiB"),
        ("max_topic_memory = 256", "at least 1MiB; write, for example, --max-topic-memory 256MiB"),
    ] {
        let error = with_file(key, &[]).unwrap_err();
        assert!(error.contains(example) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
    let file = "addr = \"127.0.0.1:2\"\nagent = true\nallow_origin = [\"http://a.example\"]";
    let config = with_file(file, &["--addr", "127.0.0.1:1"]).unwrap();
    assert_eq!(config.addr.port(), 1);
    assert_eq!(config.agent, Agent::On);
    assert_eq!(config.allow_origins, ["http://a.example".parse().unwrap()]);
    assert_eq!(config.data, Path::new("./pulseboard-data"));
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.retention, Retention::default());
}

#[test]
fn wrong_file_is_named_with_its_line_and_its_key_in_one_line() {
    for (text, wanted) in [
        ("open = true\nadress = 1", ":2: there is no key \"adress\"; is addr meant?"),
        ("keep-raw = \"7d\"", ":1: there is no key \"keep-raw\"; is keep_raw meant?"),
        ("max_reader = 5", ":1: there is no key \"max_reader\"; is max_readers meant?"),
        ("[server]\naddr = 1", ":1: there is no key \"server\""),
        ("config = \"other.toml\"", ":1: there is no key \"config\""),
        ("phase_timeout = 5", ":1: there is no key \"phase_timeout\""),
        ("[limits.series]\nmost = 5", "the keys are the flags of `pulseboard serve --help`, with _ for -"),
        ("open = 3", ":1: \"3\" is not true or false (key open)"),
        ("open = ", ":1: "),
        ("addr = \"a:1\"\naddr = \"b:1\"", ":2: duplicate key"),
        ("\nmax_readers = \"many\"", ":2: \"many\" is not a whole number (key max_readers)"),
        ("max_readers = 2.5", ":1: \"2.5\" is not a whole number (key max_readers)"),
        ("max_readers = -1", "(key max_readers)"),
        ("max_readers = [1, 2]", ":1: a list, where one value is expected (key max_readers)"),
        ("max_data = \"ten\"", "(key max_data)"),
        ("host = [[\"a\"]]", "a value of the type array"),
        ("keep_raw = 1979-05-27", "a value of the type datetime"),
        ("late = \"soon\"", "\"soon\" is not a length of time"),
        ("allow_origin = [\"example.org\"]", "is not an origin"),
        ("heartbeat = 301", ":1: heartbeat must be from 1 to 300 seconds, not 301 (key heartbeat)"),
    ] {
        let error = with_file(text, &[]).unwrap_err();
        assert!(error.contains(wanted), "{text}: {error}");
        assert!(!error.contains('\n'), "{error}");
        assert!(error.len() < 300, "it does not list all keys: {error}");
    }
}

/// Each setting is declared once, so each flag has a key, and its variable is known.
#[test]
fn each_flag_has_a_key_and_a_value_of_the_file_counts_as_the_flag_does() {
    // These two exclude each other.
    for without in ["cluster", "boards"] {
        let serve = Flags::augment_args(Command::new(SERVE));
        let (mut file, mut flags) = (String::new(), Vec::new());
        for flag in serve.get_arguments().filter(|flag| !flag.is_hide_set() && flag.get_id() != flags::CONFIG) {
            let name = flag.get_long().unwrap();
            if name == without {
                continue;
            }
            let value = value_of(name);
            let quoted =
                if flag.get_value_delimiter().is_some() { format!("[{value:?}]") } else { format!("{value:?}") };
            file.push_str(&format!("{} = {quoted}\n", name.replace('-', "_")));
            flags.push(format!("--{name}={value}"));
        }
        let of_file = with_file(&file, &[]).unwrap();
        let of_flags = resolve(&flags.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        assert_eq!(of_file, of_flags);
        assert_ne!(of_file.limits, Limits::default());
        assert_eq!(of_file.cluster.is_some(), without == "boards");
    }
}

/// Returns a value that the flag accepts, and that is not its default.
fn value_of(flag: &str) -> String {
    match flag {
        "addr" => "127.0.0.1:0".to_owned(),
        "log" => "debug".to_owned(),
        "late" => "2h".to_owned(),
        "heartbeat" => "7".to_owned(),
        "max-lag" => "3s".to_owned(),
        "host" => "board.example.org".to_owned(),
        "trusted-proxy" => "10.0.0.0/8".to_owned(),
        "remote-group" => "ops=read:ops/**".to_owned(),
        "allow-origin" | "allow-frame" => "https://example.org".to_owned(),
        "anonymous" => "read:public/**".to_owned(),
        "cluster" => "postgres://ada:secret@db.example.org/pulseboard".to_owned(),
        "open" | "agent" | "remote-user" => "true".to_owned(),
        "compress" => "false".to_owned(),
        name if name.starts_with("keep-") => "3d".to_owned(),
        name if name.starts_with("max-") => "1500000".to_owned(),
        name => format!("./{name}"),
    }
}

#[test]
fn what_is_kept_is_kept_longer_than_points_may_be_late() {
    let config = with_file("keep_1s = \"3d\"\nkeep_1h = \"forever\"\nlate = \"36h\"", &[]).unwrap();
    assert_eq!((config.late.as_millis(), config.retention.tiers[0]), (129_600_000, Some(259_200_000)));
    assert_eq!((config.retention.tiers[4], config.retention.raw), (None, Some(0)));
    let error = with_file("late = \"48h\"", &[]).unwrap_err();
    assert!(error.contains("--keep-1s must be at least 50h where --late is 2d"), "{error}");
    let error = with_file("keep_1m = \"soon\"", &[]).unwrap_err();
    assert!(error.contains("\"soon\" is not a length of time"), "{error}");
}

#[test]
fn anonymous_visitors_have_the_permissions_of_all_flags() {
    assert_eq!(resolve(&[]).unwrap().anonymous, None);
    let config = resolve(&["--anonymous", "read:public/**", "--anonymous=push:in/*,edit:wall"]).unwrap();
    let grants: Vec<_> = config.anonymous.unwrap().grants().iter().map(ToString::to_string).collect();
    assert_eq!(grants, ["push:in/*", "read:public/**", "edit:wall"]);
}

#[test]
fn an_address_names_a_host_and_a_port() {
    for addr in ["0.0.0.0:0", "[::]:0"] {
        assert!(!resolve(&["--addr", addr]).unwrap().open);
        assert!(resolve(&["--addr", addr, "--open"]).unwrap().open);
    }
    assert!(resolve(&["--addr", "localhost:0"]).is_ok());
    assert!(resolve(&["--addr", "7878"]).unwrap_err().contains("like 127.0.0.1:7878"));
}

#[test]
fn an_origin_is_a_scheme_and_a_host() {
    for text in ["https://example.org", "http://127.0.0.1:8000"] {
        assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
    }
    let ports = ["https://a:x", "https://a[:1"];
    let others = ["https://example.org/", "https://a?b", "https://a@b", "https://*.org", "https://müller.example"];
    for text in ["example.org", "*", "ftp://example.org", "https://"].into_iter().chain(ports).chain(others) {
        assert!(text.parse::<Origin>().is_err(), "{text}");
    }
}
