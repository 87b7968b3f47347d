"""Writes rows.parquet: 20 rows of every type that is read, as pyarrow writes them (zstd, groups of 8 rows).

Made with pyarrow 26.0.1: python rows.py
"""

import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

rows = range(20)
table = pa.table(
    {
        "a": pa.array([k / 8 for k in rows], pa.float64()),
        "b": pa.array([0.25 - k for k in rows], pa.float32()),
        "y": pa.array([k % 5 for k in rows], pa.uint8()),
        "c": pa.array([3 * k - 7 for k in rows], pa.int32()),
        "d": pa.array([k * 10**9 for k in rows], pa.int64()),
        "e": pa.array([k % 2 == 0 for k in rows], pa.bool_()),
    }
)
pq.write_table(
    table,
    pathlib.Path(__file__).parent / "rows.parquet",
    compression="zstd",
    row_group_size=8,
    store_schema=False,
    write_statistics=False,
)
