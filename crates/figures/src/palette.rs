//! Looks of curves: colour, dash and marker together, so that grey print and any colour vision can tell them apart.
//!
//! Colours: Okabe and Ito, "Color universal design" (2008), without the yellow, which fades on white.

use super::drawing::{Colour, Point, Stroke, circle, polygon};

/// How one curve looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub(super) colour: Colour,
    /// On and off lengths in pixels; empty for a solid line.
    pub(super) dash: &'static [f64],
    pub(super) width: f64,
    pub(super) marker: Marker,
}

/// The sign set along a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    DownTriangle,
    Plus,
    Star,
}

const COLOURS: [[u8; 3]; 7] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [26, 26, 26],
    [204, 121, 167],
    [230, 159, 0],
    [86, 180, 233],
];

const DASHES: [&[f64]; 5] =
    [&[], &[22.0, 9.0], &[22.0, 7.0, 5.0, 7.0], &[5.0, 6.0], &[34.0, 8.0, 14.0, 8.0]];

const MARKERS: [Marker; 7] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::DownTriangle,
    Marker::Plus,
    Marker::Star,
];

/// The look number `style`; dashes and colours have coprime counts, so 35 pairs come before a repeat.
pub(super) fn look(style: usize) -> Look {
    let dash = DASHES[style % DASHES.len()];
    Look {
        colour: Colour { rgb: COLOURS[style % COLOURS.len()], opacity: 1.0 },
        dash,
        // Short dots carry less ink than a solid line of the same width.
        width: if dash.len() == 2 && dash[0] < 10.0 { 4.5 } else { 3.5 },
        marker: MARKERS[style % MARKERS.len()],
    }
}

impl Marker {
    /// The closed outline around `center`; `radius` in pixels.
    pub(super) fn outline(self, center: Point, radius: f64) -> Vec<Stroke> {
        let around = |offsets: &[Point]| {
            let at =
                |offset: &Point| [center[0] + radius * offset[0], center[1] + radius * offset[1]];
            polygon(&offsets.iter().map(at).collect::<Vec<_>>())
        };
        match self {
            Self::Circle => circle(center, radius),
            Self::Square => around(&[[-0.88, -0.88], [0.88, -0.88], [0.88, 0.88], [-0.88, 0.88]]),
            Self::Triangle => around(&[[0.0, -1.25], [1.1, 0.75], [-1.1, 0.75]]),
            Self::DownTriangle => around(&[[0.0, 1.25], [-1.1, -0.75], [1.1, -0.75]]),
            Self::Diamond => around(&[[0.0, -1.3], [1.0, 0.0], [0.0, 1.3], [-1.0, 0.0]]),
            Self::Plus => {
                let (arm, reach) = (0.4, 1.2);
                around(&[
                    [-arm, -reach],
                    [arm, -reach],
                    [arm, -arm],
                    [reach, -arm],
                    [reach, arm],
                    [arm, arm],
                    [arm, reach],
                    [-arm, reach],
                    [-arm, arm],
                    [-reach, arm],
                    [-reach, -arm],
                    [-arm, -arm],
                ])
            }
            Self::Star => {
                let tip = |index: u32| {
                    let angle = std::f64::consts::PI * f64::from(index) / 5.0;
                    let length = if index.is_multiple_of(2) { 1.35 } else { 0.6 };
                    [length * angle.sin(), -length * angle.cos()]
                };
                around(&(0..10).map(tip).collect::<Vec<_>>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_the_first_thirty_five_looks_agree() {
        for first in 0..35 {
            for second in 0..first {
                assert_ne!(look(first), look(second));
            }
        }
    }
}
