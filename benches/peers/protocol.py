"""Answers requests of the harness, one JSON object a line: {"seconds", "variants"} or {"error"}.

A task is a class with `variants`, a dictionary of formulations of the same work: each is called with
the number of repetitions, starts from the same state every time, and returns its result. The first
one is the plain formulation. On the first request every variant is tried; `variants` of an answer
names the fastest and the plain one, and a later request says which it wants: a peer gets its best.
"""

import json
import os
import sys
import time

import numpy

# Each variant is tried this often before the fastest is kept,
TRIALS = 15
# and no more once all trials have taken so many seconds.
TRIAL_SECONDS = 15.0


class Problem:
    """A network's problem as the harness wrote it: raw little-endian doubles beside a JSON file."""

    def __init__(self, folder):
        with open(os.path.join(folder, "problem.json"), encoding="utf-8") as file:
            self.__dict__.update(json.load(file))
        read = lambda name: numpy.fromfile(os.path.join(folder, name + ".f64"))
        n, d = self.n, self.d
        self.inputs = read("inputs").reshape(n, d)
        self.targets = read("targets")
        self.signs = read("signs")
        # One matrix a hidden layer, m_l x m_(l-1).
        shapes = list(zip(self.widths, [d] + self.widths))
        ends = numpy.cumsum([rows * columns for rows, columns in shapes])
        parts = numpy.split(read("weights"), ends[:-1])
        self.layers = [part.reshape(shape) for part, shape in zip(parts, shapes)]
        # Of the paper's network.
        self.m, self.weights = self.widths[0], self.layers[0]
        self.offset = read("offset")
        # The factor of the update: w -= rate * direction.
        self.rate = self.step / self.scaling


class ClassesProblem:
    """Samples of classes and a network of one hidden layer with a trained output, as the harness wrote them."""

    def __init__(self, folder):
        with open(os.path.join(folder, "problem.json"), encoding="utf-8") as file:
            self.__dict__.update(json.load(file))
        read = lambda name: numpy.fromfile(os.path.join(folder, name + ".f64"))
        n, d, m, o = self.n, self.d, self.m, self.classes
        self.inputs = read("inputs").reshape(n, d)
        self.labels = read("labels").astype(numpy.int32)
        hidden, output = numpy.split(read("weights"), [m * d])
        # phi = tanh(x hidden^T) output^T; what is learned from is phi - offset.
        self.hidden, self.output = hidden.reshape(m, d), output.reshape(o, m)
        self.offset = read("offset").reshape(n, o)


def timed(function, count):
    """The result and the seconds of `function(count)`."""
    begun = time.perf_counter()
    result = function(count)
    return result, time.perf_counter() - begun


def fastest(variants, count):
    """The name of the variant with the smallest best time; the only one needs no trial."""
    if len(variants) == 1:
        return next(iter(variants))
    for function in variants.values():
        function(count)
    # In turns: a slow moment of the machine then meets all of them.
    best = dict.fromkeys(variants, float("inf"))
    begun = time.perf_counter()
    for _ in range(TRIALS):
        for name, function in variants.items():
            best[name] = min(best[name], timed(function, count)[1])
        if time.perf_counter() - begun > TRIAL_SECONDS:
            break
    return min(best, key=best.get)


def serve(tasks):
    """Answers until the input ends; `tasks` maps names to classes."""
    made = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            name, count = request["task"], request["count"]
            key = (name, request["problem"])
            if key not in made:
                task = tasks[name](request["problem"])
                made[key] = (task.variants, fastest(task.variants, count))
            variants, best = made[key]
            chosen = request.get("variant", best)
            result, seconds = timed(variants[chosen], count)
            if "result" in request:
                numpy.ascontiguousarray(result, dtype=numpy.float64).tofile(request["result"])
            answer = {"seconds": seconds, "variants": [best, next(iter(variants))]}
        except Exception as error:  # The harness reports it; the process goes on.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
