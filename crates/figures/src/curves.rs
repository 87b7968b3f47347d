//! Curves and seed bands: values -> pixels, gaps kept, values below the floor on the floor.

use super::axis::Axis;
use super::drawing::{Colour, Drawing, Paint, Point, polygon, polyline};
use super::palette::{Look, look};
use super::{Series, Sign};

/// Runs longer than this are thinned to their extremes in each pixel column.
const THINNED_ABOVE: usize = 4000;
/// Signs along a curve with more points than this are spread out instead of set at each point.
const MARKED_POINTS: usize = 14;
const MARKER_RADIUS: f64 = 8.0;
/// Of the signs of a few points, those nearer than this to the one before are left out.
const CROWDED: f64 = 5.0 * MARKER_RADIUS;

/// The two axes of the plot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axes {
    pub(super) x: Axis,
    pub(super) y: Axis,
}

/// Adds the band of one series.
pub(super) fn draw_band(drawing: &mut Drawing, axes: &Axes, series: &Series) {
    let Some(band) = &series.band else { return };
    let colour = look(series.colour, series.dash).colour;
    let lower = runs(axes, &series.x, &band.lower, &band.upper);
    let upper = runs(axes, &series.x, &band.upper, &band.lower);
    for (lower, upper) in lower.into_iter().zip(upper) {
        let (lower, upper) = (thin(lower), thin(upper));
        let around: Vec<Point> = upper.iter().chain(lower.iter().rev()).copied().collect();
        drawing.add("", polygon(&around), Paint::Fill(colour.at_opacity(0.15)));
        // Edges: overlapping bands stay apart in grey print.
        let edge = Paint::Line { colour: colour.at_opacity(0.45), width: 1.2, dash: &[] };
        drawing.add("", polyline(&upper), edge);
        drawing.add("", polyline(&lower), edge);
    }
}

/// Adds the line of one series, its lone points and its signs.
pub(super) fn draw_curve(drawing: &mut Drawing, axes: &Axes, series: &Series) {
    let look = look(series.colour, series.dash);
    let runs = runs(axes, &series.x, &series.y, &series.y);
    let mut signs = sign_places(axes, series, &runs);
    for run in runs {
        if let [lone] = run[..] {
            // A point between two gaps has no line to show it.
            signs.push(lone);
        } else {
            // Dashes along a curve that fills whole pixel columns would only punch holes in it.
            let dash = if run.len() > THINNED_ABOVE { &[] } else { look.dash };
            let line = Paint::Line { colour: look.colour, width: look.width, dash };
            drawing.add("", polyline(&thin(run)), line);
        }
    }
    for place in signs {
        draw_sign(drawing, (look, series.sign), place);
    }
}

/// Adds one sign, readable on its own line and on others.
pub(super) fn draw_sign(drawing: &mut Drawing, (look, sign): (Look, Sign), place: Point) {
    // A solid sign has a white edge, so that two of them stay two, and fits into a hollow one.
    let (inside, edge, width, share) = match sign {
        Sign::Hollow => (Colour::WHITE, look.colour, 2.5, 1.0),
        Sign::Solid => (look.colour, Colour::WHITE, 1.0, 0.75),
    };
    let outline = look.marker.outline(place, share * MARKER_RADIUS);
    drawing.add("", outline.clone(), Paint::Fill(inside));
    drawing.add("", outline, Paint::Line { colour: edge, width, dash: &[] });
}

/// Pixels of `(x, y)`, cut where x, y or `with` has no place.
pub(super) fn runs(axes: &Axes, x: &[f64], y: &[f64], with: &[f64]) -> Vec<Vec<Point>> {
    let mut runs = vec![Vec::new()];
    for ((&x, &y), &with) in x.iter().zip(y).zip(with) {
        match (axes.x.pixel(x), axes.y.pixel(y), axes.y.pixel(with)) {
            (Some(right), Some(down), Some(_)) => {
                if let Some(run) = runs.last_mut() {
                    run.push([right, down]);
                }
            }
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// First, lowest, highest and last point of each pixel column: the same picture with fewer points.
fn thin(run: Vec<Point>) -> Vec<Point> {
    if run.len() <= THINNED_ABOVE {
        return run;
    }
    let mut kept = Vec::new();
    for column in run.chunk_by(|a, b| a[0].floor().total_cmp(&b[0].floor()).is_eq()) {
        let height = |&index: &usize| column[index][1];
        let by_height = |a: &usize, b: &usize| height(a).total_cmp(&height(b));
        let highest = (0..column.len()).min_by(by_height).unwrap_or(0);
        let lowest = (0..column.len()).max_by(by_height).unwrap_or(0);
        let mut indices = [0, highest.min(lowest), highest.max(lowest), column.len() - 1].to_vec();
        indices.dedup();
        kept.extend(indices.into_iter().map(|index| column[index]));
    }
    kept
}

/// Where signs stand on lines: on each of a few points that are not crowded, else near eight even places, shifted by the look.
fn sign_places(axes: &Axes, series: &Series, runs: &[Vec<Point>]) -> Vec<Point> {
    let points = || runs.iter().filter(|run| run.len() > 1).flatten().copied();
    if points().count() <= MARKED_POINTS {
        let mut kept: Vec<Point> = Vec::new();
        for point in points() {
            let is_near = |last: &Point| (point[0] - last[0]).hypot(point[1] - last[1]) < CROWDED;
            if !kept.last().is_some_and(is_near) {
                kept.push(point);
            }
        }
        return kept;
    }
    let spacing = (axes.x.end - axes.x.start) / 8.0;
    let shift = [0.2, 0.7, 0.45, 0.95, 0.325, 0.825, 0.575][(series.colour + 4 * series.dash) % 7];
    (0..8)
        .filter_map(|index| {
            let wanted = axes.x.start + spacing * (f64::from(index) + shift);
            let distance = |point: &Point| (point[0] - wanted).abs();
            points()
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
                .filter(|point| distance(point) <= 0.25 * spacing)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Scale;
    use super::super::axis::Extent;
    use super::*;

    fn axes() -> Axes {
        let extent = |low, high| Extent::of([low, high].into_iter(), Scale::Linear, None, 0.0);
        let x = Axis { extent: extent(0.0, 100.0), start: 0.0, end: 100.0, floor: None };
        Axes { x, y: Axis { extent: extent(-1.0, 1.0), start: 100.0, end: 0.0, floor: None } }
    }

    #[test]
    fn a_value_that_is_not_finite_cuts_the_curve() {
        let y = [0.0, f64::NAN, 1.0, -1.0, f64::INFINITY];
        let found = runs(&axes(), &[0.0, 1.0, 2.0, 3.0, 4.0], &y, &y);
        assert_eq!(found, [vec![[0.0, 50.0]], vec![[2.0, 0.0], [3.0, 100.0]]]);
    }

    /// The thinned run keeps the envelope of a fast oscillation in every column, ends and order.
    #[test]
    fn thinning_keeps_the_envelope() {
        let wave = |index: u32| {
            let time = f64::from(index) / 1000.0;
            [time, 50.0 + 50.0 * (40.0 * time).sin() * (time / 30.0).cos()]
        };
        let run: Vec<Point> = (0..100_000).map(wave).collect();
        let kept = thin(run.clone());
        assert!(kept.len() <= 4 * 101);
        assert_eq!((kept.first(), kept.last()), (run.first(), run.last()));
        for column in 0..100 {
            let range = |points: &[Point]| {
                let inside = points.iter().filter(|point| whole(point[0]) == column);
                inside.fold((f64::MAX, f64::MIN), |(low, high), point| {
                    (low.min(point[1]), high.max(point[1]))
                })
            };
            assert_eq!(range(&run), range(&kept));
        }
    }

    #[allow(clippy::cast_possible_truncation)]
    fn whole(value: f64) -> i32 {
        value.floor() as i32
    }
}
