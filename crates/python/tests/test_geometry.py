"""Curvature, geodesics and solves against closed forms and NumPy."""

import gaussflow as gf
import numpy as np
import pytest

R, r = 2.0, 0.5


def sphere(w):
    return R * np.array([np.cos(w[0]) * np.cos(w[1]), np.sin(w[0]) * np.cos(w[1]), np.sin(w[1])])


def torus(w):
    ring = R + r * np.cos(w[1])
    return np.array([ring * np.cos(w[0]), ring * np.sin(w[0]), r * np.sin(w[1])])


@pytest.mark.parametrize("latitude", [0.0, 1e-9, 1e-5, 0.4])
def test_a_sphere_has_constant_curvature(latitude):
    manifold, w = gf.OutputManifold(sphere), [0.3, latitude]
    assert manifold.sectional_curvature(w, [1, 0], [0, 1]) == pytest.approx(1 / R**2, rel=1e-5)
    assert manifold.largest_normal_curvature(w).value == pytest.approx(1 / R, rel=1e-5)


@pytest.mark.parametrize("v", [0.0, 1.0, np.pi])
def test_a_torus_bends_both_ways(v):
    manifold = gf.OutputManifold(torus)
    expected = np.cos(v) / (r * (R + r * np.cos(v)))
    assert manifold.sectional_curvature([0.2, v], [1, 0.3], [0, 1]) == pytest.approx(expected, abs=1e-5)
    form = manifold.second_fundamental_form([0.0, 0.0], [0, 1 / r], [0, 1 / r])
    np.testing.assert_allclose(form, [-1 / r, 0, 0], atol=1e-5)


def test_geodesics_distances_and_transport_on_a_sphere():
    manifold = gf.OutputManifold(sphere)
    curve = manifold.exp([0.0, 0.1], [0.3, 0.4])
    assert curve.complete and curve.speed_drift < 1e-5
    a, b = sphere([0.0, 0.1]), sphere(curve.points[-1])
    assert R * np.arccos(a @ b / R**2) == pytest.approx(curve.length, rel=1e-5)
    log = manifold.log([0.0, 0.1], curve.points[-1])
    np.testing.assert_allclose(log.velocity, [0.3, 0.4], rtol=1e-4)
    assert manifold.distance([0.0, 0.1], [0.0, 0.1]) == 0
    # Along the equator a vector keeps its angle to it, however long it is.
    for size in (1.0, 1e3):
        moved = manifold.transport([0.0, 0.0], [1.0, 0.0], [[0.3 * size, 0.4 * size]])
        np.testing.assert_allclose(moved, [[0.3 * size, 0.4 * size]], rtol=1e-4)


def test_the_hessian_is_that_of_the_loss_along_geodesics():
    y = np.array([1.0, 0.5, 2.5])
    manifold = gf.OutputManifold(sphere, y)
    w = np.array([0.2, 0.3])
    basis, hessian = manifold.tangent_basis(w), manifold.hessian(w)
    extremes = manifold.hessian_extremes(w)
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), [extremes.smallest, extremes.largest], rtol=1e-6)
    np.testing.assert_allclose(basis.T @ basis, np.eye(2), atol=1e-12)
    # On a sphere Hess g(u, u) = 2 |u|^2 + II . grad g = 2 - 2 (x - y) . x / R^2.
    x = sphere(w)
    np.testing.assert_allclose(hessian, (2 - 2 * (x - y) @ x / R**2) * np.eye(2), atol=1e-5)
    np.testing.assert_allclose(manifold.gradient(w), basis @ basis.T @ (2 * (x - y)), atol=1e-9)
    np.testing.assert_allclose(manifold.gradient(w) + manifold.normal_gradient(w), 2 * (x - y), atol=1e-9)


@pytest.mark.parametrize("widths", [5, [4, 3]])
def test_the_tangent_kernel_is_that_of_the_jacobian(widths):
    x = np.random.default_rng(0).standard_normal((12, 3))
    network = gf.Network(x, widths, scaled=True, bias=True)
    J = network.jacobian(network.w0)
    np.testing.assert_allclose(gf.tangent_kernel(network), J @ J.T, rtol=1e-12, atol=1e-12)
    moved = network.w0 + 1e-6 * np.eye(network.parameters)[3]
    np.testing.assert_allclose((network(moved) - network(network.w0)) / 1e-6, J[:, 3], atol=1e-5)
    own = gf.tangent_kernel(lambda w: np.array([w[0] * w[1], w[0]]), [2.0, 3.0])
    np.testing.assert_allclose(own, [[13, 3], [3, 1]], rtol=1e-8)


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
@pytest.mark.parametrize("solver", ["auto", "primal-cholesky", "dual-cholesky", "householder-qr", "thin-svd", "lsmr"])
def test_damped_solves_solve_their_system(shape, solver):
    rng = np.random.default_rng(1)
    A, b = rng.standard_normal(shape), rng.standard_normal(shape[0])
    rho = 0.3
    found = gf.damped_lstsq(A, b, rho, solver=solver)
    np.testing.assert_allclose((1 - rho) * A.T @ (A @ found.x) + rho * found.x, A.T @ b, atol=1e-10)
    sizes = np.linalg.svd(A, compute_uv=False)
    np.testing.assert_allclose(gf.extreme_singular_values(A), (sizes[-1], sizes[0]), rtol=1e-12)


def test_undamped_solves_say_where_there_is_none():
    A = np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]])
    with pytest.raises(RuntimeError, match="rank"):
        gf.damped_lstsq(A, [1.0, 2.0, 3.0], solver="householder-qr")


def test_steps_of_a_trust_region():
    rng = np.random.default_rng(2)
    A, b, scales = rng.standard_normal((20, 4)), rng.standard_normal(20), np.array([1.0, 2.0, 0.5, 3.0])
    whole = np.linalg.lstsq(A, -b, rcond=None)[0]
    free = gf.secular_step(A, b, 1e3, scales=scales)
    np.testing.assert_allclose(free.step, whole, atol=1e-12)
    assert free.damping == 0
    short = gf.secular_step(A, b, 0.1, scales=scales)
    assert np.linalg.norm(scales * short.step) == pytest.approx(0.1, rel=0.11)
    system = A.T @ A + short.damping * np.diag(scales**2)
    np.testing.assert_allclose(system @ short.step, -A.T @ b, atol=1e-10)
