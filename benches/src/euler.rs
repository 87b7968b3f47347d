//! Euler steps of the flow, `w <- w - (step/alpha) H_rho^-1 J^T grad g(alpha f(w))`: equation (1).

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::network::NetworkJacobian;
use gaussflow::objective::Metric;
use gaussflow::prelude::*;

use crate::case::{Fallible, Side};
use crate::problems::{Problem, STEP};

/// Something that goes from point to point.
pub trait Stepper {
    /// Goes back to the initial weights.
    fn reset(&mut self) -> Fallible<()>;

    /// Makes one step.
    fn step(&mut self) -> Fallible<()>;

    /// The present weights (length p).
    fn weights(&self) -> &[f64];
}

/// Which quantities each step measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observe {
    /// None: the bare step.
    Nothing,
    /// Loss, deviation, norm of the Riemannian gradient, certified smallest singular value.
    Diagnostics,
}

/// What [`Observe::Diagnostics`] found at the last point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observed {
    /// `g(alpha f(w))`.
    pub loss: f64,
    /// `norm(w - w_0)`.
    pub deviation: f64,
    /// `norm(P grad g)`.
    pub riemannian_gradient_norm: f64,
    /// Smallest singular value of J.
    pub smallest: f64,
}

/// This workspace's steps.
pub struct Euler<L = Squared> {
    objective: Objective<Network, L>,
    here: Linearization<NetworkJacobian>,
    initial: Vec<f64>,
    weights: Vec<f64>,
    direction: Vec<f64>,
    request: SolveRequest,
    observe: Observe,
    observed: Observed,
    /// Steps since the initial weights.
    made: usize,
    /// Whether a step takes nothing from those before.
    alone: bool,
}

impl Euler {
    /// Steps from the problem's initial weights.
    pub fn new(
        problem: &Problem,
        scaling: f64,
        request: SolveRequest,
        observe: Observe,
    ) -> Fallible<Self> {
        let (objective, initial) = (problem.objective(scaling)?, problem.point.weights.clone());
        Self::of(objective, Metric::Euclidean, initial, request, observe)
    }
}

impl<L: Loss> Euler<L> {
    /// Steps of any loss in a metric.
    pub fn of(
        objective: Objective<Network, L>,
        metric: Metric,
        initial: Vec<f64>,
        request: SolveRequest,
        observe: Observe,
    ) -> Fallible<Self> {
        let outputs = objective.loss().outputs_of_a_sample();
        let here = Linearization::with_metric(objective.map(), metric, outputs)?;
        let (weights, direction) = (initial.clone(), vec![0.0; initial.len()]);
        let observed = Observed::default();
        Ok(Self {
            objective,
            here,
            initial,
            weights,
            direction,
            request,
            observe,
            observed,
            made: 0,
            alone: false,
        })
    }

    /// The same with every step as if it were the first: no factor of an earlier one helps.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// Steps since the initial weights.
    pub fn made(&self) -> usize {
        self.made
    }

    /// What was measured at the last point that was stepped from.
    pub fn observed(&self) -> Observed {
        self.observed
    }

    /// How the steps' solves shared factors, in words.
    pub fn sharing(&self) -> String {
        let counts = self.here.amortized_counts();
        if counts.direct + counts.amortized == 0 {
            return String::new();
        }
        format!(
            "{} direct solves, {} with an earlier factor in {} iterations, {} given up",
            counts.direct, counts.amortized, counts.iterations, counts.given_up,
        )
    }

    /// Measures at the present point, with a linearization of its own that leaves this one's alone.
    pub fn observe_apart(&self) -> Fallible<Observed> {
        let mut here = Linearization::new(self.objective.map())?;
        here.move_to(&self.objective, &self.weights)?;
        observe(&mut here, &self.initial)
    }
}

/// Everything of [`Observed`] at the point of `here`.
fn observe(here: &mut Linearization<NetworkJacobian>, initial: &[f64]) -> Fallible<Observed> {
    let smallest = here.smallest_singular_value()?;
    let gradient = here.gradient_norms(SolveRequest::default().rank_cutoff)?;
    let squares = here.point().iter().zip(initial).map(|(a, b)| (a - b) * (a - b));
    Ok(Observed {
        loss: here.loss(),
        deviation: squares.sum::<f64>().sqrt(),
        riemannian_gradient_norm: gradient.tangent,
        smallest,
    })
}

impl<L: Loss> Stepper for Euler<L> {
    fn reset(&mut self) -> Fallible<()> {
        self.weights.copy_from_slice(&self.initial);
        self.made = 0;
        Ok(())
    }

    fn step(&mut self) -> Fallible<()> {
        self.here.move_to(&self.objective, &self.weights)?;
        if self.alone {
            let right = self.here.right_side().to_vec();
            self.here.solve(self.request, &right, &mut self.direction)?;
        } else {
            self.here.solve_loss_gradient(self.request, &mut self.direction)?;
        }
        if self.observe == Observe::Diagnostics {
            self.observed = observe(&mut self.here, &self.initial)?;
        }
        let rate = STEP / self.objective.scaling();
        for (w, v) in self.weights.iter_mut().zip(&self.direction) {
            *w -= rate * v;
        }
        self.made += 1;
        Ok(())
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}

/// A stepper that a side runs and its error looks at.
pub type Shared<S> = Rc<RefCell<S>>;

/// A side that makes steps, back to the initial weights after every `lap` of them, counted across
/// batches: consecutive points always differ, so that nothing known at one helps at the next.
pub fn side<S: Stepper + 'static>(
    stepper: &Shared<S>,
    lap: usize,
    operations: impl Into<Option<f64>>,
    error: impl FnMut() -> Fallible<Option<f64>> + 'static,
) -> Side<'static> {
    let stepper = Rc::clone(stepper);
    let mut made = 0_usize;
    let side = Side::calling(operations, f64::NAN, move || {
        let mut stepper = stepper.try_borrow_mut()?;
        if made.is_multiple_of(lap) {
            stepper.reset()?;
        }
        stepper.step()?;
        made += 1;
        Ok(())
    });
    Side { error: Box::new(error), ..side }
}

/// The weights after `count` steps from the initial ones.
pub fn weights_after(stepper: &mut dyn Stepper, count: usize) -> Fallible<Vec<f64>> {
    stepper.reset()?;
    for _ in 0..count {
        stepper.step()?;
    }
    Ok(stepper.weights().to_vec())
}
