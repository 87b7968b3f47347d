"""Loads a folder that `gaussflow sweep` wrote: summary.csv (one row a run), bands.csv, single traces.

    python3 load_sweep.py out/sweep [--with pandas | polars | csv]

prints, for each group of runs that differ in their seed alone, the number of runs and the median of the
final loss, as JSON. pandas and polars are optional: without them the standard library reads the same numbers.
"""

import argparse
import csv
import importlib.util
import json
import pathlib
import statistics


def with_pandas(path):
    import pandas

    # Without round_trip pandas' parser may be off in the last digit.
    return pandas.read_csv(path, float_precision="round_trip")


def with_polars(path):
    import polars

    # All rows decide on the types: a column may be empty for the first thousands of runs.
    return polars.read_csv(path, infer_schema_length=None)


def with_csv(path):
    """A list of dictionaries; numbers become floats, empty cells None."""

    def value(text):
        try:
            return float(text) if text else None
        except ValueError:
            return text

    with open(path, newline="", encoding="utf-8") as file:
        return [{name: value(text) for name, text in row.items()} for row in csv.DictReader(file)]


def medians(table, reader):
    """{group: [runs, median of final_loss]} of the runs that have an answer."""
    if reader == "pandas":
        good = table[table["status"] != "failed"]
        found = good.groupby("group")["final_loss"].agg(["count", "median"])
        return {group: [int(row["count"]), row["median"]] for group, row in found.iterrows()}
    if reader == "polars":
        import polars

        good = table.filter(polars.col("status") != "failed")
        loss = polars.col("final_loss")
        found = good.group_by("group").agg(loss.count().alias("runs"), loss.median().alias("median"))
        return {row["group"]: [row["runs"], row["median"]] for row in found.iter_rows(named=True)}
    losses = {}
    for row in table:
        if row["status"] != "failed" and row["final_loss"] is not None:
            losses.setdefault(row["group"], []).append(row["final_loss"])
    return {group: [len(found), statistics.median(found)] for group, found in losses.items()}


READERS = {"pandas": with_pandas, "polars": with_polars, "csv": with_csv}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--with", dest="reader", choices=READERS)
    arguments = parser.parse_args()
    installed = [name for name in READERS if importlib.util.find_spec(name)]
    reader = arguments.reader or installed[0]
    read = READERS[reader]

    summary = read(arguments.folder / "summary.csv")
    bands = read(arguments.folder / "bands.csv")
    first = summary[0]["path"] if reader == "csv" else summary["path"][0]
    trace = read(arguments.folder / first / "trace.csv")
    answer = {
        "reader": reader,
        "runs": len(summary),
        "band_rows": len(bands),
        "first_trace_rows": len(trace),
        "median_final_loss": medians(summary, reader),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
