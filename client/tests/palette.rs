//! Tests the contrast of the page's colours, by the formula of WCAG 2.2, and their distance without one kind of cone.
#![cfg(not(target_family = "wasm"))]
#![expect(clippy::unwrap_used, reason = "in a test that is how to fail")]

use std::collections::BTreeMap;

type Colours = BTreeMap<String, [f64; 3]>;

/// Returns the colours of a rule: the part of the style sheet from `head` to the next closing brace.
fn colours(head: &str) -> Colours {
    let sheet = include_str!("../style/palette.css");
    let rule = sheet.split_once(&format!("{head} {{")).unwrap_or_else(|| panic!("no rule {head}")).1;
    let rule = rule.split_once('}').unwrap().0;
    let colour = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let part = |at: usize| f64::from(u8::from_str_radix(&value[at..at + 2], 16).unwrap()) / 255.0;
        Some((name.to_owned(), [part(0), part(2), part(4)]))
    };
    rule.lines().filter_map(colour).collect()
}

fn luminance(colour: [f64; 3]) -> f64 {
    let [r, g, b] = colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn grounds() -> [(&'static str, Colours); 2] {
    [("light", colours(":root")), ("dark", colours(":root[data-theme=\"dark\"]"))]
}

#[test]
fn no_other_sheet_has_colours_of_its_own() {
    for sheet in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/style")).unwrap() {
        let sheet = sheet.unwrap().path();
        let text = std::fs::read_to_string(&sheet).unwrap();
        let given = text.lines().any(|line| line.split_once(": ").is_some_and(|(_, value)| value.contains('#')));
        assert_eq!(given, sheet.ends_with("palette.css"), "{}", sheet.display());
        assert!(!text.contains("light-dark("), "{}: a colour that only the browser knows", sheet.display());
    }
}

#[test]
fn words_can_be_read_on_both_grounds() {
    for (ground, colours) in grounds() {
        for name in ["ink", "quiet", "accent", "ok", "warn", "bad", "alarm"] {
            for on in ["paper", "shade"] {
                let found = contrast(colours[name], colours[on]);
                assert!(found >= 4.5, "{ground}: {name} on {on} has a contrast of {found:.2}, and AA asks for 4.5");
            }
        }
    }
}

#[test]
fn lines_and_areas_can_be_seen_on_both_grounds() {
    for (ground, colours) in grounds() {
        let graphic = colours.iter().filter(|(name, _)| name.starts_with("series-") || name.starts_with("state-"));
        let mut count = 0;
        for (name, &colour) in graphic {
            count += 1;
            let found = contrast(colour, colours["paper"]);
            assert!(found >= 3.0, "{ground}: {name} has a contrast of {found:.2}, and AA asks for 3");
        }
        assert_eq!(count, 16, "{ground}: eight series, eight states");
    }
}

#[test]
fn what_is_dark_by_choice_is_as_dark_as_by_the_system() {
    assert_eq!(colours(":root[data-theme=\"dark\"]"), colours(":root:not([data-theme=\"light\"])"));
    assert_eq!(colours(":root").len(), colours(":root[data-theme=\"dark\"]").len(), "each has a dark one");
}

/// Simulates a colour in an eye without one kind of cone (Viénot, Brettel, Mollon 1999, in linear light).
fn seen_without(cone: [[f64; 3]; 3], colour: [f64; 3]) -> [f64; 3] {
    let linear = colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    let row = |row: [f64; 3]| row.iter().zip(linear).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0);
    cone.map(row).map(f64::sqrt)
}

#[test]
fn neighbouring_series_are_told_apart_without_red_or_green_cones() {
    let whole = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let no_red = [[0.112, 0.888, 0.0], [0.112, 0.888, 0.0], [0.004, -0.004, 1.0]];
    let no_green = [[0.293, 0.707, 0.0], [0.293, 0.707, 0.0], [-0.021, 0.021, 1.0]];
    for (ground, colours) in grounds() {
        for (eye, cone) in [("whole", whole), ("no red", no_red), ("no green", no_green)] {
            for n in 1..8 {
                let [a, b] = [n, n + 1].map(|n| seen_without(cone, colours[&format!("series-{n}")]));
                let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!(distance > 0.1, "{ground}, {eye}: series {n} and the next are {distance:.3} apart");
            }
        }
    }
}
