//! Programs that people push with: each is really run, or its requests are replayed, and each of its points is counted.

#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

mod harness;
#[path = "clients/table.rs"]
mod table;

use std::fmt::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::programs::{self, Group, Program, free_port};
use harness::replay::{Connection, head};
use harness::{BINARY, PATIENCE, TestServer, now_ms};
use table::{Row, assert_recorded};

/// Points of each file that a program pushes.
const POINTS: u32 = 300;

/// The guide, whose commands are run as they are there.
const GUIDE: &str = include_str!("../../docs/push.md");

/// A program that pushes as a shell command says.
struct Client {
    name: &'static str,
    version: String,
    /// The name of its series begins with this.
    prefix: &'static str,
    /// Commands that must all succeed. `$AT` is the address of the server.
    commands: Vec<String>,
    /// The last segment of its series, each with the number of its points and their sum.
    series: &'static [(&'static str, u64, f64)],
    result: &'static str,
}

impl Client {
    /// Runs it. Returns its row for the table.
    fn run(self, server: &TestServer, folder: &Path) -> Row {
        let Self { name, version, prefix, commands, series, result } = self;
        // Times go back from now, a millisecond each.
        let (mut objects, mut lines, now) = (String::new(), String::new(), now_ms());
        for n in 1..=u64::from(POINTS) {
            writeln!(objects, "{{\"series\":\"{prefix}/ndjson\",\"value\":{n}}}").unwrap();
            writeln!(lines, "{prefix} lines={n} {}000000", now - n).unwrap();
        }
        std::fs::write(folder.join("points.ndjson"), objects).unwrap();
        std::fs::write(folder.join("points.lp"), lines).unwrap();
        for command in commands {
            let said = shell(&command, server, folder).output().unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(said.status.success(), "{command}: {} {}", text(&said.stdout), text(&said.stderr));
        }
        for (name, count, sum) in series {
            assert_eq!(server.totals(&format!("{prefix}/{name}")), (*count, *sum), "{prefix}/{name}");
        }
        assert_eq!(names(server, &format!("{prefix}/")).len(), series.len());
        Row { client: name.to_owned(), version, result: result.to_owned() }
    }
}

/// A shell command in a folder. `$AT` in it is the address of the server.
fn shell(command: &str, server: &TestServer, folder: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env("AT", server.addr()).current_dir(folder).stdin(Stdio::null());
    let path = std::env::var("PATH").unwrap();
    shell.env("PATH", format!("{}:{path}", programs::clients().join("python/bin").display()));
    programs::without_proxy(&mut shell);
    shell
}

/// Returns the command of the guide that begins with `start`, up to the end of a line that ends with `last`, with the address of
/// the server in `$AT`.
fn of_guide(start: &str, last: &str) -> String {
    let from = GUIDE.find(&format!("\n{start}")).unwrap_or_else(|| panic!("the guide has no {start}")) + 1;
    let length = GUIDE[from..].find(&format!("{last}\n")).unwrap() + last.len();
    GUIDE[from..from + length].replace("localhost:7878", "$AT")
}

fn names(server: &TestServer, prefix: &str) -> Vec<String> {
    let list = server.get(&format!("/api/series?prefix={prefix}")).json();
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

fn curl() -> Client {
    let told = "curl -sS -d @points.ndjson $AT/in | grep -q -- --data-binary";
    Client {
        name: "curl",
        version: programs::version(Command::new("curl").arg("--version")),
        prefix: "curl",
        commands: [
            "curl -sSf -d 42.5 $AT/in/curl/number",
            "curl -sSf --json '{\"value\":42.5}' $AT/in/curl/json",
            "curl -sSf --data-binary @points.ndjson $AT/in",
            // The second is a repeat, as after a lost answer.
            "for time in 1 2; do gzip -c points.lp | curl -sSf -H 'Content-Encoding: gzip' --data-binary @- $AT/write; done",
            "for time in 1 2; do curl -sSf -H 'Idempotency-Key: k' -d 42.5 $AT/in/curl/keyed; done",
            "curl -sSf \"$AT/in/curl/get?value=42.5\"",
            "curl -sSf -G --data-urlencode value=1 $AT/in/curl/get",
            told,
        ]
        .map(str::to_owned)
        .into(),
        series: &[
            ("number", 1, 42.5),
            ("json", 1, 42.5),
            ("ndjson", 300, 45_150.0),
            ("lines", 300, 45_150.0),
            ("keyed", 1, 42.5),
            ("get", 2, 43.5),
        ],
        result: "pushes a number, JSON, NDJSON with `--data-binary`, line protocol in gzip, and by GET; a repeat with an `Idempotency-Key` counts once; `-d` with a file is refused with the advice to use `--data-binary`",
    }
}

fn wget() -> Client {
    Client {
        name: "wget",
        version: programs::version(Command::new("wget").arg("--version")),
        prefix: "wget",
        commands: vec![
            of_guide("wget ", "").replace("/in/ops/temp", "/in/wget/number"),
            "wget -qO- --header='Content-Type: application/json' --post-data='{\"value\":42.5}' $AT/in/wget/json"
                .into(),
            "wget -qO- --post-file=points.ndjson $AT/in".into(),
            "wget -qO- --post-file=points.lp $AT/write".into(),
            "wget -qO- \"$AT/in/wget/get?value=42.5\"".into(),
        ],
        series: &[
            ("number", 1, 42.5),
            ("json", 1, 42.5),
            ("ndjson", 300, 45_150.0),
            ("lines", 300, 45_150.0),
            ("get", 1, 42.5),
        ],
        result: "pushes a number and JSON with `--post-data`, NDJSON and line protocol with `--post-file`, and by GET",
    }
}

fn httpie(folder: &Path) -> Client {
    // It would look for a newer version of itself.
    std::fs::write(folder.join("config.json"), "{\"disable_update_warnings\": true}").unwrap();
    let http = "export HTTPIE_CONFIG_DIR=.; http --check-status";
    let command = |rest: &str| format!("{http} --ignore-stdin {rest}");
    Client {
        name: "PyPI httpie",
        version: programs::version(Command::new(programs::clients().join("python/bin/http")).arg("--version")),
        prefix: "httpie",
        commands: vec![
            of_guide("http POST", "").replace("http ", &command("")).replace("/in/ops/temp", "/in/httpie/text"),
            command("POST $AT/in/httpie/number value:=42.5"),
            command("POST $AT/in/httpie/boolean value=true"),
            command("--form POST $AT/in/httpie/form value=42.5"),
            command("--raw 42.5 POST $AT/in/httpie/raw"),
            command("POST $AT/in/httpie temp:=21.5 hum=40"),
            command("$AT/in/httpie/get value==42.5"),
            format!("{http} POST $AT/in <points.ndjson"),
            format!("{http} POST $AT/write <points.lp"),
        ],
        series: &[
            ("text", 1, 42.5),
            ("number", 1, 42.5),
            ("boolean", 1, 1.0),
            ("form", 1, 42.5),
            ("raw", 1, 42.5),
            ("temp", 1, 21.5),
            ("hum", 1, 40.0),
            ("get", 1, 42.5),
            ("ndjson", 300, 45_150.0),
            ("lines", 300, 45_150.0),
        ],
        result: "pushes `value=42.5`, which it sends as a text, `value:=42.5`, a form, several numbers at once, files, and by GET with `value==42.5`",
    }
}

/// The MQTT broker mosquitto, on loopback.
struct Broker {
    port: u16,
    _program: Program,
}

impl Broker {
    fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let mut command = Command::new(programs::find("mosquitto", "clients"));
        command.args(["-p", &port.to_string()]).current_dir(folder.path());
        Self { port, _program: Program::start(command, folder, port) }
    }

    /// Sends each line of `messages` to a topic.
    fn publish(&self, topic: &str, flags: &[&str], messages: &str) {
        for message in messages.lines() {
            let mut publisher = Command::new(programs::find("mosquitto_pub", "clients"));
            publisher.args(["-p", &self.port.to_string(), "-q", "1", "-t", topic, "-m", message]).args(flags);
            assert!(publisher.status().unwrap().success(), "{publisher:?}");
        }
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} does not come");
        // The bridge gives no signal, so this polls; it takes a few rounds.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The bridge of the guide, through a restart of the server.
fn mosquitto(folder: &Path) -> Row {
    let data = tempfile::tempdir().unwrap();
    let mut server = TestServer::start(data.path());
    let broker = Broker::start();
    // What the broker kept from before is no news.
    broker.publish("home/kitchen/temp", &["-r"], "1000");
    let recipe =
        of_guide("mosquitto_sub ", "done").replace("mosquitto_sub ", &format!("mosquitto_sub -p {} ", broker.port));
    let _bridge = Group(shell(&recipe, &server, folder).process_group(0).spawn().unwrap());
    until("the subscription", || {
        broker.publish("home/probe", &[], "1");
        !names(&server, "home/probe").is_empty()
    });
    let numbers = |from: u32, to: u32| (from..to).map(|n| format!("{n}\n")).collect::<String>();
    broker.publish("home/kitchen/temp", &[], &numbers(1, 11));
    until("the first part", || server.totals("home/kitchen/temp").0 == 10);
    let addr = server.addr().to_owned();
    server.kill();
    broker.publish("home/kitchen/temp", &[], &numbers(11, 21));
    server = TestServer::start_with(Command::new(BINARY).arg("serve"), &addr, data.path());
    broker.publish("home/bath", &[], "{\"temp\":21.5,\"hum\":40}");
    broker.publish("home/kitchen/window", &[], "true");
    broker.publish("home/hall", &[], "@/etc/hostname");
    broker.publish("home/küche/licht", &[], "0.5");
    until("the last message", || !names(&server, "home/k%C3%BCche/").is_empty());
    assert_eq!(server.totals("home/kitchen/temp"), (20, 210.0), "each once");
    for (series, value) in [("home/bath/temp", 21.5), ("home/bath/hum", 40.0), ("home/kitchen/window", 1.0)] {
        assert_eq!(server.totals(series), (1, value), "{series}");
    }
    assert_eq!(names(&server, "home/hall"), [""; 0], "a message is no name of a file");
    let version = programs::version(Command::new(programs::find("mosquitto_sub", "clients")).arg("--help"));
    let result =
        "the bridge of [push.md](push.md#from-mqtt) pushes each message once, also through a restart of the server";
    Row { client: "mosquitto_sub and curl".to_owned(), version, result: result.to_owned() }
}

/// A request of Windows PowerShell 5.1, which asks before it sends a body.
fn windows_powershell(path: &str, content_type: &str, length: usize) -> String {
    head(&[
        &format!("POST {path} HTTP/1.1"),
        "User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.4291",
        &format!("Content-Type: {content_type}"),
        "Host: localhost:7878",
        &format!("Content-Length: {length}"),
        "Expect: 100-continue",
        "Connection: Keep-Alive",
    ])
}

/// A request of PowerShell 7.
fn powershell(path: &str, content_type: &str, length: usize) -> String {
    head(&[
        &format!("POST {path} HTTP/1.1"),
        "Host: localhost:7878",
        "User-Agent: Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.4.6",
        "Accept-Encoding: gzip, deflate, br",
        &format!("Content-Type: {content_type}"),
        &format!("Content-Length: {length}"),
    ])
}

/// The bytes that `Out-File` of Windows PowerShell makes of a text.
fn utf_16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The requests of `Invoke-RestMethod`, in both versions.
fn powershells(server: &TestServer) -> [Row; 2] {
    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json; charset=utf-8";
    let file = "{\"series\":\"ps/file\",\"value\":1}\r\n{\"series\":\"ps/file\",\"value\":2}\r\n";
    let (ndjson, lines) = (utf_16(file), utf_16("ps lines=1\r\nps lines=2\r\n"));
    let marked = [b"\xef\xbb\xbf", file.as_bytes()].concat();
    // -Body 42.5; -Body $true; -Body @{value=42.5}; -Body (@{value=42.5} | ConvertTo-Json); a text that says its encoding.
    let common: [(&str, &str, &[u8]); 5] = [
        ("/in/ps/number", FORM, b"42.5"),
        ("/in/ps/boolean", FORM, b"True"),
        ("/in/ps/form", FORM, b"value=42.5"),
        ("/in/ps/json", FORM, b"{\r\n    \"value\":  42.5\r\n}"),
        ("/in/log/ps", JSON, "{\"text\":\"größer\"}".as_bytes()),
    ];
    // -InFile, with a file of Out-File or > (UTF-16), and one of Set-Content -Encoding UTF8 (with a byte order mark).
    let files: [(&str, &str, &[u8]); 3] = [("/in", FORM, &ndjson), ("/write", FORM, &lines), ("/in", FORM, &marked)];
    for head in [windows_powershell, powershell] {
        let mut connection = Connection::to(server);
        for (path, content_type, body) in common.iter().chain(&files) {
            let answer = connection.send(&head(path, content_type, body.len()), body);
            assert_eq!(answer, (204, String::new()), "{path} {}", String::from_utf8_lossy(body));
        }
    }
    // Without a charset Windows PowerShell sends ISO 8859-1.
    let latin = b"{\"text\":\"gr\xf6\xdfer\"}";
    let (status, answer) = Connection::to(server).send(&windows_powershell("/in/log/ps", FORM, latin.len()), latin);
    assert!(status == 422 && answer.contains("-ContentType 'application/json; charset=utf-8'"), "{answer}");
    for agent in
        ["Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1", "Linux; Debian 12; en-US) PowerShell/7.4.6"]
    {
        let head = head(&[
            "GET /in/ps/get?value=42.5 HTTP/1.1",
            &format!("User-Agent: Mozilla/5.0 ({agent}"),
            "Host: localhost:7878",
            "Connection: Keep-Alive",
        ]);
        assert_eq!(Connection::to(server).send(&head, b""), (204, String::new()));
    }
    for (name, wanted) in [
        ("number", (2, 85.0)),
        ("boolean", (2, 2.0)),
        ("form", (2, 85.0)),
        ("json", (2, 85.0)),
        ("file", (8, 12.0)),
        ("lines", (4, 6.0)),
        ("get", (2, 85.0)),
    ] {
        assert_eq!(server.totals(&format!("ps/{name}")), wanted, "{name}");
    }
    assert_eq!(server.get("/api/series?prefix=log/ps").json()[0]["text"], "größer");
    let result = "`Invoke-RestMethod -Method Post` with a number, `$true`, a hash table or JSON as `-Body`, with `-InFile` in UTF-16 or UTF-8, and by GET";
    let row = |name: &str, version: &str, more: &str| Row {
        client: format!("{name}, replayed"),
        version: version.to_owned(),
        result: format!("{result}{more}"),
    };
    let latin = "; a text beyond ASCII needs a charset in its `-ContentType`, and the answer says so";
    [row("Windows PowerShell", "5.1", latin), row("PowerShell", "7.4", "")]
}

#[test]
fn programs_that_push_store_each_point_once() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = TestServer::start(data.path());
    let scripted = [curl(), wget(), httpie(folder.path())].map(|client| client.run(&server, folder.path()));
    let mut rows = scripted.to_vec();
    rows.push(mosquitto(folder.path()));
    rows.extend(powershells(&server));
    assert_recorded("Programs that push", &rows);
}
