//! Instruction counts of one warm call: a kernel run 1 and K times under valgrind, the difference
//! over K - 1, so that setup cancels; compared with the counts in benches/instructions.json.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use gaussflow::prelude::*;
use gaussflow::solvers::faer::{Mat, MatMut};
use serde::{Deserialize, Serialize};

use crate::case::{Fallible, Shape};
use crate::euler::{Euler, Observe, Stepper};
use crate::problems::{Problem, graded_jacobian, row_kronecker, vector};

/// What the committed counts belong to; elsewhere there is nothing to compare with.
pub const INSTRUCTION_SET: &str = "x86-64 avx2";
/// A count may exceed the committed one by this share.
const MARGIN: f64 = 0.05;
/// Calls of the longer run.
const CALLS: usize = 5;
/// The scaling factor alpha.
const SCALING: f64 = 8.0;
/// The paper's size.
const SHAPE: (usize, usize, usize) = (256, 8, 18);

/// A kernel whose instructions are counted, at the paper's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// An undamped Euler step by the primal Cholesky.
    Step,
    /// The same with every diagnostic.
    StepWithDiagnostics,
    /// `J^T J` by the structure.
    Gram,
    /// A Cholesky factor of order p and a solve, the matrix given.
    CholeskySolve,
    /// Value and Jacobian of the network.
    ForwardPass,
    /// `J v`.
    Apply,
    /// `J^T u`.
    ApplyTransposed,
}

impl Kernel {
    /// Every variant.
    pub const ALL: [Self; 7] = [
        Self::Step,
        Self::StepWithDiagnostics,
        Self::Gram,
        Self::CholeskySolve,
        Self::ForwardPass,
        Self::Apply,
        Self::ApplyTransposed,
    ];

    /// The name on the command line and in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::StepWithDiagnostics => "step-with-diagnostics",
            Self::Gram => "gram",
            Self::CholeskySolve => "cholesky-solve",
            Self::ForwardPass => "forward-pass",
            Self::Apply => "apply",
            Self::ApplyTransposed => "apply-transposed",
        }
    }

    /// Sets up and runs the kernel `calls` times.
    pub fn run(self, calls: usize) -> Fallible<()> {
        let (n, d, m) = SHAPE;
        let shape = Shape::network(n, d, m);
        match self {
            Self::Step => steps(Observe::Nothing, calls),
            Self::StepWithDiagnostics => steps(Observe::Diagnostics, calls),
            Self::Gram => {
                let jacobian = row_kronecker(shape);
                let mut gram = Mat::zeros(shape.p, shape.p);
                let mut work = Vec::new();
                for _ in 0..calls {
                    jacobian.gram(gram.as_mut(), &mut work);
                }
                Ok(())
            }
            Self::CholeskySolve => {
                let jacobian = KnownGram::new(shape.p);
                let mut factors = Factors::new(shape.p, shape.p)?;
                let (b, mut v) = (vector(shape.p), vec![0.0; shape.p]);
                let solver = DampedSolver::PrimalCholesky;
                let request = SolveRequest { solver, ..SolveRequest::default() };
                for _ in 0..calls {
                    factors.invalidate();
                    factors.solve(&jacobian, request, &b, &mut v)?;
                }
                Ok(())
            }
            Self::ForwardPass => {
                let problem = Problem::synthetic(n, d, m)?;
                let objective = problem.objective(SCALING)?;
                let mut jacobian = objective.map().new_jacobian();
                let mut value = vec![0.0; n];
                for _ in 0..calls {
                    objective.map().linearize(&problem.point.weights, &mut value, &mut jacobian)?;
                }
                Ok(())
            }
            Self::Apply => {
                let (jacobian, v) = (row_kronecker(shape), vector(shape.p));
                let mut out = vec![0.0; n];
                for _ in 0..calls {
                    jacobian.apply(&v, &mut out);
                }
                Ok(())
            }
            Self::ApplyTransposed => {
                let (jacobian, u) = (row_kronecker(shape), vector(n));
                let mut out = vec![0.0; shape.p];
                for _ in 0..calls {
                    jacobian.apply_transposed(&u, &mut out);
                }
                Ok(())
            }
        }
    }
}

/// Steps from the initial weights.
fn steps(observe: Observe, calls: usize) -> Fallible<()> {
    let (n, d, m) = SHAPE;
    let problem = Problem::synthetic(n, d, m)?;
    let solver = DampedSolver::PrimalCholesky;
    let request = SolveRequest { solver, ..SolveRequest::default() };
    let mut euler = Euler::new(&problem, SCALING, request, observe)?;
    for _ in 0..calls {
        euler.step()?;
    }
    Ok(())
}

/// A square Jacobian whose Gram matrix is known beforehand: what is left of a solve is the Cholesky.
struct KnownGram {
    jacobian: DenseJacobian,
    gram: Mat<f64>,
}

impl KnownGram {
    fn new(order: usize) -> Self {
        let jacobian = graded_jacobian(order, order, 1e-2);
        let gram = jacobian.matrix().transpose() * jacobian.matrix();
        Self { jacobian, gram }
    }
}

impl JacobianOperator for KnownGram {
    fn rows(&self) -> usize {
        self.jacobian.rows()
    }

    fn columns(&self) -> usize {
        self.jacobian.columns()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        self.jacobian.apply(v, out);
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        self.jacobian.apply_transposed(u, out);
    }

    fn write_dense(&self, out: MatMut<'_, f64>) {
        self.jacobian.write_dense(out);
    }

    fn gram(&self, mut out: MatMut<'_, f64>, _work: &mut Vec<f64>) {
        out.copy_from(self.gram.as_ref());
    }

    fn squared_norm(&self) -> f64 {
        self.jacobian.squared_norm()
    }
}

/// Committed counts.
#[derive(Debug, Deserialize, Serialize)]
struct Committed {
    /// [`INSTRUCTION_SET`] of the machine that counted.
    instruction_set: String,
    /// Instructions of one warm call, by kernel.
    instructions: BTreeMap<String, u64>,
}

/// What is done with the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Compared with the committed ones.
    Compare,
    /// Written in their place.
    Write,
}

/// Counts every kernel by running `program` under valgrind; whether none exceeds its margin.
///
/// Without valgrind, or on another instruction set, a notice is printed and nothing is compared.
pub fn guard(program: &Path, file: &Path, mode: Mode) -> Fallible<bool> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("notice: valgrind is not here, instruction counts were not compared");
        return Ok(true);
    }
    if !has_instruction_set() {
        println!("notice: counts are kept for {INSTRUCTION_SET} only, nothing was compared");
        return Ok(true);
    }
    let mut counts = BTreeMap::new();
    for kernel in Kernel::ALL {
        let (first, all) = (count(program, kernel, 1)?, count(program, kernel, CALLS)?);
        counts.insert(kernel.name().to_owned(), all.saturating_sub(first) / (CALLS as u64 - 1));
    }
    match mode {
        Mode::Write => {
            let instruction_set = INSTRUCTION_SET.to_owned();
            let mut text =
                serde_json::to_string_pretty(&Committed { instruction_set, instructions: counts })?;
            text.push('\n');
            fs::write(file, text)?;
            println!("{} written", file.display());
            Ok(true)
        }
        Mode::Compare => {
            let text = fs::read_to_string(file)
                .map_err(|error| format!("{}: {error}; --write makes it", file.display()))?;
            let committed: Committed = serde_json::from_str(&text)?;
            if committed.instruction_set != INSTRUCTION_SET {
                println!("notice: counts are those of {}", committed.instruction_set);
                return Ok(true);
            }
            Ok(compare(&counts, &committed.instructions))
        }
    }
}

/// Prints every count beside the committed one; whether none grew beyond the margin.
fn compare(counts: &BTreeMap<String, u64>, committed: &BTreeMap<String, u64>) -> bool {
    println!("{:<24} {:>12} {:>12} {:>8}", "instructions of a call", "now", "committed", "change");
    let mut passed = true;
    for (name, &now) in counts {
        let Some(&then) = committed.get(name) else {
            println!("{name:<24} {now:>12} {:>12}          NOT COMMITTED", "-");
            passed = false;
            continue;
        };
        let (now_, then_) = (now as f64, then as f64);
        let verdict = if now_ > (1.0 + MARGIN) * then_ {
            passed = false;
            "MORE than the margin"
        } else if now_ < (1.0 - MARGIN) * then_ {
            "fewer than the margin: renew the counts with --write"
        } else {
            ""
        };
        println!(
            "{name:<24} {now:>12} {then:>12} {:>+7.1} % {verdict}",
            100.0 * (now_ / then_ - 1.0)
        );
    }
    println!("margin: {:.0} %", 100.0 * MARGIN);
    passed
}

/// Instructions of a whole run, by valgrind's cachegrind without its cache model.
fn count(program: &Path, kernel: Kernel, calls: usize) -> Fallible<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(program)
        .args(["run", kernel.name(), &calls.to_string()])
        .env("RAYON_NUM_THREADS", "1")
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let number = text
        .lines()
        .find_map(|line| line.split_once("refs:"))
        .map(|(_, rest)| rest.chars().filter(char::is_ascii_digit).collect::<String>());
    match number.filter(|_| output.status.success()).map(|digits| digits.parse()) {
        Some(Ok(count)) => Ok(count),
        _ => Err(format!("valgrind gave no count for {}:\n{text}", kernel.name()).into()),
    }
}

/// Whether this processor has what the counts are kept for; valgrind hides what goes beyond.
#[cfg(target_arch = "x86_64")]
fn has_instruction_set() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

/// Whether this processor has what the counts are kept for.
#[cfg(not(target_arch = "x86_64"))]
fn has_instruction_set() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(step: u64) -> BTreeMap<String, u64> {
        BTreeMap::from([("step".to_owned(), step)])
    }

    /// Only growth beyond the margin fails, and a kernel without a committed count.
    #[test]
    fn growth_beyond_the_margin_fails() {
        assert!(compare(&counts(1_050), &counts(1_000)));
        assert!(!compare(&counts(1_051), &counts(1_000)));
        assert!(compare(&counts(500), &counts(1_000)));
        assert!(!compare(&counts(500), &BTreeMap::new()));
    }

    /// Every kernel runs, so that a failure under valgrind is valgrind's.
    #[test]
    fn every_kernel_runs() -> Fallible<()> {
        Kernel::ALL.into_iter().try_for_each(|kernel| kernel.run(2))
    }
}
