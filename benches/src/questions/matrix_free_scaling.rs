//! `J v` and `J^T u` without J, over n, m and d, each over a factor of 16.
//!
//! Every S is larger than the last-level cache, so that growth is that of the memory's or the arithmetic's rate and
//! not of a cache that is outgrown on the way; where memory is too small for that, as large as memory allows.

use std::fs;

use gaussflow::prelude::*;

use crate::case::{Case, Effort, Fallible, Shape, Side, Visit};
use crate::operations;
use crate::problems::{fraction, row_kronecker, vector};

/// The question's name.
pub const NAME: &str = "matrix_free_scaling";

/// What grows, and the smallest shape of its curve; S has [`SMALLEST`] bytes.
const CURVES: [(&str, (usize, usize, usize)); 3] =
    [("n", (81_920, 8, 64)), ("m", (20_640, 8, 256)), ("d", (81_920, 4, 64))];

/// Bytes of the smallest S: beyond a cache of 32 MB, which counts where none is known.
const SMALLEST: usize = 20_640 * 256 * 8;

/// Growth of a whole curve.
const GROWTH: usize = 16;

/// How much larger the smallest S must be to lie beyond this machine's caches, by a power of two.
fn enlargement() -> usize {
    let text = |path: String| fs::read_to_string(path).unwrap_or_default();
    // "307200K", of every cache of the first core.
    let kibibytes = |index| {
        let size = text(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size"));
        size.trim().strip_suffix('K').and_then(|size| size.parse::<usize>().ok())
    };
    let cache = (0..8).filter_map(kibibytes).max().unwrap_or(0) << 10;
    let available = text("/proc/meminfo".to_owned()).lines().find_map(|line| {
        line.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB")?.parse::<usize>().ok()
    });
    // S and X, with the copies of X that products keep, in half of the memory.
    let room = available.map_or(usize::MAX, |kibibytes| (kibibytes << 10) / 2);
    let mut factor = 1;
    while factor * SMALLEST <= cache && 2 * factor * SMALLEST * GROWTH * 3 / 2 <= room {
        factor *= 2;
    }
    factor
}

/// One curve an operation and a size that grows.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let factors: &[usize] = effort.choose(&[1, 4], &[1, 2, 4, 8, GROWTH]);
    let enlarged = enlargement();
    for (grows, (n, d, m)) in CURVES {
        let (n, m) = if grows == "m" { (n, m * enlarged) } else { (n * enlarged, m) };
        for &factor in factors {
            let shape = match grows {
                "n" => Shape::network(n * factor, d, m),
                "m" => Shape::network(n, d, m * factor),
                _ => Shape::network(n, d * factor, m),
            };
            visit(case(shape, grows, false))?;
            visit(case(shape, grows, true))?;
        }
    }
    Ok(())
}

/// `J v`, or `J^T u` where it is `transposed`.
fn case(shape: Shape, grows: &str, transposed: bool) -> Case {
    let (from, to) = if transposed { (shape.n, shape.p) } else { (shape.p, shape.n) };
    let (jacobian, x, mut out) = (row_kronecker(shape), vector(from), vec![0.0; to]);
    let multiply = move |out: &mut [f64]| {
        if transposed { jacobian.apply_transposed(&x, out) } else { jacobian.apply(&x, out) }
    };
    multiply(&mut out);
    // Entries from both ends and the middle, by the definition.
    let x = vector(from);
    let error = [0, to / 2, to - 1].into_iter().fold(0.0, |worst: f64, r| {
        let of = |k| if transposed { entry(shape, k, r) } else { entry(shape, r, k) };
        worst.max(deviation(out[r], (0..from).map(|k| of(k) * x[k])))
    });
    let side = Side::calling(operations::product(shape), error, move || {
        multiply(&mut out);
        Ok(())
    });
    let name = if transposed { "J^T u" } else { "J v" };
    Case::new(NAME, format!("{name} over {grows}"), shape, vec![side])
}

/// `J[j, i d + k] = S[j, i] X[j, k]` of [`row_kronecker`].
fn entry(shape: Shape, j: usize, c: usize) -> f64 {
    let (i, k) = (c / shape.d, c % shape.d);
    fraction(i * shape.n + j + 17) * fraction(j * shape.d + k)
}

/// The distance of `found` from the sum of `terms`, relative to the sum of their sizes.
fn deviation(found: f64, terms: impl Iterator<Item = f64>) -> f64 {
    let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), t| (sum + t, size + t.abs()));
    (found - sum).abs() / size
}
