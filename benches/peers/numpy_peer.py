"""NumPy and SciPy at their best: preallocated buffers, BLAS and LAPACK called by name.

Units run along the first axis and rows along the last (S^T is m x n), so that every elementwise
operation has a long contiguous inner loop, and J^T (p x n, C order) is for BLAS the n x p matrix J in
Fortran order: no call copies.
"""

import numpy
from scipy.linalg import blas, lapack

import protocol


class Network:
    """Forward pass, slopes and loss gradient into buffers."""

    def __init__(self, problem):
        self.problem = problem
        n, m = problem.n, problem.m
        self.inputs_t = numpy.ascontiguousarray(problem.inputs.T)
        self.signs_column = numpy.ascontiguousarray(problem.signs[:, None])
        self.activations = numpy.empty((m, n))
        self.slopes = numpy.empty((m, n))
        self.gradient = numpy.empty(n)

    def linearize(self, weights):
        """S^T into `slopes` and 2 (alpha f - y) into `gradient`."""
        problem, sigma, slopes = self.problem, self.activations, self.slopes
        numpy.dot(weights, self.inputs_t, out=sigma)
        numpy.tanh(sigma, out=sigma)
        numpy.multiply(sigma, sigma, out=slopes)
        numpy.subtract(1.0, slopes, out=slopes)
        numpy.multiply(slopes, self.signs_column, out=slopes)
        gradient = self.gradient
        numpy.dot(problem.signs, sigma, out=gradient)
        gradient -= problem.offset
        gradient *= problem.scaling
        gradient -= problem.targets
        gradient *= 2.0


def damp(matrix, damping):
    """`(1 - rho) matrix + rho I`, in place."""
    if damping > 0.0:
        matrix *= 1.0 - damping
        matrix[numpy.diag_indices_from(matrix)] += damping


def solve(matrix, right):
    """`matrix^-1 right` by Cholesky of the lower triangle, in place."""
    factor, info = lapack.dpotrf(matrix, lower=1, overwrite_a=1, clean=0)
    if info != 0:
        raise ArithmeticError(f"dpotrf returned {info}")
    solution, _ = lapack.dpotrs(factor, right, lower=1, overwrite_b=1)
    return solution


class Step:
    """Euler steps of the (damped) Gauss-Newton flow."""

    def __init__(self, folder):
        problem = self.problem = protocol.Problem(folder)
        self.network = Network(problem)
        n, d, m = problem.n, problem.d, problem.m
        if n >= m * d:
            self.jacobian_t = numpy.empty((m * d, n))
            self.gram = numpy.zeros((m * d, m * d), order="F")
            self.variants = {"dsyrk": self.by(self.by_dsyrk), "dot": self.by(self.by_dot)}
        else:
            self.inputs_kernel = numpy.asfortranarray(problem.inputs @ problem.inputs.T)
            self.kernel = numpy.zeros((n, n), order="F")
            self.scratch = numpy.empty((m, n))
            self.variants = {
                "kernel-dsyrk": self.by(self.by_kernel_dsyrk),
                "kernel-dot": self.by(self.by_kernel_dot),
            }

    def by(self, direction):
        """A variant: `count` steps from the initial weights."""

        def run(count):
            weights = self.problem.weights.copy()
            for _ in range(count):
                self.network.linearize(weights)
                weights -= self.problem.rate * direction().reshape(weights.shape)
            return weights

        return run

    def form(self):
        m, d, n = self.problem.m, self.problem.d, self.problem.n
        numpy.multiply(
            self.network.slopes[:, None, :],
            self.network.inputs_t[None, :, :],
            out=self.jacobian_t.reshape(m, d, n),
        )

    def by_dsyrk(self):
        self.form()
        jacobian = self.jacobian_t.T
        blas.dsyrk(1.0, jacobian, trans=1, lower=1, c=self.gram, overwrite_c=1)
        damp(self.gram, self.problem.damping)
        return solve(self.gram, self.jacobian_t @ self.network.gradient)

    def by_dot(self):
        self.form()
        numpy.dot(self.jacobian_t, self.jacobian_t.T, out=self.gram.T)
        damp(self.gram, self.problem.damping)
        return solve(self.gram, self.jacobian_t @ self.network.gradient)

    def through_kernel(self):
        self.kernel *= self.inputs_kernel
        damp(self.kernel, self.problem.damping)
        dual = solve(self.kernel, self.network.gradient.copy())
        numpy.multiply(self.network.slopes, dual, out=self.scratch)
        return self.scratch @ self.problem.inputs

    def by_kernel_dsyrk(self):
        blas.dsyrk(1.0, self.network.slopes.T, lower=1, c=self.kernel, overwrite_c=1)
        return self.through_kernel()

    def by_kernel_dot(self):
        numpy.dot(self.network.slopes.T, self.network.slopes, out=self.kernel.T)
        return self.through_kernel()


class Gram:
    """J formed from S and X, then dsyrk: at once, or in blocks of rows that stay in the cache."""

    BLOCKS = (128, 256, 512, 1024, 4096)

    def __init__(self, folder):
        problem = self.problem = protocol.Problem(folder)
        network = Network(problem)
        network.linearize(problem.weights)
        self.slopes, self.inputs_t = network.slopes, network.inputs_t
        p = problem.m * problem.d
        self.gram = numpy.zeros((p, p), order="F")
        self.variants = {"whole": self.by(problem.n)}
        self.variants.update({f"rows-{rows}": self.by(rows) for rows in self.BLOCKS})

    def by(self, rows):
        m, d, n = self.problem.m, self.problem.d, self.problem.n
        block = numpy.empty((m, d, min(rows, n)))

        def run(count):
            for _ in range(count):
                for first in range(0, n, rows):
                    here = slice(first, min(first + rows, n))
                    size = here.stop - here.start
                    part = block if size == block.shape[2] else numpy.empty((m, d, size))
                    numpy.multiply(
                        self.slopes[:, None, here], self.inputs_t[None, :, here], out=part
                    )
                    jacobian = part.reshape(m * d, size).T
                    beta = 0.0 if first == 0 else 1.0
                    blas.dsyrk(
                        1.0, jacobian, beta=beta, trans=1, lower=1, c=self.gram, overwrite_c=1
                    )
            # The lower triangle, column after column, is what the harness compares.
            return self.gram.T

        return run


class Peak:
    """OpenBLAS dgemm of order 2000: the multiply-add rate of one core."""

    ORDER = 2000

    def __init__(self, _folder):
        order = self.ORDER
        values = numpy.sin(numpy.arange(order * order, dtype=numpy.float64))
        self.left = numpy.asfortranarray(values.reshape(order, order))
        self.right = numpy.asfortranarray(values[::-1].reshape(order, order))
        self.product = numpy.zeros((order, order), order="F")
        self.variants = {"dgemm": self.run}

    def run(self, count):
        for _ in range(count):
            blas.dgemm(1.0, self.left, self.right, c=self.product, overwrite_c=1)
        return self.product[0]


if __name__ == "__main__":
    protocol.serve({"step": Step, "wide-step": Step, "gram": Gram, "peak": Peak})
