//! Tests of the configuration: every key round-trips, every rule of DESIGN.md's config.toml bites.

use proptest::prelude::*;

use super::keys::KEYS;
use super::*;

/// DESIGN.md's own example, word for word, without its comments.
const DESIGN: &str = r#"
[data]
name = "california-housing"
samples = 256
standardize = "subset"
targets = "raw"
[network]
hidden = 18
activation = "tanh"
initialization = "nullified"
[loss]
name = "squared"
[dynamics]
preconditioner = "gauss-newton"
damping = 0.0
scaling = 8.0
integrator = "euler"
step = 0.01
horizon = 5.0
relative_tolerance = 1e-8
absolute_tolerance = 1e-10
rank_policy = "pseudo-inverse"
rank_cutoff = 1e-14
solver = "auto"
seed = 0
[events]
# ball_radius = 0.5
[record]
every = 1
snapshot_every = 50
"#;

#[test]
fn the_designs_example_and_nothing_at_all_are_the_default() {
    assert_eq!(Config::parse(DESIGN).unwrap(), Config::default());
    assert_eq!(Config::parse("").unwrap(), Config::default());
    assert_eq!(Config::parse("\u{feff}[data]\r\n").unwrap(), Config::default());
}

#[test]
fn commented_default_parses_to_the_default_and_explains_every_key() {
    let text = Config::commented_default();
    assert_eq!(Config::parse(&text).unwrap(), Config::default());
    for key in KEYS {
        let line = format!("{} = ", key.name());
        assert!(text.lines().any(|l| l.trim_start_matches("# ").starts_with(&line)), "{line}");
        let joined = text.replace("\n# ", " ");
        assert!(joined.contains(&(key.accepted)()), "{}", key.path);
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn examples_of_keys_without_default_are_accepted_where_they_belong() {
    let example = |path| KEYS.iter().find(|key| key.path == path).unwrap().example;
    let text = format!(
        "data = {{ path = {}, target = {}, samples = 2 }}\n\
         loss = {{ name = \"weighted\", weights = {} }}\nevents.ball_radius = {}",
        example("data.path"),
        example("data.target"),
        example("loss.weights"),
        example("events.ball_radius")
    );
    let config = Config::parse(&text).unwrap();
    assert_eq!(config.events.ball_radius, Some(0.5));
    assert_eq!(config.loss, LossSettings::Weighted { weights: vec![1.0, 2.0] });
    let log_cosh = Config::parse("loss.name = 'log-cosh'").unwrap();
    assert_eq!(log_cosh.loss, LossSettings::LogCosh { curvature: 1.0 });
    let text = format!("[loss]\nname = 'log-cosh'\ncurvature = {}", example("loss.curvature"));
    assert_eq!(Config::parse(&text).unwrap(), log_cosh);
}

#[test]
fn resolved_text_writes_every_default_out() {
    let text = Config::default().to_toml();
    let left_out = [
        "data.path",
        "data.target",
        "data.reading",
        "data.block_rows",
        "loss.curvature",
        "loss.scale",
        "loss.weights",
        "events.stationary_fraction",
    ];
    let table: toml::Table = text.parse().unwrap();
    for key in KEYS.iter().filter(|key| !left_out.contains(&key.path)) {
        let written = table[key.section()].get(key.name());
        assert_eq!(written.is_some(), key.path != "events.ball_radius", "{}", key.path);
    }
}

fn problem(text: &str) -> (ConfigProblem, (usize, usize)) {
    let error = Config::parse(text).expect_err(text);
    assert_eq!(error.exit_status(), 2);
    let place = error.location.map_or((0, 0), |at| (at.line, at.column));
    (error.problem, place)
}

#[test]
fn a_misspelt_name_is_answered_with_the_nearest() {
    let cases = [
        ("[dynamics]\n  sclaing = 3.0", "dynamics.sclaing", Some("dynamics.scaling"), (2, 3)),
        ("[network]\nstep = 1.0", "network.step", Some("dynamics.step"), (2, 1)),
        ("samples = 3", "samples", Some("data.samples"), (1, 1)),
        ("[record]\nzzzzzzzz = 1", "record.zzzzzzzz", None, (2, 1)),
    ];
    for (text, name, expected, place) in cases {
        match problem(text) {
            (ConfigProblem::UnknownKey { found, nearest, accepted }, at) => {
                assert_eq!((found.as_str(), nearest.as_deref(), at), (name, expected, place));
                assert!(!accepted.is_empty());
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    match problem("\n[dinamics]\nstep = 1.0") {
        (ConfigProblem::UnknownSection { found, nearest, .. }, (2, 2)) => {
            assert_eq!((found.as_str(), nearest.as_deref()), ("dinamics", Some("dynamics")));
        }
        other => panic!("{other:?}"),
    }
}

/// The names of the libraries' enums, as of the driver's own.
#[test]
fn a_wrong_name_is_answered_with_the_accepted_ones() {
    for (text, words) in [
        ("network.activation = 'relu'", "\"tanh\", \"sigmoid\", \"erf\", \"arctan\""),
        ("network.initialization = 'x'", "\"nullified\", \"antisymmetric\", \"plain\""),
        ("dynamics.rank_policy = 'x'", "\"stop\", \"pseudo-inverse\", \"raise-damping\""),
        (
            "loss.name = 'x'",
            "\"squared\", \"log-cosh\", \"weighted\", \"huber\", \"logistic\", \"softmax\", \"poisson\"",
        ),
    ] {
        let (key, value) = text.split_once(" = ").unwrap();
        let said = Config::parse(text).unwrap_err().to_string();
        let expected = format!("{key} = {value} is not accepted: it must be one of {words}");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn a_bad_value_is_reported_with_its_place_and_text() {
    let cases = [
        ("[dynamics]\nstep = \"fast\"", "dynamics.step", "\"fast\"", (2, 8)),
        ("[dynamics]\nstep = 0", "dynamics.step", "0.0", (2, 8)),
        ("[dynamics]\nstep = nan", "dynamics.step", "NaN", (2, 8)),
        ("[dynamics]\nscaling = inf", "dynamics.scaling", "inf", (2, 11)),
        ("[dynamics]\nscaling = -1.0", "dynamics.scaling", "-1.0", (2, 11)),
        ("[dynamics]\nstep = 0.1\nhorizon = 0.05", "dynamics.horizon", "0.05", (3, 11)),
        ("[dynamics]\nhorizon = inf", "dynamics.horizon", "inf", (2, 11)),
        ("[dynamics]\nstep = 1e-300", "dynamics.horizon", "5.0", (0, 0)),
        (
            "dynamics.integrator = 'discrete'\ndynamics.scaling = 501",
            "dynamics.horizon",
            "5.0",
            (0, 0),
        ),
        ("[dynamics]\nrelative_tolerance = 0.0", "dynamics.relative_tolerance", "0.0", (2, 22)),
        ("[dynamics]\nabsolute_tolerance = -0.0", "dynamics.absolute_tolerance", "-0.0", (2, 22)),
        ("[dynamics]\nrank_cutoff = 1.0", "dynamics.rank_cutoff", "1.0", (2, 15)),
        ("[dynamics]\nsolve_tolerance = 0.0", "dynamics.solve_tolerance", "0.0", (2, 19)),
        ("[dynamics]\nmemory_limit = 0", "dynamics.memory_limit", "0", (2, 16)),
        ("[dynamics]\nseed = -1", "dynamics.seed", "-1", (2, 8)),
        ("[dynamics]\ndamping = 1.5", "dynamics.damping", "1.5", (2, 11)),
        ("[dynamics]\nsolver = 'lu'", "dynamics.solver", "'lu'", (2, 10)),
        ("[dynamics]\nsolver = 3", "dynamics.solver", "3", (2, 10)),
        ("[dynamics]\nrank_policy = 'Stop'", "dynamics.rank_policy", "'Stop'", (2, 15)),
        ("[network]\nactivation = 'relu'", "network.activation", "'relu'", (2, 14)),
        ("[network]\nactivation = []", "network.activation", "[]", (2, 14)),
        ("network = { initialization = '' }", "network.initialization", "''", (1, 30)),
        ("[dynamics]\nintegrator = true", "dynamics.integrator", "true", (2, 14)),
        ("[data]\nsamples = 1", "data.samples", "1", (2, 11)),
        ("[data]\nsamples = 2.5", "data.samples", "2.5", (2, 11)),
        ("[data]\nname = 'boston'", "data.name", "'boston'", (2, 8)),
        ("[data]\npath = ''\ntarget = 'y'", "data.path", "\"\"", (2, 8)),
        ("[network]\nhidden = 0", "network.hidden", "0", (2, 10)),
        ("[network]\nhidden = []", "network.hidden", "[]", (2, 10)),
        ("[network]\nhidden = [8, 0]", "network.hidden", "[8, 0]", (2, 10)),
        ("[network]\nhidden = [8, 'a']", "network.hidden", "[8, 'a']", (2, 10)),
        ("[network]\nbias = 1", "network.bias", "1", (2, 8)),
        ("[network]\nscale = 'root'", "network.scale", "'root'", (2, 9)),
        ("[network]\noutput = 'fixed'", "network.output", "'fixed'", (2, 10)),
        ("network = 3", "network", "3", (1, 11)),
        ("[loss]\nname = 'log-cosh'\ncurvature = 0.0", "loss.curvature", "0.0", (3, 13)),
        (
            "data.samples = 2\nloss = { name = 'weighted', weights = [1.0, 0.0] }",
            "loss.weights",
            "0.0",
            (2, 39),
        ),
        (
            "loss = { name = 'weighted', weights = [1.0, 'a'] }",
            "loss.weights",
            "[1.0, 'a']",
            (1, 39),
        ),
        ("[events]\nball_radius = 0", "events.ball_radius", "0.0", (2, 15)),
        ("[events]\nrank_threshold = 1", "events.rank_threshold", "1.0", (2, 18)),
        ("[record]\nevery = 0", "record.every", "0", (2, 9)),
        ("[record]\nsnapshot_every = -1", "record.snapshot_every", "-1", (2, 18)),
    ];
    for (text, path, written, place) in cases {
        match problem(text) {
            (ConfigProblem::Value { key, value, accepted }, at) => {
                assert_eq!((key.as_str(), value.as_str(), at), (path, written, place), "{text}");
                assert!(!accepted.is_empty(), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn every_closed_choice_lists_its_words_when_another_is_written() {
    let (ConfigProblem::Value { accepted, .. }, _) = problem("[dynamics]\nintegrator = 'heun'")
    else {
        panic!("another problem");
    };
    for integrator in Integrator::ALL {
        assert!(accepted.contains(&format!("\"{integrator}\"")), "{accepted}");
    }
}

#[test]
fn keys_that_exclude_each_other_name_both() {
    let lm = "[dynamics]\npreconditioner = 'levenberg-marquardt'\n";
    let cases = [
        ("[dynamics]\ndamping = 0.1".to_owned(), "dynamics.damping", (2, 11)),
        (format!("{lm}damping = 0"), "dynamics.damping", (3, 11)),
        (format!("{lm}damping = 1.0"), "dynamics.damping", (3, 11)),
        (
            "[dynamics]\npreconditioner = 'gradient'\ndamping = 0.5".into(),
            "dynamics.damping",
            (3, 11),
        ),
        (
            "[network]\ninitialization = 'antisymmetric'\nhidden = 7".into(),
            "network.hidden",
            (3, 10),
        ),
        ("[data]\nname = 'california-housing'\npath = 'a.csv'".into(), "data.path", (3, 8)),
        ("[data]\ntarget = 'y'".into(), "data.target", (2, 10)),
        ("[loss]\ncurvature = 2".into(), "loss.curvature", (2, 13)),
        ("[loss]\nname = 'log-cosh'\nweights = [1]".into(), "loss.weights", (3, 11)),
        ("[loss]\nname = 'weighted'\nweights = [1, 2]".into(), "loss.weights", (3, 11)),
    ];
    for (text, path, place) in &cases {
        match problem(text) {
            (ConfigProblem::Conflict { key, other, advice, .. }, at) => {
                assert_eq!((key, at), (*path, *place), "{text}");
                assert!(!other.is_empty() && !advice.is_empty());
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    for (text, path) in
        [("data.path = 'a.csv'", "data.target"), ("loss.name = 'weighted'", "loss.weights")]
    {
        let (found, _) = problem(text);
        assert!(matches!(found, ConfigProblem::Missing { key, .. } if key == path), "{text}");
    }
}

#[test]
fn a_damping_schedule_is_refused_in_both_spellings() {
    for text in [
        "[dynamics]\ndamping = { name = 'decay' }",
        "[dynamics]\nstep = 0.1\n[dynamics.damping]\nname = 'decay'",
    ] {
        let (found, (line, _)) = problem(text);
        assert!(matches!(found, ConfigProblem::DampingSchedule { .. }), "{text}: {found:?}");
        assert!(line >= 2, "{text}");
    }
}

#[test]
fn gradient_flow_is_damping_one_and_adaptive_runs_stop_at_rank_loss() {
    for damping in ["0", "1"] {
        let text = format!("dynamics = {{ preconditioner = 'gradient', damping = {damping} }}");
        let dynamics = Config::parse(&text).unwrap().dynamics;
        assert!((dynamics.effective_damping() - 1.0).abs() < f64::EPSILON);
    }
    for &integrator in Integrator::ALL {
        let dynamics = DynamicsSettings { integrator, ..DynamicsSettings::default() };
        let own = matches!(integrator, Integrator::Adaptive | Integrator::Stiff);
        let expected = if own { RankPolicy::Stop } else { RankPolicy::PseudoInverse };
        assert_eq!(dynamics.effective_rank_policy(), expected);
    }
}

#[test]
fn syntax_and_files_fail_with_their_place() {
    let (found, place) = problem("[data]\nsamples = = 3");
    assert!(matches!(found, ConfigProblem::Syntax { .. }), "{found:?}");
    assert_eq!(place.0, 2);
    let (found, _) = problem("[data]\nsamples = 3\nsamples = 4");
    assert!(matches!(found, ConfigProblem::Syntax { .. }), "{found:?}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let error = Config::read(&path).unwrap_err();
    assert!(matches!(error.problem, ConfigProblem::Read { .. }));
    assert_eq!((error.exit_status(), error.file.as_deref()), (3, Some(path.as_path())));
    std::fs::write(&path, b"seed = \"\xff\"").unwrap();
    let error = Config::read(&path).unwrap_err();
    assert!(matches!(error.problem, ConfigProblem::NotText { byte: 8 }));
    std::fs::write(&path, "[record]\nevery = 0").unwrap();
    let error = Config::read(&path).unwrap_err();
    assert!(error.to_string().contains("config.toml:2:9: record.every = 0"), "{error}");
}

fn choice<T: Copy + std::fmt::Debug>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

prop_compose! {
    fn dynamics()(
        preconditioner in choice(Preconditioner::ALL), damping in 1e-12..1.0,
        (scaling, step, log_steps) in (1e-3..1e3, 1e-6..1e2, 0.0..8.0),
        integrator in choice(Integrator::ALL), relative in 1e-15..1e-2, absolute in 1e-300..1e300,
        policy in choice(&RankPolicy::ALL), rank_cutoff in 1e-300..1.0,
        (solve_tolerance, memory_limit) in (1e-15..0.9, 1..1_000_000_usize),
        (solver, metric) in (choice(&DampedSolver::ALL), choice(&Metric::ALL)),
        (batch, momentum) in (0..3_usize, 0.0..1.0), seed in 0..=u64::MAX / 2,
    ) -> DynamicsSettings {
        let levenberg = preconditioner == Preconditioner::LevenbergMarquardt;
        let plain = preconditioner == Preconditioner::Gradient || integrator == Integrator::Stiff;
        let steps = matches!(integrator, Integrator::Euler | Integrator::Discrete);
        let (batch, momentum) = if steps && batch > 0 { (batch, momentum) } else { (0, 0.0) };
        let clock = if integrator == Integrator::Discrete { scaling } else { 1.0 };
        DynamicsSettings {
            batch, momentum,
            metric: if plain { Metric::Euclidean } else { metric },
            preconditioner, scaling, integrator, step, rank_cutoff, solver, seed,
            solve_tolerance, memory_limit,
            damping: if levenberg { damping } else { 0.0 },
            horizon: clock * step * 10f64.powf(log_steps),
            relative_tolerance: relative, absolute_tolerance: absolute, rank_policy: policy,
        }
    }
}

prop_compose! {
    fn config()(
        dynamics in dynamics(), samples in 2..40usize,
        file in prop::option::of((".+", prop::collection::vec(".+", 1..3))),
        standardize in choice(&Standardize::ALL), targets in choice(&TargetScale::ALL),
        (pairs, layers) in (1..100usize, 1..4usize), scale in choice(LayerScale::ALL),
        output in choice(&OutputWeights::ALL), activation in choice(&Activation::ALL),
        initialization in choice(&Initialization::ALL), loss in choice(LossName::ALL),
        positive in prop::collection::vec(1e-300..1e300, 40),
        ball_radius in prop::option::of(1e-9..1e9), rank_threshold in 1e-300..1.0,
        at_exit in choice(AtExit::ALL), stationary_fraction in prop::option::of(1e-9..1e9),
        every in 1..1000usize, snapshot_every in 0..1000usize, held_out_every in 0..1000usize,
        hessian_every in 0..1000usize, checkpoints in 0..5usize,
    ) -> Config {
        Config {
            data: DataSettings {
                source: file.map_or(DataSource::Bundled(BundledData::CaliforniaHousing),
                    |(path, targets)| DataSource::File { path, targets }),
                reading: Reading::Whole, block_rows: 0, samples, too_few: TooFew::Refuse, standardize,
                targets: if ["logistic", "softmax", "poisson"].contains(&loss.word()) {
                    TargetScale::Raw
                } else {
                    targets
                },
            },
            network: NetworkSettings {
                hidden: Widths(vec![2 * pairs; layers]),
                bias: pairs % 2 == 0,
                activation,
                initialization,
                scale,
                output,
            },
            loss: match loss {
                LossName::Squared => LossSettings::Squared,
                LossName::LogCosh => LossSettings::LogCosh { curvature: positive[0] },
                LossName::Huber => LossSettings::Huber { scale: positive[0] },
                LossName::Logistic => LossSettings::Logistic,
                LossName::Softmax => LossSettings::Softmax,
                LossName::Poisson => LossSettings::Poisson,
                LossName::Weighted => {
                    LossSettings::Weighted { weights: positive[..samples].into() }
                }
            },
            dynamics,
            events: EventSettings { ball_radius, at_exit, stationary_fraction, rank_threshold },
            record: RecordSettings {
                every, snapshot_every, held_out_every, hessian_every,
                checkpoint_every: checkpoints * every,
            },
        }
    }
}

proptest! {
    #[test]
    fn resolved_text_reads_back_to_the_same_configuration(config in config()) {
        prop_assert!(config.validate().is_ok());
        let text = config.to_toml();
        let again = Config::parse(&text);
        prop_assert!(again.is_ok(), "{text}\n{}", again.unwrap_err());
        prop_assert_eq!(again.unwrap(), config);
    }

    #[test]
    fn no_text_makes_it_panic(
        text in "(\\[[a-z.]{0,12}\\]\n|[a-z.]{1,12} = [-0-9.e'\"{}\\[\\]]{0,8}\n|.){0,8}",
    ) {
        let _ = Config::parse(&text);
    }
}
