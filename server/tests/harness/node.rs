//! A node of a cluster.

use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::postgres::Postgres;
use super::{BINARY, PATIENCE, TestServer};

/// A node, its data folder, and the arguments to start it again.
pub struct Node {
    pub server: Option<TestServer>,
    pub data: TempDir,
    pub url: String,
    pub addr: String,
}

impl Node {
    pub fn start(postgres: &Postgres) -> Self {
        let mut node = Self::stopped(postgres);
        node.run();
        node
    }

    /// A node with an empty folder that does not run yet.
    pub fn stopped(postgres: &Postgres) -> Self {
        let data = tempfile::tempdir().unwrap();
        Self { server: None, data, url: postgres.url(), addr: "127.0.0.1:0".to_owned() }
    }

    /// Starts it, also again at the address that it had.
    pub fn run(&mut self) {
        let server = TestServer::start_with(&mut self.command(), &self.addr, self.data.path());
        self.addr = server.addr().to_owned();
        self.server = Some(server);
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--log", "warn"]).env("PULSEBOARD_CLUSTER", &self.url);
        command
    }

    pub fn server(&self) -> &TestServer {
        self.server.as_ref().unwrap()
    }

    pub fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    pub fn push(&self, series: &str, body: &str) {
        let answer = self.server().push(series, body);
        assert_eq!(answer.status, 204, "{}", answer.text);
    }

    /// Waits until the node has applied the whole log.
    pub fn caught_up(&self, position: u64) {
        let deadline = Instant::now() + PATIENCE;
        while (self.server().metric("pulseboard_cluster_position") as u64) < position {
            assert!(Instant::now() < deadline, "{}", self.server().get("/readyz").text);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
