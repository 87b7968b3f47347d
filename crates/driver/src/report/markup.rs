//! Text from files into a page that is safe to open: HTML, JSON in a script element, addresses, policy.
//!
//! Everything that a run folder holds is untrusted: names and messages may carry markup.

use sha2::{Digest, Sha256};

/// Text for element content and quoted attributes: the five markup signs as entities, control
/// characters (which HTML forbids) as spaces.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(letter),
            _ if hidden(letter) => safe.push(' '),
            _ => safe.push(letter),
        }
    }
    safe
}

/// Control characters, and those that turn the direction of the text around them.
fn hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

/// The text that [`escape`] and the figures' own escape made: the entities as signs again.
pub fn unescape(text: &str) -> String {
    // The ampersand comes last: `&amp;lt;` stands for the four signs `&lt;`.
    let signs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    signs.iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

/// The id of an element: `kind`, then letters, digits and `/ - _ .` of `name`, every other sign as a hyphen.
///
/// The same name always gives the same id, so that links to it stay.
pub fn anchor(kind: &str, name: &str) -> String {
    let plain =
        |sign: char| if sign.is_ascii_alphanumeric() || "/-_.".contains(sign) { sign } else { '-' };
    format!("{kind}-{}", name.chars().map(plain).collect::<String>())
}

/// JSON as the content of a `script` element: no sign that could end the element or open a comment.
///
/// `<`, `>` and `&` occur in JSON within strings only, where their escapes read back as the same text.
pub fn script_json(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A relative address for `href`: every byte but letters, digits and `/ - _ .` as `%XX`.
pub fn address(relative: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    // The dot at the front keeps a name with a colon from being read as a scheme.
    format!("./{}", percent(relative.as_bytes(), plain))
}

/// An SVG image as an address: as an image it can neither run scripts nor fetch anything.
pub fn svg_address(svg: &str) -> String {
    // A `data:` address keeps all of ASCII but these; paths then cost one byte a byte.
    let plain = |byte: u8| (b' '..0x7f).contains(&byte) && !b"%#\"'<>&?\\^`{|}".contains(&byte);
    format!("data:image/svg+xml,{}", percent(svg.trim().as_bytes(), plain))
}

/// A PNG image as an address.
pub fn png_address(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", base64(png))
}

/// `sha256-...` of a script's text, for the page's policy: no other script runs.
pub fn script_hash(script: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(script.as_bytes())))
}

fn percent(bytes: &[u8], plain: impl Fn(u8) -> bool) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    text
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| three.get(index).map_or(0, |&byte| usize::from(byte));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = if place > three.len() { b'=' } else { DIGITS[bits >> shift & 63] };
            text.push(char::from(digit));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_signs_become_entities_and_come_back() {
        let text = "</script><b a='1' b=\"2\"> & &lt; π";
        let safe = escape(text);
        assert!(!safe.contains(['<', '>', '"', '\'']), "{safe}");
        assert_eq!(unescape(&safe), text);
        assert_eq!(escape("a\u{0}b\u{202e}c\u{1b}d"), "a b c d");
    }

    #[test]
    fn json_cannot_end_its_element() {
        let text = serde_json::to_string("</script><!-- <script> & ]]>").unwrap();
        let safe = script_json(&text);
        assert!(!safe.contains(['<', '>', '&']), "{safe}");
        let back: String = serde_json::from_str(&safe).unwrap();
        assert_eq!(back, "</script><!-- <script> & ]]>");
    }

    #[test]
    fn an_id_keeps_the_signs_of_names_and_no_other() {
        assert_eq!(
            anchor("run", "gauss-newton-alpha_0.125-seed_0"),
            "run-gauss-newton-alpha_0.125-seed_0"
        );
        assert_eq!(anchor("claim", "a/b \"><é"), "claim-a/b-----");
    }

    #[test]
    fn addresses_stay_relative_and_quoted() {
        assert_eq!(address("runs/a b/\"x\".csv"), "./runs/a%20b/%22x%22.csv");
        assert_eq!(address("javascript:alert(1)"), "./javascript%3Aalert%281%29");
        let svg = svg_address("<svg a=\"#fff\">é 100%</svg>\n");
        assert_eq!(svg, "data:image/svg+xml,%3Csvg a=%22%23fff%22%3E%C3%A9 100%25%3C/svg%3E");
    }

    /// The vectors of RFC 4648, section 10, and the SHA-256 of the empty text.
    #[test]
    fn base64_is_that_of_the_standard() {
        let vectors = [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (text, encoded) in vectors {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
        assert_eq!(script_hash(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }
}
