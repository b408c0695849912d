//! Requests that store, delete or download a board, and the meaning of their answers.

use serde_json::Value;
use shared::BoardId;
use shared::board::keyword::Keyword as _;
use shared::board::{BoardFormat, Etag};

use crate::fetch::{self, Answer, NoAnswer, Request};
use crate::json;

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The board is stored under this tag; `None` if it was deleted.
    Done(Option<Etag>),
    /// The board has changed since the edit began, so nothing was stored.
    Changed,
    /// The server refused the request, so nothing was stored.
    Refused(Refused),
}

/// The reason of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The reason in words, with what the user can do.
    pub why: String,
    /// Each wrong place in the document.
    pub places: Vec<String>,
}

/// The format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// JSON, which this page writes.
    Json,
    /// TOML.
    Toml,
}

impl Written {
    /// The format of a file, by the ending of its name.
    #[must_use]
    pub fn of(file: &str) -> Option<Self> {
        match file.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }

    /// The content type of the format.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Toml => "application/toml",
        }
    }
}

/// Stores a document over the edition `base`. If `base` is `None`, stores it only if no user has created the board.
/// The server keeps the document in the format `written`.
pub async fn put(id: &BoardId, written: Written, text: &str, base: Option<Etag>) -> Outcome {
    put_at(&address(id), written, text, base).await
}

/// Stores a JSON document over the edition `base`. The server converts it and keeps it in the format `form`.
pub async fn put_kept(id: &BoardId, form: BoardFormat, text: &str, base: Option<Etag>) -> Outcome {
    put_at(&format!("{}?form={}", address(id), form.keyword()), Written::Json, text, base).await
}

async fn put_at(address: &str, written: Written, text: &str, base: Option<Etag>) -> Outcome {
    let base = base.map(|etag| etag.to_string());
    let condition = base.as_deref().map_or(("if-none-match", "*"), |etag| ("if-match", etag));
    let headers = [("content-type", written.content_type()), condition];
    send("PUT", address, &headers, Some(text)).await
}

/// Deletes the edition `base`.
pub async fn delete(id: &BoardId, base: Etag) -> Outcome {
    send("DELETE", &address(id), &[("if-match", &base.to_string())], None).await
}

/// Downloads the document in a format.
pub async fn get(id: &BoardId, written: Written) -> Option<String> {
    let (address, headers) = (address(id), [("accept", written.content_type())]);
    let request = Request { method: "GET", address: &address, headers: &headers, body: None };
    fetch::send(request).await.ok().filter(Answer::is_ok).map(|answer| answer.body)
}

async fn send(method: &str, address: &str, headers: &[(&str, &str)], body: Option<&str>) -> Outcome {
    judge(fetch::send(Request { method, address, headers, body }).await)
}

fn address(id: &BoardId) -> String {
    format!("api/boards/{id}")
}

/// The meaning of an answer.
#[must_use]
pub fn judge(answer: Result<Answer, NoAnswer>) -> Outcome {
    let refused = |why: String, places| Outcome::Refused(Refused { why, places });
    let answer = match answer {
        Ok(answer) if answer.is_ok() => return Outcome::Done(answer.etag.parse().ok()),
        Ok(answer) if answer.status == 412 => return Outcome::Changed,
        Ok(answer) => answer,
        Err(NoAnswer) => {
            return refused("The server does not answer, so nothing was stored. Try again in a while.".into(), vec![]);
        }
    };
    let problem: Value = json::read(&answer.body).unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let places = problem.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let place = |error: &Value| {
        let line = error.get("line").map(|line| format!("line {line}: ")).unwrap_or_default();
        format!("{line}{}: expected {}, got {}", text(error, "field"), text(error, "expected"), text(error, "got"))
    };
    let why = match (text(&problem, "title"), text(&problem, "detail")) {
        (title, detail) if title.is_empty() && detail.is_empty() => {
            format!("The server answered with status {}, so nothing was stored.", answer.status)
        }
        (title, detail) => format!("Nothing was stored. {title}: {detail}."),
    };
    refused(why, places.iter().map(place).collect())
}

/// The data URL of a text, for a link that saves the text as a file.
#[must_use]
pub fn as_link(written: Written, text: &str) -> String {
    let text = String::from(js_sys::encode_uri_component(text));
    format!("data:{};charset=utf-8,{text}", written.content_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Answer, NoAnswer> {
        Ok(Answer { status, body: body.to_owned(), ..Answer::default() })
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_own_words_with_each_place() {
        let file = r#"{"type":"/problems/from-file","title":"The board is from a file","status":409,
            "detail":"the board ops is from the file ops.toml; edit that, and the board follows"}"#;
        let Outcome::Refused(refused) = judge(answer(409, file)) else { panic!("it is refused") };
        assert!(refused.why.contains("from the file ops.toml; edit that"), "{}", refused.why);
        let wrong = r#"{"title":"Wrong","detail":"the document has 1 mistakes","errors":[
            {"field":"widgets[0].type","expected":"stat or line","got":"\"pie\""},
            {"line":3,"field":"x","expected":"a","got":"b"}]}"#;
        let Outcome::Refused(refused) = judge(answer(422, wrong)) else { panic!("it is refused") };
        assert_eq!(
            refused.places,
            ["widgets[0].type: expected stat or line, got \"pie\"", "line 3: x: expected a, got b"]
        );
    }

    #[test]
    fn whatever_the_answer_there_are_words_for_it() {
        assert_eq!(judge(answer(412, "")), Outcome::Changed);
        assert_eq!(judge(answer(204, "")), Outcome::Done(None));
        for (given, wanted) in [(answer(502, "<html>"), "status 502"), (Err(NoAnswer), "does not answer")] {
            let Outcome::Refused(refused) = judge(given) else { panic!("it is refused") };
            assert!(refused.why.contains(wanted), "{}", refused.why);
        }
    }
}
