//! A drawing: outlines with paint, in pixels from the top left corner, before any file format.
//!
//! Text is already outlines here, so the vector file and the bitmap cannot disagree.

use super::lettering::{Caption, Lettering, plain};

/// A place on the sheet, `[right, down]` in pixels.
pub(super) type Point = [f64; 2];

/// One piece of an outline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stroke {
    /// Lifts the pen.
    Move(Point),
    /// A straight piece.
    Line(Point),
    /// A quadratic Bezier piece: control point, end.
    Quadratic(Point, Point),
    /// A cubic Bezier piece: two control points, end.
    Cubic(Point, Point, Point),
    /// Back to the last `Move`.
    Close,
}

/// Red, green, blue, and opacity in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour {
    pub(super) rgb: [u8; 3],
    pub(super) opacity: f64,
}

impl Colour {
    pub(super) const WHITE: Self = Self { rgb: [255; 3], opacity: 1.0 };
    pub(super) const INK: Self = Self { rgb: [26; 3], opacity: 1.0 };
    pub(super) const SOFT_INK: Self = Self { rgb: [85; 3], opacity: 1.0 };
    pub(super) const GRID: Self = Self { rgb: [222; 3], opacity: 1.0 };

    /// The same colour at another opacity.
    pub(super) const fn at_opacity(self, opacity: f64) -> Self {
        Self { rgb: self.rgb, opacity }
    }
}

/// How an outline is painted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Paint {
    /// The inside, by the nonzero rule.
    Fill(Colour),
    /// The line itself; `dash` holds on and off lengths in pixels, empty for a solid line.
    Line { colour: Colour, width: f64, dash: &'static [f64] },
}

/// An outline, its paint, and what it stands for (read by tests and screen readers; may be empty).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) meaning: String,
    pub(super) outline: Vec<Stroke>,
    pub(super) paint: Paint,
}

/// Marks in painting order on a white sheet of `width` x `height` pixels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drawing {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) marks: Vec<Mark>,
}

impl Drawing {
    /// Adds one outline.
    pub(super) fn add(&mut self, meaning: &str, outline: Vec<Stroke>, paint: Paint) {
        if !outline.is_empty() {
            self.marks.push(Mark { meaning: meaning.to_owned(), outline, paint });
        }
    }

    /// Adds one line of text.
    pub(super) fn write(&mut self, letters: &Lettering, caption: &Caption<'_>, colour: Colour) {
        self.add(&plain(caption.text), letters.outline(caption), Paint::Fill(colour));
    }
}

/// The open line through `points`.
pub(super) fn polyline(points: &[Point]) -> Vec<Stroke> {
    let pen = |(index, &point)| if index == 0 { Stroke::Move(point) } else { Stroke::Line(point) };
    points.iter().enumerate().map(pen).collect()
}

/// The closed line through `points`.
pub(super) fn polygon(points: &[Point]) -> Vec<Stroke> {
    let mut outline = polyline(points);
    outline.push(Stroke::Close);
    outline
}

/// The rectangle between two opposite corners.
pub(super) fn rectangle(from: Point, to: Point) -> Vec<Stroke> {
    polygon(&[from, [to[0], from[1]], to, [from[0], to[1]]])
}

/// A circle from four cubic pieces, off by less than 3e-4 of the radius.
pub(super) fn circle(center: Point, radius: f64) -> Vec<Stroke> {
    // 4/3 (sqrt 2 - 1): the control length that puts the middle of each quarter on the circle.
    let reach = 4.0 / 3.0 * (2f64.sqrt() - 1.0);
    let at = |right: f64, down: f64| [center[0] + radius * right, center[1] + radius * down];
    let mut outline = vec![Stroke::Move(at(1.0, 0.0))];
    for (cos, sin) in [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)] {
        let (next_cos, next_sin) = (-sin, cos);
        outline.push(Stroke::Cubic(
            at(cos + reach * next_cos, sin + reach * next_sin),
            at(next_cos + reach * cos, next_sin + reach * sin),
            at(next_cos, next_sin),
        ));
    }
    outline.push(Stroke::Close);
    outline
}
