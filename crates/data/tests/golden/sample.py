"""Writes sample.json beside itself: what Sample::draw must give, by a second implementation.

Usage: python sample.py CAL_HOUSING_CSV     (the uncompressed rows; needs NumPy)

The generator is ChaCha8 written from Bernstein's description (with 8 rounds, a 64-bit counter and
a 64-bit stream number) and seeded as `seed_from_u64` documents: eight outputs of PCG32. NumPy does
the statistics. `small` is the file small.csv beside this one, `california` the bundled data.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np

M32, M64 = 2**32 - 1, 2**64 - 1
HERE = Path(__file__).parent


def pcg32_key(state):
    key = []
    for _ in range(8):
        state = (state * 6364136223846793005 + 11634580027462260723) & M64
        shifted = (((state >> 18) ^ state) >> 27) & M32
        turn = state >> 59
        key.append(((shifted >> turn) | (shifted << (32 - turn))) & M32 if turn else shifted)
    return key


def chacha8_words(seed, stream):
    key, counter = pcg32_key(seed), 0
    while True:
        start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574] + key
        start += [counter & M32, counter >> 32, stream & M32, stream >> 32]
        x = list(start)

        def quarter(a, b, c, d):
            for into, other, mix, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[into] = (x[into] + x[other]) & M32
                x[mix] ^= x[into]
                x[mix] = ((x[mix] << turn) | (x[mix] >> (32 - turn))) & M32

        for _ in range(4):
            for i in range(4):
                quarter(i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        yield from ((a + b) & M32 for a, b in zip(x, start))
        counter += 1


def draw(total, samples, seed):
    words = chacha8_words(seed, 0)
    places = list(range(total))
    for i in range(samples):
        bound = total - i
        while True:
            word = next(words) | next(words) << 32
            if word >= 2**64 % bound:
                break
        other = i + word % bound
        places[i], places[other] = places[other], places[i]
    return places[:samples]


def sample(features, targets, samples, standardize, target_scale, seed):
    rows = draw(len(targets), samples, seed)
    scaling = slice(None) if standardize == "full" else rows
    means, deviations = features[scaling].mean(axis=0), features[scaling].std(axis=0)
    if standardize == "none":
        means, deviations = np.zeros_like(means), np.ones_like(means)
    mean, deviation = 0.0, 1.0
    if target_scale == "standardized":
        mean, deviation = targets[scaling].mean(), targets[scaling].std()
    held_out = sorted(set(range(len(targets))) - set(rows))
    inputs, scaled = (features - means) / deviations, (targets - mean) / deviation
    return {
        "standardize": standardize,
        "targets": target_scale,
        "seed": seed,
        "rows": rows,
        "means": means.tolist(),
        "deviations": deviations.tolist(),
        "inputs": inputs[rows].ravel().tolist(),
        "scaled_targets": scaled[rows].tolist(),
        "held_out_inputs": inputs[held_out].ravel().tolist(),
        "held_out_targets": scaled[held_out].tolist(),
    }


def read(path):
    with open(path, newline="") as file:
        names, *rows = csv.reader(file)
    return names, np.array(rows, dtype=float)


def california(path):
    names, table = read(path)
    c = {name: table[:, k] for k, name in enumerate(names)}
    per_household = [c[k] / c["households"] for k in ("totalRooms", "totalBedrooms", "population")]
    features = [c["medianIncome"], c["housingMedianAge"], *per_household[:2], c["population"]]
    features += [per_household[2], c["latitude"], c["longitude"]]
    return np.column_stack(features), c["medianHouseValue"] / 1e5


def main():
    names, table = read(HERE / "small.csv")
    target = names.index("price")
    features, targets = np.delete(table, target, axis=1), table[:, target]
    small = [
        sample(features, targets, 7, standardize, target_scale, seed)
        for seed, standardize, target_scale in (
            (0, "subset", "raw"),
            (1, "full", "standardized"),
            (2**64 - 1, "none", "standardized"),
            (12345, "subset", "standardized"),
        )
    ]
    features, targets = california(sys.argv[1])
    drawn = sample(features, targets, 256, "subset", "raw", 0)
    # The whole held-out part would be a megabyte: its column sums stand for it.
    held_out = np.array(drawn.pop("held_out_inputs")).reshape(-1, 8)
    drawn["held_out_sums"] = held_out.sum(axis=0).tolist() + [sum(drawn.pop("held_out_targets"))]
    drawn["inputs"] = drawn["inputs"][: 16 * 8]
    drawn["scaled_targets"] = drawn["scaled_targets"][:16]
    with open(HERE / "sample.json", "w") as file:
        json.dump({"small": small, "california": drawn}, file, indent=0)
        file.write("\n")


main()
