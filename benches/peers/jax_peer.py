"""JAX in double precision: a jitted loop of Gauss-Newton steps with the analytic Jacobian.

The Jacobian by its formula, the product and the Cholesky solve are compiled into one loop: no Python
runs between steps. Of networks of several layers there are steps and kernels by the formula, and by
differentiating f row by row. The thread count is set by the harness through XLA_FLAGS.
"""

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402
from jax.scipy.linalg import cho_factor, cho_solve  # noqa: E402

import protocol  # noqa: E402


class Step:
    """Euler steps of the (damped) Gauss-Newton flow."""

    def __init__(self, folder):
        problem = self.problem = protocol.Problem(folder)
        n, d, m = problem.n, problem.d, problem.m
        self.inputs = jnp.asarray(problem.inputs)
        self.inputs_t = jnp.asarray(problem.inputs.T.copy())
        self.targets = jnp.asarray(problem.targets)
        self.signs = jnp.asarray(problem.signs)
        self.offset = jnp.asarray(problem.offset)
        self.weights = jnp.asarray(problem.weights)
        self.inputs_kernel = self.inputs @ self.inputs_t
        if n >= m * d:
            formulations = {
                "rows": self.by_rows,
                "columns": self.by_columns,
                "einsum": self.by_einsum,
            }
        else:
            formulations = {"kernel": self.by_kernel, "kernel-transposed": self.by_kernel_t}
        self.variants = {name: self.loop(made) for name, made in formulations.items()}

    def loop(self, direction):
        """A variant: `count` steps from the initial weights, compiled as one loop."""
        rate = self.problem.rate

        @jax.jit
        def steps(weights, count):
            body = lambda _, w: w - rate * direction(w).reshape(w.shape)
            return jax.lax.fori_loop(0, count, body, weights)

        return lambda count: steps(self.weights, count).block_until_ready()

    def gradient(self, sigma_sum):
        """2 (alpha f - y) from `sum_i c_i sigma_i`."""
        return 2.0 * (self.problem.scaling * (sigma_sum - self.offset) - self.targets)

    def solve(self, matrix, right):
        damping = self.problem.damping
        if damping > 0.0:
            matrix = (1.0 - damping) * matrix + damping * jnp.eye(matrix.shape[0])
        return cho_solve(cho_factor(matrix, lower=True), right)

    def by_rows(self, weights):
        """J as n x p, row after row."""
        sigma = jnp.tanh(self.inputs @ weights.T)
        slopes = self.signs * (1.0 - sigma * sigma)
        jacobian = (slopes[:, :, None] * self.inputs[:, None, :]).reshape(sigma.shape[0], -1)
        gradient = self.gradient(sigma @ self.signs)
        return self.solve(jacobian.T @ jacobian, jacobian.T @ gradient)

    def by_columns(self, weights):
        """J^T as p x n, column after column."""
        sigma = jnp.tanh(weights @ self.inputs_t)
        slopes = self.signs[:, None] * (1.0 - sigma * sigma)
        jacobian = (slopes[:, None, :] * self.inputs_t[None, :, :]).reshape(-1, sigma.shape[1])
        gradient = self.gradient(self.signs @ sigma)
        return self.solve(jacobian @ jacobian.T, jacobian @ gradient)

    def by_einsum(self, weights):
        """As `by_rows`, the right-hand side without J."""
        sigma = jnp.tanh(self.inputs @ weights.T)
        slopes = self.signs * (1.0 - sigma * sigma)
        jacobian = (slopes[:, :, None] * self.inputs[:, None, :]).reshape(sigma.shape[0], -1)
        gradient = self.gradient(sigma @ self.signs)
        right = (slopes * gradient[:, None]).T @ self.inputs
        return self.solve(jacobian.T @ jacobian, right.reshape(-1))

    def by_kernel(self, weights):
        """K = (S S^T) * (X X^T), then v = J^T z without J."""
        sigma = jnp.tanh(self.inputs @ weights.T)
        slopes = self.signs * (1.0 - sigma * sigma)
        dual = self.solve(
            (slopes @ slopes.T) * self.inputs_kernel, self.gradient(sigma @ self.signs)
        )
        return (slopes * dual[:, None]).T @ self.inputs

    def by_kernel_t(self, weights):
        """The same with units along the first axis."""
        sigma = jnp.tanh(weights @ self.inputs_t)
        slopes = self.signs[:, None] * (1.0 - sigma * sigma)
        dual = self.solve(
            (slopes.T @ slopes) * self.inputs_kernel, self.gradient(self.signs @ sigma)
        )
        return (slopes * dual) @ self.inputs


class Deep:
    """A network of several layers: `h_l = s_l tanh(W_l h_(l-1))`, `f = c . h_L - f_0`; weights are a list."""

    def __init__(self, folder):
        problem = self.problem = protocol.Problem(folder)
        self.inputs = jnp.asarray(problem.inputs)
        self.targets = jnp.asarray(problem.targets)
        self.signs = jnp.asarray(problem.signs)
        self.offset = jnp.asarray(problem.offset)
        self.layers = [jnp.asarray(layer) for layer in problem.layers]
        self.parameters = sum(layer.size for layer in self.layers)
        self.inputs_kernel = self.inputs @ self.inputs.T
        self.variants = self.formulations()

    def linearize(self, layers):
        """`c . h_L`, the inputs h_(l-1) of the layers, and their Delta_l = df / dz_l, a row a row of X."""
        inputs, slopes, h = [], [], self.inputs
        for layer, factor in zip(layers, self.problem.factors):
            sigma = jnp.tanh(h @ layer.T)
            inputs.append(h)
            slopes.append(factor * (1.0 - sigma * sigma))
            h = factor * sigma
        deltas = [slopes[-1] * self.signs]
        for layer, slope in zip(layers[:0:-1], slopes[-2::-1]):
            deltas.insert(0, (deltas[0] @ layer) * slope)
        return h @ self.signs, inputs, deltas

    def kernel(self, inputs, deltas):
        """The sum of `(Delta_l Delta_l^T) * (H_(l-1) H_(l-1)^T)`."""
        kernel = (deltas[0] @ deltas[0].T) * self.inputs_kernel
        for h, delta in zip(inputs[1:], deltas[1:]):
            kernel = kernel + (delta @ delta.T) * (h @ h.T)
        return kernel

    def output(self, layers, row):
        """`c . h_L` of one row, to be differentiated."""
        h = row
        for layer, factor in zip(layers, self.problem.factors):
            h = factor * jnp.tanh(layer @ h)
        return h @ self.signs

    def rows(self, layers):
        """J as JAX differentiates: the gradient of every row, one array n x m_l x m_(l-1) a layer."""
        one = jax.value_and_grad(self.output)
        outputs, parts = jax.vmap(one, in_axes=(None, 0))(layers, self.inputs)
        return outputs, [part.reshape(part.shape[0], -1) for part in parts]


class DeepStep(Deep):
    """Euler steps of the damped flow, J by its layers: through K where p > n, else J^T J."""

    def formulations(self):
        if self.parameters > self.problem.n:
            return {"layers": self.loop(self.by_kernel)}
        return {
            "layers": self.loop(self.by_rows),
            "layers-columns": self.loop(self.by_columns),
            "layers-blocks": self.loop(self.by_blocks),
        }

    def loop(self, direction):
        """A variant: `count` steps from the initial weights, compiled as one loop; the result is one vector."""
        rate = self.problem.rate

        @jax.jit
        def steps(layers, count):
            body = lambda _, w: [w - rate * v for w, v in zip(w, direction(w))]
            last = jax.lax.fori_loop(0, count, body, layers)
            return jnp.concatenate([layer.reshape(-1) for layer in last])

        return lambda count: steps(self.layers, count).block_until_ready()

    def gradient(self, outputs):
        """2 (alpha f - y)."""
        return 2.0 * (self.problem.scaling * (outputs - self.offset) - self.targets)

    def solve(self, matrix, right):
        damping = self.problem.damping
        matrix = (1.0 - damping) * matrix + damping * jnp.eye(matrix.shape[0])
        return cho_solve(cho_factor(matrix, lower=True), right)

    def split(self, vector):
        """A vector of all parameters as a list of layers."""
        parts, first = [], 0
        for layer in self.layers:
            parts.append(vector[first : first + layer.size].reshape(layer.shape))
            first += layer.size
        return parts

    def by_kernel(self, layers):
        outputs, inputs, deltas = self.linearize(layers)
        dual = self.solve(self.kernel(inputs, deltas), self.gradient(outputs))
        return [(delta * dual[:, None]).T @ h for h, delta in zip(inputs, deltas)]

    def by_rows(self, layers):
        """J as n x p, row after row."""
        outputs, inputs, deltas = self.linearize(layers)
        n = self.problem.n
        parts = [(s[:, :, None] * h[:, None, :]).reshape(n, -1) for h, s in zip(inputs, deltas)]
        jacobian = jnp.concatenate(parts, axis=1)
        right = jacobian.T @ self.gradient(outputs)
        return self.split(self.solve(jacobian.T @ jacobian, right))

    def by_columns(self, layers):
        """J^T as p x n, column after column."""
        outputs, inputs, deltas = self.linearize(layers)
        n = self.problem.n
        parts = [(s.T[:, None, :] * h.T[None, :, :]).reshape(-1, n) for h, s in zip(inputs, deltas)]
        jacobian = jnp.concatenate(parts, axis=0)
        right = jacobian @ self.gradient(outputs)
        return self.split(self.solve(jacobian @ jacobian.T, right))

    def by_blocks(self, layers):
        """The blocks of J^T J on and above its diagonal alone, one for every two layers."""
        outputs, inputs, deltas = self.linearize(layers)
        n, gradient = self.problem.n, self.gradient(outputs)
        parts = [(s[:, :, None] * h[:, None, :]).reshape(n, -1) for h, s in zip(inputs, deltas)]
        blocks = {(k, l): parts[k].T @ parts[l] for l in range(len(parts)) for k in range(l + 1)}
        block = lambda k, l: blocks[k, l] if k <= l else blocks[l, k].T
        matrix = jnp.block([[block(k, l) for l in range(len(parts))] for k in range(len(parts))])
        right = jnp.concatenate([part.T @ gradient for part in parts])
        return self.split(self.solve(matrix, right))


class DeepStepAutodiff(DeepStep):
    """The same with J by differentiating f row by row."""

    def formulations(self):
        return {"autodiff": self.loop(self.whole), "autodiff-blocks": self.loop(self.by_layer)}

    def whole(self, layers):
        """J as one matrix."""
        outputs, parts = self.rows(layers)
        jacobian, gradient = jnp.concatenate(parts, axis=1), self.gradient(outputs)
        if self.parameters > self.problem.n:
            return self.split(jacobian.T @ self.solve(jacobian @ jacobian.T, gradient))
        return self.split(self.solve(jacobian.T @ jacobian, jacobian.T @ gradient))

    def by_layer(self, layers):
        """One matrix a layer."""
        outputs, parts = self.rows(layers)
        gradient = self.gradient(outputs)
        if self.parameters > self.problem.n:
            dual = self.solve(sum(part @ part.T for part in parts), gradient)
            return self.split(jnp.concatenate([part.T @ dual for part in parts]))
        matrix = jnp.block([[left.T @ right for right in parts] for left in parts])
        right = jnp.concatenate([part.T @ gradient for part in parts])
        return self.split(self.solve(matrix, right))


class DeepKernel(Deep):
    """The tangent kernel, J by its layers."""

    def formulations(self):
        return {"layers": self.loop(lambda layers: self.kernel(*self.linearize(layers)[1:]))}

    def loop(self, kernel):
        """A variant: `count` kernels, compiled as one loop."""

        def body(_, state):
            layers, before = state
            # As good as no change of the weights, which the compiler does not know: nothing stays as it was.
            return [layer + 1e-40 * before[-1, 0] for layer in layers], kernel(layers)

        @jax.jit
        def kernels(layers, count):
            start = (layers, jnp.zeros((self.problem.n, self.problem.n)))
            return jax.lax.fori_loop(0, count, body, start)[1]

        return lambda count: kernels(self.layers, count).block_until_ready()


class DeepKernelAutodiff(DeepKernel):
    """The same with J by differentiating f row by row."""

    def formulations(self):
        return {"autodiff": self.loop(self.whole), "autodiff-blocks": self.loop(self.by_layer)}

    def whole(self, layers):
        jacobian = jnp.concatenate(self.rows(layers)[1], axis=1)
        return jacobian @ jacobian.T

    def by_layer(self, layers):
        return sum(part @ part.T for part in self.rows(layers)[1])


class ClassesStep:
    """Damped steps of softmax cross-entropy in the metric of its Hessian G: `((1 - rho) J^T G J + rho I) v = J^T grad`.

    With a root R of G and A = R^T J, by `A A^T` (dual) and by `A^T A` (primal), A by its formula.
    """

    def __init__(self, folder):
        problem = self.problem = protocol.ClassesProblem(folder)
        self.inputs, self.offset = jnp.asarray(problem.inputs), jnp.asarray(problem.offset)
        self.targets = jax.nn.one_hot(jnp.asarray(problem.labels), problem.classes, dtype=jnp.float64)
        self.weights = (jnp.asarray(problem.hidden), jnp.asarray(problem.output))
        self.inputs_kernel = self.inputs @ self.inputs.T
        self.variants = self.formulations()

    def formulations(self):
        made = {"dual": self.dual, "primal": self.primal, "primal-samples": self.primal_by_samples}
        return {name: self.loop(direction) for name, direction in made.items()}

    def loop(self, direction):
        """A variant: `count` steps from the initial weights, compiled as one loop; the result is one vector."""
        rate = self.problem.step

        @jax.jit
        def steps(weights, count):
            body = lambda _, weights: tuple(w - rate * v for w, v in zip(weights, direction(weights)))
            last = jax.lax.fori_loop(0, count, body, weights)
            return jnp.concatenate([part.reshape(-1) for part in last])

        return lambda count: steps(self.weights, count).block_until_ready()

    def root(self, outputs):
        """R of each sample, and b with R b = softmax - y."""
        chances = jax.nn.softmax(outputs)
        half = jnp.sqrt(chances)
        identity = jnp.eye(chances.shape[1])
        return (identity - chances[:, :, None]) * half[:, None, :], half - self.targets / half

    def solve(self, matrix, right):
        damping = self.problem.damping
        matrix = (1.0 - damping) * matrix + damping * jnp.eye(matrix.shape[0])
        return cho_solve(cho_factor(matrix, lower=True), right)

    def split(self, vector):
        hidden, output = self.weights
        return vector[: hidden.size].reshape(hidden.shape), vector[hidden.size :].reshape(output.shape)

    def linearize(self, weights):
        """h, the factors of A on x and on h (n x classes x units, n x classes x classes), and b."""
        hidden, output = weights
        h = jnp.tanh(self.inputs @ hidden.T)
        root, right = self.root(h @ output.T - self.offset)
        back = jnp.swapaxes(root, 1, 2)
        return h, (back @ output) * (1.0 - h * h)[:, None, :], back, right

    def dual(self, weights):
        """`A A^T`, entry by entry a sum of products of inner products; then A^T z without A."""
        h, first, second, right = self.linearize(weights)
        n, o = right.shape
        product = lambda x: (x.reshape(n * o, -1) @ x.reshape(n * o, -1).T).reshape(n, o, n, o)
        samples = lambda kernel: kernel[:, None, :, None]
        kernel = product(first) * samples(self.inputs_kernel) + product(second) * samples(h @ h.T)
        z = self.solve(kernel.reshape(n * o, n * o), right.reshape(-1)).reshape(n, o, 1)
        return (first * z).sum(1).T @ self.inputs, (second * z).sum(1).T @ h

    def primal(self, weights):
        """A formed, and `A^T A`."""
        h, first, second, right = self.linearize(weights)
        rows = right.size
        parts = [
            (first[..., None] * self.inputs[:, None, None, :]).reshape(rows, -1),
            (second[..., None] * h[:, None, None, :]).reshape(rows, -1),
        ]
        a = jnp.concatenate(parts, axis=1)
        return self.split(self.solve(a.T @ a, a.T @ right.reshape(-1)))

    def primal_by_samples(self, weights):
        """`A^T A` as sums over samples of Kronecker products: what the outputs of one share is multiplied once."""
        h, first, second, right = self.linearize(weights)
        n = self.inputs.shape[0]
        pairs = lambda a, b: (a[:, :, None] * b[:, None, :]).reshape(n, -1)
        x = self.inputs

        def block(left, other, a, b):
            middle = (jnp.swapaxes(left, 1, 2) @ other).reshape(n, -1)
            units = left.shape[2], other.shape[2]
            found = (middle.T @ pairs(a, b)).reshape(*units, a.shape[1], b.shape[1])
            return found.transpose(0, 2, 1, 3).reshape(units[0] * a.shape[1], -1)

        mixed = block(first, second, x, h)
        matrix = jnp.block([[block(first, first, x, x), mixed], [mixed.T, block(second, second, h, h)]])
        sums = lambda a: jnp.einsum("nk,nki->ni", right, a)
        gradient = jnp.concatenate([(sums(first).T @ x).reshape(-1), (sums(second).T @ h).reshape(-1)])
        return self.split(self.solve(matrix, gradient))


class ClassesStepAutodiff(ClassesStep):
    """The same, J as JAX differentiates: backward or forward, sample by sample."""

    def formulations(self):
        return {
            f"autodiff-{name}-{system}": self.loop(self.by(differentiate, system))
            for name, differentiate in [("jacrev", jax.jacrev), ("jacfwd", jax.jacfwd)]
            for system in ["dual", "primal"]
        }

    def by(self, differentiate, system):
        def output(weights, row):
            hidden, output = weights
            return output @ jnp.tanh(hidden @ row)

        jacobian = jax.vmap(differentiate(output), in_axes=(None, 0))
        outputs = jax.vmap(output, in_axes=(None, 0))

        def direction(weights):
            root, right = self.root(outputs(weights, self.inputs) - self.offset)
            n, o = right.shape
            parts = [part.reshape(n, o, -1) for part in jacobian(weights, self.inputs)]
            a = jnp.swapaxes(root, 1, 2) @ jnp.concatenate(parts, axis=2)
            a, right = a.reshape(n * o, -1), right.reshape(-1)
            if system == "dual":
                return self.split(a.T @ self.solve(a @ a.T, right))
            return self.split(self.solve(a.T @ a, a.T @ right))

        return direction


if __name__ == "__main__":
    protocol.serve(
        {
            "step": Step,
            "wide-step": Step,
            "deep-step": DeepStep,
            "deep-step-autodiff": DeepStepAutodiff,
            "deep-kernel": DeepKernel,
            "deep-kernel-autodiff": DeepKernelAutodiff,
            "classes-step": ClassesStep,
            "classes-step-autodiff": ClassesStepAutodiff,
        }
    )
