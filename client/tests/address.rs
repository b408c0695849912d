//! Tests that the page reads times in its address as the server does.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

use pulseboard_client::browser::rfc3339;
use shared::Millis;
use shared::moment::examples::{NOW, TIMES, WRONG};
use shared::moment::parse;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn times_are_read_as_the_server_reads_them() {
    for (text, ms) in TIMES {
        assert_eq!(parse(text, NOW, &rfc3339), Ok(Millis(ms)), "{text}");
    }
    for (text, wanted) in WRONG {
        let error = parse(text, NOW, &rfc3339).unwrap_err();
        assert!(error.contains(wanted), "{text}: {error}");
    }
}
