"""Flows against closed forms and loops in NumPy."""

import gaussflow as gf
import numpy as np
import pytest

RNG = np.random.default_rng(0)
INPUTS = RNG.standard_normal((40, 3))
TARGETS = np.sin(INPUTS[:, 0])


def line(w):
    return np.array([w[0], w[0], w[1]])


def test_gauss_newton_contracts_at_rate_two():
    y = np.array([1.0, 3.0, 5.0])
    run = gf.flow(line, y, w0=[0.0, 0.0], integrator="adaptive", step=0.5, horizon=2.0)
    best = np.array([2.0, 5.0])
    np.testing.assert_allclose(run.weights, best * (1 - np.exp(-4.0)), rtol=1e-7)
    np.testing.assert_allclose(run.loss - 2.0, (run.loss[0] - 2.0) * np.exp(-4 * run.time), rtol=1e-6)
    assert run.stop_reason == "horizon" and len(run) == 5 and run.final_time == 2.0


def test_the_gradient_flow_follows_its_matrix_exponential():
    y = np.array([1.0, 3.0, 5.0])
    run = gf.flow(line, y, 1.0, "gradient", w0=[0.0, 0.0], integrator="stiff", step=0.5, horizon=2.0)
    rates = np.array([4.0, 2.0])  # twice the eigenvalues of J^T J
    np.testing.assert_allclose(run.weights, np.array([2.0, 5.0]) * (1 - np.exp(-2 * rates)), rtol=1e-6)


@pytest.mark.parametrize("alpha", [0.5, 8.0])
def test_the_discrete_iteration_is_that_of_numpy(alpha):
    network = gf.Network(INPUTS, 4, seed=3)
    rho, eta = 0.1, 0.25
    run = gf.flow(
        network,
        TARGETS,
        alpha,
        "levenberg-marquardt",
        damping=rho,
        integrator="discrete",
        step=eta,
        horizon=5 * eta * alpha,
    )
    w = network.w0
    for _ in range(5):
        J, gradient = network.jacobian(w), 2 * (alpha * network(w) - TARGETS)
        w = w - eta * np.linalg.solve((1 - rho) * J.T @ J + rho * np.eye(w.size), J.T @ gradient)
    np.testing.assert_allclose(run.weights, w, rtol=1e-9)
    assert len(run) == 6


def test_columns_are_those_of_their_definitions():
    network = gf.Network(INPUTS, 4)
    run = gf.flow(network, TARGETS, 8.0, horizon=0.1, snapshot_every=5)
    w = run.snapshots[1]
    k = int(run.snapshot_steps[1])
    J, residual = network.jacobian(w), 8.0 * network(w) - TARGETS
    sizes = np.linalg.svd(J, compute_uv=False)
    tangent = np.linalg.qr(J)[0].T @ (2 * residual)
    np.testing.assert_allclose(run.loss[k], residual @ residual, rtol=1e-12)
    np.testing.assert_allclose(run.deviation[k], np.linalg.norm(w - network.w0), rtol=1e-9)
    np.testing.assert_allclose(run.gram_min_eigenvalue[k], sizes[-1] ** 2, rtol=1e-8)
    np.testing.assert_allclose(run.gram_max_eigenvalue[k], sizes[0] ** 2, rtol=1e-10)
    np.testing.assert_allclose(run.riemannian_gradient_norm[k], np.linalg.norm(tangent), rtol=1e-9)
    np.testing.assert_array_equal(run["step"], np.arange(11))


def test_loss_of_rank_is_an_event_and_the_policies_go_on():
    def plane(w):  # two parameters, of which the outputs see the sum
        return np.array([w[0] + w[1], w[0] + w[1], w[0] + w[1]])

    run = gf.flow(plane, [1.0, 2.0, 3.0], w0=[0.0, 0.0], step=0.5)
    assert run.stop_reason == "rank-lost" and run.events[0].kind == "rank-lost" and run.final_time == 0
    on = gf.flow(
        plane, [1.0, 2.0, 3.0], w0=[0.0, 0.0], integrator="rk4", step=0.01, horizon=4.0, rank_policy="pseudo-inverse"
    )
    np.testing.assert_allclose(on.weights, [1.0, 1.0], rtol=1e-3)
    assert on.stop_reason == "horizon" and on.counts["pseudo_inverse"] > 0


def test_the_ball_is_left_where_it_is():
    run = gf.flow(lambda w: w, [2.0], w0=[0.0], integrator="adaptive", ball_radius=1.0, stop_at_exit=True)
    assert run.stop_reason == "left-ball"
    np.testing.assert_allclose(run.events[0].time, np.log(2) / 2, rtol=1e-6)


@pytest.mark.parametrize("integrator", ["euler", "rk4", "discrete", "adaptive", "stiff"])
@pytest.mark.parametrize("record_every", [1, 7])
def test_a_stopped_run_goes_on_as_if_it_had_not(integrator, record_every):
    network = gf.Network(INPUTS, 4)
    length = 8.0 if integrator == "discrete" else 1.0  # the time of a step there is alpha eta
    settings = {"integrator": integrator, "horizon": 0.5 * length, "step": 0.02, "record_every": record_every}
    whole = gf.flow(network, TARGETS, 8.0, **settings)
    part = gf.flow(network, TARGETS, 8.0, callback=lambda at: at.time > 0.2 * length, **settings)
    assert part.stop_reason == "interrupted" and len(part) < len(whole)
    both = gf.flow(network, TARGETS, 8.0, resume=part, **settings)
    np.testing.assert_array_equal(both.step, whole.step)
    np.testing.assert_allclose(both.loss, whole.loss, rtol=1e-6)
    np.testing.assert_allclose(both.weights, whole.weights, rtol=1e-5, atol=1e-8)
    assert both.stop_reason == "horizon"


def test_losses_follow_their_gradients():
    labels = (INPUTS[:, 0] > 0).astype(float)
    network = gf.Network(INPUTS, 4)
    logistic = gf.flow(network, labels, 1.0, "gradient", loss="logistic", integrator="euler", step=0.01, horizon=0.01)
    slope = 1 / (1 + np.exp(-network(network.w0))) - labels
    expected = network.w0 - 0.01 * network.jacobian(network.w0).T @ slope
    np.testing.assert_allclose(logistic.weights, expected, rtol=1e-12)
    three = gf.Network(INPUTS, 4, outputs=3)
    classes = np.arange(40) % 3
    by_labels = gf.flow(three, classes, loss="softmax", horizon=0.05, method="gradient")
    by_rows = gf.flow(three, np.eye(3)[classes], loss="softmax", horizon=0.05, method="gradient")
    np.testing.assert_array_equal(by_labels.loss, by_rows.loss)
    np.testing.assert_allclose(by_labels.loss[0], 40 * np.log(3), rtol=1e-12)


def test_runs_show_themselves():
    pandas, pyplot = pytest.importorskip("pandas"), pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    run = gf.flow(line, [1.0, 3.0, 5.0], w0=[0.0, 0.0], step=0.1)
    frame = pandas.DataFrame(run.to_dict())
    assert list(frame["loss"]) == list(run.loss)
    axes = run.plot("loss", color="black")
    assert axes.get_yscale() == "log" and axes.get_xlabel() == "time"
    assert "<table>" in run._repr_html_() and "horizon" in repr(run)
    with pytest.raises(AttributeError, match="its columns are step, time, loss"):
        run.losses


def test_an_interrupt_soon_after_a_resume_keeps_the_run():
    calls = 0

    def fun(w):
        nonlocal calls
        calls += 1
        if calls > limit:
            raise KeyboardInterrupt
        return np.array([w[0], w[0], w[1]])

    settings = {"w0": [0.0, 0.0], "step": 0.1, "horizon": 2.0}
    limit = 60
    with pytest.raises(gf.Interrupted) as caught:
        gf.flow(fun, [1.0, 3.0, 5.0], **settings)
    part = caught.value.result
    assert isinstance(part, gf.Run) and part.stop_reason == "interrupted" and part.final_time > 0
    calls, limit = 0, 2
    with pytest.raises(gf.Interrupted) as caught:
        gf.flow(fun, [1.0, 3.0, 5.0], resume=part, **settings)
    again = caught.value.result
    assert len(again) == len(part) and again.final_time == part.final_time and again.weights.shape == (2,)
    calls, limit = 0, 10**6
    whole = gf.flow(fun, [1.0, 3.0, 5.0], resume=again, **settings)
    np.testing.assert_allclose(whole.weights, gf.flow(line, [1.0, 3.0, 5.0], **settings).weights, rtol=1e-6)


def test_a_run_whose_loss_is_not_finite_can_be_read(tmp_path):
    run = gf.run({"data": {"samples": 20}, "network": {"hidden": 2}, "dynamics": {"horizon": 0.1}}, tmp_path)
    file = run.folder / "outcome.json"
    text = file.read_text()
    start = text.index('"final_loss"')
    stop = text.index(",", start)
    file.write_text(text[:start] + '"final_loss": null' + text[stop:])
    assert np.isnan(gf.load_run(run.folder).final_loss)


def test_predictions_are_those_of_the_same_network_elsewhere():
    network = gf.Network(INPUTS, 4, seed=2)
    run = gf.flow(network, TARGETS, 8.0, horizon=0.5)
    np.testing.assert_array_equal(network.at(INPUTS[:7])(run.weights), network(run.weights)[:7])
    with pytest.raises(ValueError, match=r"inputs has shape \(2, 2\)"):
        network.at(np.ones((2, 2)))


def test_runs_say_what_a_reader_should_know():
    network = gf.Network(INPUTS, 4)
    assert gf.flow(network, TARGETS, 8.0, horizon=0.1).remark == ""
    steep = gf.flow(network, TARGETS, 20.0, "gradient", step=0.1, horizon=1.0)
    assert "The loss rose" in steep.remark and 'integrator="stiff"' in repr(steep)
    wide = gf.flow(gf.Network(INPUTS[:5], 4), TARGETS[:5])
    assert wide.stop_reason == "rank-lost" and "levenberg-marquardt" in wide.remark


def test_single_precision_loosens_error_control():
    def f(w):
        return (w[0] * np.exp(-w[1] * np.arange(5.0))).astype(np.float32)

    with pytest.warns(RuntimeWarning, match="float32"):
        run = gf.flow(f, np.exp(-0.5 * np.arange(5.0)), w0=[2.0, 1.0], integrator="adaptive", step=0.5, horizon=2.0)
    assert run.counts["steps"] < 1000 and run.loss[-1] < 1e-2 * run.loss[0]
