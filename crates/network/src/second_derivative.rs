//! Second derivatives of a network on a block of rows: tangents forward, and what they meet of the pass backward.
//!
//! Along u, `z'_l = U_l [h_(l-1) 1] + W_l h'_(l-1)` and `h'_l = s sigma'(z_l) z'_l`, with `h'_0 = 0`. With
//! `C_l = P_l s sigma''(z_l)`, P_l the derivative of phi by h_l, entry by entry,
//! `D2f[u, v] = sum_l C_l . (z'_l[u] z'_l[v]) + Delta_l . (U_l h'_(l-1)[v] + V_l h'_(l-1)[u])`, and along v
//! `Delta'_l = C_l z'_l + s sigma'(z_l) (Delta'_(l+1) W_(l+1) + Delta_(l+1) V_(l+1))`, so that the part of
//! `sum_j r_j Hess f_j v` in layer l is `(r Delta'_l)^T [H_(l-1) 1] + (r Delta_l)^T [H'_(l-1) 0]`. An output of trained c
//! is a layer with `Delta = 1` and no C. Of one layer with fixed c, the sums over C alone are left.

use gaussflow_solvers::faer::MatMut;
use gaussflow_solvers::{KroneckerPiece, inner_product, rows_times, rows_times_transposed};

use crate::activation::ActivationFunction;
use crate::architecture::Place;
use crate::blocks::{ROW_BLOCK, with_room};
use crate::jacobian::NetworkJacobian;
use crate::network::Network;
use crate::passes::{LayerBlock, add_products, multiply};

/// A network at w, where `jacobian` was written.
pub(crate) struct Curved<'a, A> {
    pub(crate) network: &'a Network<A>,
    pub(crate) w: &'a [f64],
    pub(crate) jacobian: &'a NetworkJacobian,
}

impl<A: ActivationFunction> Curved<'_, A> {
    /// `out = D2f[u, v]`.
    pub(crate) fn second_derivative(&self, u: &[f64], v: &[f64], out: &mut [f64]) {
        // A geodesic asks for u = v: one tangent is enough.
        let same = u.iter().zip(v).all(|(a, b)| a.to_bits() == b.to_bits());
        for (b, out) in out.chunks_mut(ROW_BLOCK).enumerate() {
            let stride = self.network.inputs().block_stride(b);
            let numbers = self.tangent_numbers(stride);
            out.fill(0.0);
            with_room(2 * numbers + self.widest() * stride, |room| {
                let (along_u, room) = room.split_at_mut(numbers);
                let (along_v, product) = room.split_at_mut(numbers);
                self.write_tangents(b, u, along_u);
                if !same {
                    self.write_tangents(b, v, along_v);
                }
                let along_u = Tangents { network: self.network, stride, numbers: along_u };
                let other = if same { along_u.numbers } else { along_v };
                let along_v = Tangents { numbers: other, ..along_u };
                for (l, place) in self.network.places().iter().enumerate() {
                    if l < self.network.layers().len() {
                        self.with_bend((l, b), |_, curvatures| {
                            let sums = (along_u.of_sums(l), along_v.of_sums(l));
                            add_triple_products(out, curvatures, sums, stride);
                        });
                    }
                    if l > 0 {
                        let deltas = self.piece(l).left().block_data(b);
                        let product = &mut product[..place.units * stride];
                        for (weights, tangents) in [(u, along_v), (v, along_u)] {
                            let weights = (place.of(weights), place.length);
                            let outputs = tangents.of_outputs(l - 1);
                            rows_times_transposed(outputs, stride, weights, product);
                            add_products(out, deltas, product, stride);
                        }
                    }
                }
            });
        }
    }

    /// `out = sum_j weights_j Hess f_j v`.
    pub(crate) fn weighted_hessian_apply(&self, weights: &[f64], v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (b, weights) in weights.chunks(ROW_BLOCK).enumerate() {
            let stride = self.network.inputs().block_stride(b);
            let (numbers, widest) = (self.tangent_numbers(stride), self.widest() * stride);
            with_room(numbers + 4 * widest, |room| {
                let (along, room) = room.split_at_mut(numbers);
                self.write_tangents(b, v, along);
                let along = Tangents { network: self.network, stride, numbers: along };
                let mut parts = room.chunks_mut(widest.max(1));
                let [bending, bending_after, deltas_after, by_outputs] =
                    std::array::from_fn(|_| parts.next().unwrap_or_default());
                self.add_weighted_hessian(b, weights, (v, along), out, {
                    [bending, bending_after, deltas_after, by_outputs]
                });
            });
        }
    }

    /// The part of the rows of block `b`, from the last layer to the first.
    fn add_weighted_hessian(
        &self,
        b: usize,
        weights: &[f64],
        (v, along): (&[f64], Tangents<'_, A>),
        out: &mut [f64],
        [mut bending, mut bending_after, deltas_after, by_outputs]: [&mut [f64]; 4],
    ) {
        let (stride, rows) = (along.stride, weights.len());
        let places = self.network.places();
        for (l, place) in places.iter().enumerate().rev() {
            let length = place.units * stride;
            // The change of Delta along v, times the weights.
            let change = &mut bending[..length];
            if l < self.network.layers().len() {
                self.with_bend((l, b), |slopes, curvatures| {
                    change.copy_from_slice(along.of_sums(l));
                    weigh(change, curvatures, weights, stride);
                    if let Some(next) = places.get(l + 1) {
                        let by_outputs = &mut by_outputs[..length];
                        let after = next.units * stride;
                        for (rest, w) in
                            [(&bending_after[..after], self.w), (&deltas_after[..after], v)]
                        {
                            rows_times(rest, stride, (next.of(w), next.length), by_outputs);
                            add_entrywise(change, slopes, by_outputs);
                        }
                    }
                });
            } else {
                change.fill(0.0);
            }
            let piece = self.piece(l);
            let inputs = piece.right().block_data(b);
            add_sums(out, *place, (change, inputs), (stride, rows));
            if l > 0 {
                let deltas = &mut deltas_after[..length];
                deltas.copy_from_slice(piece.left().block_data(b));
                deltas.chunks_exact_mut(stride).for_each(|column| multiply(column, weights));
                add_sums(out, *place, (deltas, along.of_outputs(l - 1)), (stride, rows));
            }
            std::mem::swap(&mut bending, &mut bending_after);
        }
    }

    /// The block diagonal matrix of one layer with fixed c: block i is `sum_j weights_j C_ji x_j x_j^T`.
    pub(crate) fn one_layer_weighted_hessian(&self, weights: &[f64], mut out: MatMut<'_, f64>) {
        let inputs = self.network.inputs();
        let d = inputs.columns();
        let mut buffers = [[0.0; ROW_BLOCK]; 2];
        let [curvature, weighted] = &mut buffers;
        out.fill(0.0);
        let hidden = self.network.places()[0].units;
        for (b, weights) in weights.chunks(ROW_BLOCK).enumerate() {
            let (n, stride) = (weights.len(), inputs.block_stride(b));
            let (curvature, weighted) = (&mut curvature[..n], &mut weighted[..n]);
            self.with_bend((0, b), |_, curvatures| {
                for (i, column) in curvatures.chunks_exact(stride).enumerate() {
                    curvature.copy_from_slice(&column[..n]);
                    multiply(curvature, weights);
                    for k in 0..d {
                        weighted.copy_from_slice(curvature);
                        multiply(weighted, inputs.column(b, k));
                        for l in 0..=k {
                            let sum = inner_product(weighted, inputs.column(b, l));
                            out[(i * d + k, i * d + l)] += sum;
                        }
                    }
                }
            });
        }
        // Mirrored, not summed again: symmetric to the last bit.
        for i in 0..hidden {
            for k in 0..d {
                for l in 0..k {
                    out[(i * d + l, i * d + k)] = out[(i * d + k, i * d + l)];
                }
            }
        }
    }

    /// The piece of J of layer `l`.
    fn piece(&self, l: usize) -> &KroneckerPiece {
        &self.jacobian.row_kronecker().pieces()[l]
    }

    /// Units of the widest layer, a trained output among them.
    fn widest(&self) -> usize {
        self.network.places().iter().map(|place| place.units).max().unwrap_or(0)
    }

    /// Numbers that tangents of a block take.
    fn tangent_numbers(&self, stride: usize) -> usize {
        2 * self.network.hidden_widths().sum::<usize>() * stride
    }

    /// z' and h' of all layers along v, on the rows of block `b`.
    fn write_tangents(&self, b: usize, v: &[f64], out: &mut [f64]) {
        let stride = self.network.inputs().block_stride(b);
        let (mut before, mut rest) = (&[][..], out);
        for l in 0..self.network.layers().len() {
            let place = self.network.places()[l];
            let length = place.units * stride;
            let (sums, later) = rest.split_at_mut(length);
            let (outputs, later) = later.split_at_mut(length);
            let inputs = self.piece(l).right().block_data(b);
            if l == 0 {
                for (v, sums) in place.of(v).chunks_exact(place.length).zip(sums.chunks_mut(stride))
                {
                    project(inputs, stride, v, sums);
                }
            } else {
                rows_times_transposed(inputs, stride, (place.of(v), place.length), sums);
                let weights = (place.of(self.w), place.length);
                rows_times_transposed(before, stride, weights, outputs);
                add(sums, outputs);
            }
            self.with_bend((l, b), |slopes, _| {
                if !slopes.is_empty() {
                    outputs.copy_from_slice(sums);
                    multiply(outputs, slopes);
                }
            });
            (before, rest) = (outputs, later);
        }
    }

    /// Shows `work` `s sigma'` (nothing of the last layer of fixed c) and C of layer `l` on the rows of block `b`: what
    /// the Jacobian keeps, or the passes once more.
    fn with_bend<T>(&self, (l, b): (usize, usize), work: impl FnOnce(&[f64], &[f64]) -> T) -> T {
        let bend = &self.jacobian.bends()[l];
        if bend.curvatures.columns() > 0 {
            return work(bend.slopes.block_data(b), bend.curvatures.block_data(b));
        }
        let (network, w) = (self.network, self.w);
        let (stride, place) = (network.inputs().block_stride(b), network.places()[l]);
        let length = place.units * stride;
        with_room(3 * length, |room| {
            let (deltas, room) = room.split_at_mut(length);
            let (slopes, curvatures) = room.split_at_mut(length);
            let (mut squares, mut value) = ([0.0; ROW_BLOCK], [0.0; ROW_BLOCK]);
            let follows = l + 1 < network.places().len();
            let slopes = if follows { slopes } else { &mut [] };
            let rows = network.inputs().block_rows(b).len();
            network.forward_block(
                (l, b),
                self.piece(l).right().block_data(b),
                w,
                LayerBlock {
                    deltas: &mut *deltas,
                    squares: &mut squares[..rows],
                    slopes: &mut *slopes,
                    curvatures: &mut *curvatures,
                    next: &mut [],
                    value: if follows { &mut [] } else { &mut value[..rows] },
                },
            );
            if follows {
                let after = self.piece(l + 1).left().block_data(b);
                let out = (deltas, &mut squares[..rows], &mut *curvatures);
                network.backward_block((l, b), after, w, out);
            }
            work(slopes, curvatures)
        })
    }
}

/// z' and h' of all layers on a block of rows.
struct Tangents<'a, A> {
    network: &'a Network<A>,
    stride: usize,
    numbers: &'a [f64],
}

impl<A> Clone for Tangents<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Tangents<'_, A> {}

impl<'a, A: ActivationFunction> Tangents<'a, A> {
    /// z' of layer `l`.
    fn of_sums(self, l: usize) -> &'a [f64] {
        self.part(l, 0)
    }

    /// h' of layer `l`.
    fn of_outputs(self, l: usize) -> &'a [f64] {
        self.part(l, 1)
    }

    fn part(self, l: usize, which: usize) -> &'a [f64] {
        let before: usize = self.network.hidden_widths().take(l).sum();
        let length = self.network.places()[l].units * self.stride;
        &self.numbers[2 * before * self.stride + which * length..][..length]
    }
}

/// `out_(i, k) += sum_j s_ji x_jk` over the rows of a block, for all units i of a layer and as many inputs as there are
/// here: all, or all but the bias's.
fn add_sums(
    out: &mut [f64],
    place: Place,
    (s, x): (&[f64], &[f64]),
    (stride, rows): (usize, usize),
) {
    let units = place.of_mut(out).chunks_exact_mut(place.length);
    for (out, s) in units.zip(s.chunks_exact(stride)) {
        for (o, x) in out.iter_mut().zip(x.chunks_exact(stride)) {
            *o += inner_product(&s[..rows], &x[..rows]);
        }
    }
}

/// `out_j = x_j . direction` on the rows of a block.
fn project(inputs: &[f64], stride: usize, direction: &[f64], out: &mut [f64]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            out.fill(0.0);
            for (weight, column) in direction.iter().zip(inputs.chunks_exact(stride)) {
                for (o, x) in out.iter_mut().zip(column) {
                    *o += weight * x;
                }
            }
        },
    );
}

/// `out += c * a * b` for each column, entry by entry; vectorized for the processor at hand, same bits on every one.
fn add_triple_products(out: &mut [f64], c: &[f64], (a, b): (&[f64], &[f64]), stride: usize) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let factors = a.chunks_exact(stride).zip(b.chunks_exact(stride));
            for (c, (a, b)) in c.chunks_exact(stride).zip(factors) {
                for (((o, c), a), b) in out.iter_mut().zip(c).zip(a).zip(b) {
                    *o += c * a * b;
                }
            }
        },
    );
}

/// `out += a * b`, entry by entry, likewise.
fn add_entrywise(out: &mut [f64], a: &[f64], b: &[f64]) {
    add_products(out, a, b, out.len().max(1));
}

/// `out += a`, likewise.
fn add(out: &mut [f64], a: &[f64]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || out.iter_mut().zip(a).for_each(|(o, a)| *o += a),
    );
}

/// `out *= c * weights` for each column, likewise; zeros where there are no weights.
fn weigh(out: &mut [f64], c: &[f64], weights: &[f64], stride: usize) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (out, c) in out.chunks_exact_mut(stride).zip(c.chunks_exact(stride)) {
                for ((o, c), w) in out.iter_mut().zip(c).zip(weights) {
                    *o *= c * w;
                }
                out[weights.len()..].fill(0.0);
            }
        },
    );
}
