//! Seeded points, directions and vectors at which statements "for all w in B" are judged.

use gaussflow_solvers::norm;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// ChaCha8 stream of the audit's own draws (0 to 2 are the rows, signs and weights of a run).
const AUDIT_STREAM: u64 = 16;

/// Draws random vectors from a seed, the same on every machine.
pub struct Sampler {
    generator: ChaCha8Rng,
}

impl Sampler {
    /// Creates the sampler of `seed`.
    pub fn new(seed: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(AUDIT_STREAM);
        Self { generator }
    }

    /// Creates the sampler of `seed` for one purpose, by its name, independent of other purposes.
    pub fn of_purpose(seed: u64, name: &str) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        // Fowler, Noll and Vo's hash; streams beyond those that have numbers.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        generator.set_stream(name.bytes().fold(0xcbf2_9ce4_8422_2325, step));
        Self { generator }
    }

    /// Draws a vector of independent standard normal entries.
    pub fn normal(&mut self, length: usize) -> Vec<f64> {
        (0..length).map(|_| self.generator.sample(StandardNormal)).collect()
    }

    /// Draws a unit vector, uniform on the sphere.
    pub fn direction(&mut self, length: usize) -> Vec<f64> {
        let mut vector = self.normal(length);
        let size = norm(&vector);
        vector.iter_mut().for_each(|x| *x /= size);
        vector
    }

    /// Draws a number in [0, 1).
    pub fn fraction(&mut self) -> f64 {
        self.generator.random()
    }

    /// Returns `centre` and `count` vectors within `radius` of it: half of them at 0.999 `radius`, where statements on a ball
    /// are tightest, half at a uniform share of it.
    pub fn ball(&mut self, centre: &[f64], radius: f64, count: usize) -> Vec<Vec<f64>> {
        let mut points = vec![centre.to_vec()];
        for k in 0..count {
            let share = if k % 2 == 0 { 0.999 } else { self.fraction() };
            let direction = self.direction(centre.len());
            points.push(shifted(centre, &direction, radius * share));
        }
        points
    }
}

/// Computes `w + length v`.
pub fn shifted(w: &[f64], v: &[f64], length: f64) -> Vec<f64> {
    w.iter().zip(v).map(|(w, v)| w + length * v).collect()
}
