"""Models: networks, and functions of one's own."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Sequence, Tuple, Union

import numpy as np

from . import _core
from ._arrays import Array, count, function, matrix, read_only, real, returned, shown, vector, word


class Network:
    r"""A fully connected network :math:`f(w)` on fixed inputs, with weights drawn from a seed.

    With one hidden layer it is the paper's network, :math:`f_j(w) = \sum_i c_i \sigma(w_i \cdot x_j)`.

    Parameters
    ----------
    inputs : array_like, shape (n, d)
        One row for each sample.
    widths : int or sequence of int
        The numbers of units of the hidden layers, first to last.
    activation : {"tanh", "sigmoid", "erf", "arctan"}
        The activation of the hidden units.
    seed : int, default 0
        Draws initial weights and output signs.
    bias : bool, default False
        Whether units have biases, trained like their weights.
    scaled : bool, default False
        Whether each layer is divided by the root of its width.
    trained_output : bool, default False
        Whether the output weights c are parameters too; otherwise they stay -1 or 1.
    outputs : int, default 1
        Outputs of a sample; f then holds those of the first sample, of the second and so on.
    initialization : {"nullified", "antisymmetric", "plain"}
        "nullified" subtracts the network at its start, so that f starts at 0.

    Attributes
    ----------
    w0 : ndarray, shape (p,)
        The initial weights, read-only: layer after layer, unit after unit, a unit's bias last.
    signs : ndarray
        The output weights c as they start, read-only.

    Examples
    --------
    >>> import numpy as np, gaussflow as gf
    >>> x = np.linspace(-1, 1, 6)[:, None] ** np.arange(3)
    >>> network = gf.Network(x, widths=4, seed=1)
    >>> network.outputs, network.parameters
    (6, 12)
    >>> bool(np.all(network(network.w0) == 0))
    True
    """

    def __init__(
        self,
        inputs: Any,
        widths: Union[int, Sequence[int]],
        activation: str = "tanh",
        *,
        seed: int = 0,
        bias: bool = False,
        scaled: bool = False,
        trained_output: bool = False,
        outputs: int = 1,
        initialization: str = "nullified",
    ) -> None:
        rows = matrix("inputs", inputs)
        all_widths = real("widths", widths)
        if all_widths.ndim > 1 or all_widths.size == 0:
            raise ValueError(f"widths has shape {all_widths.shape}; expected one number of units for each hidden layer")
        self._built: Dict[str, Any] = {
            "widths": [count("widths", width, 1) for width in np.atleast_1d(all_widths).tolist()],
            "activation": word("activation", activation),
            "bias": bool(bias),
            "scaled": bool(scaled),
            "trained_output": bool(trained_output),
            "outputs": count("outputs", outputs, 1),
            "initialization": word("initialization", initialization),
            "seed": count("seed", seed),
        }
        self._inputs = read_only(rows.copy())
        self._map, w0, signs = _core.draw(rows, self._built)
        self.w0: Array = read_only(w0)
        self.signs: Array = read_only(signs)

    @property
    def inputs(self) -> Array:
        """The inputs (n, d), read-only."""
        return self._inputs

    @property
    def outputs(self) -> int:
        """The length of f(w)."""
        return self._map.outputs

    @property
    def parameters(self) -> int:
        """The number p of weights."""
        return self._map.parameters

    @property
    def outputs_of_a_sample(self) -> int:
        """Outputs of each row of the inputs."""
        return int(self._built["outputs"])

    #: Networks compute in double precision.
    is_single_precision = False

    def at(self, inputs: Any) -> Network:
        """The same network on other inputs (rows, d): for predictions, ``alpha * network.at(x)(run.weights)``."""
        rows = matrix("inputs", inputs)
        if rows.shape[1] != self._inputs.shape[1]:
            raise ValueError(f"inputs has shape {rows.shape}; expected (rows, {self._inputs.shape[1]})")
        return Network(rows, **self._built)

    def __call__(self, w: Any) -> Array:
        """f(w), shape (n,)."""
        return self._map.value(vector("w", w, self.parameters))

    def jacobian(self, w: Any) -> Array:
        """Df(w), shape (n, p)."""
        return self._map.jacobian(vector("w", w, self.parameters))

    def _map_at(self, name: str, w: Array) -> _core.Map:
        """The map, for weights like w, which the caller knows by a name."""
        vector(name, w, self.parameters)
        return self._map

    def __reduce__(self) -> Tuple[Any, ...]:
        return _rebuilt, (self._inputs, self._built)

    def __repr__(self) -> str:
        built = self._built
        return (
            f"Network({len(self._inputs)} samples, widths {built['widths']}, {built['activation']}: "
            f"{self.outputs} outputs, {self.parameters} parameters)"
        )


def _rebuilt(inputs: Array, built: Dict[str, Any]) -> Network:
    """The network of a pickle."""
    return Network(inputs, **built)


class Model:
    """A map f from p parameters to n numbers, given by functions of your own.

    Parameters
    ----------
    fun : callable
        ``fun(w)`` returns n numbers for an array of p; a NaN says that f is undefined there. A jitted JAX function will do.
    jac : callable, optional
        ``jac(w)`` returns the Jacobian, shape (n, p), dense or sparse: ``jax.jacfwd(fun)`` for a JAX function. Without it
        central differences of `fun` are taken, 2p calls each.
    scales : array_like, shape (p,), optional
        The change of each parameter over which f changes its course; steps of differences are relative to it. Default: the
        size of the parameter.

    Notes
    -----
    Second derivatives, for geometry and the stiff integrator, are differences of the Jacobian or of the values.

    Examples
    --------
    >>> import numpy as np, gaussflow as gf
    >>> circle = gf.Model(lambda w: np.array([np.cos(w[0]), np.sin(w[0])]))
    >>> circle([0.0])
    array([1., 0.])
    >>> circle.jacobian([0.0]).round(8)
    array([[0.],
           [1.]])
    """

    def __init__(
        self,
        fun: Callable[[Array], Any],
        jac: Optional[Callable[[Array], Any]] = None,
        *,
        scales: Any = None,
    ) -> None:
        self.fun = function("fun", fun)
        self.jac = None if jac is None else function("jac", jac)
        self.scales: Optional[Array] = None if scales is None else vector("scales", scales)
        #: Whether `fun` was seen to return float32 numbers.
        self.is_single_precision = False

    def __call__(self, w: Any) -> Array:
        """f(w), shape (n,)."""
        return returned("fun", self.fun(vector("w", w).copy()), 1)

    def jacobian(self, w: Any) -> Array:
        """Df(w), shape (n, p)."""
        point = vector("w", w)
        if self.jac is not None:
            return returned("jac", self.jac(point.copy()), 2)
        return self._map_at("w", point).jacobian(point)

    def _map_at(self, name: str, w: Array) -> _core.Map:
        """The map, for parameters like w; calls `fun` there once, which tells n."""
        first = self.fun(w.copy())
        self.is_single_precision = getattr(first, "dtype", None) in (np.float16, np.float32)
        value = returned("fun", first, 1)
        if value.size == 0:
            raise ValueError(f"fun returned an array of shape {value.shape}; expected at least one number")
        scales = None if self.scales is None else list(vector("scales", self.scales, w.size))
        return _core.Map.callable(self.fun, self.jac, returned, (w, value), scales)


#: What is taken for a model: a network, a model of one's own, or a function of parameters.
AnyModel = Union[Network, Model, Callable[[Array], Any]]


def as_model(model: AnyModel) -> Union[Network, Model]:
    """The model itself, or that of a function."""
    if isinstance(model, (Network, Model)):
        return model
    if not callable(model):
        raise ValueError(
            f"model is {shown(model)}; accepted: a gf.Network, a gf.Model, or a function of the parameters"
        )
    return Model(model)
