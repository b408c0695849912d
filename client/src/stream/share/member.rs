//! A tab among the tabs: who answers what.
//!
//! It has no I/O and no clock. A tab on its own is a leader whom nobody hears, so there is one way for all.

use shared::{Cursor, Event};

use super::interest::Interest;
use super::lead::Lead;
use super::message::{Need, Relayed, Said, TabId};
use crate::json;
use crate::stream::refusal::Refusal;

/// How long a leader may take to give a sign, in milliseconds: it has only to pass a message.
const SIGN_MS: u64 = 2_000;

/// How many ticks must have passed as well: one that slept hears its clock before the answers that wait for it.
const SIGN_TICKS: u32 = 4;

/// How often the roll is called, in milliseconds.
const ROLL_MS: u64 = 30_000;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Say it to all other tabs.
    Say(Said),
    /// Take it as what the stream says to this tab.
    Deliver {
        /// The frame's id.
        id: String,
        /// What it says of what this tab shows.
        event: Event,
    },
    /// The picture is as new as the leader's.
    InStep,
    /// What the tabs show has changed, or one needs all of it: open the stream anew, if it is open.
    Reopen,
    /// The leader is in trouble.
    Trouble(Option<Refusal>),
    /// Try now, if it is time to wait.
    Nudge,
    /// Time may have passed unseen: a tab that nobody sees is told of it rarely, and others speak to it.
    Look,
    /// The leader gives no sign: take its place.
    Steal,
}

/// How the stream is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// With what.
    pub interest: Interest,
    /// After which cursor; nothing for a snapshot.
    pub after: Option<Cursor>,
}

impl Opening {
    /// The address to open, as seen from the root of the server.
    #[must_use]
    pub fn address(&self) -> String {
        // The browser's own reconnects send the last id as a header; an EventSource that we make cannot.
        let after = self.after.map(|cursor| format!("&last_event_id={cursor}")).unwrap_or_default();
        format!("sse?{}{after}", self.interest.query())
    }
}

/// What came cannot be read, or continues nothing: the stream must be opened anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what came cannot be read, or does not continue the picture")]
pub struct Broken;

/// A tab.
#[derive(Clone, Debug)]
pub struct Member {
    me: TabId,
    mine: Interest,
    /// What the leader's stream is known to hold, and this tab shows: whoever takes over starts with it.
    union: Interest,
    /// A snapshot was asked for and did not come yet.
    asked: bool,
    /// Since when, and for how many ticks, the leader owes a sign.
    owed: Option<(u64, u32)>,
    /// When the roll was last called.
    called_at: u64,
    lead: Option<Lead>,
}

impl Member {
    /// A tab that shows `mine` and does not lead.
    #[must_use]
    pub fn new(me: TabId, mine: Interest) -> Self {
        Self { me, union: mine.clone(), mine, asked: false, owed: None, called_at: 0, lead: None }
    }

    /// Whether the stream is here.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.lead.is_some()
    }

    /// Asks the leader for something, which it owes from `now` on.
    #[must_use]
    pub fn ask(&mut self, now: u64, needs: Need) -> Effect {
        self.asked |= needs == Need::Snapshot;
        self.owed.get_or_insert((now, 0));
        Effect::Say(self.here(needs))
    }

    /// The stream is this tab's from `now` on. It goes on from the cursor of its picture, if that has one: others may be
    /// further on, which does no harm, and who is not so far will ask.
    #[must_use]
    pub fn elected(&mut self, now: u64, known: Option<Cursor>) -> Effect {
        (self.asked, self.owed, self.called_at) = (false, None, now);
        self.lead = Some(Lead::from(known));
        Effect::Say(Said::RollCall)
    }

    /// The stream is this tab's no more.
    pub fn depose(&mut self) {
        self.lead = None;
    }

    /// Whether it is this that the tab shows.
    #[must_use]
    pub fn shows(&self, interest: &Interest) -> bool {
        self.mine == *interest
    }

    /// From `now` on the tab shows something else, of which it needs all.
    #[must_use]
    pub fn show(&mut self, now: u64, mine: Interest) -> Effect {
        self.union.add(&mine);
        self.mine = mine;
        if let Some(lead) = &mut self.lead {
            lead.start_over();
            return Effect::Reopen;
        }
        self.ask(now, Need::Snapshot)
    }

    /// This tab is about to be frozen, or to go.
    #[must_use]
    pub fn retire(&mut self) -> Effect {
        (self.asked, self.owed, self.lead) = (false, None, None);
        Effect::Say(Said::Gone { tab: self.me.clone() })
    }

    /// How to open the stream now. What comes from here on is taken to be of that.
    #[must_use]
    pub fn opening(&mut self) -> Opening {
        if let Some(lead) = &mut self.lead {
            lead.hold(self.union.clone());
        }
        let after = self.lead.as_ref().and_then(Lead::cursor);
        Opening { interest: self.union.clone(), after }
    }

    /// The stream said something to the leader.
    ///
    /// # Errors
    /// [`Broken`]; the next opening is a fresh one.
    pub fn frame(&mut self, id: String, data: String) -> Result<[Effect; 2], Broken> {
        let Some((mut event, relayed)) = self.lead.as_mut().and_then(|lead| lead.take(&id, data)) else {
            self.start_over();
            return Err(Broken);
        };
        self.mine.restrict(&mut event);
        Ok([Effect::Say(Said::Frame(relayed)), Effect::Deliver { id, event }])
    }

    /// The next opening is a fresh one.
    pub fn start_over(&mut self) {
        if let Some(lead) = &mut self.lead {
            lead.start_over();
        }
    }

    /// The leader's line to the server is lost.
    #[must_use]
    pub fn lost(&mut self, refusal: Option<Refusal>) -> Option<Effect> {
        self.lead.as_mut()?.lost(refusal.clone());
        Some(Effect::Say(Said::Trouble { refusal }))
    }

    /// Another tab said something at `now`; `known` is the cursor of this tab's picture.
    #[must_use]
    pub fn heard(&mut self, now: u64, said: Said, known: Option<Cursor>) -> Vec<Effect> {
        if self.leads() {
            return self.heard_leading(said);
        }
        if matches!(said, Said::RollCall | Said::Leading { .. } | Said::Frame(_) | Said::Trouble { .. }) {
            self.owed = None;
        }
        match said {
            // Whoever leads now may know nothing of what was asked before.
            Said::RollCall if self.asked || known.is_none() => vec![self.ask(now, Need::Snapshot)],
            Said::RollCall => vec![Effect::Say(self.here(Need::Nothing))],
            Said::Frame(relayed) => self.relayed(now, relayed, known),
            Said::Trouble { refusal } => vec![Effect::Trouble(refusal)],
            Said::Leading { at: Some(at) } if continues(Some(at), known) => vec![Effect::InStep],
            // Nothing that comes from now on will continue what this tab has.
            Said::Leading { at: Some(_) } if !self.asked => vec![self.ask(now, Need::Snapshot)],
            Said::Leading { .. } | Said::Here { .. } | Said::Gone { .. } | Said::Nudge => Vec::new(),
        }
    }

    /// Time passed: a follower sees whether the leader is there, the leader now and then who still is: what nobody
    /// shows any more is dropped from the stream.
    #[must_use]
    pub fn tick(&mut self, now: u64) -> Vec<Effect> {
        let Some(lead) = &mut self.lead else {
            let Some((since, ticks)) = &mut self.owed else { return Vec::new() };
            *ticks += 1;
            if *ticks < SIGN_TICKS || now.saturating_sub(*since) < SIGN_MS {
                return Vec::new();
            }
            self.owed = None;
            return vec![Effect::Steal];
        };
        if now.saturating_sub(self.called_at) < ROLL_MS {
            return Vec::new();
        }
        self.called_at = now;
        let mut union = self.mine.clone();
        lead.present().for_each(|interest| union.add(interest));
        let mut effects = vec![Effect::Say(Said::RollCall)];
        if !union.covers(&self.union) {
            // Less than before, so the stream can go on from where it is.
            self.union = union;
            effects.push(Effect::Reopen);
        }
        effects
    }

    fn here(&self, needs: Need) -> Said {
        Said::Here { tab: self.me.clone(), interest: self.mine.clone(), needs }
    }

    fn heard_leading(&mut self, said: Said) -> Vec<Effect> {
        let Some(lead) = &mut self.lead else { return Vec::new() };
        match said {
            Said::Here { tab, interest, needs } => {
                lead.meet(tab, interest.clone());
                let mut effects = vec![Effect::Look];
                let is_new = !self.union.covers(&interest);
                self.union.add(&interest);
                // A snapshot is heard by all: who asks while one is on its way need not have another.
                if is_new || (needs == Need::Snapshot && lead.cursor().is_some()) {
                    lead.start_over();
                    effects.push(Effect::Reopen);
                }
                if needs != Need::Nothing {
                    effects.push(Effect::Say(lead.sign()));
                }
                effects
            }
            Said::Gone { tab } => {
                // What only it showed stays in the stream until the next roll call: most that go come back at once.
                lead.part(&tab);
                Vec::new()
            }
            Said::Nudge => vec![Effect::Nudge],
            // Another one believes that it leads too; the browser's lock decides between us.
            Said::RollCall | Said::Leading { .. } | Said::Frame(_) | Said::Trouble { .. } => Vec::new(),
        }
    }

    fn relayed(&mut self, now: u64, relayed: Relayed, known: Option<Cursor>) -> Vec<Effect> {
        let Relayed { interest, after, id, data } = relayed;
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
            // Once is enough: whether an answer comes is watched by who watches the line.
            return if self.asked { Vec::new() } else { vec![self.ask(now, Need::Snapshot)] };
        };
        if matches!(event, Event::Snapshot { .. }) {
            self.asked = false;
        }
        self.mine.restrict(&mut event);
        vec![Effect::Deliver { id, event }]
    }
}

/// Whether a picture at `known` lacks nothing of what was before `after`.
fn continues(after: Option<Cursor>, known: Option<Cursor>) -> bool {
    matches!((after, known), (Some(after), Some(known)) if after.epoch == known.epoch && after.seq <= known.seq)
}
