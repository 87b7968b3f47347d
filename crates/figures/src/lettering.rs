//! Text as glyph outlines of the embedded `DejaVu` Sans, the same in every file and on every machine.
//!
//! Outlines instead of text elements: a browser without the font would measure and draw
//! other letters than the bitmap has.

use ttf_parser::{Face, OutlineBuilder};

use super::FigureError;
use super::drawing::{Point, Stroke};

/// Size of a subscript in ems, and how far it stands below the line.
const SUBSCRIPT: [f64; 2] = [0.7, 0.16];

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
        self.glyphs(text).iter().map(|glyph| glyph.advance).sum::<f64>() * self.pixels(size)
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
            below: 0.0,
            scale,
            at: caption.at,
            turn: caption.turn,
            outline: Vec::new(),
        };
        for glyph in self.glyphs(caption.text) {
            pen.scale = scale * glyph.share;
            pen.below = if glyph.share < 1.0 { SUBSCRIPT[1] * caption.size } else { 0.0 };
            // None: a glyph without ink, such as the space.
            let _ink = self.face.outline_glyph(glyph.id, &mut pen);
            pen.along += glyph.advance * scale;
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

    /// The glyphs of one line; those of a subscript are smaller.
    fn glyphs(&self, text: &str) -> Vec<Glyph> {
        let mut glyphs = Vec::new();
        let mut put = |letters: &str, share: f64| {
            glyphs.extend(letters.chars().map(|letter| {
                let shown = if letter.is_whitespace() {
                    ' '
                } else if self.draws(letter) {
                    letter
                } else {
                    '?'
                };
                let id = self.face.glyph_index(shown).unwrap_or_default();
                let advance = share * f64::from(self.face.glyph_hor_advance(id).unwrap_or(0));
                Glyph { id, advance, share }
            }));
        };
        let mut rest = text;
        while let Some((before, subscript, after)) = subscript(rest) {
            put(before, 1.0);
            put(subscript, SUBSCRIPT[0]);
            rest = after;
        }
        put(rest, 1.0);
        glyphs
    }
}

/// A letter to draw.
struct Glyph {
    id: ttf_parser::GlyphId,
    /// Of its own size, in font units.
    advance: f64,
    /// Its size as a share of the line's.
    share: f64,
}

/// What stands before, in and behind the first `_{...}`.
fn subscript(text: &str) -> Option<(&str, &str, &str)> {
    let (before, opened) = text.split_once("_{")?;
    let (inside, after) = opened.split_once('}')?;
    Some((before, inside, after))
}

/// The text without the braces of subscripts, for readers of plain text.
pub(super) fn plain(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, inside, after)) = subscript(rest) {
        plain.extend([before, "_", inside]);
        rest = after;
    }
    plain + rest
}

/// Carries glyph outlines from font units (upward) to the sheet (downward).
struct Pen {
    along: f64,
    /// Pixels below the line.
    below: f64,
    scale: f64,
    at: Point,
    turn: Turn,
    outline: Vec<Stroke>,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> Point {
        let along = self.along + f64::from(x) * self.scale;
        let above = f64::from(y) * self.scale - self.below;
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

    /// A subscript is smaller and lower than the same letters in the line, and what follows it stands on the line again.
    #[test]
    fn subscripts_are_small_and_low() {
        let letters = Lettering::embedded().unwrap();
        let drawn = |text| {
            let (anchor, turn) = (Anchor::Start, Turn::Level);
            letters.outline(&Caption { text, size: 100.0, at: [0.0, 0.0], anchor, turn })
        };
        let lowest = |text| {
            drawn(text).iter().fold(f64::MIN, |low, stroke| match stroke {
                Stroke::Move(at) | Stroke::Line(at) => low.max(at[1]),
                _ => low,
            })
        };
        assert!(lowest("H_{H}") > 10.0 && lowest("HH").abs() < 1e-9);
        let (wide, narrow) = (letters.width("HH", 100.0), letters.width("H_{H}", 100.0));
        assert!((narrow / wide - 0.85).abs() < 1e-9);
        assert_eq!(plain("ν_{eff} and g_{∞}, a_{b"), "ν_eff and g_∞, a_{b");
        let unclosed = letters.width("a_{b", 100.0);
        assert!((unclosed - letters.width("a", 100.0) - letters.width("_{b", 100.0)).abs() < 1e-9);
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
