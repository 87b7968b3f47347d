//! Runs of deep networks as a user makes them: their files tell all that an independent program needs.

use gaussflow_records::{
    AuditRecord, NpyArray, Outcome, OutputRecord, Problem, read_json, read_npy, read_trace,
};

use crate::common::{gaussflow, refusal};

const CONFIGURATION: &str = "data.samples = 100\ndynamics.horizon = 0.1\nrecord.snapshot_every = 5\n\
    dynamics.preconditioner = 'levenberg-marquardt'\ndynamics.damping = 0.1\n\
    [network]\nhidden = [5, 3]\nbias = true\noutput = 'trained'\nactivation = 'arctan'\n";

/// phi at weights w, from the words of problem.json alone.
fn value(problem: &Problem, w: &[f64]) -> Vec<f64> {
    let layers = problem.layers.as_ref().unwrap();
    let of_row = |x: &Vec<f64>| {
        let (mut h, mut rest) = (x.clone(), w);
        for layer in layers {
            assert_eq!(layer.activation, "arctan");
            if layer.bias {
                h.push(1.0);
            }
            let (here, later) = rest.split_at(layer.width * h.len());
            let sums = here.chunks(h.len()).map(|w| w.iter().zip(&h).map(|(w, h)| w * h).sum());
            h = sums.map(|z: f64| layer.scale * z.atan()).collect();
            rest = later;
        }
        assert_eq!((problem.output, rest.len()), (Some(OutputRecord::Trained), h.len()));
        h.iter().zip(rest).map(|(h, c)| h * c).sum()
    };
    problem.inputs.iter().map(of_row).collect()
}

#[test]
fn the_files_of_a_deep_run_tell_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), CONFIGURATION).unwrap();
    let output = gaussflow(&["run", "c.toml", "--out", "o"], folder.path());
    assert!(output.status.success(), "{output:?}");
    let run = folder.path().join("o/runs/levenberg-marquardt-rho_0.1-alpha_8-seed_0");
    let problem = Problem::read(&run.join("problem.json")).unwrap();
    let layers = problem.layers.clone().unwrap();
    assert_eq!(layers.iter().map(|layer| layer.width).collect::<Vec<_>>(), [5, 3]);
    assert!((layers[0].scale - 1.0 / 5_f64.sqrt()).abs() < 1e-15);
    assert_eq!((layers[1].scale.to_bits(), layers[1].bias), (1_f64.to_bits(), true));
    let start = problem.initial_weights.to_vec();
    let p = 5 * 9 + 3 * 6 + 3;
    assert_eq!(start.len(), p);
    assert_eq!(start[p - 3..], problem.output_signs.to_vec());

    // The losses of the trace at the snapshots, from the files alone.
    let snapshots: NpyArray = read_npy(&run.join("weights.npy")).unwrap();
    assert_eq!(snapshots.shape, [3, p]);
    let trace = read_trace(&run.join("trace.csv")).unwrap();
    let offset = value(&problem, &start);
    for (weights, row) in snapshots.values.chunks(p).zip(trace.iter().step_by(5)) {
        let outputs = value(&problem, weights);
        let gaps = outputs.iter().zip(&offset).zip(problem.targets.to_vec());
        let loss: f64 = gaps.map(|((f, o), y)| (8.0 * (f - o) - y).powi(2)).sum();
        assert!((loss / row.loss - 1.0).abs() < 1e-12, "{loss} {}", row.loss);
        assert!(row.riemannian_hessian_min.is_some() == (row.step % 10 == 0));
    }
    let outcome: Outcome = read_json(&run.join("outcome.json")).unwrap();
    assert_eq!(outcome.final_weights.to_vec(), snapshots.values[2 * p..]);

    // Audit and report take it.
    assert!(gaussflow(&["audit", "o"], folder.path()).status.success());
    let records: Vec<AuditRecord> = read_json(&run.join("audit.json")).unwrap();
    let verdict = |id: &str| records.iter().find(|r| r.id == id).unwrap().verdict.clone();
    for id in ["run/reproduced", "setting/nullified", "setting/jacobian-lipschitz"] {
        assert_eq!(verdict(id), "holds", "{id}");
    }
    assert_eq!(verdict("under/projection"), "holds");
    assert_eq!(verdict("setting/lipschitz-f"), "not-applicable");
    assert!(gaussflow(&["report", "o"], folder.path()).status.success());
    let page = std::fs::read_to_string(folder.path().join("o/report.html")).unwrap();
    assert!(page.contains("m = [5, 3]"), "the architecture is named");

    // A layer that someone changed is seen.
    let text = std::fs::read_to_string(run.join("problem.json")).unwrap();
    std::fs::write(run.join("problem.json"), text.replacen("arctan", "tanh", 1)).unwrap();
    assert!(gaussflow(&["audit", "o"], folder.path()).status.success());
    let records: Vec<AuditRecord> = read_json(&run.join("audit.json")).unwrap();
    assert_eq!(records[0].verdict, "violated");
    assert!(records[0].at.contains("layers"), "{}", records[0].at);
}

#[test]
fn depths_and_widths_are_swept_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = "data.samples = 30\ndynamics.horizon = 0.02\n[sweep]\nseeds = 2\n\
                'network.hidden' = [3, [2, 2], [2, 2, 2]]\n";
    std::fs::write(folder.path().join("s.toml"), text).unwrap();
    let output = gaussflow(&["sweep", "s.toml", "--out", "o", "--quiet"], folder.path());
    assert!(output.status.success(), "{output:?}");
    for name in ["hidden_3", "hidden_2x2", "hidden_2x2x2"] {
        for seed in 0..2 {
            let run = format!("o/runs/gauss-newton-alpha_8-seed_{seed}-{name}/trace.csv");
            assert!(folder.path().join(&run).exists(), "{run}");
        }
    }
    let summary = std::fs::read_to_string(folder.path().join("o/summary.csv")).unwrap();
    assert!(summary.contains("[2, 2, 2]"), "{summary}");
}

#[test]
fn layers_that_are_none_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    for (line, said) in [
        ("hidden = []", "a list of 1 to 64"),
        ("hidden = [4, 0]", "[4, 0]"),
        ("hidden = [4, 3]\ninitialization = 'antisymmetric'", "must be even"),
        ("scale = 'half'", "\"width\", \"none\""),
    ] {
        std::fs::write(folder.path().join("c.toml"), format!("[network]\n{line}\n")).unwrap();
        let (status, text) = refusal(&["run", "c.toml", "--out", "o"], folder.path());
        assert!(status == 2 && text.contains(said) && text.contains("c.toml:2"), "{text}");
        assert!(!folder.path().join("o").exists());
    }
}
