"""Writes NAME.csv of every case of cases.toml: the run as NumPy and SciPy compute it, sharing no code with the program.

Usage: python classes.py GAUSSFLOW

GAUSSFLOW is the program, which draws the rows and the start of each case (problem.json) and nothing else here. Needs
Python 3.11, NumPy and SciPy. The integration is that of ../../verify/verify_run.py.
"""

import csv, json, subprocess, sys, tempfile, tomllib
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "verify"))
import verify_run

COLUMNS = ["loss", "deviation", "riemannian_gradient_norm", "gram_max_eigenvalue", "log_loss", "accuracy"]


def main():
    with open(HERE / "rows.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for case in tomllib.loads((HERE / "cases.toml").read_text())["case"]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            columns = ["x", "y", "z", *case["targets"]]
            lines = [",".join(columns), *(",".join(row[c] for c in columns) for row in rows)]
            (folder / "data.csv").write_text("\n".join(lines) + "\n")
            data = f'data.path = "{folder}/data.csv"\ndata.target = {json.dumps(case["targets"])}\ndata.samples = 30\n'
            (folder / "run.toml").write_text(data + case["config"])
            command = [sys.argv[1], "run", folder / "run.toml", "--out", folder / "out", "--quiet"]
            subprocess.run(command, check=True)
            run = next((folder / "out" / "runs").iterdir())
            config = tomllib.loads((run / "config.toml").read_text())
            problem = json.loads((run / "problem.json").read_text())
            with open(HERE / f"{case['name']}.csv", "w") as out:
                print("step", *COLUMNS, sep=",", file=out)
                for step, _, found in verify_run.integrate(config, problem, np.inf, None):
                    cells = [repr(float(found[c])) if c in found else "" for c in COLUMNS]
                    print(step, *cells, sep=",", file=out)


if __name__ == "__main__":
    main()
