//! Tests of the supervisor: its commands and states, moment by moment.

use super::*;

const HELLO: Input = Input::Hello { heartbeat_ms: 1_000 };

/// Makes a supervisor that was live from 0 to 10 000 ms.
fn live() -> Supervisor {
    let mut supervisor = Supervisor::new(0);
    supervisor.step(0, HELLO, 0.5);
    supervisor.step(0, Input::Applied, 0.5);
    supervisor.step(10_000, Input::Heard, 0.5);
    assert_eq!(supervisor.standing(10_000), Standing { state: State::Live, since: 0 });
    supervisor
}

#[test]
fn it_is_live_only_once_there_is_a_picture() {
    let mut supervisor = Supervisor::new(0);
    assert_eq!(supervisor.standing(1).state, State::Connecting);
    assert_eq!(supervisor.step(10, HELLO, 0.5), Command::Nothing);
    assert_eq!(supervisor.standing(11).state, State::Connecting);
    supervisor.step(12, Input::Applied, 0.5);
    assert_eq!(supervisor.standing(13), Standing { state: State::Live, since: 12 });
}

#[test]
fn a_first_connection_that_fails_is_said_to_be_tried_again() {
    let mut supervisor = Supervisor::new(0);
    assert_eq!(supervisor.step(5, Input::GaveUp, 0.5), Command::Probe);
    assert_eq!(supervisor.step(5, Input::Probed(None), 0.5), Command::Close);
    assert_eq!(supervisor.standing(6).state, State::Reconnecting);
    assert_eq!(supervisor.step(254, Input::Tick, 0.5), Command::Nothing);
    assert_eq!(supervisor.step(255, Input::Tick, 0.5), Command::Open);
}

#[test]
fn a_lost_line_is_reconnecting_and_soon_stale_since_it_was_last_true() {
    let mut supervisor = live();
    assert_eq!(supervisor.step(10_100, Input::BrowserRetries, 0.5), Command::Nothing);
    assert_eq!(supervisor.standing(10_101), Standing { state: State::Reconnecting, since: 10_000 });
    assert_eq!(supervisor.standing(12_001), Standing { state: State::Stale, since: 10_000 });
    supervisor.step(12_900, HELLO, 0.5);
    assert_eq!(supervisor.standing(12_900).state, State::Stale, "what was missed is still to come");
    supervisor.step(13_000, Input::Applied, 0.5);
    assert_eq!(supervisor.standing(13_000), Standing { state: State::Live, since: 13_000 });
}

#[test]
fn a_hello_alone_does_not_make_the_picture_live() {
    let mut supervisor = live();
    supervisor.step(10_100, Input::BrowserRetries, 0.5);
    supervisor.step(10_200, HELLO, 0.5);
    assert_eq!(supervisor.standing(10_200).state, State::Reconnecting);
    supervisor.step(10_300, Input::Applied, 0.5);
    assert_eq!(supervisor.standing(10_300).state, State::Live);
}

#[test]
fn a_silent_line_is_stale_and_opened_anew() {
    let mut supervisor = live();
    assert_eq!(supervisor.step(12_000, Input::Tick, 0.5), Command::Nothing);
    assert_eq!(supervisor.standing(12_001).state, State::Stale, "even before anyone acts on it");
    assert_eq!(supervisor.step(12_001, Input::Tick, 0.5), Command::Close);
    assert_eq!(supervisor.step(12_251, Input::Tick, 0.5), Command::Open);
    assert_eq!(supervisor.standing(12_251).state, State::Stale);
    assert_eq!(supervisor.step(14_000, Input::Tick, 0.5), Command::Nothing, "the new line has its own patience");
}

#[test]
fn a_bye_is_calm_until_it_lasts() {
    let mut supervisor = live();
    assert_eq!(supervisor.step(10_000, Input::Bye { retry_ms: 1_500 }, 0.5), Command::Close);
    assert_eq!(supervisor.standing(11_000).state, State::Reconnecting);
    assert_eq!(supervisor.step(11_499, Input::Tick, 0.5), Command::Nothing);
    assert_eq!(supervisor.step(11_500, Input::Tick, 0.5), Command::Open);
    assert_eq!(supervisor.standing(12_500).state, State::Stale);
}

#[test]
fn waits_grow_while_nothing_holds_and_start_over_after_a_good_line() {
    let mut supervisor = Supervisor::new(0);
    for (at, wait) in [(0, 500), (1_000, 1_000), (3_000, 2_000)] {
        assert_eq!(supervisor.step(at, Input::Broken, 1.0), Command::Close);
        assert_eq!(supervisor.step(at + wait - 1, Input::Tick, 1.0), Command::Nothing);
        assert_eq!(supervisor.step(at + wait, Input::Tick, 1.0), Command::Open);
    }
    supervisor.step(6_000, Input::Applied, 1.0);
    supervisor.step(6_100, Input::Broken, 1.0);
    assert_eq!(supervisor.step(10_099, Input::Tick, 1.0), Command::Nothing, "a line that held a moment is no good one");
    assert_eq!(supervisor.step(10_100, Input::Tick, 1.0), Command::Open);
    supervisor.step(11_000, Input::Applied, 1.0);
    supervisor.step(16_000, Input::GaveUp, 1.0);
    supervisor.step(16_000, Input::Probed(None), 1.0);
    assert_eq!(supervisor.step(16_500, Input::Tick, 1.0), Command::Open);
}

#[test]
fn a_nudge_ends_the_wait() {
    let mut supervisor = Supervisor::new(0);
    supervisor.step(0, Input::Broken, 1.0);
    assert_eq!(supervisor.step(1, Input::Nudge, 1.0), Command::Open);
    assert_eq!(supervisor.step(2, Input::Nudge, 1.0), Command::Nothing);
}

/// Ticks at the page's interval, so that no tick is late, and returns the commands that followed.
fn tick(supervisor: &mut Supervisor, from: u64, to: u64) -> Vec<(u64, Command)> {
    let ticks = (from..=to).step_by(250);
    ticks.map(|now| (now, supervisor.step(now, Input::Tick, 1.0))).filter(|(_, did)| *did != Command::Nothing).collect()
}

#[test]
fn a_refusal_that_names_a_time_is_waited_out_whoever_looks() {
    let mut supervisor = live();
    tick(&mut supervisor, 0, 10_000);
    assert_eq!(supervisor.step(10_000, Input::GaveUp, 0.5), Command::Probe);
    assert_eq!(supervisor.step(10_010, Input::Nudge, 0.5), Command::Nothing, "the probe is out already");
    assert_eq!(supervisor.step(10_020, Input::Probed(Some(Advice::Wait(5_000))), 0.5), Command::Close);
    assert_eq!(supervisor.next_in(10_020), Some(5));
    assert_eq!(supervisor.step(11_000, Input::Nudge, 0.5), Command::Nothing);
    assert_eq!(tick(&mut supervisor, 11_000, 16_000), [(15_250, Command::Open)]);
}

#[test]
fn a_refusal_for_good_is_not_asked_again_until_someone_looks() {
    let mut supervisor = Supervisor::new(0);
    supervisor.step(0, Input::GaveUp, 0.5);
    assert_eq!(supervisor.step(20, Input::Probed(Some(Advice::Stop)), 0.5), Command::Close);
    assert_eq!(tick(&mut supervisor, 250, 3_600_000), []);
    assert_eq!(supervisor.next_in(3_600_000), None);
    assert_eq!(supervisor.step(3_600_001, Input::Nudge, 0.5), Command::Open);
}

#[test]
fn a_probe_that_does_not_come_back_holds_nothing_up() {
    let mut supervisor = Supervisor::new(0);
    supervisor.step(0, Input::GaveUp, 0.5);
    assert_eq!(tick(&mut supervisor, 250, 10_250), [(10_000, Command::Open)]);
    assert_eq!(supervisor.step(10_300, Input::Probed(Some(Advice::Stop)), 0.5), Command::Nothing, "too late");
}

#[test]
fn after_a_sleep_the_line_is_opened_at_once() {
    let mut supervisor = live();
    supervisor.step(10_000, Input::Tick, 0.5);
    assert_eq!(supervisor.standing(3_600_000).state, State::Stale, "from the first moment awake");
    assert_eq!(supervisor.step(3_600_000, Input::Tick, 0.5), Command::Open);
}

#[test]
fn without_a_network_it_says_so_unless_something_comes_all_the_same() {
    let mut supervisor = live();
    supervisor.step(10_000, Input::Offline, 0.5);
    assert_eq!(supervisor.standing(10_001).state, State::Live);
    supervisor.step(10_100, Input::BrowserRetries, 0.5);
    assert_eq!(supervisor.standing(10_101), Standing { state: State::Offline, since: 10_000 });
    supervisor.step(10_200, Input::Broken, 0.5);
    assert_eq!(supervisor.step(10_201, Input::Online, 0.5), Command::Open);
    assert_eq!(supervisor.standing(10_201).state, State::Reconnecting);
}

#[test]
fn a_new_selection_is_opened_now_or_with_the_next_try() {
    let mut supervisor = live();
    assert_eq!(supervisor.step(10_001, Input::Reopen, 0.5), Command::Open);
    assert_eq!(supervisor.standing(10_002).state, State::Live, "nobody needs to know");
    supervisor.step(10_003, Input::Bye { retry_ms: 1_000 }, 0.5);
    assert_eq!(supervisor.step(10_004, Input::Reopen, 0.5), Command::Nothing);
}
