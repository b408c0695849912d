//! The messages between tabs, and their text form.
//!
//! A message is text with one line for each part. Most messages carry a line of JSON that is passed on unread, and a
//! parser for nested messages would be a fifth of the page.

use shared::Cursor;

use super::interest::Interest;
use crate::stream::refusal::Refusal;

/// Id of a tab: random, so that no two are the same, and without line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabId(pub String);

/// A frame of the stream that the leader passes on. It is a claim that is valid from any sender and however late it
/// arrives: these are all changes of `interest` after `after`. A tab that shows no more than `interest`, and whose
/// picture is at `after` or later, can continue with it. So it does no harm if two tabs lead for a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayedFrame {
    /// Interest that the claim is about.
    pub interest: Interest,
    /// Cursor that the claim starts from; `None` for the first frame of all.
    pub after: Option<Cursor>,
    /// Id of the frame.
    pub id: String,
    /// Data of the frame, without line breaks.
    pub data: String,
}

/// The need of a tab that announces itself to the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it answers the roll call.
    Nothing,
    /// A sign that there is a leader.
    Sign,
    /// A snapshot of all that it shows.
    Snapshot,
}

/// A message of one tab to all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TabMessage {
    /// A tab announces itself.
    Here {
        /// The tab.
        tab: TabId,
        /// Its interest.
        interest: Interest,
        /// Its need.
        needs: Need,
    },
    /// A tab leaves.
    Gone {
        /// The tab.
        tab: TabId,
    },
    /// The leader calls the roll.
    RollCall,
    /// The leader gives a sign.
    Leading {
        /// Cursor up to which the leader has everything, if its connection is good: a picture at this cursor is up to
        /// date.
        at: Option<Cursor>,
    },
    /// The leader passes on a frame.
    Frame(RelayedFrame),
    /// The leader lost the server and reconnects, or was refused.
    Trouble {
        /// The refusal, if the server answered.
        refusal: Option<Refusal>,
    },
    /// The user looks at a tab again, or the network may be back: reconnect now.
    Nudge,
}

impl TabMessage {
    /// Formats the message as text.
    #[must_use]
    pub fn text(&self) -> String {
        let cursor = |cursor: &Option<Cursor>| cursor.map(|cursor| cursor.to_string()).unwrap_or_default();
        match self {
            Self::Here { tab, interest, needs } => {
                let needs = match needs {
                    Need::Nothing => "nothing",
                    Need::Sign => "sign",
                    Need::Snapshot => "snapshot",
                };
                ["here", &tab.0, &interest.text(), needs].join("\n")
            }
            Self::Gone { tab } => ["gone", &tab.0].join("\n"),
            Self::RollCall => "roll call".to_owned(),
            Self::Leading { at } => ["leading", &cursor(at)].join("\n"),
            Self::Frame(RelayedFrame { interest, after, id, data }) => {
                ["frame", &interest.text(), &cursor(after), id, data].join("\n")
            }
            Self::Trouble { refusal: None } => "trouble".to_owned(),
            Self::Trouble { refusal: Some(Refusal { status, wait_ms, detail }) } => {
                ["refused", &status.to_string(), &wait_ms.to_string(), "", detail].join("\n")
            }
            Self::Nudge => "nudge".to_owned(),
        }
    }

    /// Parses the output of [`TabMessage::text`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Only the fifth part may have line breaks.
        let mut parts = text.splitn(5, '\n');
        let kind = parts.next()?;
        let mut next = || parts.next();
        let cursor = |text: &str| text.parse().ok();
        Some(match kind {
            "here" => {
                let (tab, interest) = (TabId(next()?.to_owned()), Interest::parse(next()?)?);
                let needs = match next()? {
                    "sign" => Need::Sign,
                    "snapshot" => Need::Snapshot,
                    _ => Need::Nothing,
                };
                Self::Here { tab, interest, needs }
            }
            "gone" => Self::Gone { tab: TabId(next()?.to_owned()) },
            "roll call" => Self::RollCall,
            "leading" => Self::Leading { at: cursor(next()?) },
            "frame" => {
                let (interest, after) = (Interest::parse(next()?)?, cursor(next()?));
                Self::Frame(RelayedFrame { interest, after, id: next()?.to_owned(), data: next()?.to_owned() })
            }
            "trouble" => Self::Trouble { refusal: None },
            "refused" => {
                let (status, wait_ms, _) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?);
                Self::Trouble { refusal: Some(Refusal { status, wait_ms, detail: next()?.to_owned() }) }
            }
            "nudge" => Self::Nudge,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_heard() {
        let interest = Interest::parse("dev/* ops/**").unwrap();
        let tab = TabId("a1".to_owned());
        let refusal = Refusal { status: 422, wait_ms: 5_000, detail: "hz:\nexpected a number".to_owned() };
        let after = "0badcafe-7".parse().ok();
        let (id, data) = ("0badcafe-9".to_owned(), r#"{"type":"fireworks","text":"a\nb"}"#.to_owned());
        let all = [
            TabMessage::Here { tab: tab.clone(), interest: interest.clone(), needs: Need::Snapshot },
            TabMessage::Here { tab: tab.clone(), interest: Interest::default(), needs: Need::Nothing },
            TabMessage::Gone { tab },
            TabMessage::RollCall,
            TabMessage::Leading { at: after },
            TabMessage::Leading { at: None },
            TabMessage::Frame(RelayedFrame { interest: interest.clone(), after, id: id.clone(), data: data.clone() }),
            TabMessage::Frame(RelayedFrame { interest, after: None, id, data }),
            TabMessage::Trouble { refusal: None },
            TabMessage::Trouble { refusal: Some(refusal) },
            TabMessage::Nudge,
        ];
        for message in all {
            assert_eq!(TabMessage::parse(&message.text()), Some(message));
        }
        for noise in ["", "fireworks", "here", "frame\nops/**\n0badcafe-7", "gone", "here\na\n**/x\nsign"] {
            assert_eq!(TabMessage::parse(noise), None, "{noise:?}");
        }
    }
}
