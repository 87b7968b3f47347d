"""Writes weights.npy and steps.npy beside itself: the bytes that `write_npy` must give.

Usage: python npy.py     (needs NumPy)
"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
weights = np.array([0.1, -0.0, 1e-300, -1.5, np.inf, 5e-324, 7, 8, 9, 10, 11, 1 / 3])
np.save(HERE / "weights.npy", weights.reshape(2, 2, 3))
np.save(HERE / "steps.npy", np.array([0, 50, -1, 2**62], dtype=np.int64))
