//! Runs on rows that are read block by block against runs on the same rows in memory.

use std::ops::Range;

use gaussflow::network::{InputBlocks, NetworkBlocks};
use gaussflow::objective::BlockedMap;
use gaussflow::prelude::*;

const ROWS: usize = 500;
const FEATURES: usize = 3;
const STEPS: usize = 20;
const ALPHA: f64 = 4.0;

struct Rows(Vec<f64>);

impl InputBlocks for Rows {
    fn rows(&self) -> usize {
        self.0.len() / FEATURES
    }

    fn read(&self, rows: Range<usize>, inputs: &mut Vec<f64>) -> Result<(), String> {
        inputs.clear();
        inputs.extend_from_slice(&self.0[rows.start * FEATURES..rows.end * FEATURES]);
        Ok(())
    }
}

/// The losses and the last weights of 20 steps.
fn run<M: SmoothMap>(
    map: &M,
    targets: &[f64],
    start: &[f64],
    preconditioner: Preconditioner,
) -> (Vec<f64>, Vec<f64>) {
    let objective = Objective::new(map, Squared::new(targets.to_vec()).unwrap(), ALPHA).unwrap();
    let settings = Settings {
        preconditioner,
        integrator: Integrator::Discrete,
        step: 0.05,
        horizon: ALPHA * 0.05 * STEPS as f64,
        record_every: 1,
        ..Settings::default()
    };
    let mut losses = Vec::new();
    let outcome = simulate(&objective, start, &settings, |_, _, flow: &mut Flow<'_, _, _>| {
        losses.push(flow.linearization().loss());
    });
    let outcome = outcome.unwrap();
    assert_eq!(outcome.stop_reason, StopReason::Horizon, "{outcome}");
    (losses, outcome.final_weights)
}

#[test]
fn twenty_steps_are_those_of_the_network_in_memory() {
    let layer = |width| Layer::new(width, Activation::Tanh);
    let deep = vec![layer(5).with_bias().scaled(Scale::InverseRootWidth), layer(4)];
    let inputs = InitialPoint::draw(Initialization::Plain, ROWS, FEATURES, 1).unwrap().weights;
    for architecture in [
        Architecture::one_layer(8, Activation::Tanh),
        Architecture::new(deep).with_trained_output(),
    ] {
        let kind = Initialization::Nullified;
        let start = InitialPoint::draw_for(&architecture, kind, FEATURES, 4).unwrap();
        let network =
            Network::with_architecture(&inputs, FEATURES, architecture.clone(), &start.signs);
        let network = network.unwrap().started_as(kind, &start.weights).unwrap();
        let mut targets = vec![0.0; ROWS];
        let there: Vec<f64> =
            start.weights.iter().enumerate().map(|(k, w)| w + 0.1 * (k as f64).sin()).collect();
        network.value(&there, &mut targets).unwrap();
        targets.iter_mut().enumerate().for_each(|(j, y)| *y += 0.01 * (j as f64).cos());
        for preconditioner in
            [Preconditioner::GaussNewton, Preconditioner::LevenbergMarquardt { damping: 0.1 }]
        {
            let expected = run(&network, &targets, &start.weights, preconditioner);
            assert_eq!(expected.0.len(), STEPS + 1);
            assert!(expected.0[STEPS] < 0.9 * expected.0[0], "{:?}", expected.0);
            for rows in [1, 7, 136, ROWS, ROWS + 1] {
                let source = Box::new(Rows(inputs.clone()));
                let blocks = NetworkBlocks::with_rows_of_block(
                    source,
                    FEATURES,
                    &architecture,
                    &start.signs,
                    rows,
                );
                let blocks = blocks.unwrap().started_as(kind, &start.weights).unwrap();
                let map = BlockedMap::new(blocks).unwrap();
                let found = run(&map, &targets, &start.weights, preconditioner);
                let pairs = found.0.iter().zip(&expected.0).chain(found.1.iter().zip(&expected.1));
                let gap = pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max);
                assert!(gap < 1e-10, "{preconditioner:?} in blocks of {rows}: {gap}");
                assert!(rows < ROWS || gap.to_bits() == 0, "one block takes the same operations");
            }
        }
    }
}
