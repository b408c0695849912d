//! Reads JSON that the server sends into a `serde` type.
//!
//! In the browser `JSON.parse` (ECMA-404, ECMA-262) parses it: it is there already, is faster than a parser in wasm,
//! and reads numbers to the last bit. A parser in wasm would be a tenth of the page. Natively, for tests,
//! `serde_json` does the same.

use serde::de::DeserializeOwned;

/// Reads JSON. Returns `None` where it is malformed or has another shape. There is no reason in the result, since it
/// would not help the user.
#[cfg(not(target_family = "wasm"))]
#[must_use]
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// Reads JSON. Returns `None` where it is malformed or has another shape. There is no reason in the result, since it
/// would not help the user.
#[cfg(target_family = "wasm")]
#[must_use]
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    T::deserialize(browser::Value(js_sys::JSON::parse(text).ok()?)).ok()
}

#[cfg(target_family = "wasm")]
mod browser {
    use std::fmt;

    use js_sys::{Array, Object, Reflect};
    use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
    use serde::forward_to_deserialize_any;
    use wasm_bindgen::{JsCast as _, JsValue};

    /// 2^53: up to it, every whole number is a double.
    const MAX_SAFE: f64 = 9_007_199_254_740_992.0;

    /// A value from `JSON.parse`.
    pub(super) struct Value(pub(super) JsValue);

    /// The error of a value that has another shape.
    #[derive(Debug)]
    pub(super) struct Misshapen;

    impl fmt::Display for Misshapen {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the JSON has another shape")
        }
    }

    impl std::error::Error for Misshapen {}

    impl serde::de::Error for Misshapen {
        fn custom<T: fmt::Display>(_: T) -> Self {
            Self
        }
    }

    impl<'de> Deserializer<'de> for Value {
        type Error = Misshapen;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misshapen> {
            let Self(value) = self;
            if let Some(number) = value.as_f64() {
                return number_to(number, visitor);
            }
            if let Some(text) = value.as_string() {
                return visitor.visit_string(text);
            }
            match value.dyn_into::<Array>() {
                Ok(array) => visitor.visit_seq(Elements { array, next: 0 }),
                Err(value) if value.is_null() => visitor.visit_unit(),
                Err(value) => match value.as_bool() {
                    Some(bool) => visitor.visit_bool(bool),
                    None => {
                        let keys = Object::keys(value.unchecked_ref::<Object>());
                        visitor.visit_map(Fields { object: value, keys, next: 0, value: JsValue::NULL })
                    }
                },
            }
        }

        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misshapen> {
            if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
        }

        fn deserialize_newtype_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            visitor: V,
        ) -> Result<V::Value, Misshapen> {
            visitor.visit_newtype_struct(self)
        }

        fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misshapen> {
            visitor.visit_unit()
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
            tuple tuple_struct map struct enum identifier
        }
    }

    /// Passes whole numbers to `serde` as integers, since it rejects a float for an integer field (a time, a count)
    /// but accepts an integer for a float field. -0 stays a float: its sign would be lost.
    fn number_to<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value, Misshapen> {
        let whole = number.trunc() == number && number.abs() < MAX_SAFE;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and small enough")]
        match whole {
            true if number.is_sign_positive() => visitor.visit_u64(number as u64),
            true if number < 0.0 => visitor.visit_i64(number as i64),
            _ => visitor.visit_f64(number),
        }
    }

    struct Elements {
        array: Array,
        next: u32,
    }

    impl<'de> SeqAccess<'de> for Elements {
        type Error = Misshapen;

        fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misshapen> {
            if self.next >= self.array.length() {
                return Ok(None);
            }
            let value = self.array.get(self.next);
            self.next += 1;
            seed.deserialize(Value(value)).map(Some)
        }
    }

    struct Fields {
        object: JsValue,
        keys: Array,
        next: u32,
        /// The value of the key that was returned last.
        value: JsValue,
    }

    impl<'de> MapAccess<'de> for Fields {
        type Error = Misshapen;

        fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misshapen> {
            if self.next >= self.keys.length() {
                return Ok(None);
            }
            let key = self.keys.get(self.next);
            self.next += 1;
            self.value = Reflect::get(&self.object, &key).map_err(|_| Misshapen)?;
            seed.deserialize(Value(key)).map(Some)
        }

        fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misshapen> {
            seed.deserialize(Value(std::mem::take(&mut self.value)))
        }
    }
}
