//! Reference lines and their names, set where they cover the fewest curves.

use super::axis::Axis;
use super::drawing::{Colour, Drawing, Paint, Point, polyline, rectangle};
use super::layout::{EDGE, REMARK, Sheet};
use super::lettering::Anchor;
use super::{Reference, WIDTH};

/// Rows above the plot for the names of vertical lines.
pub(super) const ROWS: usize = 4;

impl Sheet<'_> {
    /// Adds the lines, below the curves.
    pub(super) fn reference_lines(&self, drawing: &mut Drawing) {
        let line =
            Paint::Line { colour: Colour::SOFT_INK, width: 2.2, dash: &[12.0, 5.0, 3.0, 5.0] };
        for (_, down) in placed(&self.chart.horizontal_lines, &self.axes.y) {
            drawing.add("", polyline(&[[self.left, down], [self.right, down]]), line);
        }
        for (_, along) in placed(&self.chart.vertical_lines, &self.axes.x) {
            drawing.add("", polyline(&[[along, self.top], [along, self.bottom]]), line);
        }
    }

    /// Vertical lines are named above the frame, horizontal ones where the fewest curves pass.
    pub(super) fn reference_labels(&self, drawing: &mut Drawing) {
        let mut paths = self.paths();
        paths.extend(
            placed(&self.chart.vertical_lines, &self.axes.x)
                .map(|(_, along)| vec![[along, self.top], [along, self.bottom]]),
        );
        let mut taken: Vec<[Point; 2]> = Vec::new();
        for (reference, down) in placed(&self.chart.horizontal_lines, &self.axes.y) {
            let size = [self.letters.width(&reference.label, REMARK) + 12.0, 1.25 * REMARK];
            let last = (self.right - self.left - size[0] - 12.0).max(0.0);
            let places = (0..=20).rev().flat_map(|step| {
                let left = self.left + 6.0 + last * f64::from(step) / 20.0;
                [down - 4.0 - size[1], down + 4.0].map(|top| [left, top])
            });
            let boxes = places
                .map(|corner| [corner, [corner[0] + size[0], corner[1] + size[1]]])
                .filter(|[from, to]| from[1] > self.top && to[1] < self.bottom);
            let crossings = |place: &[Point; 2]| {
                let crossed = paths.iter().flat_map(|path| path.windows(2));
                let crossed = crossed.filter(|ends| overlaps(place, &[ends[0], ends[1]])).count();
                crossed + 1000 * taken.iter().filter(|other| overlaps(place, other)).count()
            };
            let Some(quiet) = boxes.min_by_key(crossings) else { continue };
            let halo = rectangle(quiet[0], quiet[1]);
            drawing.add("", halo, Paint::Fill(Colour::WHITE.at_opacity(0.85)));
            let at = [quiet[0][0] + 6.0, quiet[1][1] - 0.3 * REMARK];
            self.write(drawing, &reference.label, REMARK, (at, Anchor::Start), Colour::INK);
            taken.push(quiet);
        }
        self.vertical_labels(drawing);
    }

    /// From left to right, each name a row below the one before, so that no leader crosses a name.
    fn vertical_labels(&self, drawing: &mut Drawing) {
        let mut lines: Vec<_> = placed(&self.chart.vertical_lines, &self.axes.x).collect();
        lines.sort_by(|a, b| a.1.total_cmp(&b.1));
        let rows = lines.len().min(ROWS);
        let leader = Paint::Line { colour: Colour::SOFT_INK, width: 1.5, dash: &[] };
        for (index, (reference, along)) in lines.into_iter().enumerate() {
            let row = rows - 1 - index % rows;
            let baseline = self.top - 9.0 - 1.25 * REMARK * row as f64;
            let rise = [[along, self.top], [along, baseline - 0.7 * REMARK]];
            drawing.add("", polyline(&rise), leader);
            let length = self.letters.width(&reference.label, REMARK);
            let (start, anchor) = if along + length + 8.0 > f64::from(WIDTH) - EDGE {
                (along - 8.0, Anchor::End)
            } else {
                (along + 8.0, Anchor::Start)
            };
            self.write(drawing, &reference.label, REMARK, ([start, baseline], anchor), Colour::INK);
        }
    }
}

/// The references that have a pixel on `axis`.
fn placed<'a>(
    references: &'a [Reference],
    axis: &'a Axis,
) -> impl Iterator<Item = (&'a Reference, f64)> {
    references.iter().filter_map(|reference| Some((reference, axis.pixel(reference.value)?)))
}

/// Whether two boxes, given by any two opposite corners, share a point.
fn overlaps(first: &[Point; 2], second: &[Point; 2]) -> bool {
    (0..2).all(|side| {
        let low = |corners: &[Point; 2]| corners[0][side].min(corners[1][side]);
        let high = |corners: &[Point; 2]| corners[0][side].max(corners[1][side]);
        low(first) <= high(second) && low(second) <= high(first)
    })
}
