//! The closed choices of a configuration: each an enum whose names are the words of config.toml. The
//! libraries' own enums serve where a name is all that a choice needs.
//!
//! Section 5 of the paper fixes one value of each (the defaults); the others are the alternatives
//! that the text leaves open or that the report compares with.

use gaussflow::dynamics::RankPolicy;
use gaussflow::network::{Activation, Initialization, OutputWeights};
use gaussflow::objective::Metric;
use gaussflow::solvers::DampedSolver;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Readers of the libraries' enums, by the names that these have there.
macro_rules! named {
    ($($function:ident -> $name:ident),+ $(,)?) => {
        $(pub(super) fn $function<'de, D: Deserializer<'de>>(word: D) -> Result<$name, D::Error> {
            let word = String::deserialize(word)?;
            let found = $name::ALL.into_iter().find(|one| one.name() == word);
            // What is accepted instead is added where the key is known.
            found.ok_or_else(|| D::Error::custom(format!("unknown name {word:?}")))
        })+
    };
}

named! {
    activation -> Activation,
    initialization -> Initialization,
    metric -> Metric,
    output -> OutputWeights,
    rank_policy -> RankPolicy,
    solver -> DampedSolver,
}

/// Declares an enum together with its words, so that the two cannot drift apart.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every variant, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that names the variant in files.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

pub(crate) use choice;

choice! {
    /// A data set that the program carries with it.
    BundledData {
        /// 20,640 census block groups, 8 derived features (section 5, "Dataset").
        CaliforniaHousing = "california-housing",
        /// 1,797 images of handwritten digits, 64 pixels, ten classes.
        Digits = "digits",
        /// 569 breast masses, 30 measures, two classes.
        BreastCancer = "breast-cancer",
    }
}

choice! {
    /// How the rows of a user's own file are read.
    Reading {
        /// The whole file, of which a sample is drawn.
        Whole = "whole",
        /// Each process reads its part of the file, in blocks, and takes all rows of it in the file's order.
        Parts = "parts",
    }
}

choice! {
    /// What a hidden layer that feeds another one is divided by. The last layer is never scaled: alpha does that.
    LayerScale {
        /// The root of its width.
        Width = "width",
        /// Nothing.
        None = "none",
    }
}

choice! {
    /// What multiplies the gradient in equation (1).
    Preconditioner {
        /// `(J^T J)^-1`: rho = 0.
        GaussNewton = "gauss-newton",
        /// `((1 - rho) J^T J + rho I)^-1` with 0 < rho < 1.
        LevenbergMarquardt = "levenberg-marquardt",
        /// The identity: rho = 1, gradient flow.
        Gradient = "gradient",
    }
}

choice! {
    /// How time advances.
    Integrator {
        /// Explicit Euler, the paper's.
        Euler = "euler",
        /// The classical Runge-Kutta method of order 4.
        Rk4 = "rk4",
        /// An explicit method that chooses its own steps by the two tolerances.
        Adaptive = "adaptive",
        /// An implicit method for stiff flows, which chooses its own steps.
        Stiff = "stiff",
        /// The iteration of Theorem 2: `step` is eta, and one step takes the time alpha eta.
        Discrete = "discrete",
    }
}

choice! {
    /// The words that name a loss; [`super::LossSettings`] adds what each of them needs.
    LossName {
        /// The squared distance to the targets: nu = mu = 2.
        Squared = "squared",
        /// A smooth, strongly convex loss that grows linearly far from the target.
        LogCosh = "log-cosh",
        /// Squares with one positive weight a row.
        Weighted = "weighted",
        /// Squares of small residuals, a linear loss of large ones, smoothly.
        Huber = "huber",
        /// Two classes, 0 and 1: the output is the logarithm of the odds.
        Logistic = "logistic",
        /// Several classes: one output each.
        Softmax = "softmax",
        /// Counts: the output is the logarithm of the rate.
        Poisson = "poisson",
    }
}

choice! {
    /// What a run does when it leaves the ball around `w_0`.
    AtExit {
        /// Notes the exit time and goes on.
        Continue = "continue",
        /// Stops there.
        Stop = "stop",
    }
}
