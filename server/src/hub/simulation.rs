//! Property test of the hub over random schedules: whatever happens between the hub and its subscribers, a picture at
//! cursor *n* equals the server's state at *n*. `world` is the server, its store and the events, `browser` a client
//! with its picture, `admission` its way into the hub, `examples` are fixed schedules.

mod admission;
mod browser;
mod examples;
mod world;

use proptest::prelude::*;

pub(super) use admission::subscribe;
pub(super) use world::{EPOCH, hub_of, series};
use world::{READERS, SCARCE, SELECTIONS, World};

#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Points are committed, and published together.
    Push { series: u8, count: u8, late_ms: u16 },
    /// The same, one point at a time; a subscriber reads and reconnects in between.
    PushSlowly { series: u8, count: u8, late_ms: u16, reader: usize },
    /// The board `s` has a new document, which selects this one of [`SELECTIONS`]. The series that its subscribers will
    /// need are rehydrated before, or were evicted again by the time.
    Edit { selection: usize, rehydrated: bool },
    /// The document of the board `s` is deleted.
    Delete,
    /// A series is removed with all its points; perhaps while frames are being encoded.
    Remove { series: u8, drafting: bool },
    /// Time passes.
    Pass { ms: u16 },
    /// A subscriber reads up to this number of frames.
    Read { reader: usize, frames: u8 },
    /// The same, and points are pushed after each frame before it is encoded.
    ReadLate { reader: usize, frames: u8, series: u8 },
    /// The connection is cut, and the client comes back with the last id that it received.
    Cut { reader: usize },
    /// The server is restarted from its store; all connections are cut.
    Restart,
    /// The server's data is copied.
    Copy,
    /// The server is stopped, its data is replaced by the last copy, and it is started again.
    Restore,
    /// A page is reloaded.
    Reload { reader: usize, hz: u32 },
}

/// The number of schedules: `SIMULATED_SCHEDULES`, or twenty thousand. Proptest shrinks and prints a schedule that
/// fails, and keeps it to be run first the next time.
fn schedules() -> u32 {
    std::env::var("SIMULATED_SCHEDULES").map_or(20_000, |text| text.parse().expect("SIMULATED_SCHEDULES is a number"))
}

fn happening() -> impl Strategy<Value = Happening> {
    let reader = 0..READERS;
    prop_oneof![
        8 => (0..5u8, 1..4u8, prop_oneof![Just(0), 0..60_000u16])
            .prop_map(|(series, count, late_ms)| Happening::Push { series, count, late_ms }),
        2 => (0..5u8, 1..6u8, prop_oneof![Just(0), 0..60_000u16], reader.clone())
            .prop_map(|(series, count, late_ms, reader)| Happening::PushSlowly { series, count, late_ms, reader }),
        4 => prop_oneof![1..100u16, 0..40_000u16].prop_map(|ms| Happening::Pass { ms }),
        8 => (reader.clone(), 1..8u8).prop_map(|(reader, frames)| Happening::Read { reader, frames }),
        3 => (reader.clone(), 1..4u8, 0..5u8)
            .prop_map(|(reader, frames, series)| Happening::ReadLate { reader, frames, series }),
        2 => reader.clone().prop_map(|reader| Happening::Cut { reader }),
        1 => (0..5u8, any::<bool>()).prop_map(|(series, drafting)| Happening::Remove { series, drafting }),
        1 => Just(Happening::Restart),
        1 => Just(Happening::Copy),
        1 => Just(Happening::Restore),
        1 => (0..SELECTIONS.len(), any::<bool>())
            .prop_map(|(selection, rehydrated)| Happening::Edit { selection, rehydrated }),
        1 => Just(Happening::Delete),
        1 => (reader, prop_oneof![Just(0), Just(1), Just(20)]).prop_map(|(reader, hz)| Happening::Reload { reader, hz }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(schedules()))]

    #[test]
    fn whatever_happens_a_picture_equals_the_server_at_its_cursor(
        happenings in prop::collection::vec(happening(), 1..120),
        memory in prop_oneof![Just(usize::MAX), Just(SCARCE)],
    ) {
        let mut world = World::with_memory(memory);
        for happening in happenings {
            match happening {
                Happening::Push { series, count, late_ms } => world.push(series, count, late_ms),
                Happening::PushSlowly { series, count, late_ms, reader } => {
                    world.push_slowly(series, count, late_ms, reader)?;
                }
                Happening::Remove { series, drafting } => world.remove(series, drafting),
                Happening::Pass { ms } => world.pass(ms),
                Happening::Read { reader, frames } => {
                    world.read(reader, frames.into())?;
                }
                Happening::ReadLate { reader, frames, series } => world.read_late(reader, frames, series)?,
                Happening::Edit { selection, rehydrated } => world.edit(Some(selection), rehydrated),
                Happening::Delete => world.edit(None, false),
                Happening::Cut { reader } => world.cut(reader),
                Happening::Restart => world.restart(),
                Happening::Copy => world.copy = world.stored.clone(),
                Happening::Restore => world.restore(),
                Happening::Reload { reader, hz } => world.reload(reader, hz),
            }
        }
        // In the end everything is read, and no subscriber is behind.
        world.pass(1_000);
        for reader in 0..READERS {
            world.end(reader)?;
        }
    }
}
