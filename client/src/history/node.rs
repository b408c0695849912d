//! Reads JSON without a type for each level: an answer of thousands of buckets is walked in place. The browser
//! version uses `JSON.parse`, the native one (tests) `serde_json`.

#[cfg(target_family = "wasm")]
pub(super) use browser::Node;
#[cfg(not(target_family = "wasm"))]
pub(super) use native::Node;

#[cfg(target_family = "wasm")]
mod browser {
    use js_sys::{Array, JSON, Reflect};
    use wasm_bindgen::{JsCast as _, JsValue};

    /// A value from `JSON.parse`.
    pub(in crate::history) struct Node(JsValue);

    /// The name of a field, converted to a JavaScript string once.
    pub(in crate::history) struct Field(JsValue);

    impl Node {
        pub(in crate::history) fn parse(text: &str) -> Option<Self> {
            JSON::parse(text).ok().map(Self)
        }

        pub(in crate::history) fn field(name: &str) -> Field {
            Field(name.into())
        }

        pub(in crate::history) fn get(&self, field: &Field) -> Option<Self> {
            Reflect::get(&self.0, &field.0).ok().filter(|value| !value.is_undefined()).map(Self)
        }

        pub(in crate::history) fn number(&self) -> Option<f64> {
            self.0.as_f64()
        }

        pub(in crate::history) fn text(&self) -> Option<String> {
            self.0.as_string()
        }

        pub(in crate::history) fn is_true(&self) -> bool {
            self.0.is_truthy()
        }

        pub(in crate::history) fn items(&self) -> Vec<Self> {
            self.0.dyn_ref::<Array>().map(|array| array.iter().map(Self).collect()).unwrap_or_default()
        }
    }
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use serde_json::Value;

    /// A value from `serde_json`.
    pub(in crate::history) struct Node(Value);

    /// The name of a field.
    pub(in crate::history) struct Field(String);

    impl Node {
        pub(in crate::history) fn parse(text: &str) -> Option<Self> {
            serde_json::from_str(text).ok().map(Self)
        }

        pub(in crate::history) fn field(name: &str) -> Field {
            Field(name.to_owned())
        }

        pub(in crate::history) fn get(&self, field: &Field) -> Option<Self> {
            self.0.get(&field.0).cloned().map(Self)
        }

        pub(in crate::history) fn number(&self) -> Option<f64> {
            self.0.as_f64()
        }

        pub(in crate::history) fn text(&self) -> Option<String> {
            self.0.as_str().map(str::to_owned)
        }

        pub(in crate::history) fn is_true(&self) -> bool {
            self.0 == Value::Bool(true)
        }

        pub(in crate::history) fn items(&self) -> Vec<Self> {
            self.0.as_array().map(|all| all.iter().cloned().map(Self).collect()).unwrap_or_default()
        }
    }
}
