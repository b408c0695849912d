//! Checks requests and answers of a server against its own description, `GET /api/openapi.json`, in every test.

use std::cell::RefCell;
use std::sync::LazyLock;

use boon::{Compiler, Schemas};
use pulseboard::http::openapi;
use serde_json::{Map, Value as Json, json};
use shared::problem::CONTENT_TYPE as PROBLEM;
use shared::sse::Message;

use super::Answer;

/// The address under which the validator finds the document.
const URL: &str = "http://pulseboard/openapi.json";

/// The document, stricter than it is served. The served one permits unknown fields in answers, so that fields can be
/// added one day; here an unknown field is a mistake in the document.
pub static DOCUMENT: LazyLock<Json> = LazyLock::new(|| {
    let mut document = openapi::document();
    close(&mut document);
    document
});

fn close(json: &mut Json) {
    match json {
        Json::Object(object) => {
            let is_open = !object.contains_key("additionalProperties") && !object.contains_key("unevaluatedProperties");
            if is_open && object.get("type") == Some(&json!("object")) && object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(close);
        }
        Json::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

thread_local! {
    /// The schemas that are compiled so far.
    static VALIDATOR: RefCell<(Compiler, Schemas)> = {
        let mut compiler = Compiler::new();
        compiler.add_resource(URL, DOCUMENT.clone()).unwrap();
        RefCell::new((compiler, Schemas::new()))
    };
}

/// Validates `json` against the schema at `pointer` in the document. Returns the mistakes; `None` if it is valid.
pub fn mistakes(pointer: &str, json: &Json) -> Option<String> {
    let escaped = pointer.replace('{', "%7B").replace('}', "%7D");
    VALIDATOR.with_borrow_mut(|(compiler, schemas)| {
        let schema = compiler.compile(&format!("{URL}#{escaped}"), schemas).unwrap();
        schemas.validate(json, schema).err().map(|error| format!("{error:#}"))
    })
}

/// Returns true if `json` is valid by the schema of this name.
pub fn is(schema: &str, json: &Json) -> bool {
    mistakes(&format!("/components/schemas/{schema}"), json).is_none()
}

/// Fails if `json` is not valid by the schema at `pointer`.
pub fn hold_to(pointer: &str, json: &Json) {
    if let Some(mistakes) = mistakes(pointer, json) {
        panic!("{pointer} does not describe it: {mistakes}\n{json}");
    }
}

/// Fails if an event of the stream does not match its description.
pub fn hold_event(message: &Message) {
    let data: Json = serde_json::from_str(&message.data).unwrap();
    let event = json!({"id": message.id, "event": message.event, "data": message.data});
    hold_to("/paths/~1sse/get/responses/200/content/text~1event-stream/x-itemSchema", &event);
    hold_to("/components/schemas/Event", &data);
}

/// Fails if an answer does not match its description, or if a body was accepted that does not.
pub fn hold(method: &str, path: &str, body: Option<&str>, answer: &Answer) {
    let path = path.split('?').next().unwrap();
    let Some(template) = template(path) else {
        // A file of the page, or nothing.
        if answer.status >= 400 {
            hold_problem(answer);
        }
        return;
    };
    let methods = &DOCUMENT["paths"][template];
    let Some(operation) = methods.get(method) else {
        assert_eq!(answer.status, 405, "{method} {template} is not described");
        return hold_problem(answer);
    };
    let at = format!("/paths/{}/{method}", template.replace('/', "~1"));
    let takes_body = operation.get("requestBody").is_some();
    if let Some(body) = body.filter(|body| (200..300).contains(&answer.status) && (takes_body || !body.is_empty())) {
        assert!(operation.get("requestBody").is_some(), "{method} {template} takes a body");
        hold_body(&at, body);
    }
    let (at_response, response) = resolve(&format!("{at}/responses/{}", answer.status));
    let described = response.as_object().unwrap_or_else(|| panic!("{method} {template} answers {}", answer.status));
    for name in described.get("headers").and_then(Json::as_object).into_iter().flat_map(Map::keys) {
        let (at_header, header) = resolve(&format!("{at_response}/headers/{name}"));
        let value = answer.headers.get(name).map(|value| value.to_str().unwrap());
        assert!(value.is_some() || header["required"] != true, "{method} {template} {} has no {name}", answer.status);
        if let Some(value) = value {
            let whole = header["schema"]["type"] == "integer";
            hold_to(
                &format!("{at_header}/schema"),
                &if whole { json!(value.parse::<u64>().unwrap()) } else { value.into() },
            );
        }
    }
    // OpenAPI cannot describe an answer whose body is optional.
    if answer.status == 201 && answer.text.is_empty() {
        return;
    }
    let Some(content) = described.get("content") else { return assert_eq!(answer.text, "", "{method} {template}") };
    let form = answer.header("content-type").split(';').next().unwrap();
    assert!(content.get(form).is_some(), "{method} {template} {} is {form}", answer.status);
    if form == "application/x-ndjson" {
        let line = format!("{at_response}/content/application~1x-ndjson/x-itemSchema");
        return answer.text.lines().for_each(|text| hold_to(&line, &serde_json::from_str(text).unwrap()));
    }
    let is_json = form.ends_with("json");
    let told = if is_json { answer.json() } else { Json::from(answer.text.as_str()) };
    hold_to(&format!("{at_response}/content/{}/schema", form.replace('/', "~1")), &told);
}

fn hold_problem(answer: &Answer) {
    assert_eq!(answer.header("content-type"), PROBLEM, "{}", answer.text);
    hold_to("/components/schemas/Problem", &answer.json());
}

fn hold_body(at: &str, body: &str) {
    let (at_body, described) = resolve(&format!("{at}/requestBody"));
    let schema = |form: &str| format!("{at_body}/content/{}/schema", form.replace('/', "~1"));
    let content = &described["content"];
    if content.get("application/x-ndjson").is_some() && !body.trim_start().starts_with('[') {
        let line = schema("application/x-ndjson").replace("/schema", "/x-itemSchema");
        for text in body.lines().filter(|line| !line.trim().is_empty()) {
            hold_to(&line, &serde_json::from_str(text).unwrap());
        }
    } else if body.trim_start().starts_with(['{', '[']) {
        hold_to(&schema("application/json"), &serde_json::from_str(body).unwrap());
    } else if content.get("application/x-www-form-urlencoded").is_some() && body.contains('=') {
        let pairs: Vec<(String, String)> = serde_html_form::from_str(body).unwrap();
        let fields: Map<_, _> = pairs.into_iter().map(|(name, value)| (name, value.into())).collect();
        hold_to(&schema("application/x-www-form-urlencoded"), &fields.into());
    } else if body.is_empty() && described["required"] != true {
        // The point may be in the address.
    } else if content.get("application/toml").is_some() {
        hold_to(&schema("application/json"), &toml::from_str(body).unwrap());
    } else {
        hold_to(&schema("text/plain"), &body.into());
    }
}

/// Finds the path of the document that the path of a request matches.
fn template(path: &str) -> Option<&'static str> {
    let templates = DOCUMENT["paths"].as_object().unwrap().keys().map(String::as_str);
    templates.into_iter().find(|template| match template.split_once('{') {
        None => *template == path,
        Some((stem, parameter)) => {
            let (name, end) = parameter.split_once('}').unwrap();
            // The name of a series contains slashes.
            path.strip_prefix(stem)
                .and_then(|rest| rest.strip_suffix(end))
                .is_some_and(|rest| !rest.is_empty() && (name == "series" || !rest.contains('/')))
        }
    })
}

/// Follows references. Returns the value that `pointer` leads to, and the pointer to that value.
fn resolve(pointer: &str) -> (String, &'static Json) {
    let found = DOCUMENT.pointer(pointer).unwrap_or(&Json::Null);
    match found.get("$ref").and_then(Json::as_str) {
        Some(reference) => resolve(reference.trim_start_matches('#')),
        None => (pointer.to_owned(), found),
    }
}
