//! Tests of the number format: examples, and the laws that hold for all numbers and units.

use proptest::prelude::*;

use super::*;
use crate::format::symbol::Symbol;
use crate::format::unit::TimeUnit;

const TIME_UNITS: [TimeUnit; 7] = [
    TimeUnit::Nanosecond,
    TimeUnit::Microsecond,
    TimeUnit::Millisecond,
    TimeUnit::Second,
    TimeUnit::Minute,
    TimeUnit::Hour,
    TimeUnit::Day,
];

fn unit(symbol: &str, scaling: Scaling) -> UnitFormat {
    UnitFormat { symbol: Symbol::new(symbol), scaling }
}

fn bytes() -> UnitFormat {
    unit("B", Scaling::FromThousand)
}

fn time(counted: TimeUnit) -> UnitFormat {
    unit("", Scaling::Time(counted))
}

/// A number of a series that has no other, with an ordinary space before the unit.
fn alone(unit: UnitFormat, value: f64) -> String {
    plain(&NumberFormat::of(unit, value, std::iter::empty()).text(value))
}

fn plain(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

#[test]
fn a_number_by_itself_has_the_decimals_it_needs() {
    for (value, text) in [
        (0.0, "0"),
        (42.0, "42"),
        (42.5, "42.5"),
        (-42.5, "−42.5"),
        (42.483_728, "42.48"),
        (1_234.567, "1,235"),
        (123_456.0, "123,456"),
        (999_999.0, "999,999"),
        (999_999.7, "1.00 M"),
        (1_234_567.0, "1.23 M"),
        (0.25, "0.25"),
        (0.004_213, "0.00421"),
        (1e-9, "1.00e-9"),
        (9.995e17, "1.00e18"),
        (1e21, "1.00e21"),
        (f64::MAX, "1.80e308"),
    ] {
        assert_eq!(alone(UnitFormat::none(), value), text);
    }
}

#[test]
fn bytes_take_the_prefix_that_they_reach_once_rounded() {
    for (value, text) in [
        (790.0, "790 B"),
        (999.96, "1.00 kB"),
        (999_499.9, "999 kB"),
        (999_999.9, "1.00 MB"),
        (3_200_000.0, "3.20 MB"),
        (79_542_268.6, "79.5 MB"),
        (1e21, "1.00e21 B"),
    ] {
        assert_eq!(alone(bytes(), value), text);
    }
}

#[test]
fn each_number_of_a_series_has_its_own_prefix() {
    let rate = unit("B/s", Scaling::FromThousand);
    for current in [790.0, 79_542_268.6] {
        let format = NumberFormat::of(rate, current, [790.0, 79_542_268.6].into_iter());
        assert_eq!([790.0, 79_542_268.6].map(|value| plain(&format.text(value))), ["790 B/s", "79.5 MB/s"]);
        assert_eq!(plain(&format.span(790.0, 79_542_268.6)), "790 B/s to 79.5 MB/s");
        assert_eq!(plain(&format.difference(-790.0).text()), "−790 B/s");
    }
}

#[test]
fn figures_stay_in_their_places_while_the_value_moves() {
    let recent = [41.25, 42.0, 43.5];
    let format = NumberFormat::of(UnitFormat::none(), 42.0, recent.into_iter());
    assert_eq!(recent.map(|value| format.number(value)), ["41.25", "42.00", "43.50"]);
    let recent = [3_200_000.0, 3_214_000.0, 12_000_000.0];
    let format = NumberFormat::of(bytes(), 3_200_000.0, recent.into_iter());
    assert_eq!(recent.map(|value| format.number(value)), ["3.20", "3.21", "12.0"]);
}

#[test]
fn duration_is_written_in_the_unit_that_fits() {
    for (counted, value, text) in [
        (TimeUnit::Millisecond, 42.5, "42.5 ms"),
        (TimeUnit::Millisecond, 999.96, "1 s"),
        (TimeUnit::Millisecond, 1_250.0, "1.25 s"),
        (TimeUnit::Millisecond, 1_000.0, "1 s"),
        (TimeUnit::Millisecond, 0.0, "0 ms"),
        (TimeUnit::Millisecond, 0.25, "250 µs"),
        (TimeUnit::Second, 0.0421, "42.1 ms"),
        (TimeUnit::Second, 90.0, "90 s"),
        (TimeUnit::Second, 119.996, "2 min"),
        (TimeUnit::Second, 150.0, "2.5 min"),
        (TimeUnit::Second, 5_400.0, "90 min"),
        (TimeUnit::Second, 864_000.0, "10 d"),
        (TimeUnit::Second, 8.64e15, "1.00e11 d"),
        (TimeUnit::Second, 1e-18, "1.00e-9 ns"),
    ] {
        assert_eq!(alone(time(counted), value), text);
    }
    let format = NumberFormat::of(time(TimeUnit::Millisecond), 640.0, [980.0, 1_250.0].into_iter());
    assert_eq!([640.0, 980.0, 1_250.0].map(|value| plain(&format.text(value))), ["640 ms", "980 ms", "1.25 s"]);
}

#[test]
fn decimals_that_are_declared_are_kept_whatever_the_number() {
    let format = NumberFormat::of(bytes(), 3_200_000.0, std::iter::empty()).with_decimals(Some(1));
    let texts = [3_200_000.0, 3_000_000.0, 999.96, 1e-9].map(|value| plain(&format.text(value)));
    assert_eq!(texts, ["3.2 MB", "3.0 MB", "1.0 kB", "0.0 B"]);
}

#[test]
fn a_small_value_among_great_ones_is_not_drowned() {
    let format = NumberFormat::of(UnitFormat::none(), 5_000.0, [4_000.0].into_iter());
    assert_eq!([0.25, -0.000_31, 0.0].map(|value| format.number(value)), ["0.25", "−0.00031", "0"]);
}

#[test]
fn a_difference_has_a_sign_unless_it_is_none() {
    let format = NumberFormat::of(UnitFormat::none(), 42.5, [41.0].into_iter());
    let texts = [1.5, -0.5, 0.0, -0.01, 1e-12].map(|d| format.difference(d).text());
    assert_eq!(texts, ["+1.5", "−0.5", "±0.0", "−0.010", "±0.0"]);
}

#[test]
fn percentages_differ_by_points() {
    let percent = NumberFormat::of(unit("%", Scaling::Never), 88.4, [76.8].into_iter());
    assert_eq!(plain(&percent.difference(11.6).text()), "+11.6 points");
    let ratio = NumberFormat::of(unit("", Scaling::Ratio), 0.884, [0.768].into_iter());
    assert_eq!(
        (plain(&ratio.text(0.884)), plain(&ratio.difference(0.116).text())),
        ("88.4 %".into(), "+11.6 points".into())
    );
}

#[test]
fn numbers_of_an_axis_share_a_unit_unless_it_hides_the_least() {
    let axis = |unit, ticks: &[f64]| -> Vec<String> {
        let format = NumberFormat::axis(unit, ticks);
        ticks.iter().map(|&tick| plain(&format.text(tick))).collect()
    };
    assert_eq!(axis(bytes(), &[0.0, 5e8, 1e9, 1.5e9]), ["0.0 GB", "0.5 GB", "1.0 GB", "1.5 GB"]);
    assert_eq!(axis(bytes(), &[0.0, 2e6, 4e6]), ["0 MB", "2 MB", "4 MB"]);
    assert_eq!(axis(UnitFormat::none(), &[1.0, 100.0, 10_000.0]), ["1", "100", "10,000"]);
    assert_eq!(axis(bytes(), &[1.0, 1e3, 1e6, 1e9]), ["1 B", "1 kB", "1 MB", "1 GB"]);
    assert_eq!(axis(UnitFormat::none(), &[0.0, 0.25, 0.5]), ["0.00", "0.25", "0.50"]);
    assert_eq!(axis(UnitFormat::none(), &[0.0]), ["0"]);
}

/// A unit, and numbers of the sizes that occur: near powers of ten, where rounding matters, and anywhere.
fn units() -> impl Strategy<Value = UnitFormat> {
    prop_oneof![
        Just(bytes()),
        Just(unit("", Scaling::FromMillion)),
        Just(unit("rpm", Scaling::FromMillion)),
        Just(unit("%", Scaling::Never)),
        Just(unit("", Scaling::Ratio)),
        prop::sample::select(TIME_UNITS.to_vec()).prop_map(time),
    ]
}

fn numbers() -> impl Strategy<Value = f64> {
    let near_a_power = (-14..24_i32, -1e-2..1e-2_f64, 1..10_u8)
        .prop_map(|(power, off, digit)| f64::from(digit) * 10.0_f64.powi(power) * (1.0 + off));
    let just_below =
        (-8..20_i32, 1..17_i32).prop_map(|(power, nines)| 10.0_f64.powi(power) * (1.0 - 10.0_f64.powi(-nines)));
    let anywhere = any::<f64>().prop_filter("a number", |value| value.is_finite());
    (prop_oneof![2 => near_a_power, 2 => just_below, 1 => anywhere, 1 => Just(0.0)], any::<bool>())
        .prop_map(|(value, negative)| if negative { -value } else { value })
}

/// A written number: its value in the unit of the series, half a unit of its last digit, and the figure before the
/// prefix.
struct Parsed {
    value: f64,
    half: f64,
    figure: f64,
    prefix: String,
}

fn parse(unit: UnitFormat, figures: &Figures) -> Parsed {
    let number = figures.number.replace(',', "").replace(MINUS, "-");
    let figure: f64 = number.parse().unwrap_or_else(|error| panic!("{number}: {error}"));
    let (digits, power) = number.split_once('e').unwrap_or((&number, "0"));
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let power: i32 = power.parse().unwrap();
    // Parsed, since a power of ten below the least float would be zero.
    let half: f64 = format!("0.5e{}", power - i32::try_from(decimals).unwrap()).parse().unwrap();
    let (divisor, prefix) = match unit.scaling {
        Scaling::Ratio if figures.unit.is_empty() => (1.0, String::new()),
        Scaling::Ratio => (0.01, String::new()),
        Scaling::Time(counted) => {
            let written = TIME_UNITS.into_iter().find(|unit| unit.symbol() == figures.unit).expect("a unit of time");
            (written.seconds() / counted.seconds(), String::new())
        }
        _ if figures.unit.is_empty() => (1.0, String::new()),
        _ => {
            let prefix = figures.unit.strip_suffix(unit.symbol.as_str()).expect("the unit at the end");
            let power =
                ["", "k", "M", "G", "T", "P"].iter().position(|&known| known == prefix).expect("a known prefix");
            (1e3_f64.powi(i32::try_from(power).unwrap()), prefix.to_owned())
        }
    };
    Parsed { value: figure * divisor, half: half * divisor, figure, prefix }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn shown_text_parses_back_to_within_half_a_unit_of_its_last_digit(
        unit in units(), values in prop::collection::vec(numbers(), 1..6), declared in prop::option::of(0..5_u16),
    ) {
        let format = NumberFormat::of(unit, values[0], values.iter().copied()).with_decimals(declared);
        for &value in &values {
            let figures = format.figures(value);
            let parsed = parse(unit, &figures);
            let tolerance = parsed.half + value.abs() * 1e-12;
            prop_assert!((parsed.value - value).abs() <= tolerance, "{} is written {:?}", value, figures);
        }
    }

    #[test]
    fn rounding_never_shows_a_thousand_of_a_prefix(
        unit in units(), values in prop::collection::vec(numbers(), 1..6), declared in prop::option::of(0..5_u16),
    ) {
        let format = NumberFormat::of(unit, values[0], values.iter().copied()).with_decimals(declared);
        for &value in &values {
            let figures = format.figures(value);
            let parsed = parse(unit, &figures);
            let most = match unit.scaling {
                _ if figures.number.contains('e') => continue,
                Scaling::FromMillion if parsed.prefix.is_empty() => 1e6,
                Scaling::FromThousand | Scaling::FromMillion => 1e3,
                Scaling::Time(_) => match figures.unit.as_str() {
                    "ns" | "µs" | "ms" => 1e3,
                    "s" | "min" => 120.0,
                    "h" => 48.0,
                    _ => 1e6,
                },
                Scaling::Never | Scaling::Ratio => 1e15,
            };
            prop_assert!(parsed.figure.abs() < most, "{} is written {:?}", value, figures);
        }
    }

    #[test]
    fn a_number_reads_as_zero_only_if_it_is(unit in units(), values in prop::collection::vec(numbers(), 1..6)) {
        let format = NumberFormat::of(unit, values[0], values.iter().copied());
        for &value in &values {
            let figures = format.figures(value);
            prop_assert_eq!(is_zero(&figures.number), value == 0.0, "{} is written {:?}", value, figures);
            prop_assert_eq!(figures.number.starts_with(MINUS), value < 0.0);
        }
    }

    #[test]
    fn an_axis_tells_its_ticks_apart(unit in units(), first in -50..50_i32, step in 1..6_i32, power in -4..13_i32) {
        let ticks: Vec<f64> = (0..5).map(|i| f64::from(first + i * step) * 10.0_f64.powi(power)).collect();
        let format = NumberFormat::axis(unit, &ticks);
        let mut texts: Vec<String> = ticks.iter().map(|&tick| format.text(tick)).collect();
        texts.dedup();
        prop_assert_eq!(texts.len(), ticks.len(), "{:?}", texts);
    }
}
