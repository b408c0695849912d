//! Tests of the supervisor: its commands and states, moment by moment.

use super::*;

const HELLO: ConnectionEvent = ConnectionEvent::Hello { heartbeat_ms: 1_000 };

/// Makes a supervisor that was live from 0 to 10 000 ms.
fn live() -> Supervisor {
    let mut supervisor = Supervisor::new(0);
    supervisor.step(0, HELLO, 0.5);
    supervisor.step(0, ConnectionEvent::Applied, 0.5);
    supervisor.step(10_000, ConnectionEvent::Heard, 0.5);
    assert_eq!(supervisor.status(10_000), ConnectionStatus { state: ConnectionState::Live, since: 0 });
    supervisor
}

#[test]
fn it_is_live_only_once_there_is_a_picture() {
    let mut supervisor = Supervisor::new(0);
    assert_eq!(supervisor.status(1).state, ConnectionState::Connecting);
    assert_eq!(supervisor.step(10, HELLO, 0.5), ConnectionCommand::Nothing);
    assert_eq!(supervisor.status(11).state, ConnectionState::Connecting);
    supervisor.step(12, ConnectionEvent::Applied, 0.5);
    assert_eq!(supervisor.status(13), ConnectionStatus { state: ConnectionState::Live, since: 12 });
}

#[test]
fn a_first_connection_that_fails_is_said_to_be_tried_again() {
    let mut supervisor = Supervisor::new(0);
    assert_eq!(supervisor.step(5, ConnectionEvent::GaveUp, 0.5), ConnectionCommand::Probe);
    assert_eq!(supervisor.step(5, ConnectionEvent::Probed(None), 0.5), ConnectionCommand::Close);
    assert_eq!(supervisor.status(6).state, ConnectionState::Reconnecting);
    assert_eq!(supervisor.step(254, ConnectionEvent::Tick, 0.5), ConnectionCommand::Nothing);
    assert_eq!(supervisor.step(255, ConnectionEvent::Tick, 0.5), ConnectionCommand::Open);
}

#[test]
fn a_lost_line_is_reconnecting_and_soon_stale_since_it_was_last_true() {
    let mut supervisor = live();
    assert_eq!(supervisor.step(10_100, ConnectionEvent::BrowserRetries, 0.5), ConnectionCommand::Nothing);
    assert_eq!(supervisor.status(10_101), ConnectionStatus { state: ConnectionState::Reconnecting, since: 10_000 });
    assert_eq!(supervisor.status(12_001), ConnectionStatus { state: ConnectionState::Stale, since: 10_000 });
    supervisor.step(12_900, HELLO, 0.5);
    assert_eq!(supervisor.status(12_900).state, ConnectionState::Stale, "what was missed is still to come");
    supervisor.step(13_000, ConnectionEvent::Applied, 0.5);
    assert_eq!(supervisor.status(13_000), ConnectionStatus { state: ConnectionState::Live, since: 13_000 });
}

#[test]
fn a_hello_alone_does_not_make_the_picture_live() {
    let mut supervisor = live();
    supervisor.step(10_100, ConnectionEvent::BrowserRetries, 0.5);
    supervisor.step(10_200, HELLO, 0.5);
    assert_eq!(supervisor.status(10_200).state, ConnectionState::Reconnecting);
    supervisor.step(10_300, ConnectionEvent::Applied, 0.5);
    assert_eq!(supervisor.status(10_300).state, ConnectionState::Live);
}

#[test]
fn a_silent_line_is_stale_and_opened_anew() {
    let mut supervisor = live();
    assert_eq!(supervisor.step(12_000, ConnectionEvent::Tick, 0.5), ConnectionCommand::Nothing);
    assert_eq!(supervisor.status(12_001).state, ConnectionState::Stale, "even before anyone acts on it");
    assert_eq!(supervisor.step(12_001, ConnectionEvent::Tick, 0.5), ConnectionCommand::Close);
    assert_eq!(supervisor.step(12_251, ConnectionEvent::Tick, 0.5), ConnectionCommand::Open);
    assert_eq!(supervisor.status(12_251).state, ConnectionState::Stale);
    assert_eq!(
        supervisor.step(14_000, ConnectionEvent::Tick, 0.5),
        ConnectionCommand::Nothing,
        "the new line has its own patience"
    );
}

#[test]
fn a_bye_is_calm_until_it_lasts() {
    let mut supervisor = live();
    assert_eq!(supervisor.step(10_000, ConnectionEvent::Bye { retry_ms: 1_500 }, 0.5), ConnectionCommand::Close);
    assert_eq!(supervisor.status(11_000).state, ConnectionState::Reconnecting);
    assert_eq!(supervisor.step(11_499, ConnectionEvent::Tick, 0.5), ConnectionCommand::Nothing);
    assert_eq!(supervisor.step(11_500, ConnectionEvent::Tick, 0.5), ConnectionCommand::Open);
    assert_eq!(supervisor.status(12_500).state, ConnectionState::Stale);
}

#[test]
fn waits_grow_while_nothing_holds_and_start_over_after_a_good_line() {
    let mut supervisor = Supervisor::new(0);
    for (at, wait) in [(0, 500), (1_000, 1_000), (3_000, 2_000)] {
        assert_eq!(supervisor.step(at, ConnectionEvent::Broken, 1.0), ConnectionCommand::Close);
        assert_eq!(supervisor.step(at + wait - 1, ConnectionEvent::Tick, 1.0), ConnectionCommand::Nothing);
        assert_eq!(supervisor.step(at + wait, ConnectionEvent::Tick, 1.0), ConnectionCommand::Open);
    }
    supervisor.step(6_000, ConnectionEvent::Applied, 1.0);
    supervisor.step(6_100, ConnectionEvent::Broken, 1.0);
    assert_eq!(
        supervisor.step(10_099, ConnectionEvent::Tick, 1.0),
        ConnectionCommand::Nothing,
        "a line that held a moment is no good one"
    );
    assert_eq!(supervisor.step(10_100, ConnectionEvent::Tick, 1.0), ConnectionCommand::Open);
    supervisor.step(11_000, ConnectionEvent::Applied, 1.0);
    supervisor.step(16_000, ConnectionEvent::GaveUp, 1.0);
    supervisor.step(16_000, ConnectionEvent::Probed(None), 1.0);
    assert_eq!(supervisor.step(16_500, ConnectionEvent::Tick, 1.0), ConnectionCommand::Open);
}

#[test]
fn a_nudge_ends_the_wait() {
    let mut supervisor = Supervisor::new(0);
    supervisor.step(0, ConnectionEvent::Broken, 1.0);
    assert_eq!(supervisor.step(1, ConnectionEvent::Nudge, 1.0), ConnectionCommand::Open);
    assert_eq!(supervisor.step(2, ConnectionEvent::Nudge, 1.0), ConnectionCommand::Nothing);
}

/// Ticks at the page's interval, so that no tick is late, and returns the commands that followed.
fn tick(supervisor: &mut Supervisor, from: u64, to: u64) -> Vec<(u64, ConnectionCommand)> {
    let ticks = (from..=to).step_by(250);
    ticks
        .map(|now| (now, supervisor.step(now, ConnectionEvent::Tick, 1.0)))
        .filter(|(_, did)| *did != ConnectionCommand::Nothing)
        .collect()
}

#[test]
fn a_refusal_that_names_a_time_is_waited_out_whoever_looks() {
    let mut supervisor = live();
    tick(&mut supervisor, 0, 10_000);
    assert_eq!(supervisor.step(10_000, ConnectionEvent::GaveUp, 0.5), ConnectionCommand::Probe);
    assert_eq!(
        supervisor.step(10_010, ConnectionEvent::Nudge, 0.5),
        ConnectionCommand::Nothing,
        "the probe is out already"
    );
    assert_eq!(
        supervisor.step(10_020, ConnectionEvent::Probed(Some(Advice::Wait(5_000))), 0.5),
        ConnectionCommand::Close
    );
    assert_eq!(supervisor.next_in(10_020), Some(5));
    assert_eq!(supervisor.step(11_000, ConnectionEvent::Nudge, 0.5), ConnectionCommand::Nothing);
    assert_eq!(tick(&mut supervisor, 11_000, 16_000), [(15_250, ConnectionCommand::Open)]);
}

#[test]
fn a_refusal_for_good_is_not_asked_again_until_someone_looks() {
    let mut supervisor = Supervisor::new(0);
    supervisor.step(0, ConnectionEvent::GaveUp, 0.5);
    assert_eq!(supervisor.step(20, ConnectionEvent::Probed(Some(Advice::Stop)), 0.5), ConnectionCommand::Close);
    assert_eq!(tick(&mut supervisor, 250, 3_600_000), []);
    assert_eq!(supervisor.next_in(3_600_000), None);
    assert_eq!(supervisor.step(3_600_001, ConnectionEvent::Nudge, 0.5), ConnectionCommand::Open);
}

#[test]
fn a_probe_that_does_not_come_back_holds_nothing_up() {
    let mut supervisor = Supervisor::new(0);
    supervisor.step(0, ConnectionEvent::GaveUp, 0.5);
    assert_eq!(tick(&mut supervisor, 250, 10_250), [(10_000, ConnectionCommand::Open)]);
    assert_eq!(
        supervisor.step(10_300, ConnectionEvent::Probed(Some(Advice::Stop)), 0.5),
        ConnectionCommand::Nothing,
        "too late"
    );
}

#[test]
fn after_a_sleep_the_line_is_opened_at_once() {
    let mut supervisor = live();
    supervisor.step(10_000, ConnectionEvent::Tick, 0.5);
    assert_eq!(supervisor.status(3_600_000).state, ConnectionState::Stale, "from the first moment awake");
    assert_eq!(supervisor.step(3_600_000, ConnectionEvent::Tick, 0.5), ConnectionCommand::Open);
}

#[test]
fn without_a_network_it_says_so_unless_something_comes_all_the_same() {
    let mut supervisor = live();
    supervisor.step(10_000, ConnectionEvent::Offline, 0.5);
    assert_eq!(supervisor.status(10_001).state, ConnectionState::Live);
    supervisor.step(10_100, ConnectionEvent::BrowserRetries, 0.5);
    assert_eq!(supervisor.status(10_101), ConnectionStatus { state: ConnectionState::Offline, since: 10_000 });
    supervisor.step(10_200, ConnectionEvent::Broken, 0.5);
    assert_eq!(supervisor.step(10_201, ConnectionEvent::Online, 0.5), ConnectionCommand::Open);
    assert_eq!(supervisor.status(10_201).state, ConnectionState::Reconnecting);
}

#[test]
fn a_new_selection_is_opened_now_or_with_the_next_try() {
    let mut supervisor = live();
    assert_eq!(supervisor.step(10_001, ConnectionEvent::Reopen, 0.5), ConnectionCommand::Open);
    assert_eq!(supervisor.status(10_002).state, ConnectionState::Live, "nobody needs to know");
    supervisor.step(10_003, ConnectionEvent::Bye { retry_ms: 1_000 }, 0.5);
    assert_eq!(supervisor.step(10_004, ConnectionEvent::Reopen, 0.5), ConnectionCommand::Nothing);
}

/// Makes a supervisor that was live, with an event every second, from 1 to 20 s.
fn live_at_one_hz() -> Supervisor {
    let mut supervisor = Supervisor::new(0);
    supervisor.step(0, ConnectionEvent::Hello { heartbeat_ms: 15_000 }, 0.5);
    for now in (1_000..=20_000).step_by(250) {
        let input = if now % 1_000 == 0 { ConnectionEvent::Applied } else { ConnectionEvent::Tick };
        assert_eq!(supervisor.step(now, input, 0.5), ConnectionCommand::Nothing);
        assert_eq!(supervisor.status(now).state, ConnectionState::Live);
    }
    supervisor
}

#[test]
fn silent_server_that_sent_an_event_every_second_is_not_live_after_six_seconds() {
    let mut supervisor = live_at_one_hz();
    assert_eq!(tick(&mut supervisor, 20_250, 26_000), [(25_000, ConnectionCommand::Check)]);
    assert_eq!(supervisor.status(25_400).state, ConnectionState::Live, "most checks are answered at once");
    assert_eq!(supervisor.status(26_000), ConnectionStatus { state: ConnectionState::Stale, since: 20_000 });
    assert_eq!(
        tick(&mut supervisor, 26_250, 51_000),
        [(50_250, ConnectionCommand::Close), (50_750, ConnectionCommand::Open)]
    );
    supervisor.step(52_000, ConnectionEvent::Applied, 0.5);
    assert_eq!(supervisor.status(52_000).state, ConnectionState::Live);
}

#[test]
fn server_that_answers_the_check_is_live_although_its_sources_stopped() {
    let mut supervisor = live_at_one_hz();
    assert_eq!(tick(&mut supervisor, 20_250, 25_000), [(25_000, ConnectionCommand::Check)]);
    assert_eq!(supervisor.step(25_010, ConnectionEvent::Checked(true), 0.5), ConnectionCommand::Nothing);
    assert_eq!(tick(&mut supervisor, 25_250, 34_750), []);
    assert_eq!(supervisor.status(34_999).state, ConnectionState::Live);
    supervisor.step(35_000, ConnectionEvent::Applied, 0.5);
    assert_eq!(tick(&mut supervisor, 35_250, 64_000), [], "a gap as long was seen, so only the heartbeat counts");
}

#[test]
fn server_that_is_gone_is_left_as_soon_as_the_check_fails() {
    let mut supervisor = live_at_one_hz();
    tick(&mut supervisor, 20_250, 25_000);
    assert_eq!(supervisor.step(25_010, ConnectionEvent::Checked(false), 0.5), ConnectionCommand::Close);
    assert_eq!(supervisor.status(25_020).state, ConnectionState::Stale);
    assert_eq!(supervisor.step(25_020, ConnectionEvent::Checked(false), 0.5), ConnectionCommand::Nothing);
}

#[test]
fn silent_stream_that_is_given_up_for_another_selection_does_not_stay_live() {
    let mut supervisor = live();
    supervisor.step(11_900, ConnectionEvent::Reopen, 0.5);
    assert_eq!(supervisor.status(12_000).state, ConnectionState::Live);
    let status = ConnectionStatus { state: ConnectionState::Stale, since: 10_000 };
    assert_eq!(supervisor.status(12_001), status, "nothing came since, on neither stream");
    supervisor.step(12_500, ConnectionEvent::Applied, 0.5);
    assert_eq!(supervisor.status(12_500).state, ConnectionState::Live);
}
