//! Ticks at round numbers, k 10^e with k in {1, 2, 5} or whole decades, and how the numbers are written.

/// Leading exponents of axes whose numbers are written without a power of ten.
const PLAIN: std::ops::Range<i32> = -3..6;

/// A tick: its axis coordinate, and its number unless it is a minor one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) place: f64,
    pub(super) number: Option<String>,
}

/// Multiples of 1, 2 or 5 times a power of ten.
pub(super) fn linear(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let rough = (high - low) / most as f64;
    let exponent = exponent_of(rough);
    let fits = |mantissa: &i32| f64::from(*mantissa) * power_of_ten(exponent) >= rough;
    let (mantissa, exponent) = match [1, 2, 5].into_iter().find(fits) {
        Some(mantissa) => (mantissa, exponent),
        None => (1, exponent + 1),
    };
    let step = f64::from(mantissa) * power_of_ten(exponent);
    let size = low.abs().max(high.abs());
    let parts = if mantissa == 2 { 4 } else { 5 };
    let fine = step / f64::from(parts);
    let (first, last) = (whole((low / fine).ceil()), whole((high / fine).floor()));
    (first..=last)
        .map(|index| Tick {
            place: index as f64 * fine,
            number: (index % i64::from(parts) == 0).then(|| {
                let count = index / i64::from(parts) * i64::from(mantissa);
                let size = exponent_of(size);
                if PLAIN.contains(&size) {
                    plain(count, exponent)
                } else {
                    multiple(count, exponent, size)
                }
            }),
        })
        .collect()
}

/// Decades when three or more fit; else 1, 2, 5 times a decade; else a linear axis' numbers.
pub(super) fn logarithmic(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let (first, last) = (whole(low.ceil()), whole(high.floor()));
    if last - first >= 2 {
        let count = |stride: i64| last.div_euclid(stride) - (first - 1).div_euclid(stride);
        let wanted = i64::try_from(most).unwrap_or(i64::MAX);
        let fits = |stride: &i64| count(*stride) <= wanted;
        let stride = [1, 2, 3, 4, 5, 10, 20, 50].into_iter().find(fits).unwrap_or(100);
        let mut ticks = Vec::new();
        for decade in first - 1..=last {
            let number =
                (decade.rem_euclid(stride) == 0).then(|| format!("10{}", superscript(decade)));
            ticks.push(Tick { place: decade as f64, number });
            if stride == 1 {
                ticks.extend((2..10).map(|digit| Tick {
                    place: decade as f64 + f64::from(digit).log10(),
                    number: None,
                }));
            }
        }
        ticks.retain(|tick| (low..=high).contains(&tick.place));
        return ticks;
    }
    let mut ticks = Vec::new();
    let decades = whole(low.floor())..=last;
    let all_plain = decades
        .clone()
        .all(|decade| i32::try_from(decade).is_ok_and(|exponent| PLAIN.contains(&exponent)));
    for decade in decades {
        for digit in 1..10_i32 {
            let place = decade as f64 + f64::from(digit).log10();
            let exponent = i32::try_from(decade).unwrap_or(0);
            let number = matches!(digit, 1 | 2 | 5).then(|| {
                if all_plain {
                    plain(i64::from(digit), exponent)
                } else {
                    multiple(i64::from(digit), exponent, exponent)
                }
            });
            if (low..=high).contains(&place) {
                ticks.push(Tick { place, number });
            }
        }
    }
    if ticks.iter().filter(|tick| tick.number.is_some()).count() >= 3 {
        return ticks;
    }
    let mut ticks = linear(10f64.powf(low), 10f64.powf(high), most);
    ticks.retain(|tick| tick.place > 0.0);
    for tick in &mut ticks {
        tick.place = tick.place.log10();
    }
    ticks
}

/// `count 10^exponent` in digits.
fn plain(count: i64, exponent: i32) -> String {
    if count == 0 {
        return "0".to_owned();
    }
    let sign = if count < 0 { "\u{2212}" } else { "" };
    let places = usize::try_from(-exponent).unwrap_or(0);
    format!("{sign}{:.places$}", count.unsigned_abs() as f64 * power_of_ten(exponent))
}

/// `count 10^exponent` as a multiple of `10^size`.
fn multiple(count: i64, exponent: i32, size: i32) -> String {
    match plain(count, exponent - size).as_str() {
        "0" => "0".to_owned(),
        "1" => format!("10{}", superscript(i64::from(size))),
        factor => format!("{factor}×10{}", superscript(i64::from(size))),
    }
}

/// An integer in superscript digits.
pub(super) fn superscript(exponent: i64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raise = |letter: char| letter.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    exponent.to_string().chars().map(raise).collect()
}

/// A positive value as a power of ten where it is one, else with up to three digits.
pub(super) fn scientific(value: f64) -> String {
    let written = format!("{value:.2e}");
    let (factor, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let raised = superscript(exponent.parse().unwrap_or(0));
    match factor.trim_end_matches('0').trim_end_matches('.') {
        "1" => format!("10{raised}"),
        digits => format!("{digits}×10{raised}"),
    }
}

/// The exponent of the leading digit; -300 for zero.
fn exponent_of(value: f64) -> i32 {
    let exponent = whole(value.abs().max(1e-300).log10().floor());
    i32::try_from(exponent).unwrap_or(0)
}

fn power_of_ten(exponent: i32) -> f64 {
    10f64.powi(exponent)
}

/// Tick indices: the callers divide ranges by steps of the same size, which keeps them small.
#[allow(clippy::cast_possible_truncation)]
fn whole(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().filter_map(|tick| tick.number.as_deref()).collect()
    }

    #[test]
    fn linear_numbers_are_round() {
        assert_eq!(numbers(&linear(-0.1, 5.1, 7)), ["0", "1", "2", "3", "4", "5"]);
        assert_eq!(numbers(&linear(-0.25, 0.3, 6)), ["−0.2", "−0.1", "0", "0.1", "0.2", "0.3"]);
        assert_eq!(
            numbers(&linear(0.0, 2e9, 4)),
            ["0", "0.5×10⁹", "1.0×10⁹", "1.5×10⁹", "2.0×10⁹"]
        );
    }

    #[test]
    fn decades_keep_to_the_wanted_count() {
        assert_eq!(
            numbers(&logarithmic(-30.4, 9.4, 9)),
            ["10⁻³⁰", "10⁻²⁵", "10⁻²⁰", "10⁻¹⁵", "10⁻¹⁰", "10⁻⁵", "10⁰", "10⁵"]
        );
        assert_eq!(numbers(&logarithmic(-1.1, 1.1, 9)), ["10⁻¹", "10⁰", "10¹"]);
        assert_eq!(numbers(&logarithmic(-0.1, 1.1, 9)), ["1", "2", "5", "10"]);
        assert_eq!(numbers(&logarithmic(0.05, 0.1, 5)), ["1.15", "1.20", "1.25"]);
        assert_eq!(numbers(&logarithmic(-4.1, -2.9, 9)), ["10⁻⁴", "2×10⁻⁴", "5×10⁻⁴", "10⁻³"]);
    }

    /// Each number, read back, is where its tick stands.
    #[test]
    fn numbers_name_their_places() {
        for (low, high) in
            [(-3.0, 7.0), (1e-9, 3e-9), (-2e8, 4e8), (0.999_999, 1.000_001), (-1e300, 1e300)]
        {
            let ticks = linear(low, high, 6);
            let numbered = ticks.iter().filter(|tick| tick.number.is_some()).count();
            assert!((3..=9).contains(&numbered), "{low} {high}: {numbered}");
            for tick in ticks {
                let Some(number) = tick.number else { continue };
                let plain: String = number
                    .chars()
                    .map(|letter| {
                        match "⁰¹²³⁴⁵⁶⁷⁸⁹⁻−".chars().position(|c| c == letter)
                        {
                            Some(digit @ 0..=9) => char::from(b'0' + u8::try_from(digit).unwrap()),
                            Some(_) => '-',
                            None => letter,
                        }
                    })
                    .collect();
                let power = number.starts_with("10") && plain.len() < number.len();
                let plain = if power { format!("1×{plain}") } else { plain };
                let value: f64 = plain.replace("×10", "e").parse().unwrap();
                assert!(
                    (value - tick.place).abs() <= 1e-9 * (high - low),
                    "{number} {}",
                    tick.place
                );
            }
        }
    }

    #[test]
    fn thresholds_read_as_powers_of_ten() {
        assert_eq!([1e-32, 2.5e-9, 1.0].map(scientific), ["10⁻³²", "2.5×10⁻⁹", "10⁰"]);
    }
}
