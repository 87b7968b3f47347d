//! Configurations, and folders as maps from names to bytes.

#![allow(dead_code, reason = "each test file uses some of them")]

use std::collections::BTreeMap;
use std::path::Path;

use gaussflow_records::TraceRow;

/// Sixteen runs of some milliseconds.
pub const SWEEP: &str = r#"
data.samples = 40
network.hidden = 3
dynamics.horizon = 0.4
record = { snapshot_every = 10, hessian_every = 0 }
[sweep]
seeds = 4
"dynamics.scaling" = [8.0, 16]
[[sweep.cases]]
dynamics.preconditioner = "gauss-newton"
[[sweep.cases]]
dynamics = { preconditioner = "gradient", integrator = "stiff" }
"#;

/// Every file below `folder` but the measured times.
pub fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap() != "timing.json" {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The largest relative difference of any column at any step; infinite where a cell is in one trace only.
pub fn worst_difference(a: &[TraceRow], b: &[TraceRow]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let cells = |row: &TraceRow| {
        [
            Some(row.step as f64),
            Some(row.time),
            Some(row.loss),
            Some(row.deviation),
            Some(row.riemannian_gradient_norm),
            Some(row.gram_min_eigenvalue),
            row.gram_max_eigenvalue,
            row.kernel_min_eigenvalue,
            row.normal_gradient_norm,
            row.curvature_bound,
            row.damping,
            row.held_out_loss,
        ]
        .map(|cell| cell.filter(|x| x.is_finite()))
    };
    let mut worst = 0.0_f64;
    for (a, b) in a.iter().zip(b) {
        for cell in cells(a).into_iter().zip(cells(b)) {
            worst = worst.max(match cell {
                (None, None) => 0.0,
                (Some(a), Some(b)) if a.to_bits() == b.to_bits() => 0.0,
                (Some(a), Some(b)) => (a - b).abs() / a.abs().max(b.abs()),
                _ => f64::INFINITY,
            });
        }
    }
    worst
}
