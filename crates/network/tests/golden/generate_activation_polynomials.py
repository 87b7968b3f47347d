"""Fits the polynomials of src/activation/{exp,tanh,erf,arctan}.rs and prints them as Rust constants.

Needs Python 3.9 and mpmath 1.3 or later (pip install mpmath). Run with no argument; it takes about
ten seconds. Every fit is a weighted minimax polynomial by the Remez exchange in 200-bit arithmetic,
after which each coefficient is rounded to double; the printed error is that of the weighted fit
before this rounding. The weight turns the error of the fitted factor into the error that matters:

  exp      (1 - e^-r - r) / r^2            on |r| <= ln(2)/2, weight 1
  tanh     (tanh(x) - x) / x^3, s = x^2    on |x| <= ln(2)/4, weight s + 1/10000
  erf      erf(x)/x - 1 in s = x^2         on 0 <= x <= 0.8, relative to erf(x)/x
  erfc     e^(x^2) erfc(x) in (x-3)/(x+3)  on 0.8 <= x <= 6, weight e^(-x^2): absolute error of erfc
  arctan   (arctan(x) - x) / x^3, s = x^2  on 0 <= x <= tan(pi/8), weight s + 1/1000
"""

import decimal

import mpmath as mp

mp.mp.prec = 200
GRID = 600


def remez(function, weight, low, high, degree):
    """Coefficients (constant first) and weighted error of the minimax polynomial."""
    low, high = mp.mpf(low), mp.mpf(high)

    def chebyshev(index, count):
        return (low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * mp.mpf(index) / count)

    points = [chebyshev(i, degree + 1) for i in range(degree + 2)]
    grid = [chebyshev(i, GRID) for i in range(GRID + 1)]
    values = [function(x) for x in grid]
    weights = [weight(x) for x in grid]
    for _ in range(12):
        matrix, right = mp.matrix(degree + 2, degree + 2), mp.matrix(degree + 2, 1)
        for i, x in enumerate(points):
            for j in range(degree + 1):
                matrix[i, j] = x**j
            matrix[i, degree + 1] = (-1) ** i / weight(x)
            right[i] = function(x)
        solution = mp.lu_solve(matrix, right)
        coefficients = [solution[j] for j in range(degree + 1)]
        errors = [
            (mp.polyval(coefficients[::-1], x) - y) * w for x, y, w in zip(grid, values, weights)
        ]
        extrema = []
        for i, error in enumerate(errors):
            if extrema and mp.sign(errors[extrema[-1]]) == mp.sign(error):
                if abs(error) > abs(errors[extrema[-1]]):
                    extrema[-1] = i
            else:
                extrema.append(i)
        while len(extrema) > degree + 2:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        largest = max(abs(error) for error in errors)
        if len(extrema) < degree + 2 or largest < abs(solution[degree + 1]) * mp.mpf("1.01"):
            break
        points = [grid[i] for i in extrema]
    return coefficients, largest


def literal(value):
    """A double as the shortest Rust literal that reads back exactly, digits in groups of three."""
    sign, digits, exponent = decimal.Decimal(repr(float(value))).normalize().as_tuple()
    power = exponent + len(digits) - 1
    fraction = "".join(map(str, digits[1:])) or "0"
    groups = "_".join(fraction[i : i + 3] for i in range(0, len(fraction), 3))
    return f"{'-' if sign else ''}{digits[0]}.{groups}" + (f"e{power}" if power else "")


def show(name, fit):
    coefficients, error = fit
    print(f"// weighted error {mp.nstr(error, 3)}")
    print(f"const {name}: [f64; {len(coefficients)}] = [")
    for value in coefficients:
        print(f"    {literal(value)},")
    print("];\n")


def rest(name, value):
    """What the double nearest to a constant leaves out of it."""
    print(f"const {name}_REST: f64 = {literal(value - mp.mpf(float(value)))};\n")


def exponential_tail(r):
    return (-mp.expm1(-r) - r) / r**2 if abs(r) > 1e-15 else -mp.mpf(1) / 2 + r / 6


def tanh_tail(s):
    if s < mp.mpf(10) ** -30:
        return -mp.mpf(1) / 3
    x = mp.sqrt(s)
    return (mp.tanh(x) - x) / (x * s)


def erf_factor(s):
    if s < mp.mpf(10) ** -30:
        return 2 / mp.sqrt(mp.pi) - 1
    return mp.erf(mp.sqrt(s)) / mp.sqrt(s) - 1


def scaled_erfc(u):
    x = 3 * (1 + u) / (1 - u)
    return mp.erfc(x) * mp.exp(x * x)


def arctan_tail(s):
    if s < mp.mpf(10) ** -30:
        return -mp.mpf(1) / 3
    x = mp.sqrt(s)
    return (mp.atan(x) - x) / (x * s)


def split(name, value):
    """A constant cut to 42 bits, so that k times it is exact for |k| < 2^11, and the rest."""
    high = mp.floor(value * 2**42) / mp.mpf(2) ** 42
    print(f"const {name}_HIGH: f64 = {literal(high)};")
    print(f"const {name}_LOW: f64 = {literal(value - high)};\n")


def main():
    print("// exp.rs")
    split("LN_2", mp.ln(2))
    half = mp.ln(2) / 2 * mp.mpf("1.001")
    show("TAIL", remez(exponential_tail, lambda r: mp.mpf(1), -half, half, 9))
    print("// tanh.rs")
    split("HALF_LN_2", mp.ln(2) / 2)
    reach = (mp.ln(2) / 4 * mp.mpf("1.001")) ** 2
    show("TAIL", remez(tanh_tail, lambda s: s + mp.mpf(10) ** -4, 0, reach, 5))
    print("// erf.rs")
    rest("TWO_OVER_SQRT_PI", 2 / mp.sqrt(mp.pi))
    show("INNER", remez(erf_factor, lambda s: 1 / (1 + erf_factor(s)), 0, mp.mpf("0.6401"), 10))

    def absolute(u):
        return mp.exp(-((3 * (1 + u) / (1 - u)) ** 2))

    show("OUTER", remez(scaled_erfc, absolute, mp.mpf(-22) / 38, mp.mpf(1) / 3, 11))
    print("// arctan.rs")
    rest("FRAC_PI_2", mp.pi / 2)
    rest("FRAC_PI_4", mp.pi / 4)
    reach = mp.tan(mp.pi / 8) ** 2 * mp.mpf("1.0005")
    show("SERIES", remez(arctan_tail, lambda s: s + mp.mpf(10) ** -3, 0, reach, 10))


if __name__ == "__main__":
    main()
