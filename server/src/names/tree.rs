//! The names of series as a tree of segments.
//!
//! Nodes are only ever added, and a new child goes before its siblings, so an interrupted walk can continue from any
//! node. A node has no list of its children: the children are linked to each other, and one hash table for the whole
//! tree finds a child by parent and segment. That takes some 35 bytes a node.

use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use shared::SeriesName;
use shared::name::MAX_SEGMENTS;
use shared::point::Kind;

use super::segments::{SegmentId, Segments};
use crate::log::SeriesId;

/// A series in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: SeriesName,
    /// The row in the store.
    pub series: SeriesId,
    /// The kind of its values.
    pub kind: Kind,
}

/// The number of a node.
pub(super) type NodeId = u32;

/// The node at which all names begin.
pub(super) const ROOT: NodeId = 0;

/// Stands for no node and for no series.
const NONE: u32 = u32::MAX;

/// The common beginning of some names.
#[derive(Clone, Copy, Debug)]
struct Node {
    parent: NodeId,
    segment: SegmentId,
    first_child: NodeId,
    next_sibling: NodeId,
    /// The series whose name ends here, or [`NONE`].
    series: u32,
    /// The numbers of segments of the names through this node, as bits `1 << (segments - 1)`.
    depths: u8,
}

/// The node at which the name of a series ends, with its row and kind.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    node: NodeId,
    /// The row in the store; the lowest bit is set if the series holds texts.
    row_and_kind: u32,
}

/// The tree of all names.
#[derive(Debug)]
pub(super) struct Tree {
    segments: Segments,
    nodes: Vec<Node>,
    /// Each node but the root, by parent and segment.
    children: HashTable<NodeId>,
    hash: RandomState,
    /// The leaves, by the index of the series.
    leaves: Vec<Leaf>,
    /// The nodes of the name that was inserted last: the next name often begins in the same way.
    last: Vec<NodeId>,
}

impl Default for Tree {
    fn default() -> Self {
        let root = Node { parent: NONE, segment: NONE, first_child: NONE, next_sibling: NONE, series: NONE, depths: 0 };
        Self {
            segments: Segments::default(),
            nodes: vec![root],
            children: HashTable::new(),
            hash: RandomState::default(),
            leaves: Vec::new(),
            last: Vec::with_capacity(MAX_SEGMENTS),
        }
    }
}

/// The segments of a name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Path {
    ids: [SegmentId; MAX_SEGMENTS],
    len: usize,
}

impl Path {
    pub(super) fn segments(&self) -> &[SegmentId] {
        &self.ids[..self.len]
    }
}

impl Tree {
    /// Adds a series and returns its index.
    pub(super) fn insert(&mut self, name: &SeriesName, series: SeriesId, kind: Kind) -> u32 {
        let index = self.count();
        let mut node = ROOT;
        let mut depth = 0;
        for text in name.segments() {
            let last = self.last.get(depth).copied();
            node = match last.filter(|&last| self.segments.text(self.nodes[last as usize].segment) == text) {
                Some(last) => last,
                None => {
                    let segment = self.segments.intern(text, depth);
                    let child = self.child(node, segment).unwrap_or_else(|| self.add_child(node, segment));
                    self.last.truncate(depth);
                    self.last.push(child);
                    child
                }
            };
            depth += 1;
        }
        self.last.truncate(depth);
        self.nodes[node as usize].series = index;
        self.leaves.push(Leaf { node, row_and_kind: series.0 << 1 | u32::from(kind == Kind::Text) });
        let bit = 1 << (depth - 1);
        while node != NONE && self.nodes[node as usize].depths & bit == 0 {
            self.nodes[node as usize].depths |= bit;
            node = self.nodes[node as usize].parent;
        }
        index
    }

    /// Takes a series out, so that nothing finds it. Its index stays in use, and its nodes stay for other names.
    pub(super) fn remove(&mut self, index: u32) {
        let leaf = self.leaves[index as usize];
        let node = &mut self.nodes[leaf.node as usize];
        if node.series == index {
            node.series = NONE;
        }
    }

    /// Returns true if the series was not taken out.
    pub(super) fn is_live(&self, index: u32) -> bool {
        self.nodes[self.leaves[index as usize].node as usize].series == index
    }

    pub(super) fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Returns the index that the next series will have.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.leaves.len()).expect("there are fewer series than 2^32")
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.segments.shrink_to_fit();
        self.nodes.shrink_to_fit();
        self.leaves.shrink_to_fit();
    }

    /// Returns the number of a segment, if a name has it at `depth`.
    pub(super) fn known_segment(&self, text: &str, depth: usize) -> Option<SegmentId> {
        self.segments.known(text, depth)
    }

    pub(super) fn child(&self, parent: NodeId, segment: SegmentId) -> Option<NodeId> {
        let is_it = |&node: &NodeId| {
            let node = &self.nodes[node as usize];
            node.parent == parent && node.segment == segment
        };
        self.children.find(self.hash.hash_one((parent, segment)), is_it).copied()
    }

    pub(super) fn first_child(&self, node: NodeId) -> Option<NodeId> {
        some(self.nodes[node as usize].first_child)
    }

    pub(super) fn next_sibling(&self, node: NodeId) -> Option<NodeId> {
        some(self.nodes[node as usize].next_sibling)
    }

    /// Returns the series whose name ends at `node`.
    pub(super) fn series(&self, node: NodeId) -> Option<u32> {
        some(self.nodes[node as usize].series)
    }

    /// Returns the numbers of segments of the names through `node`; see [`Node::depths`].
    pub(super) fn depths(&self, node: NodeId) -> u8 {
        self.nodes[node as usize].depths
    }

    /// Returns the segments of a series' name.
    pub(super) fn path(&self, index: u32) -> Path {
        let mut path = Path::default();
        let mut node = self.nodes[self.leaves[index as usize].node as usize];
        while node.parent != NONE {
            path.ids[path.len] = node.segment;
            path.len += 1;
            node = self.nodes[node.parent as usize];
        }
        path.ids[..path.len].reverse();
        path
    }

    /// Returns a series with its name.
    pub(super) fn named(&self, index: u32) -> Named {
        let path = self.path(index);
        let texts: Vec<&str> = path.segments().iter().map(|&id| self.segments.text(id)).collect();
        let name = texts.join("/").parse().expect("only names were inserted");
        let row_and_kind = self.leaves[index as usize].row_and_kind;
        let kind = if row_and_kind & 1 == 1 { Kind::Text } else { Kind::Number };
        Named { name, series: SeriesId(row_and_kind >> 1), kind }
    }

    fn add_child(&mut self, parent: NodeId, segment: SegmentId) -> NodeId {
        let id = u32::try_from(self.nodes.len()).expect("there are fewer nodes than 2^32");
        let next_sibling = std::mem::replace(&mut self.nodes[parent as usize].first_child, id);
        self.nodes.push(Node { parent, segment, first_child: NONE, next_sibling, series: NONE, depths: 0 });
        let Self { nodes, hash, children, .. } = self;
        let hash_of = |&id: &NodeId| hash.hash_one((nodes[id as usize].parent, nodes[id as usize].segment));
        children.insert_unique(hash.hash_one((parent, segment)), id, hash_of);
        id
    }
}

fn some(number: u32) -> Option<u32> {
    (number != NONE).then_some(number)
}
