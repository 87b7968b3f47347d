//! Text as glyph outlines of the embedded `DejaVu` Sans, the same in every file and on every machine.
//!
//! Outlines instead of text elements: a browser without the font would measure and draw
//! other letters than the bitmap has.

use ttf_parser::{Face, OutlineBuilder};

use super::FigureError;
use super::drawing::{Point, Stroke};

/// Which part of a line of text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The text begins there.
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

/// Reading direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// From left to right.
    Level,
    /// From bottom to top, as beside a vertical axis.
    Upward,
}

/// One line of text; `at` lies on its baseline, `size` is the em in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caption<'a> {
    pub(super) text: &'a str,
    pub(super) size: f64,
    pub(super) at: Point,
    pub(super) anchor: Anchor,
    pub(super) turn: Turn,
}

/// The parsed font.
pub(super) struct Lettering {
    face: Face<'static>,
}

impl Lettering {
    /// Parses the embedded font.
    ///
    /// # Errors
    /// [`FigureError::Font`] when the embedded bytes are no font.
    pub(super) fn embedded() -> Result<Self, FigureError> {
        Ok(Self { face: Face::parse(dejavu::sans::regular(), 0)? })
    }

    /// Whether the font draws `letter` itself; another letter appears as a question mark.
    pub(super) fn draws(&self, letter: char) -> bool {
        self.face.glyph_index(letter).is_some()
    }

    /// The length of one line in pixels.
    pub(super) fn width(&self, text: &str, size: f64) -> f64 {
        let units: f64 = self.glyphs(text).map(|(_, advance)| advance).sum();
        units * self.pixels(size)
    }

    /// The glyph outlines of one line.
    pub(super) fn outline(&self, caption: &Caption<'_>) -> Vec<Stroke> {
        let before = match caption.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        };
        let scale = self.pixels(caption.size);
        let mut pen = Pen {
            along: -before * self.width(caption.text, caption.size),
            scale,
            at: caption.at,
            turn: caption.turn,
            outline: Vec::new(),
        };
        for (glyph, advance) in self.glyphs(caption.text) {
            // None: a glyph without ink, such as the space.
            let _ink = self.face.outline_glyph(glyph, &mut pen);
            pen.along += advance * scale;
        }
        pen.outline
    }

    /// Breaks `text` at spaces into lines at most `limit` pixels long; one long word stays whole.
    pub(super) fn wrap(&self, text: &str, size: f64, limit: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if self.width(&format!("{line} {word}"), size) <= limit => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }

    fn pixels(&self, size: f64) -> f64 {
        size / f64::from(self.face.units_per_em())
    }

    /// Glyphs and their advances in font units.
    fn glyphs(&self, text: &str) -> impl Iterator<Item = (ttf_parser::GlyphId, f64)> {
        text.chars().map(|letter| {
            let shown = if letter.is_whitespace() {
                ' '
            } else if self.draws(letter) {
                letter
            } else {
                '?'
            };
            let glyph = self.face.glyph_index(shown).unwrap_or_default();
            (glyph, f64::from(self.face.glyph_hor_advance(glyph).unwrap_or(0)))
        })
    }
}

/// Carries glyph outlines from font units (upward) to the sheet (downward).
struct Pen {
    along: f64,
    scale: f64,
    at: Point,
    turn: Turn,
    outline: Vec<Stroke>,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> Point {
        let along = self.along + f64::from(x) * self.scale;
        let above = f64::from(y) * self.scale;
        match self.turn {
            Turn::Level => [self.at[0] + along, self.at[1] - above],
            Turn::Upward => [self.at[0] - above, self.at[1] - along],
        }
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.outline.push(Stroke::Move(self.place(x, y)));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.outline.push(Stroke::Line(self.place(x, y)));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.outline.push(Stroke::Quadratic(self.place(x1, y1), self.place(x, y)));
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let piece = Stroke::Cubic(self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.outline.push(piece);
    }

    fn close(&mut self) {
        self.outline.push(Stroke::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every sign that labels, ticks and NOTATION.md use has a glyph of its own.
    #[test]
    fn the_embedded_font_draws_the_notation() {
        let letters = Lettering::embedded().unwrap();
        let notation = "αβγδεηθκλμνρστφψωΓΔΘΛΣΦΨΩ∇‖∥⊥·×±−≤≥≪≫≈≠∝→∞∂√∈∑∫ℓℝ°′†⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀⁿ₀₁₂₃₄₅₆₇₈₉₊₋ₜₘᵢⱼₖₙₐₓ⟨⟩–—…";
        let missing: String = notation.chars().filter(|&letter| !letters.draws(letter)).collect();
        assert_eq!(missing, "");
    }

    #[test]
    fn a_letter_without_a_glyph_becomes_a_question_mark() {
        let letters = Lettering::embedded().unwrap();
        assert!(!letters.draws('\u{13000}'));
        let drawn = |text| {
            let (anchor, turn) = (Anchor::Start, Turn::Level);
            letters.outline(&Caption { text, size: 20.0, at: [0.0, 0.0], anchor, turn })
        };
        assert_eq!(drawn("a\u{13000}"), drawn("a?"));
    }

    #[test]
    fn lines_break_at_spaces_and_keep_every_word() {
        let letters = Lettering::embedded().unwrap();
        let text = "four words of a sentence that is longer than the limit";
        let lines = letters.wrap(text, 20.0, 200.0);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|line| letters.width(line, 20.0) <= 200.0));
    }
}
