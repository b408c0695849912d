//! Simulates the tabs of one browser, a server and a network over random schedules, and checks the law: each tab's
//! picture equals the server's state at its cursor.
//!
//! The code that decides in a tab is the real one ([`Tab`](super::tab::Tab) with its [`Live`](crate::live::Live)).
//! [`world`] imitates the browser (locks, channel, EventSource) and the network, [`server`] the server.

mod server;
mod world;

use proptest::prelude::*;
use shared::ByeReason;

use super::lifecycle::LifecycleEvent;
use super::tab::Sharing;
use server::Answer;
use world::World;

const TABS: usize = 5;
const BOARDS: [&str; 3] = ["ops", "dev", "hall"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Open {
        tab: usize,
        board: usize,
    },
    /// The tab shows another board, as after a change of its document.
    Show {
        tab: usize,
        board: usize,
    },
    Close {
        tab: usize,
    },
    /// The browser kills the tab, which has no time to send a message.
    Crash {
        tab: usize,
    },
    /// The tab stops without an event, as in a debugger or a busy loop.
    Freeze {
        tab: usize,
    },
    Thaw {
        tab: usize,
    },
    /// The tab is frozen, with the browser's events.
    Sleep {
        tab: usize,
    },
    Wake {
        tab: usize,
    },
    Look {
        tab: usize,
    },
    Push {
        board: usize,
        series: u8,
    },
    /// The tab handles the next event in its queue.
    Hear {
        tab: usize,
    },
    /// The server writes to a tab's stream.
    Write {
        tab: usize,
    },
    /// The next message from another tab gets lost. No browser does so, but the law does not depend on that.
    Lose {
        tab: usize,
    },
    Cut {
        tab: usize,
    },
    /// The connection breaks so that the browser gives up.
    Break {
        tab: usize,
    },
    Bye(ByeReason),
    /// The server restarts: all connections are cut.
    Restart,
    /// The server's data is copied.
    Copy,
    /// The server restarts with its last copy.
    Restore,
    Answer(Answer),
    Pass {
        ms: u64,
    },
    /// All goes well for this long.
    Settle {
        ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let tab = || 0..TABS;
    prop_oneof![
        3 => (tab(), 0..BOARDS.len()).prop_map(|(tab, board)| Step::Open { tab, board }),
        1 => (tab(), 0..BOARDS.len()).prop_map(|(tab, board)| Step::Show { tab, board }),
        1 => tab().prop_map(|tab| Step::Close { tab }),
        1 => tab().prop_map(|tab| Step::Crash { tab }),
        1 => tab().prop_map(|tab| Step::Freeze { tab }),
        2 => tab().prop_map(|tab| Step::Thaw { tab }),
        1 => tab().prop_map(|tab| Step::Sleep { tab }),
        2 => tab().prop_map(|tab| Step::Wake { tab }),
        1 => tab().prop_map(|tab| Step::Look { tab }),
        10 => (0..BOARDS.len(), 0..3u8).prop_map(|(board, series)| Step::Push { board, series }),
        30 => tab().prop_map(|tab| Step::Hear { tab }),
        15 => tab().prop_map(|tab| Step::Write { tab }),
        2 => tab().prop_map(|tab| Step::Lose { tab }),
        6 => prop_oneof![Just(250), Just(1_000), Just(4_000)].prop_map(|ms| Step::Settle { ms }),
        1 => tab().prop_map(|tab| Step::Cut { tab }),
        1 => tab().prop_map(|tab| Step::Break { tab }),
        1 => prop_oneof![Just(ByeReason::Shutdown), Just(ByeReason::Denied)].prop_map(Step::Bye),
        1 => Just(Step::Restart),
        1 => Just(Step::Copy),
        1 => Just(Step::Restore),
        1 => prop_oneof![3 => Just(Answer::Stream), 1 => Just(Answer::Nothing), 1 => Just(Answer::Full)].prop_map(Step::Answer),
        8 => prop_oneof![4 => 1..400u64, 2 => 400..4_000u64, 1 => 4_000..60_000u64].prop_map(|ms| Step::Pass { ms }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn each_tab_shows_what_the_server_has_whatever_happens_to_the_others(
        steps in prop::collection::vec(step(), 1..250),
        alone in prop::bool::weighted(0.1),
    ) {
        let mut world = World::new(if alone { Sharing::Alone } else { Sharing::Team });
        steps.into_iter().for_each(|step| world.take(step));
        // Frozen tabs may stay frozen: the running ones must go on without them.
        world.server.answer = Answer::Stream;
        (0..TABS).for_each(|at| world.vital(at, LifecycleEvent::Awake));
        world.settle(60_000);
        world.server.push(0, 0);
        world.server.push(1, 0);
        world.settle(1_000);
        world.all_is_well();
        // Then all of them wake.
        (0..TABS).for_each(|at| world.thaw(at));
        (0..TABS).for_each(|at| world.vital(at, LifecycleEvent::Awake));
        world.settle(60_000);
        world.server.push(2, 0);
        world.settle(1_000);
        world.all_is_well();
    }
}
