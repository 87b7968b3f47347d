"""Losses of outputs, by name."""

from __future__ import annotations

from typing import Any, Dict, Optional

import numpy as np

from ._arrays import number, real, vector, word


def loss_of(name: str, y: Any, outputs: int, weights: Any, parameter: Optional[float], classes: int) -> Dict[str, Any]:
    """A loss on `outputs` numbers, as the compiled module takes it."""
    targets = np.zeros(outputs) if y is None else real("y", y)
    samples = outputs // classes
    if name == "softmax" and classes > 1 and targets.shape == (samples,):
        labels = targets.astype(int)
        if not ((labels == targets) & (labels >= 0) & (labels < classes)).all():
            raise ValueError(f"y holds a label outside of 0 to {classes - 1}, the network's outputs of a sample")
        targets = np.eye(classes)[labels]
    if targets.shape not in ((outputs,), (samples, classes)):
        expected = f"({outputs},)" if classes == 1 else f"({samples}, {classes}) or ({outputs},)"
        raise ValueError(f"y has shape {targets.shape}; expected {expected}")
    return {
        "name": word("loss", name),
        "targets": vector("y", targets.reshape(-1), outputs),
        "weights": None if weights is None else vector("weights", weights, outputs),
        "parameter": 1.0 if parameter is None else number("loss_parameter", parameter),
        "classes": classes,
    }
