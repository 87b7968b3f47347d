//! PL constant and smoothness along Gauss-Newton flows over alpha, for 1, 2 and 3 hidden layers of three sizes.

use crate::TheoryError;
use crate::network_constants::NetworkConstants;
use crate::papers::later::runs::{Geometry, regression, rises_above, words};
use crate::problem::Problem;
use crate::referee::{Effort, Measurements, Plot, Record, Rows, Statement, Table};

/// The hidden layers, by depth and with about 50, 100 and 140 weights on 8 features; the last ones are docs/learn/depth.md's.
pub(super) const NETWORKS: [[&[usize]; 3]; 3] =
    [[&[6], &[12], &[18]], [&[5, 3], &[8, 5], &[10, 6]], [&[4, 3, 2], &[6, 5, 4], &[8, 6, 5]]];

/// Until when flows are followed: the gap falls like `exp(-4 t)` where alpha is large.
const HORIZON: f64 = 5.0;

/// The paper's width.
const PAPER: usize = 18;

/// The alphas of the one-layer runs.
fn scalings(effort: Effort) -> &'static [f64] {
    effort.choose(&[64.0, 1e6], &[8.0, 16.0, 32.0, 64.0, 256.0, 1e3, 1e4, 1e5, 1e6])
}

/// The alphas of the deep runs.
fn deep_scalings(effort: Effort) -> &'static [f64] {
    effort.choose(&[1e6], &[8.0, 64.0, 256.0, 1e3, 1e4, 1e6])
}

/// What was measured on one network.
struct Sweep {
    problem: Problem,
    constants: NetworkConstants,
    found: Vec<Geometry>,
}

impl Sweep {
    fn measure(problem: Problem, scalings: &[f64], points: usize) -> Result<Self, TheoryError> {
        let constants = NetworkConstants::measure(&problem)?;
        let at =
            |&scaling: &f64| Geometry::measure(&problem, &constants, (scaling, HORIZON), points);
        let found = scalings.iter().map(at).collect::<Result<_, _>>()?;
        Ok(Self { problem, constants, found })
    }

    fn column(&self, value: impl Fn(&Geometry) -> f64) -> Vec<f64> {
        self.found.iter().map(value).collect()
    }

    /// The alphas from which the PL constant and theta exceed nu/2.
    fn polyak_scalings(&self) -> [f64; 2] {
        let half = 0.5 * self.constants.strong_convexity;
        let pairs: Vec<_> = self.found.iter().map(|g| (g.scaling, g.polyak)).collect();
        [rises_above(&pairs, half), self.bend() / half]
    }

    /// The alphas from which the largest eigenvalue is below 2 mu, measured and proven.
    fn smoothness_scalings(&self) -> [f64; 2] {
        let mu = self.constants.smoothness;
        let pairs: Vec<_> = self.found.iter().map(|g| (g.scaling, -g.hessian[1])).collect();
        [rises_above(&pairs, -2.0 * mu), self.bend() / mu]
    }

    /// alpha times how far curvature moves the Hessian at most: theta = nu - bend/alpha.
    fn bend(&self) -> f64 {
        let nu = self.constants.strong_convexity;
        self.found.first().map_or(f64::NAN, |g| (nu - g.proven[0]) * g.scaling)
    }

    /// How many of the runs lost rank, in words.
    fn note(&self) -> String {
        let lost: Vec<String> = self
            .found
            .iter()
            .filter(|g| g.rank_lost.is_some())
            .map(|g| format!("{}", g.scaling))
            .collect();
        if lost.is_empty() {
            return "No run loses rank. ".to_owned();
        }
        format!("The runs at alpha = {} lose rank. ", lost.join(", "))
    }

    /// Both thresholds, as records of `id`.
    fn thresholds(&self, [polyak, smoothness]: [&'static str; 2]) -> [Record; 2] {
        let row = |id, text| Statement { id, place: "abstract, in kind", text };
        let first = self.found.first().map_or(f64::NAN, |g| g.scaling);
        let note = self.note()
            + &format!(
                "Measured thresholds are interpolated between the alphas of the table; {first} stands for at most \
                 that, and a run without a limit counts as below. "
            );
        let ([pl, theta], [below, proven]) = (self.polyak_scalings(), self.smoothness_scalings());
        [
            row(polyak, "alpha from which inf norm(P grad g)^2/(2 (g - g_inf)) >= nu/2 along the flow (left), theta >= nu/2 (right)")
                .report(&self.problem.name, pl, theta, &note),
            row(smoothness, "alpha from which the largest eigenvalue of the Riemannian Hessian <= 2 mu along the flow (left), is proven to be (right)")
                .report(&self.problem.name, below, proven, &note),
        ]
    }

    /// A row a run.
    fn table(&self) -> Table {
        let number = |x: f64| if x.is_nan() { "–".to_owned() } else { format!("{x:.4}") };
        let cells = |g: &Geometry| {
            vec![
                self.problem.name.clone(),
                self.problem.parameters().to_string(),
                format!("{:e}", g.scaling),
                number(g.rank_lost.unwrap_or(f64::NAN)),
                number(g.polyak),
                format!("{:.3e}", g.proven[0]),
                number(g.hessian[0]),
                number(g.hessian[1]),
                format!("{:.3e}", g.proven[1]),
                number(g.at_limit),
                number(g.rate),
            ]
        };
        Table {
            title: "PL constant and Riemannian Hessian along Gauss-Newton flows".to_owned(),
            legend: format!(
                "nu = mu = 2 here. The PL constant is the least norm(P grad g)^2/(2 (g - g_inf)) over samples until \
                 t = {HORIZON} with a gap above 1e-6 of the first; g_inf is the loss where Newton's method on M ends \
                 from the flow's last point. A flow that loses rank has no limit, and one that is far from it at \
                 the end shows none. The bounds hold on B, r = 1/2. The rate is the slope of -log Delta over Delta/Delta_0 in [1e-6, 1e-1]."
            ),
            head: vec![
                "network",
                "weights",
                "alpha",
                "rank lost at",
                "PL constant",
                "theta",
                "least eigenvalue",
                "largest eigenvalue",
                "its bound",
                "least at the limit",
                "rate",
            ],
            rows: self.found.iter().map(cells).collect(),
        }
    }
}

/// An empty figure over alpha: of the PL constant, or of the largest eigenvalue.
fn picture(stem: &str, subject: &str, subtitle: &str, of_polyak: Quantity) -> Plot {
    let title = format!("{subject} along Gauss-Newton flows, by α");
    let x = "output scaling α";
    match of_polyak {
        Quantity::Polyak => Plot::new(stem, &title, subtitle, (x, "inf ‖P∇g‖² / 2(g − g_{∞})"))
            .logarithmic(true, false)
            .line("ν", 2.0)
            .line("ν/2", 1.0),
        Quantity::Largest => Plot::new(stem, &title, subtitle, (x, "λₘₐₓ(Hess g)"))
            .logarithmic(true, true)
            .line("μ", 2.0),
    }
}

/// What a figure shows.
#[derive(Clone, Copy)]
enum Quantity {
    Polyak,
    Largest,
}

/// Both quantities with what is proven, on the paper's network.
pub(super) fn one_layer(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let problem = regression(rows, &[effort.choose(6, PAPER)], rows.seed)?;
    let points = effort.choose(2, 8);
    let sweep = Sweep::measure(problem, scalings(effort), points)?;
    let mut found = Measurements::default();
    let (nu, mu) = (sweep.constants.strong_convexity, sweep.constants.smoothness);
    let row = |id, text| Statement { id, place: "abstract, in kind", text };
    for g in &sweep.found {
        let run = format!("{}, alpha = {:e}", sweep.problem.name, g.scaling);
        let note = "A PL inequality holds along this run with the constant on the left. ";
        let polyak = row(
            "later/geodesic-pl",
            "inf norm(P grad g)^2/(2 (g - g_inf)) along the flow (left), nu (right)",
        );
        if !g.polyak.is_nan() {
            found.records.push(polyak.report(&run, g.polyak, nu, note));
        }
        let smooth = row(
            "later/geodesic-smoothness",
            "largest eigenvalue of the Riemannian Hessian along the flow (left), mu (right)",
        );
        found.records.push(smooth.report(&run, g.hessian[1], mu, ""));
    }
    found.records.extend(sweep.thresholds(["later/geodesic-pl", "later/geodesic-smoothness"]));
    let name = |what: &str| format!("{what}, seed {}", rows.seed);
    let (x, subtitle) = (
        sweep.column(|g| g.scaling),
        "256 rows of California Housing, 18 hidden units. Points: measured along the flow; the other line: what is proven from the constants at w₀, where it says anything.",
    );
    let proven = sweep.column(|g| if g.proven[0] > 0.0 { g.proven[0] } else { f64::NAN });
    found.plots.push(
        picture(
            "audit_later_pl",
            "The constant of the Polyak-Łojasiewicz inequality",
            subtitle,
            Quantity::Polyak,
        )
        .curve(&name("measured"), x.clone(), sweep.column(|g| g.polyak))
        .curve(&name("θ, proven, where positive"), x.clone(), proven),
    );
    found.plots.push(
        picture(
            "audit_later_smoothness",
            "The largest curvature of the loss on the manifold of outputs",
            subtitle,
            Quantity::Largest,
        )
        .curve(&name("measured"), x.clone(), sweep.column(|g| g.hessian[1]))
        .curve(&name("proven bound on B"), x, sweep.column(|g| g.proven[1])),
    );
    found.tables.push(sweep.table());
    Ok(found)
}

/// Both quantities on a network of any depth.
pub(super) fn deep(
    rows: &Rows,
    widths: &[usize],
    effort: Effort,
) -> Result<Measurements, TheoryError> {
    let problem = regression(rows, widths, rows.seed)?;
    let points = effort.choose(2, 3);
    // The paper's own network is measured on the grid of the one-layer runs, so that both say the same of it.
    let of_paper = widths == [PAPER];
    let grid = if of_paper { scalings(effort) } else { deep_scalings(effort) };
    let sweep = Sweep::measure(problem, grid, points)?;
    let mut found = Measurements::of(sweep.thresholds(["later/deep"; 2]).into());
    let name = format!("hidden {}", words(widths));
    let (x, subtitle) = (
        sweep.column(|g| g.scaling),
        "256 rows of California Housing, seed 0. One line for each network, measured along its flow.",
    );
    found.plots.push(
        picture(
            "audit_later_deep_pl",
            "Depth: the constant of the Polyak-Łojasiewicz inequality",
            subtitle,
            Quantity::Polyak,
        )
        .curve(&name, x.clone(), sweep.column(|g| g.polyak)),
    );
    found.plots.push(
        picture(
            "audit_later_deep_smoothness",
            "Depth: the largest curvature of the loss on the manifold",
            subtitle,
            Quantity::Largest,
        )
        .curve(&name, x, sweep.column(|g| g.hessian[1])),
    );
    found.tables.push(sweep.table());
    Ok(found)
}
