"""Values of random expressions in Python, whose rules of precedence are those of `gaussflow fit`.

    python crates/driver/tests/golden/expressions.py > crates/driver/tests/golden/expressions.txt

Each line: the expression, a tabulator, its value at a = 1.3, b = 0.7, x = 0.9.
"""

import math
import random

ONE = (
    "abs acos acosh asin asinh atan atanh cbrt cos cosh erf erfc exp expm1 log log10 log1p log2 sin sinh sqrt "
    "tan tanh"
).split()
TWO = ["atan2", "max", "min", "pow"]
NAMES = {name: getattr(math, name) for name in ONE + TWO if hasattr(math, name)}
NAMES |= {"abs": abs, "max": max, "min": min, "pi": math.pi, "e": math.e, "a": 1.3, "b": 0.7, "x": 0.9}


def expression(depth: int) -> str:
    chance = random.random()
    if depth == 0 or chance < 0.2:
        return random.choice("a b x 2 3 .5 1.5 pi 1e-1 e 2.E0".split())
    inner = expression(depth - 1)
    if chance < 0.3:
        return random.choice(["-", "+", "--", "-+", "- "]) + inner
    if chance < 0.4:
        return f"({inner})"
    if chance < 0.5:
        return f"{random.choice(ONE)}({inner})"
    if chance < 0.57:
        return f"{random.choice(TWO)}({inner}, {expression(depth - 1)})"
    operator = random.choice(["+", "-", "*", "/", " ** ", "^", "*-", "-+", "^-"])
    return inner + operator + expression(depth - 1)


random.seed(16)
count = 0
while count < 400:
    text = expression(random.randint(2, 5))
    try:
        value = eval(text.replace("^", "**"), {"__builtins__": {}}, NAMES)
    except (ArithmeticError, TypeError, ValueError):
        continue
    if len(text) > 8 and isinstance(value, (int, float)) and 1e-9 < abs(value) < 1e9:
        print(f"{text}\t{float(value)!r}")
        count += 1
