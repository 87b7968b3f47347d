"""Prints tests/golden/activations.csv: the activations and two derivatives to 40 digits.

Needs Python 3.9 and mpmath 1.3 or later (pip install mpmath).

    python generate_activation_golden.py > activations.csv        the committed table
    python generate_activation_golden.py 20000 > dense.csv        more random points a function

One row a function and point: the point z, then for each of sigma, sigma', sigma'' the nearest
double and what that leaves out, in units of its last place. Points: the neighbourhoods of every
place where an implementation changes its formula, tiny and huge magnitudes, and seeded random ones.
"""

import math
import random
import sys

import mpmath as mp

mp.mp.prec = 400


def jet(name, z):
    z = mp.mpf(z)
    if name == "tanh":
        value, first = mp.tanh(z), mp.sech(z) ** 2
        return value, first, -2 * value * first
    if name == "sigmoid":
        slope = mp.sech(z / 2) ** 2 / 4
        return 1 / (1 + mp.exp(-z)), slope, -slope * mp.tanh(z / 2)
    if name == "erf":
        slope = 2 / mp.sqrt(mp.pi) * mp.exp(-z * z)
        return mp.erf(z), slope, -2 * z * slope
    slope = 1 / (1 + z * z)
    return mp.atan(z), slope, -2 * z * slope**2


def around(x):
    return [math.nextafter(x, 0.0), x, math.nextafter(x, math.inf), x * 0.999, x * 1.001]


def points(name, count):
    out = [0.0, 5e-324, 1e-310, 2.3e-308, 1e-300, 1e-160, 1e-100, 1e-20, 1e-9, 1.5e-8, 1e-5, 40.0]
    half_logs = [(k + 0.5) * math.log(2) for k in (0, 1, 2, 3, 10, 30, 51, 53, 100)]
    if name == "tanh":
        out += [x for k in half_logs[:6] for x in around(k / 2)] + [k / 2 for k in half_logs[6:]]
        out += [18.7, 19.0, 22.0, 30.0, 100.0, 340.0, 353.5, 372.0, 376.0, 1e10, 1e300]
    elif name == "sigmoid":
        out += [x for k in half_logs[:6] for x in around(k)] + half_logs[6:]
        out += [36.0, 37.0, 100.0, 700.0, 707.0, 744.0, 751.0, 1e10, 1e300]
    elif name == "erf":
        out += [x for k in half_logs[:6] for x in around(math.sqrt(k))] + around(0.8) + around(6.0)
        out += [5.8, 5.9, 26.0, 26.4, 26.5, 26.6, 27.0, 27.2, 27.4, 27.6, 1e10, 1e160, 1e300]
    else:
        out += around(math.sqrt(2) - 1) + around(math.sqrt(2) + 1) + around(1.0)
        out += around(2.0**60) + [1e5, 1e10, 1e50, 1e100, 1e153, 1e155, 1e300]
    generator = random.Random(20240607)
    for index in range(count):
        if index % 4 == 0:
            out.append(generator.uniform(0.0, 40.0))
        elif index % 4 == 3:
            out.append(10 ** generator.uniform(-4, math.log10(40)))
        else:
            out.append(generator.uniform(0.0, 4.0))
    # Alternate signs; the symmetry itself is another test.
    return [-x if index % 2 else x for index, x in enumerate(out)]


def row(name, z):
    cells = [name, repr(z)]
    for exact in jet(name, z):
        with mp.workprec(53):
            high = float(+exact)
        rest = (exact - mp.mpf(high)) / mp.mpf(math.ulp(high))
        cells += [repr(high), f"{float(rest):.3f}"]
    return ",".join(cells)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 160
    print("activation,z,value,value_rest,first,first_rest,second,second_rest")
    for name in ("tanh", "sigmoid", "erf", "arctan"):
        for z in points(name, count):
            print(row(name, z))


if __name__ == "__main__":
    main()
