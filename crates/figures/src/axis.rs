//! Axes: value -> pixel, a + b value or a + b log10 value, with ranges that follow from the data.

use super::Scale;
use super::ticks::{self, Tick};

/// Values beyond this count as this, so that no difference of two overflows.
const LARGEST: f64 = 1e300;

/// A range in axis coordinates: values, or their base-10 logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
    /// On a logarithmic axis, values at or below this have no place of their own.
    pub(super) threshold: f64,
    /// Whether such a value was seen.
    pub(super) reaches_floor: bool,
}

impl Extent {
    /// The range of the finite `values`, widened by `padding` (a fraction) on both sides.
    ///
    /// Equal values get one decade around them, or a tenth of their size on a linear axis.
    pub(super) fn of(
        values: impl Iterator<Item = f64>,
        scale: Scale,
        floor: Option<f64>,
        padding: f64,
    ) -> Self {
        let threshold = floor.filter(|value| value.is_finite() && *value > 0.0).unwrap_or(0.0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut reaches_floor = false;
        for value in values.filter(|value| value.is_finite()) {
            match coordinate(scale, threshold, value) {
                Some(place) => (low, high) = (low.min(place), high.max(place)),
                None => reaches_floor = true,
            }
        }
        if low > high {
            (low, high) = match scale {
                Scale::Linear => (0.0, 1.0),
                Scale::Logarithmic if threshold > 0.0 => {
                    (threshold.log10(), threshold.log10() + 3.0)
                }
                Scale::Logarithmic => (-1.0, 1.0),
            };
        }
        let size = low.abs().max(high.abs());
        let span = high - low;
        let margin = match scale {
            // Below a millionth of the size, tick numbers would need more than seven digits.
            Scale::Linear if size < 1e-290 => 1.0,
            Scale::Linear if span <= 1e-6 * size => 0.1 * size,
            Scale::Logarithmic if span < 1e-3 => 0.5,
            _ => padding * span,
        };
        Self { scale, low: low - margin, high: high + margin, threshold, reaches_floor }
    }

    /// Ticks inside the range, at most about `most` of them with a number.
    pub(super) fn ticks(&self, most: usize) -> Vec<Tick> {
        match self.scale {
            Scale::Linear => ticks::linear(self.low, self.high, most),
            Scale::Logarithmic => ticks::logarithmic(self.low, self.high, most),
        }
    }
}

/// An extent laid between two pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) extent: Extent,
    /// The pixel of `extent.low`.
    pub(super) start: f64,
    /// The pixel of `extent.high`.
    pub(super) end: f64,
    /// Where values at or below the threshold are drawn.
    pub(super) floor: Option<f64>,
}

impl Axis {
    /// The pixel of an axis coordinate.
    pub(super) fn place(&self, coordinate: f64) -> f64 {
        let Extent { low, high, .. } = self.extent;
        self.start + (self.end - self.start) * ((coordinate - low) / (high - low))
    }

    /// The pixel of a value; none for a value that is not finite, or has no place and no floor.
    pub(super) fn pixel(&self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        coordinate(self.extent.scale, self.extent.threshold, value)
            .map_or(self.floor, |place| Some(self.place(place)))
    }
}

fn coordinate(scale: Scale, threshold: f64, value: f64) -> Option<f64> {
    match scale {
        Scale::Linear => Some(value.clamp(-LARGEST, LARGEST)),
        Scale::Logarithmic => (value > threshold).then(|| value.log10()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_degenerate_data_have_a_positive_length() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            for values in [
                vec![],
                vec![f64::NAN],
                vec![0.0; 3],
                vec![5.0],
                vec![-1e308, 1e308],
                vec![5e-324, 1e308],
            ] {
                let extent = Extent::of(values.iter().copied(), scale, Some(1e-32), 0.05);
                assert!(
                    extent.high > extent.low && (extent.high - extent.low).is_finite(),
                    "{values:?}"
                );
                assert!(!extent.ticks(6).is_empty(), "{values:?}");
            }
        }
    }

    #[test]
    fn pixels_follow_the_scale() {
        let axis = |scale| {
            let extent = Extent::of([1.0, 100.0].into_iter(), scale, Some(1e-3), 0.0);
            Axis { extent, start: 500.0, end: 100.0, floor: Some(550.0) }
        };
        let linear = axis(Scale::Linear);
        assert_eq!(
            [1.0, 50.5, 100.0].map(|value| linear.pixel(value)),
            [500.0, 300.0, 100.0].map(Some)
        );
        let logarithmic = axis(Scale::Logarithmic);
        let values = [1.0, 10.0, 100.0, 1e-3, 0.0, -5.0];
        let pixels = [500.0, 300.0, 100.0, 550.0, 550.0, 550.0];
        assert_eq!(values.map(|value| logarithmic.pixel(value)), pixels.map(Some));
        assert_eq!(logarithmic.pixel(f64::NAN), None);
    }
}
