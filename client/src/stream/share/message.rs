//! What tabs tell each other.
//!
//! As text, a line for each part: what is passed on most is a line of JSON that is not to be looked into, and a
//! parser for more than that would be a fifth of the page.

use shared::Cursor;

use super::interest::Interest;
use crate::stream::refusal::Refusal;

/// The name of a tab: drawn by chance, so that no two are alike; without line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabId(pub String);

/// A frame of the stream, passed on. It is a claim that stands by itself, whoever makes it and however late: this is
/// all that changed of `interest` after `after`. Who shows no more than that and is no further behind can go on with
/// it. So nothing goes wrong where two tabs believe for a moment that they lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// Of what it speaks.
    pub interest: Interest,
    /// After which cursor; nothing where it is the first of all.
    pub after: Option<Cursor>,
    /// The frame's id.
    pub id: String,
    /// The frame's data, without line breaks.
    pub data: String,
}

/// What a tab that is here needs of the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it answers the roll call.
    Nothing,
    /// A sign that there is a leader.
    Sign,
    /// All of what it shows.
    Snapshot,
}

/// Something a tab says to all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A tab is here.
    Here {
        /// Which.
        tab: TabId,
        /// What it shows.
        interest: Interest,
        /// What for.
        needs: Need,
    },
    /// A tab goes.
    Gone {
        /// Which.
        tab: TabId,
    },
    /// The leader asks who is here.
    RollCall,
    /// The leader is there.
    Leading {
        /// Up to where it has heard all, if the line is good: a picture at that is true as of now.
        at: Option<Cursor>,
    },
    /// The leader passes on what it heard.
    Frame(Relayed),
    /// The leader lost the server and is at it again, or was refused.
    Trouble {
        /// Why, where the server said.
        refusal: Option<Refusal>,
    },
    /// Somebody looks at a tab again, or there may be a network: try now.
    Nudge,
}

impl Said {
    /// It as text.
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
            Self::Frame(Relayed { interest, after, id, data }) => {
                ["frame", &interest.text(), &cursor(after), id, data].join("\n")
            }
            Self::Trouble { refusal: None } => "trouble".to_owned(),
            Self::Trouble { refusal: Some(Refusal { status, wait_ms, detail }) } => {
                ["refused", &status.to_string(), &wait_ms.to_string(), "", detail].join("\n")
            }
            Self::Nudge => "nudge".to_owned(),
        }
    }

    /// As [`Said::text`] wrote it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The fifth is the only one that may have line breaks of its own.
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
                Self::Frame(Relayed { interest, after, id: next()?.to_owned(), data: next()?.to_owned() })
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
            Said::Here { tab: tab.clone(), interest: interest.clone(), needs: Need::Snapshot },
            Said::Here { tab: tab.clone(), interest: Interest::default(), needs: Need::Nothing },
            Said::Gone { tab },
            Said::RollCall,
            Said::Leading { at: after },
            Said::Leading { at: None },
            Said::Frame(Relayed { interest: interest.clone(), after, id: id.clone(), data: data.clone() }),
            Said::Frame(Relayed { interest, after: None, id, data }),
            Said::Trouble { refusal: None },
            Said::Trouble { refusal: Some(refusal) },
            Said::Nudge,
        ];
        for said in all {
            assert_eq!(Said::parse(&said.text()), Some(said));
        }
        for noise in ["", "fireworks", "here", "frame\nops/**\n0badcafe-7", "gone", "here\na\n**/x\nsign"] {
            assert_eq!(Said::parse(noise), None, "{noise:?}");
        }
    }
}
