//! Tests of the Debian package and the wheel, which `tools/dist.sh` makes from the binary under test.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use pulseboard_e2e::{Child, curl};

/// The time limit for a start and for an end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The file in the folder `PULSEBOARD_DIST` whose name has this ending.
fn made(ending: &str) -> PathBuf {
    let folder = std::env::var("PULSEBOARD_DIST").expect("`make test-e2e` makes the packages and says where they are");
    let files = std::fs::read_dir(&folder).expect("the folder of packages can be read");
    let mut files = files.map(|file| file.expect("a file can be looked at").path());
    let found = files.find(|file| file.to_string_lossy().ends_with(ending));
    found.unwrap_or_else(|| panic!("there is no {ending} in {folder}"))
}

fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().expect("the command can be started");
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// Installs the package below `root`, with its maintainer scripts.
fn install(package: &Path, root: &Path) {
    let database = root.join("var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        std::fs::create_dir_all(database.join(folder)).expect("a folder can be made");
    }
    std::fs::write(database.join("status"), "").expect("a file can be written");
    let mut dpkg = Command::new("dpkg");
    dpkg.arg(format!("--root={}", root.display())).args(["--force-not-root", "--force-script-chrootless"]);
    // If only a user's PATH is set, dpkg misses ldconfig and start-stop-daemon, which nothing here needs.
    dpkg.arg("--force-bad-path").arg("--install").arg(package);
    run(&mut dpkg);
}

/// The command of the unit with its environment, as systemd would run it, but below `root`.
fn service(root: &Path) -> tokio::process::Command {
    let unit = std::fs::read_to_string(root.join("lib/systemd/system/pulseboard.service")).expect("there is a unit");
    assert!(unit.lines().any(|line| line == "Type=notify"), "{unit}");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("it has a command");
    let mut words = command.split_whitespace();
    let below = |word: &str| match word.strip_prefix('/') {
        Some(path) => root.join(path).into_os_string(),
        None => word.into(),
    };
    let mut command = tokio::process::Command::new(below(words.next().expect("it has a program")));
    command.args(words.map(below)).env_clear();
    command
}

#[tokio::test]
async fn debian_package_installs_and_its_service_starts_takes_a_push_and_stops() {
    let root = tempfile::tempdir().expect("a folder can be made");
    install(&made(".deb"), root.path());
    // The settings name absolute paths of the machine, so they are moved below `root`.
    let settings = root.path().join("etc/pulseboard/pulseboard.toml");
    let text = std::fs::read_to_string(&settings).expect("the settings are installed");
    assert!(text.contains("data = \"/var/lib/pulseboard\""), "{text}");
    let text = text.replace("\"/var", &format!("\"{}/var", root.path().display())).replace(":7878", ":0");
    std::fs::write(&settings, text).expect("the settings can be changed");

    let socket = root.path().join("notify");
    let supervisor = UnixDatagram::bind(&socket).expect("a socket can be made");
    supervisor.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    let heard = || {
        let mut message = [0; 256];
        let length = supervisor.recv(&mut message).expect("the service reports its state");
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    let mut command = service(root.path());
    command.env("NOTIFY_SOCKET", &socket);
    let address = |line: &str| Some(line.strip_prefix("listening on ")?.to_owned());
    let log = root.path().join("log");
    let (mut child, address) = Child::start("the service", command, log, address).await;
    assert_eq!(heard(), "READY=1\n");
    let pushed = curl(&["--data", "42", &format!("{address}/in/package/answer")]).await;
    assert_eq!(pushed, "");
    let program = root.path().join("usr/bin/pulseboard");
    let health = run(Command::new(&program).args(["health", "--to", &address]));
    assert_eq!(String::from_utf8_lossy(&health.stdout), "ready\n");

    let status = child.terminate(PATIENCE).await;
    assert!(status.success(), "{status}");
    assert_eq!(heard(), "STOPPING=1\n");
    let health = Command::new(&program).args(["health", "--to", &address]).output().expect("it can be started");
    let said = String::from_utf8_lossy(&health.stderr);
    assert!(!health.status.success() && said.contains("cannot reach"), "{health:?}");
    assert!(root.path().join("var/lib/pulseboard").is_dir(), "the data are where the settings say");
}

#[test]
fn wheel_puts_the_program_on_the_path_of_its_environment() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    run(Command::new("python3").args(["-m", "venv"]).arg(folder.path()));
    let bin = folder.path().join("bin");
    let mut pip = Command::new(bin.join("pip"));
    run(pip.args(["install", "--quiet", "--no-index", "--disable-pip-version-check"]).arg(made(".whl")));
    let version = run(Command::new(bin.join("pulseboard")).arg("--version"));
    let said = String::from_utf8_lossy(&version.stdout);
    assert!(said.starts_with(concat!("pulseboard ", env!("CARGO_PKG_VERSION"))), "{said}");
}
