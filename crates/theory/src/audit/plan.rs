//! The runs that meet the hypotheses.
