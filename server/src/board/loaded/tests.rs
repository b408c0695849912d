//! Tests of the boards in memory: they follow from the log.

use std::path::Path;

use proptest::prelude::*;
use shared::board::BoardFormat;

use super::super::precondition::Conditions;
use super::super::{BoardRegistry, Refusal};
use super::*;
use crate::access::Actor;
use crate::access::ReadScope;
use crate::board::registry::BoardError;
use crate::hub::{Rate, Subscription};
use crate::log::Log as _;
use crate::store::{Retention, Store, Writer};

fn id(n: usize) -> BoardId {
    format!("b{n}").parse().unwrap()
}

fn document(n: u8) -> Document {
    Document::read(BoardFormat::Toml, format!("title = \"{n}\"\n").into_bytes()).unwrap()
}

/// A node: the registry with the boards that it changes, and other boards that only follow the log.
fn node(folder: &Path) -> (BoardRegistry, LoadedBoards, LoadedBoards) {
    let mut log = LocalLog::new(Store::open(folder).unwrap());
    let [own, other] = [(); 2].map(|()| LoadedBoards::new(BoardsAtStart::load(&mut log, &Found::default()).unwrap()));
    let head = log.store().head();
    log.subscribe(head, Box::new(own.clone())).unwrap();
    log.subscribe(head, Box::new(other.clone())).unwrap();
    let (writer, _thread) = Writer::start(Box::new(log), Retention::default()).unwrap();
    (BoardRegistry::new(own.clone(), writer), own, other)
}

/// Any change, whatever is there: `If-Match: *` where there is a document.
fn anything(boards: &LoadedBoards, id: &BoardId) -> Conditions {
    let headers = boards.shown(id).map(|_| ("if-match".parse().unwrap(), "*".parse().unwrap()));
    Conditions::of(&headers.into_iter().collect())
}

#[test]
fn deleted_boards_are_forgotten_beyond_a_bound_and_their_old_cursors_get_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    for n in 0..MAX_DELETED + 3 {
        let (id, selectors) = (id(n), vec![id(n).selector()]);
        let since = Seq(10 + n as u64);
        store.store_board(&StoredBoard { id, selectors, since, document: None }).unwrap();
    }
    let mut log = LocalLog::new(store);
    let loaded = BoardsAtStart::load(&mut log, &Found::default()).unwrap();
    assert_eq!((loaded.all.len(), loaded.forgotten), (MAX_DELETED, Seq(12)));
    assert_eq!(log.store().boards().unwrap().len(), MAX_DELETED);
    let subscription = |n: usize| Subscription {
        series: Vec::new(),
        boards: vec![id(n)],
        rate: Rate::of_hz(20).unwrap(),
        scope: ReadScope::everything(),
    };
    let boards = loaded.for_hub();
    for (board, since) in [(0, 12), (2, 12), (3, 13), (MAX_DELETED + 9, 12)] {
        assert_eq!(boards.since(&subscription(board)), Seq(since), "board {board}");
    }
}

#[tokio::test]
async fn of_two_clients_that_replace_the_same_document_at_once_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, boards, _) = node(folder.path());
    registry.put(id(1), document(0), Conditions::default(), &Actor::unknown()).await.unwrap();
    let tag = boards.shown(&id(1)).unwrap().document.etag().to_string();
    let replaces = || Conditions::of(&[("if-match".parse().unwrap(), tag.parse().unwrap())].into_iter().collect());
    let (first, second) = {
        let actor = Actor::unknown();
        let put = |n| registry.put(id(1), document(n), replaces(), &actor);
        tokio::join!(put(1), put(2))
    };
    assert!(first.is_ok());
    assert!(matches!(second, Err(BoardError::Refused(Refusal::Changed { .. }))), "{second:?}");
    assert_eq!(boards.shown(&id(1)).unwrap().document.source(), "title = \"1\"\n");
}

#[test]
fn change_that_was_decided_from_an_older_state_is_not_applied() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = LocalLog::new(Store::open(folder.path()).unwrap());
    let edition =
        |n| Edition { document: Arc::new(document(n)), changed: Millis(u64::from(n)), origin: DocumentOrigin::Stored };
    let never = LoadedBoard::never_made(&id(1), Seq::ZERO);
    let [first, second] = [1, 2].map(|n| LoadedBoard { uploaded: Some(edition(n)), ..never.clone() });
    let is_applied = |changed: Result<BoardChanged, CommitError>| changed.unwrap() != BoardChanged::Overtaken;
    assert!(is_applied(log.change_board(first.as_change(&id(1), &never), None)));
    let before = log.store().boards().unwrap();
    assert!(!is_applied(log.change_board(second.as_change(&id(1), &never), None)), "it has the first document by now");
    assert_eq!(log.store().boards().unwrap(), before);
    assert!(is_applied(log.change_board(second.as_change(&id(1), &first), None)));
    assert!(!is_applied(log.change_board(never.as_change(&id(1), &first), None)));
    assert!(is_applied(log.change_board(never.as_change(&id(1), &second), None)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The law: the boards in memory are a fold of the log. Whoever makes the changes, each fold of them is the same, and
    /// the same as after a restart.
    #[test]
    fn boards_that_only_follow_the_log_are_those_of_the_registry_and_of_a_restart(
        steps in prop::collection::vec((0..3_usize, prop::option::of(0..3_u8)), 1..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (registry, own, other) = node(folder.path());
        runtime.block_on(async {
            for (board, new) in steps {
                let conditions = anything(&own, &id(board));
                match new {
                    Some(new) => _ = registry.put(id(board), document(new), conditions, &Actor::unknown()).await.unwrap(),
                    None => _ = registry.delete(id(board), conditions, &Actor::unknown()).await,
                }
            }
        });
        prop_assert_eq!(own.list(), other.list());
        let all = |boards: &LoadedBoards| boards.0.boards.read().all.clone();
        prop_assert_eq!(all(&own), all(&other));
        let before = all(&own);
        drop(registry);
        // The thread ends when its last handle is gone, and then lets go of the folder.
        let store = loop {
            match Store::open(folder.path()) {
                Ok(store) => break store,
                Err(crate::store::OpenError::InUse(_)) => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        };
        let again = BoardsAtStart::load(&mut LocalLog::new(store), &Found::default()).unwrap();
        prop_assert_eq!(again.all, before);
    }
}
