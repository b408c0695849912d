//! Tests of a writer thread that cannot go on.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use shared::{Epoch, Seq};

use super::*;
use crate::hub::{Boards, Hub};
use crate::limits::Limits;
use crate::log::Epochs;
use crate::rollup::Rollup;

/// Set in the process that has the failing thread.
const FAILS: &str = "PULSEBOARD_TEST_WRITER_FAILS";

/// Maximum time for the process to end. It takes milliseconds.
const LONGEST: Duration = Duration::from_secs(60);

/// Starts a writer thread whose wait for sockets fails: the kernel refuses to return at most 0 events.
fn start_failing() -> Arc<Mailbox> {
    let rollup = Rollup::new(Epochs::from(Epoch(1)), Seq::ZERO);
    let hub = HubHandle::new(Hub::new(rollup, Boards::default(), Duration::from_secs(15)), &Limits::default());
    let poll = Poll::new().expect("a poll can be made");
    let mailbox = Arc::new(Mailbox::new(&poll).expect("a mailbox can be made"));
    let writer = EventLoop::new(poll, mailbox.clone(), hub, Duration::from_secs(15));
    thread::spawn(move || writer.run_with(Events::with_capacity(0)));
    mailbox
}

/// The thread that fails takes the process with it, since new streams would still be handed to it.
#[test]
fn writer_thread_that_cannot_wait_for_its_sockets_ends_the_process() {
    if std::env::var_os(FAILS).is_some() {
        crate::panics::end_the_process();
        // The mailbox stays: streams can be handed to the thread.
        let _mailbox = start_failing();
        loop {
            thread::park();
        }
    }
    let test = thread::current().name().unwrap().to_owned();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test, "--nocapture"])
        .env(FAILS, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = process.stderr.take().unwrap();
    let (printed, prints) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        // The end of the process ends its output.
        errors.read_to_string(&mut text).unwrap();
        printed.send(text).unwrap();
    });
    let text = prints.recv_timeout(LONGEST);
    // Does nothing if the process has ended.
    _ = process.kill();
    let status = process.wait().unwrap();
    let text = text.expect("the process goes on without the thread");
    assert!(text.contains("a writer thread cannot wait for its sockets"), "{text}");
    assert!(!status.success(), "{status}");
}
