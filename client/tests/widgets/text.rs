//! Tests of notes: Markdown as elements, HTML as text, and safe links.
use leptos::task::tick;
use wasm_bindgen_test::wasm_bindgen_test;

use super::Shown;

async fn note(markdown: &str) -> Shown {
    let shown = Shown::new(&format!(r#""type": "text", "markdown": {}"#, serde_json::to_string(markdown).unwrap()));
    tick().await;
    shown
}

#[wasm_bindgen_test]
async fn a_note_is_made_of_elements() {
    let shown = note(
        "# On call\n\n*Ada*, then **Bo**: see `runbook`\n\n- one\n- two\n\n3. three\n\n> calm\n\n---\n\n```\ncode\n```",
    )
    .await;
    // Leptos marks the ends of lists with empty comments.
    let html = shown.one(".note").inner_html().replace("<!---->", "");
    assert_eq!(
        html,
        "<h3>On call</h3><p><em>Ada</em>, then <strong>Bo</strong>: see <code>runbook</code></p>\
         <ul><li>one</li><li>two</li></ul><ol start=\"3\"><li>three</li></ol><blockquote><p>calm</p></blockquote>\
         <hr><pre><code>code</code></pre>"
    );
    assert_eq!(shown.state(), "live");
    assert!(shown.all("[data-testid=mistake]").is_empty());
    assert!(shown.one("[data-testid=age]").has_attribute("hidden"), "words have no age");
}

#[wasm_bindgen_test]
async fn html_is_text_and_a_link_leads_only_outside() {
    let shown = note("<img src=x onerror=alert(1)> [a](https://example.org) [b](javascript:alert(1))").await;
    assert!(shown.all(".note img").is_empty());
    assert!(shown.text("[data-testid=mistake]").contains("HTML"), "who wrote it sees why");
    assert_eq!(shown.text(".note"), "<img src=x onerror=alert(1)> a [b](javascript:alert(1))");
    let links = shown.all(".note a");
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].get_attribute("href").as_deref(), Some("https://example.org"));
    assert_eq!(links[0].get_attribute("rel").as_deref(), Some("noopener noreferrer"));
}
