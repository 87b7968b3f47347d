//! Writes 64-bit numbers as the shortest text that reads back to the same f64; a number that is not finite is null in JSON
//! and empty in CSV.
//!
//! The modules serve as `#[serde(with = "...")]`: null becomes NaN on the way back.
#![allow(clippy::missing_errors_doc, reason = "the errors are those of serde's formats")]

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One number, or null.
struct Nullable(f64);

impl Serialize for Nullable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.serialize_none()
        }
    }
}

impl<'de> Deserialize<'de> for Nullable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::deserialize(deserializer)?.unwrap_or(f64::NAN)))
    }
}

/// Returns the text of a number in a CSV file, empty for one that is not finite.
pub fn cell(value: f64) -> String {
    // Debug keeps 1e-300 short, where Display would write 300 zeros; both read back exactly.
    if value.is_finite() { format!("{value:?}") } else { String::new() }
}

/// For one f64.
pub mod scalar {
    use super::{Deserialize, Deserializer, Nullable, Serialize, Serializer};

    /// Writes, with null for what is not finite.
    // serde calls this with a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Nullable(*value).serialize(serializer)
    }

    /// Reads, with NaN for null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Nullable::deserialize(deserializer).map(|value| value.0)
    }
}

/// For a list.
pub mod list {
    use super::{Deserialize, Deserializer, Nullable, Serializer};

    /// Writes, with null for what is not finite.
    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|&value| Nullable(value)))
    }

    /// Reads, with NaN for null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let values = Vec::<Nullable>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|value| value.0).collect())
    }
}

/// For a matrix, a list of rows.
pub mod matrix {
    use super::{Deserialize, Deserializer, Nullable, Serializer};

    /// Writes, with null for what is not finite.
    pub fn serialize<S: Serializer>(rows: &[Vec<f64>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            rows.iter().map(|row| row.iter().copied().map(Nullable).collect::<Vec<_>>()),
        )
    }

    /// Reads, with NaN for null.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<f64>>, D::Error> {
        let rows = Vec::<Vec<Nullable>>::deserialize(deserializer)?;
        Ok(rows.into_iter().map(|row| row.into_iter().map(|value| value.0).collect()).collect())
    }
}

/// For named numbers.
pub mod map {
    use super::{BTreeMap, Deserialize, Deserializer, Nullable, Serializer};

    /// Writes, with null for what is not finite.
    pub fn serialize<S: Serializer>(
        values: &BTreeMap<String, f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(values.iter().map(|(name, &value)| (name, Nullable(value))))
    }

    /// Reads, with NaN for null.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, f64>, D::Error> {
        let values = BTreeMap::<String, Nullable>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|(name, value)| (name, value.0)).collect())
    }
}

/// For a number that may not apply: null both where it does not apply and where it is non-finite.
pub mod optional {
    use super::{Deserialize, Deserializer, Nullable, Serialize, Serializer};

    /// Writes, with null for what is not finite.
    // serde calls this with a reference.
    #[allow(clippy::ref_option)]
    pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Nullable).serialize(serializer)
    }

    /// Reads, with NaN for null.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f64>, D::Error> {
        Option::deserialize(deserializer)
    }
}
