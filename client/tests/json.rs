//! Tests that the browser's JSON parser reads what was written, to the last bit.

#![cfg(target_family = "wasm")]
#![expect(clippy::unwrap_used, reason = "a test")]

use pulseboard_client::json;
use shared::Event;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn every_event_of_the_contract_is_read_as_the_server_reads_it() {
    for line in include_str!("../../shared/src/contract.ndjson").lines() {
        let read: Event = json::read(line).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(read, serde_json::from_str(line).unwrap(), "{line}");
    }
}

#[wasm_bindgen_test]
fn numbers_keep_their_last_bit_and_their_sign() {
    let numbers =
        [0.1, -0.0, 0.0, 1e300, 5e-324, f64::MAX, f64::MIN, -1.0, 42.0, 9_007_199_254_740_993.0, 1e21, 0.1 + 0.2];
    let text = serde_json::to_string(&numbers).unwrap();
    let read: Vec<f64> = json::read(&text).unwrap();
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read), bits(&numbers), "{text}");
}

#[wasm_bindgen_test]
fn what_is_no_json_or_has_another_shape_is_nothing() {
    for text in ["", "{", "[1,2", "{\"type\":\"update\",\"now\":1}", "7", "null", "{\"type\":\"hello\",\"now\":1.5}"] {
        assert!(json::read::<Event>(text).is_none(), "{text}");
    }
}
