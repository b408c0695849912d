//! A tab as a member of the group: leads or follows, and answers the messages of other tabs.
//!
//! Has no I/O and no clock. A tab on its own is a leader without followers, so all tabs use the same code.

use shared::{Cursor, Event};

use super::interest::Interest;
use super::leader::LeaderState;
use super::message::{Need, RelayedFrame, TabId, TabMessage};
use crate::json;
use crate::stream::refusal::Refusal;

/// Time within which a leader must give a sign, in milliseconds: it only has to send a message.
const SIGN_MS: u64 = 2_000;

/// Number of ticks that must have passed as well. A tab that was asleep gets its timer before the messages that wait
/// for it.
const SIGN_TICKS: u32 = 4;

/// Interval between two roll calls, in milliseconds.
const ROLL_MS: u64 = 30_000;

/// An effect to carry out.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberEffect {
    /// Send the message to all other tabs.
    Say(TabMessage),
    /// Handle the event as if this tab's own stream had sent it.
    Deliver {
        /// Id of the frame.
        id: String,
        /// The event, restricted to the series that this tab shows.
        event: Event,
    },
    /// The picture is as new as the leader's.
    InStep,
    /// The tabs' interest has changed, or one needs a snapshot: reopen the stream if it is open.
    Reopen,
    /// The leader has lost the server, or was refused.
    Trouble(Option<Refusal>),
    /// Reconnect now, instead of waiting.
    Nudge,
    /// Check the time now. A hidden tab gets timers rarely, but messages from other tabs wake it.
    Look,
    /// The leader gives no sign: steal its lock.
    Steal,
}

/// The parameters to open a stream with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRequest {
    /// Interest to subscribe to.
    pub interest: Interest,
    /// Cursor to continue from; `None` to start with a snapshot.
    pub after: Option<Cursor>,
}

impl StreamRequest {
    /// Returns the address to open, relative to the root of the server.
    #[must_use]
    pub fn address(&self) -> String {
        // The browser sends the last id as a header when it reconnects an EventSource. A new EventSource cannot, so
        // the id is a parameter.
        let after = self.after.map(|cursor| format!("&last_event_id={cursor}")).unwrap_or_default();
        format!("sse?{}{after}", self.interest.query())
    }
}

/// The error of a frame that cannot be read or does not continue the one before. The stream must be reopened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what came cannot be read, or does not continue the picture")]
pub struct BrokenFrame;

/// A tab of the group.
#[derive(Clone, Debug)]
pub struct Member {
    me: TabId,
    mine: Interest,
    /// Interest of the leader's stream and of this tab. A tab that takes over opens its stream with it.
    union: Interest,
    /// True after a snapshot was requested, until it comes.
    asked: bool,
    /// Start of the wait for a sign of the leader in milliseconds, and number of ticks since then.
    owed: Option<(u64, u32)>,
    /// Time of the last roll call, in milliseconds.
    called_at: u64,
    lead: Option<LeaderState>,
}

impl Member {
    /// Makes a tab that shows `mine` and does not lead.
    #[must_use]
    pub fn new(me: TabId, mine: Interest) -> Self {
        Self { me, union: mine.clone(), mine, asked: false, owed: None, called_at: 0, lead: None }
    }

    /// True if this tab holds the stream.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.lead.is_some()
    }

    /// Requests something of the leader, which owes a sign from `now` on.
    #[must_use]
    pub fn ask(&mut self, now: u64, needs: Need) -> MemberEffect {
        self.asked |= needs == Need::Snapshot;
        self.owed.get_or_insert((now, 0));
        MemberEffect::Say(self.here(needs))
    }

    /// Makes this tab the leader at `now`. It continues from the cursor of its picture, if that has one. Tabs that
    /// are further on ignore what they have already; tabs that are behind will request a snapshot.
    #[must_use]
    pub fn elected(&mut self, now: u64, known: Option<Cursor>) -> MemberEffect {
        (self.asked, self.owed, self.called_at) = (false, None, now);
        self.lead = Some(LeaderState::from(known));
        MemberEffect::Say(TabMessage::RollCall)
    }

    /// Ends the leadership of this tab.
    pub fn depose(&mut self) {
        self.lead = None;
    }

    /// True if the tab shows exactly this interest.
    #[must_use]
    pub fn shows(&self, interest: &Interest) -> bool {
        self.mine == *interest
    }

    /// Changes the interest of the tab at `now`, and requests a snapshot of it.
    #[must_use]
    pub fn show(&mut self, now: u64, mine: Interest) -> MemberEffect {
        self.union.add(&mine);
        self.mine = mine;
        if let Some(lead) = &mut self.lead {
            lead.start_over();
            return MemberEffect::Reopen;
        }
        self.ask(now, Need::Snapshot)
    }

    /// Retires the tab, which is about to be frozen or closed.
    #[must_use]
    pub fn retire(&mut self) -> MemberEffect {
        (self.asked, self.owed, self.lead) = (false, None, None);
        MemberEffect::Say(TabMessage::Gone { tab: self.me.clone() })
    }

    /// Returns the parameters to open the stream with. All later frames are taken to be about them.
    #[must_use]
    pub fn opening(&mut self) -> StreamRequest {
        if let Some(lead) = &mut self.lead {
            lead.hold(self.union.clone());
        }
        let after = self.lead.as_ref().and_then(LeaderState::cursor);
        StreamRequest { interest: self.union.clone(), after }
    }

    /// Takes in a frame of the leader's stream.
    ///
    /// # Errors
    /// [`BrokenFrame`]; the next opening then starts with a snapshot.
    pub fn frame(&mut self, id: String, data: String) -> Result<[MemberEffect; 2], BrokenFrame> {
        let Some((mut event, relayed)) = self.lead.as_mut().and_then(|lead| lead.take(&id, data)) else {
            self.start_over();
            return Err(BrokenFrame);
        };
        self.mine.restrict(&mut event);
        Ok([MemberEffect::Say(TabMessage::Frame(relayed)), MemberEffect::Deliver { id, event }])
    }

    /// Makes the next opening start with a snapshot.
    pub fn start_over(&mut self) {
        if let Some(lead) = &mut self.lead {
            lead.start_over();
        }
    }

    /// Records that the leader lost the connection to the server.
    #[must_use]
    pub fn lost(&mut self, refusal: Option<Refusal>) -> Option<MemberEffect> {
        self.lead.as_mut()?.lost(refusal.clone());
        Some(MemberEffect::Say(TabMessage::Trouble { refusal }))
    }

    /// Handles a message of another tab at `now`. `known` is the cursor of this tab's picture.
    #[must_use]
    pub fn receive(&mut self, now: u64, message: TabMessage, known: Option<Cursor>) -> Vec<MemberEffect> {
        if self.leads() {
            return self.heard_leading(message);
        }
        if matches!(
            message,
            TabMessage::RollCall | TabMessage::Leading { .. } | TabMessage::Frame(_) | TabMessage::Trouble { .. }
        ) {
            self.owed = None;
        }
        match message {
            // A new leader may not know of the earlier request.
            TabMessage::RollCall if self.asked || known.is_none() => vec![self.ask(now, Need::Snapshot)],
            TabMessage::RollCall => vec![MemberEffect::Say(self.here(Need::Nothing))],
            TabMessage::Frame(relayed) => self.relayed(now, relayed, known),
            TabMessage::Trouble { refusal } => vec![MemberEffect::Trouble(refusal)],
            TabMessage::Leading { at: Some(at) } if continues(Some(at), known) => vec![MemberEffect::InStep],
            // Later frames will not continue this tab's picture.
            TabMessage::Leading { at: Some(_) } if !self.asked => vec![self.ask(now, Need::Snapshot)],
            TabMessage::Leading { .. } | TabMessage::Here { .. } | TabMessage::Gone { .. } | TabMessage::Nudge => {
                Vec::new()
            }
        }
    }

    /// Advances the time. A follower checks if the leader has given the sign that it owes. The leader calls the roll
    /// every [`ROLL_MS`], and drops from the stream all that no tab shows any more.
    #[must_use]
    pub fn tick(&mut self, now: u64) -> Vec<MemberEffect> {
        let Some(lead) = &mut self.lead else {
            let Some((since, ticks)) = &mut self.owed else { return Vec::new() };
            *ticks += 1;
            if *ticks < SIGN_TICKS || now.saturating_sub(*since) < SIGN_MS {
                return Vec::new();
            }
            self.owed = None;
            return vec![MemberEffect::Steal];
        };
        if now.saturating_sub(self.called_at) < ROLL_MS {
            return Vec::new();
        }
        self.called_at = now;
        let mut union = self.mine.clone();
        lead.present().for_each(|interest| union.add(interest));
        let mut effects = vec![MemberEffect::Say(TabMessage::RollCall)];
        if !union.covers(&self.union) {
            // The new interest is part of the old one, so the stream can continue from its cursor.
            self.union = union;
            effects.push(MemberEffect::Reopen);
        }
        effects
    }

    fn here(&self, needs: Need) -> TabMessage {
        TabMessage::Here { tab: self.me.clone(), interest: self.mine.clone(), needs }
    }

    fn heard_leading(&mut self, message: TabMessage) -> Vec<MemberEffect> {
        let Some(lead) = &mut self.lead else { return Vec::new() };
        match message {
            TabMessage::Here { tab, interest, needs } => {
                lead.meet(tab, interest.clone());
                let mut effects = vec![MemberEffect::Look];
                let is_new = !self.union.covers(&interest);
                self.union.add(&interest);
                // All tabs get the same snapshot. A tab that requests one while it is on its way needs no other.
                if is_new || (needs == Need::Snapshot && lead.cursor().is_some()) {
                    lead.start_over();
                    effects.push(MemberEffect::Reopen);
                }
                if needs != Need::Nothing {
                    effects.push(MemberEffect::Say(lead.sign()));
                }
                effects
            }
            TabMessage::Gone { tab } => {
                // The interest of that tab stays in the stream until the next roll call, since most tabs that go come
                // back at once.
                lead.part(&tab);
                Vec::new()
            }
            TabMessage::Nudge => vec![MemberEffect::Nudge],
            // Another tab believes that it leads too; the browser's lock decides between the two.
            TabMessage::RollCall | TabMessage::Leading { .. } | TabMessage::Frame(_) | TabMessage::Trouble { .. } => {
                Vec::new()
            }
        }
    }

    fn relayed(&mut self, now: u64, relayed: RelayedFrame, known: Option<Cursor>) -> Vec<MemberEffect> {
        let RelayedFrame { interest, after, id, data } = relayed;
        self.union = interest.clone();
        self.union.add(&self.mine);
        let event = json::read::<Event>(&data);
        let fits = interest.covers(&self.mine)
            && match &event {
                Some(Event::Update { .. } | Event::Heartbeat { .. }) => continues(after, known),
                Some(_) => true,
                None => false,
            };
        let Some(mut event) = event.filter(|_| fits) else {
            // One request is enough; the supervisor notices if no answer comes.
            return if self.asked { Vec::new() } else { vec![self.ask(now, Need::Snapshot)] };
        };
        if matches!(event, Event::Snapshot { .. }) {
            self.asked = false;
        }
        self.mine.restrict(&mut event);
        vec![MemberEffect::Deliver { id, event }]
    }
}

/// True if a picture at `known` has everything up to `after`.
fn continues(after: Option<Cursor>, known: Option<Cursor>) -> bool {
    matches!((after, known), (Some(after), Some(known)) if after.epoch == known.epoch && after.seq <= known.seq)
}
