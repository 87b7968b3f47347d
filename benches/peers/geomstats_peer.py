"""geomstats' PullbackMetric on the network's manifold: Exp and Log, with closed-form derivatives.

Its solvers get the network's Jacobian and Hessian by formula and run on its NumPy backend, nearly twice
as fast as the one with automatic differentiation. That one only the default gradient of Log's shooting
needs; by differences a Log takes a fraction of the time. The parameters are the weights.
"""

import os

import geomstats.backend as gs
import numpy
from geomstats.geometry.base import ImmersedSet
from geomstats.geometry.euclidean import Euclidean
from geomstats.numerics.geodesic import ExpODESolver, LogShootingSolver
from geomstats.numerics.ivp import GSIVPIntegrator, ScipySolveIVP
from geomstats.numerics.optimization import ScipyMinimize

import protocol


class OutputManifold(ImmersedSet):
    """The image of w -> alpha f(w)."""

    def __init__(self, problem):
        self.problem = problem
        # Where feature k of unit i stands among the parameters, as a mask of blocks.
        m, d = problem.m, problem.d
        self.blocks = numpy.kron(numpy.eye(m), numpy.ones((d, d))).reshape(m, d, m, d)
        super().__init__(dim=m * d)

    def _define_embedding_space(self):
        return Euclidean(self.problem.n)

    def pre_activations(self, point):
        weights = gs.reshape(point, (self.problem.m, self.problem.d))
        return gs.einsum("nd,md->nm", self.problem.inputs, weights)

    def immersion(self, point):
        outputs = gs.einsum("nm,m->n", gs.tanh(self.pre_activations(point)), self.problem.signs)
        return self.problem.scaling * (outputs - self.problem.offset)

    def jacobian_immersion(self, base_point):
        sigma = gs.tanh(self.pre_activations(base_point))
        slopes = self.problem.scaling * (1.0 - sigma * sigma) * self.problem.signs
        full = gs.einsum("nm,nd->nmd", slopes, self.problem.inputs)
        return gs.reshape(full, (self.problem.n, self.dim))

    def hessian_immersion(self, base_point):
        sigma = gs.tanh(self.pre_activations(base_point))
        second = -2.0 * self.problem.scaling * sigma * (1.0 - sigma * sigma) * self.problem.signs
        inputs = self.problem.inputs
        full = gs.einsum("nm,nk,nl,mkol->nmkol", second, inputs, inputs, self.blocks)
        return gs.reshape(full, (self.problem.n, self.dim, self.dim))


class Geometry:
    """A problem with the velocity and the target that the harness wrote beside it."""

    def __init__(self, folder):
        self.problem = protocol.Problem(folder)
        read = lambda name: numpy.fromfile(os.path.join(folder, name + ".f64"))
        self.point = self.problem.weights.reshape(-1)
        self.velocity, self.target = read("velocity"), read("target")

    def manifold(self, integrator=None):
        manifold = OutputManifold(self.problem)
        if integrator is not None:
            manifold.metric.exp_solver = ExpODESolver(manifold, integrator=integrator)
        return manifold


class Exponential(Geometry):
    """Exp: the default, Euler's method with 100 steps, and Runge-Kutta's with as many."""

    INTEGRATORS = {
        "euler-100": lambda: None,
        "rk4-100": lambda: GSIVPIntegrator(n_steps=100, step_type="rk4"),
    }

    def __init__(self, folder):
        super().__init__(folder)
        self.variants = {name: self.by(make()) for name, make in self.INTEGRATORS.items()}

    def by(self, integrator):
        metric = self.manifold(integrator).metric

        def run(count):
            for _ in range(count):
                end = metric.exp(self.velocity, self.point)
            return end

        return run


class AccurateExponential(Exponential):
    """Exp to the tolerance that ours has, by SciPy's integrators of order 5 and 8."""

    INTEGRATORS = {
        name: lambda method=method: ScipySolveIVP(method=method, rtol=1e-11, atol=1e-11)
        for name, method in [("solve-ivp-rk45", "RK45"), ("solve-ivp-dop853", "DOP853")]
    }


class Logarithm(Geometry):
    """Log by shooting with the default Exp, and with an accurate one and a tight end."""

    def __init__(self, folder):
        super().__init__(folder)
        accurate = self.manifold(AccurateExponential.INTEGRATORS["solve-ivp-dop853"]())
        self.variants = {
            "shooting-euler-100": self.by(self.manifold(), None),
            "shooting-dop853": self.by(accurate, 1e-24),
        }

    def by(self, manifold, tolerance):
        solver = LogShootingSolver(manifold, optimizer=ScipyMinimize(tol=tolerance))

        def run(count):
            for _ in range(count):
                velocity = solver.log(self.target, self.point)
            return velocity

        return run


if __name__ == "__main__":
    tasks = {"exp": Exponential, "accurate-exp": AccurateExponential, "log": Logarithm}
    protocol.serve(tasks)
