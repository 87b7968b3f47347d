//! The audit's figures: bound against measured over time, conditioning, widths, worst ratios.

use gaussflow::theory::Verdict;
use gaussflow::theory::audit::plan::Findings;
use gaussflow_figures::{Chart, Reference, Scale, Series};

/// Every figure: the stem of its file names and the chart.
pub fn charts(findings: &Findings) -> Vec<(&'static str, Chart)> {
    vec![
        ("audit_counterexample", counterexample(findings)),
        ("audit_exits", exits(findings)),
        ("audit_conditioning", conditioning(findings)),
        ("audit_schedules", schedules(findings)),
        ("audit_widths", widths(findings)),
        ("audit_ratios", ratios(findings)),
    ]
}

/// (22) on the one-dimensional counterexample.
fn counterexample(findings: &Findings) -> Chart {
    let curves = &findings.counterexample;
    Chart {
        title: "Theorem 5 in one dimension: gap against (22)".to_owned(),
        subtitle:
            "m = d = 1, n = 2, x = (1, 3), w₀ = 1/2, y = (6.4, −7.5), r = 1/2; hypotheses in audit.md"
                .to_owned(),
        x_label: "time t, units of the flow".to_owned(),
        y_label: "gap Δₜ to the best in class, units of g".to_owned(),
        y_scale: Scale::Logarithmic,
        series: vec![
            Series::new("measured", curves.time.clone(), curves.measured.clone(), 0),
            Series::new("(22): g(0) exp(−2νt)", curves.time.clone(), curves.bound.clone(), 1),
        ],
        ..Chart::default()
    }
}

/// Deviation over r_0 at the printed and at the corrected alpha.
fn exits(findings: &Findings) -> Chart {
    let all = findings.exits.iter().filter(|(name, ..)| name.ends_with("seed 0"));
    Chart {
        title: "Lemma 2: does the flow stay within r₀ = λ₀/L?".to_owned(),
        subtitle: "n = 64 real rows, m = 256, Levenberg-Marquardt flows".to_owned(),
        x_label: "time t, units of the flow".to_owned(),
        y_label: "‖wₜ − w₀‖₂ / r₀, dimensionless".to_owned(),
        series: all
            .enumerate()
            .map(|(style, (name, x, y))| Series::new(name, x.clone(), y.clone(), style))
            .collect(),
        horizontal_lines: vec![Reference { label: "r₀".to_owned(), value: 1.0 }],
        ..Chart::default()
    }
}

/// Slopes of both flows against cond(H_0).
fn conditioning(findings: &Findings) -> Chart {
    let x: Vec<f64> = findings.slopes.iter().map(|s| s.condition).collect();
    let column = |value: fn(&gaussflow::theory::audit::under_remarks::ConditionedSlopes) -> f64| {
        findings.slopes.iter().map(value).collect::<Vec<_>>()
    };
    Chart {
        title: "Rate against conditioning (Remark 6)".to_owned(),
        subtitle: "slope of −log Δₜ over Δ/Δ₀ in [1e−6, 1e−1], α = 1e6, underparameterized"
            .to_owned(),
        x_label: "condition number of H₀, dimensionless".to_owned(),
        y_label: "slope, 1/time".to_owned(),
        x_scale: Scale::Logarithmic,
        y_scale: Scale::Logarithmic,
        series: vec![
            Series::new("Gauss-Newton", x.clone(), column(|s| s.newton), 0),
            Series::new("gradient flow", x, column(|s| s.gradient), 1),
        ],
        horizontal_lines: vec![Reference { label: "2ν".to_owned(), value: 4.0 }],
        ..Chart::default()
    }
}

/// Decrement a step against cond(K) for each damping schedule.
fn schedules(findings: &Findings) -> Chart {
    let mut names: Vec<&str> = Vec::new();
    for rate in &findings.schedule_rates {
        if !names.contains(&rate.schedule.as_str()) {
            names.push(&rate.schedule);
        }
    }
    Chart {
        title: "Damping schedules: rate against conditioning".to_owned(),
        subtitle: "mean −log of the gap's factor a step, step αη = (1−ρ)/μ, overparameterized"
            .to_owned(),
        x_label: "condition number of K₀, dimensionless".to_owned(),
        y_label: "−log(Δₖ₊₁/Δₖ), mean a step".to_owned(),
        x_scale: Scale::Logarithmic,
        y_scale: Scale::Logarithmic,
        series: names
            .into_iter()
            .enumerate()
            .map(|(style, name)| {
                let rates = findings.schedule_rates.iter().filter(|r| r.schedule == name);
                let (x, y) = rates.map(|r| (r.condition, r.rate)).unzip();
                Series::new(name, x, y, style)
            })
            .collect(),
        ..Chart::default()
    }
}

/// The m^(-1/2) law.
fn widths(findings: &Findings) -> Chart {
    let x: Vec<f64> = findings.widths.iter().map(|w| w.hidden as f64).collect();
    let y: Vec<f64> = findings.widths.iter().map(|w| w.error).collect();
    let law = x
        .first()
        .zip(y.first())
        .map(|(x0, y0)| x.iter().map(|x| y0 * (x / x0).powf(-0.5)).collect::<Vec<_>>());
    Chart {
        title: "Finite against infinite width".to_owned(),
        subtitle: "root mean square over seeds, 24 real rows".to_owned(),
        x_label: "hidden units m".to_owned(),
        y_label: "‖K₀/m − K‖ / ‖K‖, Frobenius norms".to_owned(),
        x_scale: Scale::Logarithmic,
        y_scale: Scale::Logarithmic,
        series: vec![
            Series::new("measured", x.clone(), y, 0),
            Series::new("m^(−1/2)", x, law.unwrap_or_default(), 1),
        ],
        ..Chart::default()
    }
}

/// The worst ratio of each judged statement, by its number in the report.
fn ratios(findings: &Findings) -> Chart {
    let mut ids: Vec<&str> = findings.records.iter().map(|r| r.statement.id).collect();
    ids.dedup();
    let worst = |id: &str, verdict: Verdict| {
        findings
            .records
            .iter()
            .filter(|r| r.statement.id == id && r.verdict == verdict)
            .filter_map(|r| r.comparison.ratio())
            .fold(f64::NAN, f64::max)
    };
    // Stems from 1 to the ratio: neighbours have nothing to do with each other.
    let column = |verdict: Verdict| {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for (k, id) in ids.iter().enumerate() {
            let ratio = worst(id, verdict);
            if ratio > 0.0 {
                let place = (k + 1) as f64;
                x.extend([place, place, place]);
                y.extend([1.0, ratio, f64::NAN]);
            }
        }
        (x, y)
    };
    let (held, held_ratio) = column(Verdict::Holds);
    let (violated, violated_ratio) = column(Verdict::Violated);
    Chart {
        title: "Worst ratio left/right of each statement".to_owned(),
        subtitle:
            "stems from 1, numbered as in audit.md; above 1 beyond the tolerance is a violation"
                .to_owned(),
        x_label: "number of the statement".to_owned(),
        y_label: "left / right at the worst point".to_owned(),
        y_scale: Scale::Logarithmic,
        series: vec![
            Series::new("worst of the runs on which it holds", held, held_ratio, 0),
            Series::new("worst of the runs on which it is violated", violated, violated_ratio, 1),
        ],
        horizontal_lines: vec![Reference { label: "1".to_owned(), value: 1.0 }],
        ..Chart::default()
    }
}
