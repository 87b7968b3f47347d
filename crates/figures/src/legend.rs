//! The legend, in a column right of the plot so that it never covers a curve.

use super::Series;
use super::curves::draw_sign;
use super::drawing::{Colour, Drawing, Paint, polyline, rectangle};
use super::lettering::{Anchor, Caption, Lettering, Turn};
use super::palette::look;

const SIZE: f64 = 25.0;
const SAMPLE: f64 = 92.0;
const GAP: f64 = 14.0;
const LONGEST_LABEL: f64 = 310.0;

/// The entries, with labels broken into lines.
pub(super) struct Legend<'a> {
    entries: Vec<(&'a Series, Vec<String>)>,
    /// Pixels across, zero without entries.
    pub(super) width: f64,
}

impl<'a> Legend<'a> {
    /// Measures the labels; a series without a label gets no entry.
    pub(super) fn measure(letters: &Lettering, series: &'a [Series]) -> Self {
        let labelled = series.iter().filter(|series| !series.label.trim().is_empty());
        let entries: Vec<_> = labelled
            .map(|series| (series, letters.wrap(&series.label, SIZE, LONGEST_LABEL)))
            .collect();
        let lines = entries.iter().flat_map(|(_, lines)| lines);
        let widest = lines.map(|line| letters.width(line, SIZE)).fold(0.0, f64::max);
        let width = if entries.is_empty() { 0.0 } else { SAMPLE + GAP + widest };
        Self { entries, width }
    }

    /// Draws the column from `left`, `top`, closing up the rows where `height` is short.
    pub(super) fn draw(
        &self,
        drawing: &mut Drawing,
        letters: &Lettering,
        corner: [f64; 2],
        height: f64,
    ) {
        let [left, top] = corner;
        let line_height = 1.2 * SIZE;
        let wanted: f64 =
            self.entries.iter().map(|(_, lines)| line_height * (0.45 + lines.len() as f64)).sum();
        let shrink = (height / wanted.max(1.0)).min(1.0);
        let mut down = top;
        for (series, lines) in &self.entries {
            let look = look(series.colour, series.dash);
            let middle = down + 0.5 * line_height * shrink;
            if series.band.is_some() {
                let patch = rectangle([left, middle - 13.0], [left + SAMPLE, middle + 13.0]);
                drawing.add("", patch, Paint::Fill(look.colour.at_opacity(0.2)));
            }
            if is_joined(series) {
                let sample = polyline(&[[left, middle], [left + SAMPLE, middle]]);
                let line = Paint::Line { colour: look.colour, width: look.width, dash: look.dash };
                drawing.add("", sample, line);
            }
            draw_sign(drawing, (look, series.sign), [left + 0.5 * SAMPLE, middle]);
            for (index, text) in lines.iter().enumerate() {
                let baseline = middle + shrink * (0.36 * SIZE + line_height * index as f64);
                let caption = Caption {
                    text,
                    size: SIZE * shrink,
                    at: [left + SAMPLE + GAP, baseline],
                    anchor: Anchor::Start,
                    turn: Turn::Level,
                };
                drawing.write(letters, &caption, Colour::INK);
            }
            down += shrink * line_height * (0.45 + lines.len() as f64);
        }
    }
}

/// Whether any two neighbours of a series are joined by a line; one without values counts as a curve.
fn is_joined(series: &Series) -> bool {
    let gap = |y: &f64| !y.is_finite();
    series.y.iter().all(gap) || series.y.windows(2).any(|pair| !pair.iter().any(gap))
}
