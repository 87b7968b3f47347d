//! `network.hidden`: the widths of the hidden layers, a number for one of them or a list.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// The widths of the hidden layers, first to last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widths(pub Vec<usize>);

impl Widths {
    /// The same with no layer wider than `most`.
    #[must_use]
    pub fn capped(&self, most: usize) -> Self {
        Self(self.0.iter().map(|width| most.min(*width)).collect())
    }

    /// The widest layer.
    pub fn widest(&self) -> usize {
        self.0.iter().copied().max().unwrap_or(0)
    }
}

impl From<usize> for Widths {
    fn from(width: usize) -> Self {
        Self(vec![width])
    }
}

/// As config.toml writes it: a list of one is its number.
impl fmt::Display for Widths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [only] => write!(f, "{only}"),
            widths => write!(f, "{widths:?}"),
        }
    }
}

impl<'de> Deserialize<'de> for Widths {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(usize),
            Several(Vec<usize>),
        }
        Ok(match Written::deserialize(value)? {
            Written::One(width) => Self::from(width),
            Written::Several(widths) => Self(widths),
        })
    }
}
