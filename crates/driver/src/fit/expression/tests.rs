//! Values against Python, derivatives against closed forms, dual numbers and differences, limits, hostile texts.
#![allow(
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    reason = "exact values and small draws are meant"
)]

use gaussflow::objective::{Residuals, SmoothMap, check_jacobian, check_second_derivative};
use num_dual::Dual64;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::tape::Block;
use super::{
    ExpressionError, ExpressionModel, MOST_CHARACTERS, MOST_NESTED, MOST_WORDS, Names, parse,
};

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// A model of column x, whose values are `x`.
fn model_on(
    x: &[f64],
    text: &str,
    parameters: &[&str],
) -> Result<ExpressionModel, ExpressionError> {
    let (columns, parameters) = (owned(&["x"]), owned(parameters));
    let reserved = [("y".to_owned(), "response")];
    let names = Names { columns: &columns, parameters: &parameters, reserved: &reserved };
    ExpressionModel::new(text, names, x, vec![0.0; x.len()])
}

fn model(text: &str, parameters: &[&str]) -> Result<ExpressionModel, ExpressionError> {
    model_on(&[-1.5, 0.5, 2.0], text, parameters)
}

/// Values and derivatives (by row, then parameter).
fn linearized(model: &ExpressionModel, w: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut jacobian = model.new_jacobian();
    let mut value = vec![0.0; model.response.len()];
    model.linearize(w, &mut value, &mut jacobian).unwrap();
    let mut alone = value.clone();
    model.value(w, &mut alone).unwrap();
    assert!(alone.iter().zip(&value).all(|(a, b)| a.to_bits() == b.to_bits()));
    let matrix = jacobian.matrix_mut();
    let row = |j| (0..w.len()).map(|k| matrix[(j, k)]).collect();
    let slopes = (0..value.len()).map(row).collect();
    (value, slopes)
}

#[test]
fn values_and_precedence_are_those_of_python() {
    let table = include_str!("../../../tests/golden/expressions.txt");
    let mut lines = 0;
    for line in table.lines() {
        let (text, right) = line.split_once('\t').unwrap();
        let right: f64 = right.parse().unwrap();
        let text = format!("({text}) + 0*a + 0*b");
        let (found, _) = linearized(&model_on(&[0.9], &text, &["a", "b"]).unwrap(), &[1.3, 0.7]);
        assert!((found[0] - right).abs() <= 1e-11 * right.abs(), "{text}: {found:?}, {right}");
        lines += 1;
    }
    assert_eq!(lines, 400);
}

#[test]
fn values_are_the_bits_of_the_plain_operations() {
    let x: Vec<f64> = (0..300).map(|j| 0.013 * f64::from(j) + 1e-3).collect();
    let check = |text: &str, plain: fn(f64, f64) -> f64| {
        let (found, _) = linearized(&model_on(&x, text, &["a"]).unwrap(), &[1.7]);
        for (found, &x) in found.iter().zip(&x) {
            assert_eq!(found.to_bits(), plain(1.7, x).to_bits(), "{text} at {x}");
        }
    };
    check("x^a", |a, x| x.powf(a));
    check("a*x**3 - x^-2", |a, x| a * x.powi(3) - x.powi(-2));
    check("x^17 + 0*a", |_, x| x.powf(17.0));
    check("tanh(a*x) / cbrt(x) * log10(x)", |a, x| (a * x).tanh() / x.cbrt() * x.log10());
    check("a*tan(x) - erf(x)", |a, x| a * x.tan() - libm::erf(x));
    check("exp(-a*x^2/2)", |a, x| (-a * x.powi(2) / 2.0).exp());
}

/// A curve, and its derivatives by all parameters as functions of x >= 0 with their limits at 0.
struct Curve {
    text: &'static str,
    parameters: &'static [&'static str],
    slopes: fn(&[f64], f64) -> Vec<f64>,
}

/// `x^c ln x`, which goes to 0 with x for c > 0.
fn power_log(x: f64, c: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.powf(c) * x.ln() }
}

const CURVES: [Curve; 6] = [
    Curve {
        // Hill.
        text: "bottom + (top - bottom) * x^n / (ec50^n + x^n)",
        parameters: &["bottom", "top", "ec50", "n"],
        slopes: |w, x| {
            let (span, ec50, n) = (w[1] - w[0], w[2], w[3]);
            let (p, q) = (x.powf(n), ec50.powf(n));
            let s = p / (p + q);
            let by_n = span * (power_log(x, n) * q - p * q * ec50.ln()) / (p + q).powi(2);
            vec![1.0 - s, s, -span * p * n * q / ec50 / (p + q).powi(2), by_n]
        },
    },
    Curve {
        // Four-parameter logistic.
        text: "d + (a - d) / (1 + (x / c)^b)",
        parameters: &["a", "b", "c", "d"],
        slopes: |w, x| {
            let (a, b, c, d) = (w[0], w[1], w[2], w[3]);
            let u = (x / c).powf(b);
            let by_u = -(a - d) / (1.0 + u).powi(2);
            vec![
                1.0 / (1.0 + u),
                by_u * power_log(x / c, b),
                -by_u * b * u / c,
                1.0 - 1.0 / (1.0 + u),
            ]
        },
    },
    Curve {
        // Freundlich, with the exponent 1/n.
        text: "k * x^(1/n)",
        parameters: &["k", "n"],
        slopes: |w, x| {
            let r = 1.0 / w[1];
            vec![x.powf(r), -w[0] * power_log(x, r) * r * r]
        },
    },
    Curve {
        // The family "power" with an offset.
        text: "factor * x^exponent + offset",
        parameters: &["factor", "exponent", "offset"],
        slopes: |w, x| vec![x.powf(w[1]), w[0] * power_log(x, w[1]), 1.0],
    },
    Curve {
        // Stretched exponential; b below 1 has an infinite slope by x at 0, and none by tau.
        text: "exp(-(x/tau)^b)",
        parameters: &["tau", "b"],
        slopes: |w, x| {
            let u = (x / w[0]).powf(w[1]);
            vec![(-u).exp() * u * w[1] / w[0], -(-u).exp() * power_log(x / w[0], w[1])]
        },
    },
    Curve {
        // Gamma variate.
        text: "a * x^b * exp(-x / c)",
        parameters: &["a", "b", "c"],
        slopes: |w, x| {
            let f = (-x / w[2]).exp();
            let p = x.powf(w[1]);
            vec![p * f, w[0] * power_log(x, w[1]) * f, w[0] * p * f * x / (w[2] * w[2])]
        },
    },
];

proptest! {
    /// Families that were refused for their row at zero, against their closed-form derivatives.
    #[test]
    fn rows_at_zero_have_the_limits_of_the_derivatives(
        which in 0..CURVES.len(),
        w in prop::collection::vec(0.2..3.0_f64, 4),
        mut x in prop::collection::vec(1e-6..20.0_f64, 1..200),
    ) {
        let curve = &CURVES[which];
        let w = &w[..curve.parameters.len()];
        x[0] = 0.0;
        x.push(0.0);
        let (_, slopes) = linearized(&model_on(&x, curve.text, curve.parameters).unwrap(), w);
        for (found, &x) in slopes.iter().zip(&x) {
            for (found, right) in found.iter().zip((curve.slopes)(w, x)) {
                prop_assert!((found - right).abs() <= 1e-12 * right.abs().max(1e-2), "{x}: {found}, {right}");
            }
        }
    }

    /// The sweep backward against dual numbers forward, on random expressions.
    #[test]
    fn reverse_accumulation_agrees_with_dual_numbers(seed: u64, rows in 1..300_usize) {
        let mut draw = ChaCha8Rng::seed_from_u64(seed);
        let text = format!("{} + a + b + c", random_expression(&mut draw, 5));
        let mut unit = || (draw.next_u64() >> 11) as f64 / 2f64.powi(53);
        let x: Vec<f64> = (0..rows).map(|_| 0.1 + 2.0 * unit()).collect();
        let w: Vec<f64> = (0..3).map(|_| 0.1 + 2.0 * unit()).collect();
        let (value, slopes) = linearized(&model_on(&x, &text, &["a", "b", "c"]).unwrap(), &w);
        let (columns, parameters) = (owned(&["x"]), owned(&["a", "b", "c"]));
        let names = Names { columns: &columns, parameters: &parameters, reserved: &[] };
        let tape = parse::parse(&text, names).unwrap();
        let mut values = vec![Dual64::from(0.0); rows * tape.nodes.len()];
        let mut plain = vec![0.0; rows * tape.nodes.len()];
        let data = [x.clone()];
        let block = Block { columns: &data, start: 0, length: rows, is_first: true };
        tape.forward(&block, &w, rows, &mut plain);
        for k in [0, 1, 2] {
            let dual = |i: usize| Dual64::new(w[i], if i == k { 1.0 } else { 0.0 });
            tape.forward(&block, &[dual(0), dual(1), dual(2)], rows, &mut values);
            for (j, right) in values[values.len() - rows..].iter().enumerate() {
                let found = slopes[j][k];
                // Dual numbers lose digits where a quotient's parts cancel or overflow.
                let tame = right.eps.is_finite() && right.re.abs() < 1e6 && value[j].is_finite();
                // Where something is 0 up to rounding, as ln(tanh(40)) is, a root of it has a vertical tangent that only
                // one of both may see.
                let clear = plain.iter().skip(j).step_by(rows).all(|node| node.abs() > 1e-12);
                let tame = tame && clear;
                let error = (found - right.eps).abs();
                prop_assert!(!tame || error <= 1e-6 * right.eps.abs().max(1.0), "{text}: {found} {right:?}");
            }
        }
    }
}

/// Sums, products, quotients and functions of a, b, c and x, parentheses everywhere.
fn random_expression(draw: &mut ChaCha8Rng, depth: usize) -> String {
    let mut pick = |count: u64| draw.next_u64() % count;
    let choice = pick(10);
    let word = |words: &[&str], at: u64| words[at as usize % words.len()].to_owned();
    if depth == 0 || choice == 0 {
        return word(&["a", "b", "c", "x", "2", "0.3"], pick(6));
    }
    let (at, inner) = (pick(12), random_expression(draw, depth - 1));
    match choice {
        1..=3 => {
            let functions = [
                "sin", "cos", "tanh", "atan", "erf", "erfc", "cbrt", "exp", "sqrt", "ln", "asinh",
                "abs",
            ];
            format!("{}({inner})", word(&functions, at))
        }
        4 => format!("-({inner})"),
        5 => format!("({inner})^{}", word(&["2", "3", "-1", "0.5", "a", "(-b)"], at)),
        6 => format!(
            "{}({inner}, {})",
            word(&["min", "max", "atan2"], at),
            random_expression(draw, depth - 1)
        ),
        _ => format!(
            "({inner}){}({})",
            word(&["+", "-", "*", "/"], at),
            random_expression(draw, depth - 1)
        ),
    }
}

#[test]
fn derivatives_of_every_function_pass_the_checker() {
    for text in [
        "a*exp(-b*x) + c*expm1(a*x)",
        "(a + b*x + c*x^2) / (1 + b^2*x^2)",
        "a / (1 + exp(-(x - b)/c))",
        "a*sin(b*x)^2 + ln(c) + sqrt(a + x^2) + cos(c*x) + tan(a*b/2)",
        "a*atan(b*x) + tanh(c*x) + 10^(b/3) - (x^2)^c",
        "asin(a*x/4) + acos(b*x/4) + asinh(c*x) + acosh(a + x^2) + atanh(b*x/5)",
        "log(a + 2) * log2(b + 2) * log10(c + 2) * log1p(a*b)",
        "cbrt(a*x) * sinh(b*x) / cosh(c*x) + erf(a*x) - erfc(b*x)",
        "atan2(a*x, b) + abs(a*x) + min(a, b, c)*max(a*x, b) + pow(a, b*x) + step(x)*c",
        "x^-3*a + (b*x)^5 + (-c)^2 - -a",
    ] {
        let model = model(text, &["a", "b", "c"]).unwrap();
        for check in [check_jacobian, check_second_derivative] {
            let check = check(&model, &[1.3, 0.7, 0.9], &[0.3, -0.2, 0.1]).unwrap();
            assert!(check.passed(), "{text}: {check}");
        }
    }
}

/// Slopes at limits, each with the reason in the documentation of the model.
#[test]
fn slopes_at_limits_are_what_the_documentation_says() {
    let slope = |text: &str, a: f64, x: f64| {
        linearized(&model_on(&[x], &format!("{text} + 0*a"), &["a"]).unwrap(), &[a]).1[0][0]
    };
    for (text, a, x, right) in [
        ("x^a", 2.0, 0.0, 0.0),
        ("x^a", 1e-9, 0.0, 0.0),
        ("x^a", 0.0, 0.0, 0.0),
        ("a^0", 0.0, 1.0, 0.0),
        ("a^x", 0.0, 0.0, 0.0),
        ("a^x", 0.0, 1.0, 1.0),
        ("a^x", 0.0, 2.0, 0.0),
        ("a^x", 0.0, 0.5, f64::INFINITY),
        ("a^x", -2.0, 3.0, 12.0),
        ("a^1", 0.0, 1.0, 1.0),
        ("a^3", -2.0, 1.0, 12.0),
        ("a^-2", -2.0, 1.0, 0.25),
        ("a^17", -1.0, 1.0, 17.0),
        ("abs(a)", 0.0, 1.0, 0.0),
        ("abs(a)", -3.0, 1.0, -1.0),
        ("max(a, x)", 2.0, 2.0, 0.5),
        ("min(a, x)", 2.0, 2.0, 0.5),
        ("max(a, a)", 2.0, 2.0, 1.0),
        ("min(a, x)", 2.0, 3.0, 1.0),
        ("max(a, x)", 2.0, 3.0, 0.0),
        ("sqrt(a)", 0.0, 1.0, f64::INFINITY),
        ("sqrt(a*x)", 1.0, 0.0, 0.0),
        ("x*sqrt(a)", 0.0, 0.0, 0.0),
        ("cbrt(a)", 0.0, 1.0, f64::INFINITY),
        ("cbrt(a)", -8.0, 1.0, 1.0 / 12.0),
        ("step(a)", 0.0, 1.0, 0.0),
        ("tanh(a)", 800.0, 1.0, 0.0),
        ("1 / (1 + exp(-a*x))", 1.0, -800.0, 0.0),
        ("1 / (1 + exp(-a*x))", 1.0, 800.0, 0.0),
    ] {
        let found = slope(text, a, x);
        assert!(
            found == right || (found / right - 1.0).abs() < 1e-14,
            "{text} at {a}, {x}: {found}"
        );
    }
    assert!(slope("x^a", 2.0, -1.0).is_nan(), "no power beside the whole exponents");
    let at = |text: &str, x: f64| linearized(&model_on(&[x], text, &["a"]).unwrap(), &[1.0]).0[0];
    assert_eq!([-1.0, -0.0, 0.0, 2.0].map(|x| at("a*step(x)", x)), [0.0, 1.0, 1.0, 1.0]);
    assert!(at("max(a, ln(x))", -1.0).is_nan() && at("max(ln(x), a)", -1.0).is_nan());
}

/// A held parameter is a constant: whole powers of negative bases have slopes again.
#[test]
fn held_parameters_have_no_derivative() {
    let model = model("b * (a*x)^n", &["a", "b", "n"]).unwrap();
    let (_, slopes) = linearized(&model, &[1.0, 1.0, 3.0]);
    assert!(slopes[0][2].is_nan());
    let (_, slopes) = linearized(&model.with_held(&[false, true, true]), &[1.0, 1.0, 3.0]);
    assert_eq!(slopes[0], [3.0 * (-1.5f64).powi(3), 0.0, 0.0]);
}

#[test]
fn names_are_columns_then_parameters_then_constants_and_functions_before_a_parenthesis() {
    let value = |text: &str, parameters: &[&str], w: &[f64]| {
        linearized(&model_on(&[2.0], text, parameters).unwrap(), w).0[0]
    };
    assert_eq!(value("e * x", &["e"], &[5.0]), 10.0);
    assert_eq!(value("a * e", &["a"], &[1.0]), std::f64::consts::E);
    assert_eq!(value("pi + PI * 0", &["pi"], &[3.0]), 3.0);
    assert_eq!(value("log * log(x) / ln(x)", &["log"], &[3.0]), 3.0);
    assert_eq!(value("`x` * größe", &["größe"], &[3.0]), 6.0);
    let shadowed = |name: &str| model("x", &[name]).unwrap_err();
    assert_eq!(shadowed("x"), ExpressionError::Shadowed { name: "x".to_owned(), role: "column" });
    assert_eq!(shadowed("y"), ExpressionError::Shadowed { name: "y".to_owned(), role: "response" });
    assert!(matches!(model("a*y", &["a"]), Err(ExpressionError::Reserved { at: 3, .. })));
    assert!(matches!(model("x", &["a"]), Err(ExpressionError::Unused { .. })));
}

#[test]
fn complaints_have_a_position() {
    let place = |text: &str| match model(text, &["a"]).err() {
        Some(
            ExpressionError::Character { at, .. }
            | ExpressionError::Name { at, .. }
            | ExpressionError::Function { at, .. }
            | ExpressionError::Arguments { at, .. }
            | ExpressionError::Number { at, .. }
            | ExpressionError::Expected { at, .. },
        ) => at,
        other => panic!("{text}: {other:?}"),
    };
    for (text, at) in [
        ("a * x $ 2", 7),
        ("a * xx", 5),
        // Where the bracket is missing.
        ("a * (x + 1", 5),
        ("a * * x", 5),
        ("a x", 3),
        ("exp a", 4),
        ("a *", 4),
        ("a + x)", 6),
        ("", 1),
        ("a + foo(x)", 5),
        ("a(x)", 2),
        ("x + exp(a, 1)", 5),
        ("a*pow(x)", 3),
        ("a*exp()", 7),
        ("a*(x, 1)", 5),
        ("a, x", 2),
        ("a*max(x,)", 9),
        ("2a", 2),
        ("a*1e999", 3),
        ("a*1.2.3", 3),
        ("a*`q`", 3),
        ("a*`x", 3),
        ("ä*x", 1),
    ] {
        assert_eq!(place(text), at, "{text}");
    }
}

#[test]
fn limits_are_refused_with_both_numbers() {
    let limit = |text: &str| match model(text, &["a"]).unwrap_err() {
        ExpressionError::Limit { found, accepted, .. } => (found, accepted),
        other => panic!("{other:?}"),
    };
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(model(&nested(MOST_NESTED), &["a"]).is_ok());
    assert_eq!(limit(&nested(MOST_NESTED + 1)), (MOST_NESTED + 1, MOST_NESTED));
    let long = format!("a{}", " ".repeat(MOST_CHARACTERS));
    assert_eq!(limit(&long), (MOST_CHARACTERS + 1, MOST_CHARACTERS));
    let words = "a+".repeat(MOST_WORDS / 2) + "a";
    assert_eq!(limit(&words), (MOST_WORDS + 1, MOST_WORDS));
}

/// Long and deep expressions have the value and slope of their formula: nothing recurses.
#[test]
fn long_and_deep_expressions_are_evaluated() {
    let check = |text: &str, w: f64, value: f64, slope: f64| {
        let (found, slopes) = linearized(&model_on(&[1.0], text, &["a"]).unwrap(), &[w]);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1e-3);
        assert!(close(found[0], value) && close(slopes[0][0], slope), "{found:?} {slopes:?}");
    };
    check(&vec!["a*x"; 60_000].join(" + "), 1.0, 60_000.0, 60_000.0);
    check(&vec!["a"; 600].join("*"), 1.001, 1.001f64.powi(600), 600.0 * 1.001f64.powi(599));
    check(&format!("{}a{}", "(x*".repeat(5000), ")".repeat(5000)), 2.0, 2.0, 1.0);
    // Goes to the solution of a^y = y, here 2.
    let root = 2f64.sqrt();
    check(&vec!["a"; 100_000].join("^"), root, 2.0, 4.0 / root / (1.0 - 2f64.ln()));
    check(&format!("{}a", "-".repeat(200_001)), 3.0, -3.0, -1.0);
    let nested = |depth: usize| format!("{}a{}", "sin(".repeat(depth), ")".repeat(depth));
    let (mut value, mut slope) = (0.5_f64, 1.0);
    for _ in 0..9000 {
        slope *= value.cos();
        value = value.sin();
    }
    check(&nested(9000), 0.5, value, slope);
    let refused = format!("a{}", "^(a".repeat(MOST_NESTED));
    assert!(matches!(model(&refused, &["a"]), Err(ExpressionError::Expected { .. })));
}

/// Texts made of an expression's words and of others: an error or a value, never a panic.
#[test]
fn hostile_texts_end_in_an_error_or_a_value() {
    let words = [
        "a",
        "x",
        "y",
        "exp",
        "exp(",
        "max(",
        "min(",
        "pow(",
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "**",
        "^",
        "/",
        "0",
        "1e308",
        "1e-320",
        ".",
        "e",
        "pi",
        "2.5",
        " ",
        "`",
        "`x`",
        "\n",
        "\0",
        "é",
        "²",
        "∞",
        "nan",
        "inf",
        "1e",
        "step(",
        "x)",
        "a)",
        "^-",
        "--",
        "sqrt(-1)",
        "ln(0)",
        "0/0",
        "9".repeat(400).leak(),
    ];
    let mut draw = ChaCha8Rng::seed_from_u64(16);
    let mut fine = 0;
    for round in 0..20_000 {
        // Every second text begins an operand, so that many are read to their end.
        let mut text = if round % 2 == 0 { "a+".to_owned() } else { String::new() };
        for _ in 0..draw.next_u64() % 12 {
            text.push_str(words[draw.next_u64() as usize % words.len()]);
        }
        match model(&text, &["a"]) {
            Ok(model) => {
                fine += 1;
                linearized(&model, &[[0.0, -1.0, 1e300, f64::INFINITY][round % 4]]);
            }
            Err(error) => assert!(error.to_string().len() < 2000),
        }
    }
    assert!(fine > 200, "{fine}");
}
