//! A drawing as PNG bytes, anti-aliased, on a white opaque sheet.

use tiny_skia::{
    Color, FillRule, LineJoin, Paint as Ink, Path, PathBuilder, Pixmap, Stroke as Line, StrokeDash,
    Transform,
};

use super::FigureError;
use super::drawing::{Colour, Drawing, Paint, Point, Stroke};

/// The whole file.
///
/// # Errors
/// [`FigureError::Sheet`] when no bitmap of that size exists, [`FigureError::Encode`] when the
/// PNG encoder fails.
pub(super) fn encode(drawing: &Drawing) -> Result<Vec<u8>, FigureError> {
    let (width, height) = (drawing.width, drawing.height);
    let mut sheet = Pixmap::new(width, height).ok_or(FigureError::Sheet { width, height })?;
    sheet.fill(Color::WHITE);
    for mark in &drawing.marks {
        // None: an outline without extent paints nothing.
        let Some(path) = trace(&mark.outline) else { continue };
        let (ground, rule) = (Transform::identity(), FillRule::Winding);
        match mark.paint {
            Paint::Fill(colour) => sheet.fill_path(&path, &ink(colour), rule, ground, None),
            Paint::Line { colour, width, dash } => {
                let lengths: Vec<f32> = dash.iter().map(|&length| single(length)).collect();
                let line = Line {
                    width: single(width),
                    line_join: LineJoin::Round,
                    dash: StrokeDash::new(lengths, 0.0),
                    ..Line::default()
                };
                sheet.stroke_path(&path, &ink(colour), &line, ground, None);
            }
        }
    }
    let bytes = sheet.encode_png();
    bytes.map(signed).map_err(|source| FigureError::Encode { source: Box::new(source) })
}

/// The PNG file with a note of the program that wrote it, by which it is known later: the chunk tEXt with the
/// keyword Software, behind the header (PNG specification, third edition, section 11.3.3).
fn signed(mut file: Vec<u8>) -> Vec<u8> {
    const SIGNATURE_AND_HEADER: usize = 8 + 25;
    const NOTE: &[u8] = b"tEXtSoftware\0gaussflow";
    let mut sum = flate2::Crc::new();
    sum.update(NOTE);
    // The length counts what follows the chunk's name.
    let chunk = [&18_u32.to_be_bytes()[..], NOTE, &sum.sum().to_be_bytes()[..]].concat();
    file.splice(SIGNATURE_AND_HEADER..SIGNATURE_AND_HEADER, chunk);
    file
}

fn trace(outline: &[Stroke]) -> Option<Path> {
    let mut pen = PathBuilder::new();
    let at = |point: Point| (single(point[0]), single(point[1]));
    for stroke in outline {
        match *stroke {
            Stroke::Move(to) => {
                let (x, y) = at(to);
                pen.move_to(x, y);
            }
            Stroke::Line(to) => {
                let (x, y) = at(to);
                pen.line_to(x, y);
            }
            Stroke::Quadratic(control, to) => {
                let ((cx, cy), (x, y)) = (at(control), at(to));
                pen.quad_to(cx, cy, x, y);
            }
            Stroke::Cubic(first, second, to) => {
                let ((ax, ay), (bx, by), (x, y)) = (at(first), at(second), at(to));
                pen.cubic_to(ax, ay, bx, by, x, y);
            }
            Stroke::Close => pen.close(),
        }
    }
    pen.finish()
}

fn ink(colour: Colour) -> Ink<'static> {
    let [red, green, blue] = colour.rgb;
    let mut ink = Ink::default();
    // Opacities are constants in [0, 1].
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    ink.set_color_rgba8(red, green, blue, (colour.opacity * 255.0).round() as u8);
    ink.anti_alias = true;
    ink
}

/// Sheet coordinates stay below 2^12, where f32 resolves a thousandth of a pixel.
#[allow(clippy::cast_possible_truncation)]
fn single(value: f64) -> f32 {
    value as f32
}
