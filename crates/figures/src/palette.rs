//! Looks of curves: a colour with its sign, and a dash, so that grey print and any colour vision can tell them apart.
//!
//! The first four colours fall evenly in luminance, from an orange (contrast 3.2 on white) over blue and wine to black (17),
//! and stay apart for every kind of colour vision; the further ones are as dark as the first two, and differ in hue. Blue
//! from Okabe and Ito, "Color universal design" (2008); wine from Tol, "Colour schemes" (2021).

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

/// Red, green and blue; the interactive charts have the same ones in the same order.
pub(super) const COLOURS: [[u8; 3]; 7] = [
    [0xe0, 0x70, 0x00],
    [0x00, 0x72, 0xb2],
    [0x88, 0x22, 0x55],
    [0x1a, 0x1a, 0x1a],
    [0x1b, 0x9e, 0x5a],
    [0xc0, 0x5f, 0xa0],
    [0x3a, 0x94, 0xc9],
];

pub(super) const DASHES: [&[f64]; 6] = [
    &[],
    &[30.0, 8.0],
    &[15.0, 8.0],
    &[5.0, 6.0],
    &[22.0, 7.0, 5.0, 7.0],
    &[24.0, 6.0, 5.0, 6.0, 5.0, 6.0],
];

const MARKERS: [Marker; 7] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::DownTriangle,
    Marker::Plus,
    Marker::Star,
];

/// The look of a colour and a dash.
pub(super) fn look(colour: usize, dash: usize) -> Look {
    let dash = DASHES[dash % DASHES.len()];
    Look {
        colour: Colour { rgb: COLOURS[colour % COLOURS.len()], opacity: 1.0 },
        dash,
        // Short dots carry less ink than a solid line of the same width.
        width: if dash.len() == 2 && dash[0] < 10.0 { 4.5 } else { 3.5 },
        marker: MARKERS[colour % MARKERS.len()],
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

    /// WCAG 2.2, relative luminance.
    fn luminance(rgb: [u8; 3]) -> f64 {
        let linear = rgb.map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn numbers_up_to_forty_two_have_looks_of_their_own() {
        for first in 0..COLOURS.len() * DASHES.len() {
            for second in 0..first {
                assert_ne!(look(first, first), look(second, second));
            }
        }
    }

    /// A colour keeps its sign whatever its dash, and a dash is the same in every colour.
    #[test]
    fn colour_and_dash_are_independent() {
        for colour in 0..COLOURS.len() {
            for dash in 0..DASHES.len() {
                let (found, solid) = (look(colour, dash), look(colour, 0));
                assert_eq!((found.colour, found.marker), (solid.colour, solid.marker));
                assert_eq!(found.dash, look(0, dash).dash);
            }
        }
    }

    /// In grey print the alphas of section 5 stay apart, and every colour is seen on white.
    #[test]
    fn the_first_four_colours_differ_as_greys() {
        let contrast = |light: f64, dark: f64| (light + 0.05) / (dark + 0.05);
        let found = COLOURS.map(luminance);
        for pair in found[..4].windows(2) {
            assert!(contrast(pair[0], pair[1]) >= 1.5, "{found:?}");
        }
        assert!(found.iter().all(|luminance| contrast(1.0, *luminance) >= 3.0), "{found:?}");
    }
}
