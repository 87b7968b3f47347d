//! `gaussflow reproduce --deep`: section 5 with 1, 2 and 3 hidden layers of about the same number of weights.
//!
//! Networks with fewer weights than rows follow the Gauss-Newton and the gradient flow, those with more the
//! Levenberg-Marquardt flow. The summary tells what depth does to the loss on drawn and held-out rows (beside the mean and
//! linear regression), to the condition of H or K, to the loss of rank at small alpha and to nu_eff.

use std::fmt::Write as _;

use gaussflow_data::california_housing;
use gaussflow_figures::{Chart, Reference, Scale, Series, render};
use gaussflow_records::{TraceRow, create_folder, write_bytes};
use rayon::prelude::*;

use super::baselines::{Baselines, baselines};
use super::charts::{self, AfterRankLoss, Quantity, alpha_name, flow_words, time_chart};
use super::held_out::HELD_OUT;
use super::plan::{self, COLLAPSING, Method, Mode, Planned};
use super::results::{Finished, Results};
use super::seeds::{self, median};
use super::{ReproduceError, Request, Session, require_room};
use crate::config::Widths;
use crate::report;
use crate::run::Experiment;

/// The hidden layers of every network, with 140 to 144 weights and with 576, on 8 features and 256 rows.
const NETWORKS: [&[usize]; 6] = [&[18], &[10, 6], &[8, 6, 5], &[72], &[24, 16], &[16, 16, 12]];

/// How many of these have fewer weights than rows.
const NARROW: usize = 3;

/// The scaling factor that the comparisons of depths show.
const SHOWN: f64 = 8.0;

/// The name of a network in file names and titles.
fn name(widths: &[usize]) -> String {
    widths.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// The flow that stands for a network.
fn flow(network: usize) -> Method {
    if network < NARROW { Method::GaussNewton } else { Method::LevenbergMarquardt }
}

/// The runs: network x method x alpha x seed, with the network of each.
fn planned(mode: Mode, seeds: u64) -> Vec<(usize, Planned)> {
    let mut all = Vec::new();
    for (network, widths) in NETWORKS.iter().enumerate() {
        let gradient = (network < NARROW).then_some(Method::Gradient);
        for method in std::iter::once(flow(network)).chain(gradient) {
            for &scaling in mode.scalings() {
                for seed in 0..seeds {
                    let mut config = plan::config(method, scaling, seed, mode.horizon());
                    config.network.hidden = Widths(widths.to_vec());
                    let id = format!("{}-hidden_{}", Experiment::id(&config), name(widths));
                    all.push((network, Planned { id, method, scaling, seed, config }));
                }
            }
        }
    }
    all
}

/// Runs the experiment and writes its folder.
///
/// # Errors
/// [`ReproduceError`].
pub fn reproduce_deep(request: &Request) -> Result<(), ReproduceError> {
    let seeds = request.seeds()?;
    let data = california_housing()?;
    let of_one_seed: Vec<Planned> =
        planned(request.mode, 1).into_iter().map(|(_, planned)| planned).collect();
    require_room(seeds, &of_one_seed, &data)?;
    let (networks, runs): (Vec<usize>, Vec<Planned>) =
        planned(request.mode, seeds).into_iter().unzip();
    let session = Session::open(request, &runs, &data)?;
    let baselines = baselines(&data, seeds)?;
    let finished = session.run_all(runs, &data)?;
    let integrated = session.seconds();
    let named: Vec<(String, f64)> =
        finished.iter().map(|run| (run.id.clone(), run.seconds)).collect();
    let mut results: Vec<Results> = NETWORKS
        .iter()
        .map(|widths| {
            let network = format!("hidden layers of {}, tanh", name(widths).replace('x', ", "));
            Results {
                mode: request.mode,
                seeds,
                network,
                runs: Vec::new(),
                baselines: Baselines::default(),
            }
        })
        .collect();
    for (network, run) in networks.into_iter().zip(finished) {
        results[network].runs.push(run);
    }

    let figures = session.root().join("figures");
    create_folder(&figures)?;
    let charts = charts_of(&results, &baselines);
    let stems = charts
        .par_iter()
        .map(|(stem, chart)| render(chart, &figures, stem).map(|_| stem.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    let summary = summary(&results, &baselines, &stems);
    write_bytes(&session.root().join("summary.md"), summary.as_bytes())?;
    session.finish(&data, &named, &[("all runs", integrated)], &stems)?;
    // The page shows what lies in the folder, the manifest included.
    let report = report::write(session.root())?;
    session.say(format_args!("{} runs in {:.1} s", named.len(), session.seconds()));
    session.say(format_args!("see {}", session.root().join("summary.md").display()));
    session.say(format_args!("see {}", report.path.display()));
    Ok(())
}

/// nu_eff.
const HESSIAN: Quantity = Quantity {
    title: "The smallest curvature of the loss on the manifold of outputs, along the",
    label: "ν_{eff}(t) = λₘᵢₙ(Hess g)",
    meaning: "ν_{eff} is the smallest eigenvalue of the Riemannian Hessian of g; Lemma 7 as printed says that it is at least ν.",
    floor: None,
    after_rank_loss: AfterRankLoss::Shown,
    read: |_, row| row.riemannian_hessian_min.unwrap_or(f64::NAN),
};
/// lambda_min / lambda_max of H.
const CONDITION: Quantity = Quantity {
    title: "The condition of the Gram matrix along the",
    label: "λₘᵢₙ/λₘₐₓ of JᵀJ",
    meaning: "Rank counts as lost at 10⁻¹², from where on no direction is certain.",
    floor: Some(charts::ROUNDING_FLOOR),
    after_rank_loss: AfterRankLoss::LeftOut,
    read: |_, row| Finished::ratio(row),
};
/// lambda_min of K.
const KERNEL: Quantity = Quantity {
    title: "The smallest eigenvalue of the tangent kernel along the",
    label: "λₘᵢₙ(JJᵀ)",
    meaning: "While it stays away from 0, every output can be reached at first order.",
    floor: Some(charts::ROUNDING_FLOOR),
    after_rank_loss: AfterRankLoss::LeftOut,
    read: |_, row| row.kernel_min_eigenvalue.unwrap_or(f64::NAN),
};

/// Every figure with its stem: those of section 5 for each network, then the depths beside each other.
fn charts_of(results: &[Results], baselines: &Baselines) -> Vec<(String, Chart)> {
    let mut all = Vec::new();
    for (network, (results, widths)) in results.iter().zip(NETWORKS).enumerate() {
        let stem = |figure: &str| format!("figure_deep_{}_{figure}", name(widths));
        let method = flow(network);
        let fourth = if network < NARROW { &charts::SMALLEST } else { &KERNEL };
        for (figure, quantity) in [
            ("1a", &charts::LOSS),
            ("1b", &charts::DEVIATION),
            ("2a", &charts::GRADIENT),
            ("2b", fourth),
        ] {
            all.push((stem(figure), charts::by_scaling(results, method, quantity)));
        }
        if network < NARROW {
            for (figure, quantity) in [("3a", &charts::LOSS), ("3b", &charts::DEVIATION)] {
                let chart = charts::by_scaling(results, Method::Gradient, quantity);
                all.push((stem(figure), chart));
            }
        }
    }
    let (narrow, wide) = results.split_at(NARROW);
    let mut hessian = by_depth(narrow, 0, SHOWN, &HESSIAN);
    hessian.y_scale = Scale::Linear;
    hessian.horizontal_lines.push(Reference { label: "ν = 2".to_owned(), value: 2.0 });
    all.push(("figure_deep_hessian".to_owned(), hessian));
    all.push(("figure_deep_condition".to_owned(), by_depth(narrow, 0, SHOWN, &CONDITION)));
    all.push(("figure_deep_collapse".to_owned(), by_depth(narrow, 0, COLLAPSING, &CONDITION)));
    all.push(("figure_deep_kernel".to_owned(), by_depth(wide, NARROW, SHOWN, &KERNEL)));
    for (stem, results, first) in
        [("figure_deep_held_out", narrow, 0), ("figure_deep_held_out_wide", wide, NARROW)]
    {
        let mut chart = by_depth(results, first, SHOWN, &HELD_OUT);
        for (label, found) in [
            ("predicting 0", &baselines.zero),
            ("predicting the mean of the drawn targets", &baselines.mean),
            ("linear regression on the drawn rows", &baselines.linear),
        ] {
            let value = median(found.iter().map(|one| one.held_out));
            chart.horizontal_lines.push(Reference { label: label.to_owned(), value });
        }
        all.push((stem.to_owned(), chart));
    }
    all
}

/// One curve a network: the median over the seeds, with the band of their middle half. The colour tells the network, as
/// there is one alpha.
fn by_depth(results: &[Results], first: usize, alpha: f64, quantity: &Quantity) -> Chart {
    let method = flow(first);
    let series = results.iter().enumerate().map(|(k, results)| {
        let runs: Vec<&Finished> = results.all(method, alpha).collect();
        let label = format!("hidden {}", name(NETWORKS[first + k]).replace('x', ", "));
        Series { colour: k, ..charts::curve(&runs, method, label, quantity) }
    });
    let series: Vec<Series> = series.filter(|series| !series.x.is_empty()).collect();
    let (words, integrator) = flow_words(method);
    let seeds = results.first().map_or(1, |results| results.seeds);
    let mut chart = Chart {
        title: format!("{} {words} at α = {}", quantity.title, alpha_name(alpha)),
        subtitle: format!(
            "California Housing, n = 256, tanh, networks of about the same number of weights; {integrator}; {}",
            seeds::words(seeds)
        ),
        y_label: quantity.label.to_owned(),
        floor: quantity.floor,
        series,
        ..time_chart()
    };
    if alpha.total_cmp(&COLLAPSING).is_eq() {
        chart.subtitle += "; each curve ends where half of the seeds have lost rank";
    }
    chart.description = format!("{} {}", quantity.meaning, charts::ends(&chart));
    chart
}

/// The text of summary.md.
fn summary(results: &[Results], baselines: &Baselines, figures: &[String]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_summary(&mut text, results, baselines, figures);
    text
}

fn write_summary(
    text: &mut String,
    results: &[Results],
    baselines: &Baselines,
    figures: &[String],
) -> std::fmt::Result {
    let (seeds, mode) = (results[0].seeds, results[0].mode);
    writeln!(text, "# Section 5 with 1, 2 and 3 hidden layers\n")?;
    writeln!(
        text,
        "{} runs on the California Housing rows: {seeds} seeds, alpha in {:?}, horizon {}. Networks with \
         fewer weights than the 256 rows follow the Gauss-Newton flow (and the gradient flow), those with \
         more the Levenberg-Marquardt flow with rho = {}. Every number is the median over the seeds.\n",
        results.iter().map(|results| results.runs.len()).sum::<usize>(),
        mode.scalings(),
        mode.horizon(),
        plan::DAMPING
    )?;
    writeln!(
        text,
        "| hidden | weights | flow | alpha | loss per row | held-out loss per row | condition at the start | \
         worst condition | rank lost on | at time | nu_eff at the start | least nu_eff | deviation |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for (network, results) in results.iter().enumerate() {
        for method in [flow(network), Method::Gradient] {
            for &alpha in mode.scalings() {
                let runs: Vec<&Finished> = results.all(method, alpha).collect();
                if !runs.is_empty() {
                    write_row(text, network, method, alpha, &runs)?;
                }
            }
        }
    }
    writeln!(
        text,
        "\nCondition is lambda_min / lambda_max of H = J^T J (of K = J J^T with more weights than rows). Rank \
         counts as lost at sigma_min / sigma_max = 1e-6.\n"
    )?;
    writeln!(text, "| without a network | loss per row | held-out loss per row |\n|---|---|---|")?;
    for (name, found) in [("the mean", &baselines.mean), ("linear regression", &baselines.linear)] {
        let drawn = median(found.iter().map(|one| one.drawn));
        let held_out = median(found.iter().map(|one| one.held_out));
        writeln!(text, "| {name} | {drawn:.4} | {held_out:.4} |")?;
    }
    writeln!(text, "\n## Figures\n")?;
    for stem in figures {
        writeln!(text, "![{stem}](figures/{stem}.png)\n")?;
    }
    Ok(())
}

/// The row of one network, method and alpha.
fn write_row(
    text: &mut String,
    network: usize,
    method: Method,
    alpha: f64,
    runs: &[&Finished],
) -> std::fmt::Result {
    let rows = runs[0].rows as f64;
    let condition = |row: &TraceRow| {
        let least = if network < NARROW {
            row.gram_min_eigenvalue
        } else {
            row.kernel_min_eigenvalue.unwrap_or(f64::NAN)
        };
        least / row.gram_max_eigenvalue.unwrap_or(f64::NAN)
    };
    let of_runs = |read: &dyn Fn(&Finished) -> f64| median(runs.iter().map(|run| read(run)));
    let first = |run: &Finished, read: &dyn Fn(&TraceRow) -> f64| {
        run.trace.iter().map(read).find(|x| !x.is_nan()).unwrap_or(f64::NAN)
    };
    let least = |run: &Finished, read: &dyn Fn(&TraceRow) -> f64| {
        run.trace.iter().map(read).fold(f64::NAN, f64::min)
    };
    let hessian = |row: &TraceRow| row.riemannian_hessian_min.unwrap_or(f64::NAN);
    let held_out = |run: &Finished| {
        run.trace.iter().rev().find_map(|row| row.held_out_loss).unwrap_or(f64::NAN)
    };
    let lost = runs.iter().filter(|run| run.rank_lost().is_some()).count();
    let numbers = [
        of_runs(&|run| run.final_loss() / rows),
        of_runs(&held_out),
        of_runs(&|run| first(run, &condition)),
        of_runs(&|run| least(run, &condition)),
    ];
    let later = [
        of_runs(&|run| run.rank_lost().map_or(f64::NAN, |event| event.time)),
        of_runs(&|run| first(run, &hessian)),
        of_runs(&|run| least(run, &hessian)),
        of_runs(&|run| run.trace.last().map_or(f64::NAN, |row| row.deviation)),
    ];
    let cells = |numbers: &[f64]| -> String {
        let cells = numbers.iter().map(|x| match x {
            x if x.is_nan() => "–".to_owned(),
            x if (0.01..1e4).contains(&x.abs()) => format!("{x:.4}"),
            x => format!("{x:.2e}"),
        });
        cells.collect::<Vec<_>>().join(" | ")
    };
    writeln!(
        text,
        "| {} | {} | {} | {} | {} | {lost} of {} | {} |",
        name(NETWORKS[network]).replace('x', ", "),
        runs[0].outcome.final_weights.count(),
        method.words(),
        alpha_name(alpha),
        cells(&numbers),
        runs.len(),
        cells(&later)
    )
}
