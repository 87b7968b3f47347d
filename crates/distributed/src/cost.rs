//! What a step with its rows on K ranks costs: operations, exchanges and bytes, and from them seconds.
//!
//! With n rows, m units, d features, p = m d, on each rank and in multiply-adds,
//! Gram matrix `(n/K) m(m+1)/2 d(d+1)/2`, its factor `p^3 / 6`, a product with J or J^T `(n/K) p`, a solve
//! with the factor `p^2`. What has no K in it is done by every rank, and does not scale.

use crate::partition::rows_of;
use crate::reduce::SHORT;

/// The network and the rows of all ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows n, on all ranks.
    pub rows: usize,
    /// Hidden units m.
    pub hidden: usize,
    /// Features d.
    pub features: usize,
}

/// How a step is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// By the Gram matrix of its own point and the Cholesky factor of that, without a refinement.
    Direct,
    /// By conjugate gradients with an earlier point's factor, in one run.
    Shared {
        /// Iterations.
        iterations: usize,
    },
}

/// What one step costs the rank with the most rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Entries of S that are computed, with the activation.
    pub entries: f64,
    /// Multiply-adds of the Gram matrix.
    pub gram: f64,
    /// Multiply-adds of products with J and J^T.
    pub products: f64,
    /// Multiply-adds of the Cholesky factor.
    pub factor: f64,
    /// Multiply-adds of solves with the factor.
    pub solves: f64,
    /// Exchanges between all ranks.
    pub exchanges: usize,
    /// Bytes that a rank receives in them.
    pub bytes: usize,
}

/// Seconds that each unit of a [`Cost`] takes on a machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// Of an entry of S.
    pub entry: f64,
    /// Of a multiply-add of the Gram matrix.
    pub gram: f64,
    /// Of a multiply-add of a product.
    pub product: f64,
    /// Of a multiply-add of the factor.
    pub factor: f64,
    /// Of a multiply-add of a solve with it.
    pub solve: f64,
    /// Of an exchange between two ranks, apart from its bytes.
    pub exchange: f64,
    /// Of a byte received.
    pub byte: f64,
}

impl Shape {
    /// Parameters p.
    pub fn parameters(&self) -> usize {
        self.hidden * self.features
    }

    /// The cost of a step on `ranks` ranks, nothing recorded at it.
    pub fn cost(&self, ranks: usize, step: Step) -> Cost {
        let p = self.parameters();
        let here = rows_of(self.rows, ranks, 0).len() as f64;
        let (m, d, order) = (self.hidden as f64, self.features as f64, p as f64);
        // At each point its agreement (five numbers) and the loss; in each solve J^T b, the norms of b and, unless
        // "primal-cholesky" has it from the Gram matrix, of J; with each look at the residual J^T of it.
        let (looks, iterations) = match step {
            Step::Direct => (1, 0),
            Step::Shared { iterations } => (2, iterations),
        };
        let mut cost = Cost {
            entries: here * m,
            gram: 0.0,
            products: here * order * (1 + 2 * (looks + iterations)) as f64,
            factor: 0.0,
            solves: order * order * iterations as f64,
            exchanges: 0,
            bytes: 0,
        };
        let norms = if step == Step::Direct { 1 } else { 2 };
        for _ in 0..=norms {
            cost.exchange(1, ranks);
        }
        cost.exchange(5, ranks);
        for _ in 0..1 + looks + iterations {
            cost.exchange(p, ranks);
        }
        if step == Step::Direct {
            cost.gram = here * m * (m + 1.0) / 2.0 * d * (d + 1.0) / 2.0;
            cost.factor = order * order * order / 6.0;
            // The solution, and the estimate of the condition.
            cost.solves = 2.0 * order * order;
            cost.exchange(p * (p + 1) / 2, ranks);
        }
        cost
    }
}

impl Cost {
    /// A sum of `length` numbers over the ranks, gathered or by pieces.
    fn exchange(&mut self, length: usize, ranks: usize) {
        let (times, numbers) = match ranks {
            0 | 1 => (0, 0),
            _ if ranks * length <= SHORT => (1, length),
            _ => (2, length.div_ceil(ranks)),
        };
        self.exchanges += times;
        self.bytes += times * size_of::<f64>() * numbers * (ranks - 1);
    }

    /// Seconds on `machine`; an exchange between K ranks passes `log2 K` times between two.
    pub fn seconds(&self, machine: &Machine, ranks: usize) -> f64 {
        let rounds = ranks.next_power_of_two().trailing_zeros();
        self.entries * machine.entry
            + self.gram * machine.gram
            + self.products * machine.product
            + self.factor * machine.factor
            + self.solves * machine.solve
            + self.exchanges as f64 * f64::from(rounds) * machine.exchange
            + self.bytes as f64 * machine.byte
    }
}
