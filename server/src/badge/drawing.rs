//! Draws a badge as SVG: label, sparkline, value, and the colour of the level.
//!
//! The picture has no style sheet and no script, because the content security policy of other answers permits none.

use std::fmt::Write as _;

use shared::board::Level;

/// The height in pixels.
const HEIGHT: f64 = 20.0;

/// The space around a text.
const PADDING: f64 = 6.0;

/// The width of the sparkline.
const LINE: f64 = 60.0;

/// The most points of the sparkline.
const MAX_POINTS: usize = 60;

/// The most characters of a text.
const MAX_TEXT: usize = 60;

/// The content of a badge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Badge {
    /// The name of the series within its board.
    pub label: String,
    /// The value with its unit.
    pub value: String,
    /// The level; `None` where no threshold gives one.
    pub level: Option<Level>,
    /// True if the series is silent for longer than expected.
    pub is_stale: bool,
    /// The times and numbers of the sparkline, in order.
    pub line: Vec<(f64, f64)>,
}

impl Badge {
    /// Draws the badge.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let (label, value) = (cut(&self.label), cut(&self.value));
        let line = path(&self.line);
        let between = if line.is_empty() { 0.0 } else { LINE };
        let left = width(&label) + 2.0 * PADDING + between;
        let right = width(&value) + 2.0 * PADDING;
        let whole = left + right;
        let colour = if self.is_stale { "#6b6b6b" } else { colour(self.level) };
        let title = format!("{}: {}{}", escaped(&self.label), escaped(&self.value), self.words());
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{title}\">\
             <title>{title}</title>\
             <rect width=\"{whole}\" height=\"{HEIGHT}\" rx=\"3\" fill=\"#3a3f45\"/>\
             <path d=\"M{left} 0h{}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{}z\" fill=\"{colour}\"/>",
            right - 3.0,
            right - 3.0,
        );
        if !line.is_empty() {
            let at = width(&label) + 2.0 * PADDING - PADDING / 2.0;
            write(
                &mut svg,
                format_args!(
                    "<path transform=\"translate({at} 0)\" d=\"{line}\" fill=\"none\" stroke=\"#c9d1d9\" stroke-width=\"1.2\"/>"
                ),
            );
        }
        write(
            &mut svg,
            format_args!(
                "<g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\
                 <text x=\"{PADDING}\" y=\"14\">{}</text><text x=\"{}\" y=\"14\">{}</text></g></svg>\n",
                escaped(&label),
                left + PADDING,
                escaped(&value),
            ),
        );
        svg
    }

    /// Says the level and the silence in words, for those who do not see colours.
    fn words(&self) -> &'static str {
        match (self.is_stale, self.level) {
            (true, _) => " (stale)",
            (false, Some(Level::Bad)) => " (bad)",
            (false, Some(Level::Warn)) => " (warning)",
            (false, Some(Level::Ok)) => " (ok)",
            (false, None) => "",
        }
    }
}

/// Returns the background of the value. White text on it has a contrast of at least 4.5.
fn colour(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::Ok) => "#1f6f3f",
        Some(Level::Warn) => "#8a4b00",
        Some(Level::Bad) => "#a3201c",
        None => "#25507a",
    }
}

/// Estimates the width of a text in pixels, rather too wide: the font is not known.
fn width(text: &str) -> f64 {
    let (narrow, wide) = text
        .chars()
        .fold((0, 0), |(narrow, wide), c| if c < '\u{1100}' { (narrow + 1, wide) } else { (narrow, wide + 1) });
    (f64::from(narrow) * 7.2 + f64::from(wide) * 12.0).ceil()
}

/// Writes the path of the sparkline; empty if there are fewer than two points. Of many points, the newest are drawn.
fn path(points: &[(f64, f64)]) -> String {
    let points = &points[points.len().saturating_sub(MAX_POINTS)..];
    let [(begin, _), .., (end, _)] = points else { return String::new() };
    let (least, greatest) = points
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), (_, y)| (least.min(*y), greatest.max(*y)));
    // Halved before the difference, which could be infinite.
    let share = |value: f64, from: f64, to: f64| {
        let span = to / 2.0 - from / 2.0;
        if span > 0.0 { (value / 2.0 - from / 2.0) / span } else { 0.5 }
    };
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let across = share(*x, *begin, *end) * (LINE - PADDING);
        let down = 3.0 + (1.0 - share(*y, least, greatest)) * (HEIGHT - 6.0);
        write(&mut path, format_args!("{}{across:.1} {down:.1}", if at == 0 { "M" } else { "L" }));
    }
    path
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn write(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).expect("writing to a String succeeds");
}

/// Escapes a text for XML. Leaves out control characters, which XML does not permit.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | '\r' => escaped.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn badge(label: &str, value: &str, line: &[(f64, f64)]) -> String {
        Badge { label: label.to_owned(), value: value.to_owned(), line: line.to_vec(), ..Badge::default() }.to_svg()
    }

    #[test]
    fn text_of_a_sender_is_only_text_and_long_text_is_cut() {
        let svg = badge("lat", "</text><script>alert(\"1\")</script>&\u{1}\u{0}\n", &[]);
        assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"), "{svg}");
        assert!(!svg.contains(['\u{0}', '\u{1}']) && svg.matches('\n').count() == 1);
        let long = badge("lat", &"ü".repeat(4_096), &[]);
        assert!(long.contains(&format!(">{}…</text>", "ü".repeat(MAX_TEXT))), "{long}");
    }

    #[test]
    fn sparkline_stays_within_its_space_for_any_numbers() {
        assert!(path(&[]).is_empty() && path(&[(0.0, 1.0)]).is_empty());
        let extreme = [(0.0, f64::MIN), (1.0, f64::MAX), (2.0, 0.0)];
        assert_eq!(path(&extreme), "M0.0 17.0L27.0 3.0L54.0 10.0");
        assert_eq!(path(&[(0.0, 5.0), (0.0, 5.0)]), "M27.0 10.0L27.0 10.0");
        let many: Vec<_> = (0..300).map(|n| (f64::from(n), f64::from(n % 7))).collect();
        assert_eq!(path(&many).matches(['M', 'L']).count(), MAX_POINTS);
        assert!(!badge("a", "1", &many).contains("NaN"));
    }

    #[test]
    fn level_is_a_colour_and_a_word() {
        let of = |level, is_stale| Badge { level, is_stale, ..Badge::default() }.to_svg();
        assert!(of(Some(Level::Bad), false).contains("#a3201c") && of(Some(Level::Bad), false).contains("(bad)"));
        assert!(of(Some(Level::Bad), true).contains("(stale)") && !of(Some(Level::Bad), true).contains("#a3201c"));
    }
}
