//! The sheet: title above, legend at the right, axes with ticks or named rows and a grid, reference lines, the floor.

use super::axis::{Axis, Extent};
use super::curves::{Axes, draw_band, draw_curve, runs};
use super::drawing::{Colour, Drawing, Paint, Point, polygon, polyline, rectangle};
use super::legend::Legend;
use super::lettering::{Anchor, Caption, Lettering, Turn, plain};
use super::references::ROWS;
use super::ticks::{Tick, scientific};
use super::{Chart, HEIGHT, Scale, Sign, WIDTH};

/// White margin of the sheet.
pub(super) const EDGE: f64 = 26.0;
const TITLE: f64 = 33.0;
const SUBTITLE: f64 = 23.0;
const LABEL: f64 = 29.0;
const NUMBER: f64 = 25.0;
pub(super) const REMARK: f64 = 22.0;
/// The heading begins above the plot, but no further to the right than this.
const HEADING: f64 = 216.0;
/// Text of a category, and the room that its row takes.
const CATEGORY: f64 = 21.0;
const ROW: f64 = 31.0;
/// Height of the strip below a logarithmic axis that holds the floor.
const STRIP: f64 = 62.0;

/// Lays out the whole sheet.
pub(super) fn compose(chart: &Chart, letters: &Lettering) -> Drawing {
    let width = f64::from(WIDTH);
    let legend = Legend::measure(letters, &chart.series);
    let heading = heading(chart, letters);
    let rows = chart.vertical_lines.len().min(ROWS) as f64;
    let top = heading.iter().fold(EDGE, |down, (_, size)| down + 1.3 * size)
        + 12.0
        + 1.25 * REMARK * rows;
    let below = EDGE + 1.25 * LABEL + 1.3 * NUMBER + 12.0;
    let height = sheet_height(top + below, chart.categories.len());
    let bottom = f64::from(height) - below;
    let y = vertical_axis(chart, top, bottom);
    let numbers = vertical_ticks(chart, &y);
    let widest = numbers
        .iter()
        .filter_map(|tick| tick.number.as_deref())
        .map(|number| letters.width(number, vertical_size(chart)))
        .fold(0.0, f64::max);
    let left = EDGE + 1.25 * LABEL + 14.0 + widest + 18.0;
    let right = match legend.width {
        0.0 => width - EDGE - 34.0,
        column => width - EDGE - column - 30.0,
    };
    let axes = Axes { x: horizontal_axis(chart, left, right), y };
    let sheet = Sheet { chart, letters, axes, left, right, top, bottom };
    let said = if chart.description.is_empty() { &chart.subtitle } else { &chart.description };
    let (title, description) = (plain(&chart.title), plain(said));
    let mut drawing = Drawing { width: WIDTH, height, title, description, marks: Vec::new() };

    let mut down = EDGE;
    for (text, size) in &heading {
        down += 1.3 * size;
        let ink = if *size < TITLE { Colour::SOFT_INK } else { Colour::INK };
        sheet.write(
            &mut drawing,
            text,
            *size,
            ([left.min(HEADING), down - 0.3 * size], Anchor::Start),
            ink,
        );
    }
    sheet.grid(&mut drawing);
    for series in &chart.series {
        draw_band(&mut drawing, &axes, series);
    }
    sheet.reference_lines(&mut drawing);
    sheet.floor(&mut drawing);
    // Solid signs last: they are small, and seen inside hollow ones.
    for sign in [Sign::Hollow, Sign::Solid] {
        for series in chart.series.iter().filter(|series| series.sign == sign) {
            draw_curve(&mut drawing, &axes, series);
        }
    }
    sheet.frame(&mut drawing);
    sheet.axis_break(&mut drawing);
    sheet.reference_labels(&mut drawing);
    legend.draw(&mut drawing, letters, [right + 30.0, top + 4.0], bottom - top);
    drawing
}

/// Lines above the plot and their sizes: title, subtitle, and what could not be drawn.
fn heading(chart: &Chart, letters: &Lettering) -> Vec<(String, f64)> {
    let limit = f64::from(WIDTH) - EDGE - HEADING;
    let mut lines = Vec::new();
    let mut put = |text: &str, size: f64| {
        lines.extend(letters.wrap(text, size, limit).into_iter().map(|line| (line, size)));
    };
    put(&chart.title, TITLE);
    put(&chart.subtitle, SUBTITLE);
    for series in &chart.series {
        let infinite = series.y.iter().filter(|value| value.is_infinite()).count();
        if infinite > 0 {
            put(&format!("{}: {infinite} infinite values not drawn", series.label), SUBTITLE);
        }
        let unplaced = series.x.iter().filter(|&&value| value <= 0.0).count();
        if chart.x_scale == Scale::Logarithmic && unplaced > 0 {
            put(
                &format!("{}: {unplaced} points at or left of 0 not drawn", series.label),
                SUBTITLE,
            );
        }
    }
    for reference in chart.horizontal_lines.iter().chain(&chart.vertical_lines) {
        if !reference.value.is_finite() {
            put(&format!("{}: {} not drawn", reference.label, reference.value), SUBTITLE);
        }
    }
    lines
}

/// [`HEIGHT`], or as much as the rows need beside `rest` pixels.
fn sheet_height(rest: f64, rows: usize) -> u32 {
    // The pixels of a few thousand rows at most: a bitmap of more is refused.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let wanted = (rest + ROW * rows as f64).ceil() as u32;
    if rows == 0 { HEIGHT } else { wanted.max(HEIGHT) }
}

/// Ticks of the vertical axis: numbers, or the names of the rows.
fn vertical_ticks(chart: &Chart, axis: &Axis) -> Vec<Tick> {
    if chart.categories.is_empty() {
        return axis.extent.ticks(9);
    }
    let named =
        |(row, name): (usize, &String)| Tick { place: row as f64, number: Some(name.clone()) };
    chart.categories.iter().enumerate().map(named).collect()
}

/// Size of what stands at those ticks.
fn vertical_size(chart: &Chart) -> f64 {
    if chart.categories.is_empty() { NUMBER } else { CATEGORY }
}

fn vertical_axis(chart: &Chart, top: f64, bottom: f64) -> Axis {
    if !chart.categories.is_empty() {
        // Row 0 at the top: the axis runs from half a row below the last to half a row above the first.
        let low = chart.categories.len() as f64 - 0.5;
        let (scale, threshold) = (Scale::Linear, 0.0);
        let extent = Extent { scale, low, high: -0.5, threshold, reaches_floor: false };
        return Axis { extent, start: bottom, end: top, floor: None };
    }
    let bands = chart.series.iter().filter_map(|series| series.band.as_ref());
    let values = chart.series.iter().flat_map(|series| &series.y);
    let values = values.chain(bands.flat_map(|band| band.lower.iter().chain(&band.upper)));
    let values = values.chain(chart.horizontal_lines.iter().map(|reference| &reference.value));
    let values = values.chain(&chart.y_includes);
    let extent = Extent::of(values.copied(), chart.y_scale, chart.floor, 0.05);
    if extent.reaches_floor {
        Axis { extent, start: bottom - STRIP, end: top, floor: Some(bottom - 0.55 * STRIP) }
    } else {
        Axis { extent, start: bottom, end: top, floor: None }
    }
}

fn horizontal_axis(chart: &Chart, left: f64, right: f64) -> Axis {
    let values = chart.series.iter().flat_map(|series| &series.x);
    let values = values.chain(chart.vertical_lines.iter().map(|reference| &reference.value));
    let extent = Extent::of(values.copied(), chart.x_scale, None, 0.015);
    Axis { extent, start: left, end: right, floor: None }
}

/// What every part of the plot needs to know.
pub(super) struct Sheet<'a> {
    pub(super) chart: &'a Chart,
    pub(super) letters: &'a Lettering,
    pub(super) axes: Axes,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Sheet<'_> {
    /// Adds one level line of text.
    pub(super) fn write(
        &self,
        drawing: &mut Drawing,
        text: &str,
        size: f64,
        (at, anchor): (Point, Anchor),
        ink: Colour,
    ) {
        let caption = Caption { text, size, at, anchor, turn: Turn::Level };
        drawing.write(self.letters, &caption, ink);
    }

    fn grid(&self, drawing: &mut Drawing) {
        let fine = Paint::Line { colour: Colour::GRID, width: 1.5, dash: &[] };
        for tick in
            vertical_ticks(self.chart, &self.axes.y).iter().filter(|tick| tick.number.is_some())
        {
            let down = self.axes.y.place(tick.place);
            drawing.add("", polyline(&[[self.left, down], [self.right, down]]), fine);
        }
        for tick in self.axes.x.extent.ticks(8).iter().filter(|tick| tick.number.is_some()) {
            let along = self.axes.x.place(tick.place);
            drawing.add("", polyline(&[[along, self.top], [along, self.bottom]]), fine);
        }
    }

    /// The frame, the ticks, their numbers and the axis labels.
    fn frame(&self, drawing: &mut Drawing) {
        let line = |width| Paint::Line { colour: Colour::INK, width, dash: &[] };
        let frame = rectangle([self.left, self.top], [self.right, self.bottom]);
        drawing.add("", frame, line(2.0));
        let mut mark =
            |tick: Tick, size: f64, ends: &dyn Fn(f64) -> [Point; 2], place: (Point, Anchor)| {
                let (length, width) = if tick.number.is_some() { (10.0, 2.0) } else { (5.0, 1.5) };
                drawing.add("", polyline(&ends(length)), line(width));
                if let Some(number) = &tick.number {
                    self.write(drawing, number, size, place, Colour::INK);
                }
            };
        let size = vertical_size(self.chart);
        for tick in vertical_ticks(self.chart, &self.axes.y) {
            let down = self.axes.y.place(tick.place);
            let at = [self.left - 16.0, down + 0.36 * size];
            let ends = |length| [[self.left - length, down], [self.left, down]];
            mark(tick, size, &ends, (at, Anchor::End));
        }
        for tick in self.axes.x.extent.ticks(8) {
            let along = self.axes.x.place(tick.place);
            let at = [along, self.bottom + 14.0 + NUMBER];
            let ends = |length| [[along, self.bottom], [along, self.bottom + length]];
            mark(tick, NUMBER, &ends, (at, Anchor::Middle));
        }
        let letters = self.letters;
        // A label longer than its axis is set smaller, never cut.
        let fit = |text: &str, room: f64| LABEL * (room / letters.width(text, LABEL)).min(1.0);
        let middle = [0.5 * (self.left + self.right), 0.5 * (self.top + self.bottom)];
        let text = self.chart.x_label.as_str();
        let size = fit(text, self.right - self.left);
        let at = [middle[0], f64::from(drawing.height) - EDGE - 0.1 * LABEL];
        self.write(drawing, text, size, (at, Anchor::Middle), Colour::INK);
        let text = self.chart.y_label.as_str();
        let size = fit(text, self.bottom - self.top);
        let at = [EDGE + 0.9 * LABEL, middle[1]];
        let caption = Caption { text, size, at, anchor: Anchor::Middle, turn: Turn::Upward };
        drawing.write(letters, &caption, Colour::INK);
        if self.paths().is_empty() {
            let text = "no finite values to draw";
            self.write(drawing, text, LABEL, (middle, Anchor::Middle), Colour::SOFT_INK);
        }
    }

    /// The dashed line that holds values at or below the floor, and the break of the axis above it.
    fn floor(&self, drawing: &mut Drawing) {
        let Some(down) = self.axes.y.floor else { return };
        let thin = Paint::Line { colour: Colour::SOFT_INK, width: 1.8, dash: &[9.0, 6.0] };
        drawing.add("", polyline(&[[self.left, down], [self.right, down]]), thin);
        let threshold = self.axes.y.extent.threshold;
        let text = match threshold {
            0.0 => "0 or below".to_owned(),
            _ => format!("0 or below {}", scientific(threshold)),
        };
        let at = [self.left + 14.0, self.bottom - 7.0];
        let corner = [at[0] + self.letters.width(&text, REMARK) + 4.0, down + 3.0];
        let halo = rectangle([at[0] - 4.0, self.bottom], corner);
        drawing.add("", halo, Paint::Fill(Colour::WHITE));
        self.write(drawing, &text, REMARK, (at, Anchor::Start), Colour::SOFT_INK);
    }

    /// Two strokes across the left side of the frame: below them the axis does not go on.
    fn axis_break(&self, drawing: &mut Drawing) {
        if self.axes.y.floor.is_none() {
            return;
        }
        let down = self.axes.y.start + 0.12 * STRIP;
        let slanted = |down: f64| [[self.left - 10.0, down + 4.0], [self.left + 10.0, down - 4.0]];
        let (upper, lower) = (slanted(down - 4.0), slanted(down + 4.0));
        let gap = polygon(&[upper[0], upper[1], lower[1], lower[0]]);
        drawing.add("", gap, Paint::Fill(Colour::WHITE));
        let line = Paint::Line { colour: Colour::INK, width: 2.0, dash: &[] };
        drawing.add("", polyline(&upper), line);
        drawing.add("", polyline(&lower), line);
    }

    /// The curves in pixels, in pieces.
    pub(super) fn paths(&self) -> Vec<Vec<Point>> {
        let of = |series: &super::Series| runs(&self.axes, &series.x, &series.y, &series.y);
        self.chart.series.iter().flat_map(of).collect()
    }
}
