//! The folder's figures inside the page: drawn as images, which run nothing and fetch nothing.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::folder::confined;
use super::markup::{address, anchor, escape, png_address, svg_address, unescape};

/// Bytes of all embedded figures together; beyond them a figure is a link to its file.
const MOST_BYTES: usize = 3_700_000;

/// Which figures show which statements: the first part of a statement's name, and a figure's stem.
const STATEMENTS: &[(&str, &str)] = &[
    ("under/theorem-5-rate", "audit_counterexample"),
    ("under/theorem-5-rate", "figure_geometry_rate"),
    ("under/geodesic-strong-convexity", "figure_geometry"),
    ("under/geodesic-smoothness", "audit_later_smoothness"),
    ("under/riemannian-gradient", "figure_geometry_checks"),
    ("under/gradient-decay", "figure_2a"),
    ("under/gram-stays", "figure_2b"),
    ("under/assumption-2", "figure_2b"),
    ("under/conditioning-free", "audit_conditioning"),
    ("under/inductive-bias", "figure_1b"),
    ("under/monotone", "figure_1a"),
    ("over/never-exits", "audit_exits"),
    ("over/ntk-limit", "audit_widths"),
    ("over/kernel-stays", "audit_widths"),
    ("experiment/full-rank", "figure_2b"),
    ("experiment/collapse", "figure_1a"),
    ("experiment/collapse", "figure_2b"),
    ("experiment/bias", "figure_1b"),
    ("experiment/beats-gradient-flow", "figure_compare"),
    ("experiment/stationary", "figure_2a"),
    ("finding/gradient-flow-monotone", "figure_3a"),
    ("finding/printed-euler-unstable", "figure_gradient_euler"),
    ("finding/euler-against-flow", "figure_flow_and_euler"),
    ("lazy/finite-horizon", "audit_lazy"),
    ("lazy/parameter-distance", "audit_lazy"),
    ("lazy/over", "audit_lazy"),
    ("natural/theorem-1", "audit_natural_steps"),
    ("natural/quadratic", "audit_natural_steps"),
    ("later/geodesic-pl", "audit_later_pl"),
    ("later/geodesic-smoothness", "audit_later_smoothness"),
    ("later/adaptive-damping", "audit_schedules"),
    ("later/adaptive-damping", "audit_later_damping_flow"),
    ("later/deep", "audit_later_deep_pl"),
    ("later/deep", "audit_later_deep_smoothness"),
    ("question/threshold", "audit_question_threshold"),
    ("question/rate", "audit_question_rate"),
    ("question/depth", "audit_question_depth"),
    ("question/rank-loss", "audit_question_rank_loss"),
];

/// One figure.
struct Picture<'f> {
    stem: &'f str,
    title: String,
    description: String,
    /// The embedded image, or `None` for a link alone.
    source: Option<String>,
    /// The file to open.
    file: String,
}

/// The figures of a folder.
pub struct Pictures<'f> {
    list: Vec<Picture<'f>>,
}

impl<'f> Pictures<'f> {
    /// Reads the figures with these stems, each as its drawing or its bitmap, whichever is smaller in the page; those for
    /// which there is no more room are links.
    pub fn read(root: &Path, stems: &'f [String]) -> Self {
        let mut room = MOST_BYTES;
        let list = stems.iter().filter_map(|stem| picture(root, stem, &mut room)).collect();
        Self { list }
    }

    /// Addresses within the page, or of files, and titles of the figures that show a statement: those
    /// of the table above, and those that its records name.
    pub fn of_statement<'a>(
        &self,
        id: &str,
        named: impl Iterator<Item = &'a String>,
    ) -> Vec<(String, String)> {
        let listed = STATEMENTS.iter().filter(|(statement, _)| id == *statement);
        let mut stems: Vec<String> = listed.map(|(_, stem)| (*stem).to_owned()).collect();
        stems.extend(
            named.map(|name| name.trim_end_matches(".svg").trim_end_matches(".png").to_owned()),
        );
        let mut found: Vec<usize> = stems
            .iter()
            .filter_map(|stem| {
                self.list.iter().position(|picture| short(picture.stem) == short(stem))
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .map(|place| (format!("#{}", self.list[place].id()), self.list[place].title.clone()))
            .collect()
    }

    /// The section; empty where there are no figures. The main figures are small pictures that enlarge, the others are folded.
    pub fn section(&self) -> String {
        if self.list.is_empty() {
            return String::new();
        }
        let mut text = String::from("<section id=\"figures\"><h2>Figures</h2>\n");
        for family in Family::ALL {
            let members: Vec<&Picture<'_>> =
                self.list.iter().filter(|picture| Family::of(picture.stem) == family).collect();
            if members.is_empty() {
                continue;
            }
            let name = family.name();
            if let Some(name) = name {
                let _ = writeln!(
                    text,
                    "<details class=\"fold\" data-print><summary>{name} ({})</summary>",
                    members.len()
                );
            }
            text.push_str("<div class=\"figures\">\n");
            members.into_iter().for_each(|picture| picture.write(&mut text));
            text.push_str(if name.is_some() { "</div></details>\n" } else { "</div>\n" });
        }
        text.push_str("</section>\n");
        text
    }
}

/// What a figure belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// What a reader looks at first.
    Main,
    /// One network of several.
    Network,
    /// The audit.
    Audit,
}

impl Family {
    const ALL: [Self; 3] = [Self::Main, Self::Network, Self::Audit];

    /// By the name of the file.
    fn of(stem: &str) -> Self {
        let name = short(stem);
        let of_network = |rest: &str| rest.starts_with(|sign: char| sign.is_ascii_digit());
        if name.starts_with("audit_") {
            Self::Audit
        } else if name.strip_prefix("figure_deep_").is_some_and(of_network) {
            Self::Network
        } else {
            Self::Main
        }
    }

    /// The name of its fold; the main figures have none.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Main => None,
            Self::Network => Some("Figures of each network"),
            Self::Audit => Some("Figures of the audit"),
        }
    }
}

impl Picture<'_> {
    fn id(&self) -> String {
        anchor("figure", short(self.stem))
    }

    /// The figure: a small picture that a click enlarges, with its title; what it shows in full comes with the enlarged one.
    fn write(&self, text: &mut String) {
        let (title, description) = (escape(&self.title), escape(&self.description));
        let _ = write!(text, "<figure id=\"{}\" data-anchor>", self.id());
        if let Some(source) = &self.source {
            let _ = write!(
                text,
                "<button type=\"button\" class=\"thumb\" data-enlarge aria-expanded=\"false\" title=\"Enlarge\"><img \
                 alt=\"{title}. {description}\" width=\"1600\" height=\"1000\" \
                 src=\"{source}\"></button>"
            );
        }
        let _ = writeln!(
            text,
            "<figcaption><b>{title}</b> <span class=\"more\">{description} <a href=\"{}\">{}</a></span></figcaption></figure>",
            address(&self.file),
            escape(short(&self.file)),
        );
    }
}

/// Reads one figure; `room` is what is left of [`MOST_BYTES`].
fn picture<'f>(root: &Path, stem: &'f str, room: &mut usize) -> Option<Picture<'f>> {
    let read = |ending: &str| {
        let path = confined(root, &format!("{stem}.{ending}"))?;
        // A pipe in its place would keep the report waiting.
        path.is_file().then(|| fs::read(path).ok()).flatten()
    };
    let drawing = read("svg").and_then(|bytes| String::from_utf8(bytes).ok());
    let bitmap = read("png");
    let (title, description) = drawing.as_deref().map(captions).unwrap_or_default();
    let file = format!("{stem}.{}", if drawing.is_some() { "svg" } else { "png" });
    let addresses = [drawing.as_deref().map(svg_address), bitmap.as_deref().map(png_address)];
    let source = addresses.into_iter().flatten().min_by_key(String::len)?;
    let fits = source.len() <= *room;
    if fits {
        *room -= source.len();
    }
    let title = if title.is_empty() { short(stem).replace('_', " ") } else { title };
    Some(Picture { stem, title, description, source: fits.then_some(source), file })
}

/// Title and description that our drawings carry.
fn captions(svg: &str) -> (String, String) {
    let between = |open: &str, close: &str| {
        let rest = svg.split_once(open)?.1;
        Some(unescape(rest.split_once(close)?.0))
    };
    let title = between("<title>", "</title>").unwrap_or_default();
    (title, between("<desc>", "</desc>").unwrap_or_default())
}

/// The part after the last slash.
fn short(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_becomes_an_image_with_its_own_words() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("figures")).unwrap();
        let svg =
            "<svg><title>a &lt;b&gt;</title><desc>\"c\"</desc><script>alert(1)</script></svg>";
        fs::write(root.path().join("figures/figure_1a.svg"), svg).unwrap();
        fs::write(root.path().join("figures/only.png"), b"\x89PNG").unwrap();
        let stems = ["figures/figure_1a", "figures/only", "figures/absent"].map(str::to_owned);
        let pictures = Pictures::read(root.path(), &stems);
        let page = pictures.section();
        assert!(page.contains("alt=\"a &lt;b&gt;. &quot;c&quot;\""), "{page}");
        assert!(page.contains("src=\"data:image/svg+xml,%3Csvg%3E") && !page.contains("<script"));
        assert!(page.contains("data:image/png;base64,iVBORw=="));
        assert_eq!(page.matches("<figure").count(), 2);
        let linked =
            pictures.of_statement("under/monotone", ["figures/only.svg".to_owned()].iter());
        let targets: Vec<_> = linked.iter().map(|(target, _)| target.as_str()).collect();
        assert_eq!(targets, ["#figure-figure_1a", "#figure-only"]);
    }

    #[test]
    fn what_does_not_fit_is_a_link() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("big.svg"), "x".repeat(MOST_BYTES + 1)).unwrap();
        fs::write(root.path().join("small.svg"), "<svg/>").unwrap();
        let stems = ["big", "small"].map(str::to_owned);
        let page = Pictures::read(root.path(), &stems).section();
        assert!(page.contains("href=\"./big.svg\"") && page.len() < 2000, "{}", page.len());
        assert_eq!(page.matches("<img").count(), 1);
    }
}
