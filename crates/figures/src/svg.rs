//! A drawing as SVG text: paths only, coordinates to a hundredth of a pixel, no ids (files may be inlined together).

use std::fmt::Write as _;

use super::drawing::{Colour, Drawing, Paint, Point, Stroke};

/// The whole file.
pub(super) fn encode(drawing: &Drawing) -> String {
    let (width, height) = (drawing.width, drawing.height);
    let mut file = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{}</title>\n<desc>{}</desc>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        escape(&drawing.title),
        escape(&drawing.description),
    );
    for mark in &drawing.marks {
        let meaning = match mark.meaning.as_str() {
            "" => String::new(),
            text => format!(" aria-label=\"{}\"", escape(text)),
        };
        let (paint, path) = (attributes(&mark.paint), path(&mark.outline));
        // Writing to a String cannot fail.
        let _ = writeln!(file, "<path{meaning}{paint} d=\"{path}\"/>");
    }
    file.push_str("</svg>\n");
    file
}

fn attributes(paint: &Paint) -> String {
    match *paint {
        Paint::Fill(colour) => shade("fill", colour),
        Paint::Line { colour, width, dash } => {
            let mut text = format!(
                " fill=\"none\"{} stroke-width=\"{}\" stroke-linejoin=\"round\"",
                shade("stroke", colour),
                number(width)
            );
            if !dash.is_empty() {
                let lengths: Vec<String> = dash.iter().map(|&length| number(length)).collect();
                let _ = write!(text, " stroke-dasharray=\"{}\"", lengths.join(" "));
            }
            text
        }
    }
}

fn shade(role: &str, colour: Colour) -> String {
    let [red, green, blue] = colour.rgb;
    let mut text = format!(" {role}=\"#{red:02x}{green:02x}{blue:02x}\"");
    if colour.opacity < 1.0 {
        let _ = write!(text, " {role}-opacity=\"{}\"", number(colour.opacity));
    }
    text
}

fn path(outline: &[Stroke]) -> String {
    let mut text = String::new();
    let mut put = |letter: char, points: &[Point]| {
        text.push(letter);
        for (index, point) in points.iter().flatten().enumerate() {
            if index > 0 {
                text.push(' ');
            }
            text.push_str(&number(*point));
        }
    };
    for stroke in outline {
        match *stroke {
            Stroke::Move(to) => put('M', &[to]),
            Stroke::Line(to) => put('L', &[to]),
            Stroke::Quadratic(control, to) => put('Q', &[control, to]),
            Stroke::Cubic(first, second, to) => put('C', &[first, second, to]),
            Stroke::Close => put('Z', &[]),
        }
    }
    text
}

/// Two decimals without trailing zeros, and no negative zero.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// Markup signs as entities; control characters, which XML forbids, as spaces.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => safe.push(' '),
            _ => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_no_negative_zero() {
        let shown = [-0.001, 100.0, 0.256, -3.5, 1600.0].map(number);
        assert_eq!(shown, ["0", "100", "0.26", "-3.5", "1600"]);
    }

    #[test]
    fn markup_signs_do_not_reach_the_file() {
        assert_eq!(escape("a<b & \"c\">\u{7}d"), "a&lt;b &amp; &quot;c&quot;&gt; d");
    }
}
