//! How much of section 5 a reproduction runs.

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 2 seeds, alpha in {1/8, 8, 256}, horizon 2.
    Quick,
    /// 16 seeds, alpha in {1/8, 8, 16, 256}, horizon 5.
    Full,
}

impl Mode {
    /// What goes with this one of the two.
    pub(crate) fn choose<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }

    /// The name in files and on the terminal.
    pub fn name(self) -> &'static str {
        self.choose("quick", "full")
    }

    /// The scaling factors alpha.
    pub fn scalings(self) -> &'static [f64] {
        self.choose(&[0.125, 8.0, 256.0], &[0.125, 8.0, 16.0, 256.0])
    }

    /// The last time.
    pub fn horizon(self) -> f64 {
        self.choose(2.0, 5.0)
    }

    /// The number of seeds unless the user names another.
    pub fn seeds(self) -> u64 {
        self.choose(2, 16)
    }
}
