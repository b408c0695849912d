use super::*;

fn with_file(text: &str, flags: Flags) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pulseboard.toml");
    std::fs::write(&file, text).unwrap();
    Flags { config: Some(file), ..flags }.resolve().map_err(|error| error.to_string())
}

#[test]
fn bounds_on_memory_are_sizes_and_no_bound_is_zero() {
    let sizes = "max_topic_memory = \"2MiB\"\nmax_history_bytes = \"1KiB\"\nmax_queue = \"3MiB\"";
    let limits = with_file(sizes, Flags::default()).unwrap().limits;
    assert_eq!((limits.topic_memory, limits.history_bytes, limits.queue), (2 << 20, 1 << 10, 3 << 20));
    for (key, example) in [
        ("max_readers = 0", "--max-readers 10000"),
        ("max_connections = 0", "--max-connections 15000"),
        ("max_data = 0", "--max-data 10GB"),
        ("max_history_bytes = \"0\"", "--max-history-bytes 256MiB"),
        ("max_topic_memory = 256", "at least 1MiB; write, for example, --max-topic-memory 256MiB"),
    ] {
        let error = with_file(key, Flags::default()).unwrap_err();
        assert!(error.contains(example) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
    let flags = Flags { addr: Some("127.0.0.1:1".into()), ..Flags::default() };
    let config =
        with_file("addr = \"127.0.0.1:2\"\nagent = true\nallow_origin = [\"http://a.example\"]", flags).unwrap();
    assert_eq!(config.addr.port(), 1);
    assert_eq!(config.agent, Agent::On);
    assert_eq!(config.allow_origins, ["http://a.example".parse().unwrap()]);
    assert_eq!(config.data, Path::new("pulseboard-data"));
}

#[test]
fn a_wrong_file_is_named_with_its_line_in_one_line() {
    for (text, wanted) in [
        ("open = true\nadress = 1", ":2: unknown field `adress`"),
        ("open = 3", ":1: invalid type"),
        ("open = ", ":1: "),
        ("allow_origin = [\"example.org\"]", "is not an origin"),
        ("heartbeat = 301", ":1: heartbeat must be from 1 to 300 seconds, not 301"),
    ] {
        let error = with_file(text, Flags::default()).unwrap_err();
        assert!(error.contains(wanted), "{error}");
        assert!(error.contains("the keys are addr, data") && !error.contains('\n'), "{error}");
    }
}

#[test]
fn what_is_kept_is_kept_longer_than_points_may_be_late() {
    let config = with_file("keep_1s = \"3d\"\nkeep_1h = \"forever\"\nlate = \"36h\"", Flags::default()).unwrap();
    assert_eq!((config.late.as_millis(), config.retention.tiers[0]), (129_600_000, Some(259_200_000)));
    assert_eq!((config.retention.tiers[4], config.retention.raw), (None, Some(172_800_000)));
    let error = with_file("late = \"48h\"", Flags::default()).unwrap_err();
    assert!(error.contains("--keep-1s must be at least 50h where --late is 2d"), "{error}");
    let error = with_file("keep_1m = \"soon\"", Flags::default()).unwrap_err();
    assert!(error.contains("\"soon\" is not a length of time"), "{error}");
}

#[test]
fn an_address_that_others_reach_needs_open() {
    for addr in ["0.0.0.0:0", "[::]:0"] {
        let flags = |open| Flags { addr: Some(addr.into()), open, ..Flags::default() };
        assert!(flags(None).resolve().unwrap_err().to_string().contains("--open"));
        assert!(flags(Some(true)).resolve().is_ok());
    }
    let flags = Flags { addr: Some("localhost:0".into()), ..Flags::default() };
    assert!(flags.resolve().is_ok());
    let flags = Flags { addr: Some("7878".into()), ..Flags::default() };
    assert!(flags.resolve().unwrap_err().to_string().contains("like 127.0.0.1:7878"));
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
