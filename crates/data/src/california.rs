//! The California Housing rows that this crate carries: R. K. Pace and R. Barry, "Sparse spatial
//! autoregressions", Statistics & Probability Letters 33 (1997) 291-297.
//!
//! 20,640 block groups of the 1990 census in the columns of `StatLib`, from which the eight
//! features of section 5 are derived: totals become averages per household.

use super::bundled::Bundled;
use super::table::Table;
use super::{DataError, Dataset};

/// The SHA-256 checksum of the uncompressed CSV file, 64 hexadecimal digits.
pub const CALIFORNIA_HOUSING_SHA256: &str =
    "200f73543795bc1e16ac3d4eb8de13f8737d3b35dcdd6c173d1d56fed43d2fef";

const NAME: &str = "california-housing";
const COMPRESSED: &[u8] = include_bytes!("../data/california_housing.csv.gz");
const FEATURES: [&str; 8] = [
    "median_income",
    "house_age",
    "rooms_per_household",
    "bedrooms_per_household",
    "population",
    "population_per_household",
    "latitude",
    "longitude",
];
/// Targets are in units of this many dollars.
const TARGET_UNIT: f64 = 100_000.0;

/// Loads the bundled California Housing data: N = 20,640 rows, d = 8 features, and the median house value in units of 100,000
/// dollars as the target.
///
/// # Errors
/// [`DataError::Checksum`] where the unpacked file is not the bundled one.
///
/// # Source
/// Section 5 of the paper, "Dataset".
pub fn california_housing() -> Result<Dataset, DataError> {
    unpack(COMPRESSED)
}

pub(super) fn unpack(compressed: &[u8]) -> Result<Dataset, DataError> {
    let bundled = Bundled { name: NAME, sha256: CALIFORNIA_HOUSING_SHA256, compressed };
    derive(&bundled.table()?)
}

fn derive(table: &Table) -> Result<Dataset, DataError> {
    let longitude = table.column("longitude")?;
    let latitude = table.column("latitude")?;
    let age = table.column("housingMedianAge")?;
    let rooms = table.column("totalRooms")?;
    let bedrooms = table.column("totalBedrooms")?;
    let people = table.column("population")?;
    let households = table.column("households")?;
    let income = table.column("medianIncome")?;
    let value = table.column("medianHouseValue")?;
    let mut features = Vec::with_capacity(table.rows() * FEATURES.len());
    let mut targets = Vec::with_capacity(table.rows());
    for row in table.values.chunks_exact(table.names.len()) {
        let per_household = |column: usize| row[column] / row[households];
        features.extend([
            row[income],
            row[age],
            per_household(rooms),
            per_household(bedrooms),
            row[people],
            per_household(people),
            row[latitude],
            row[longitude],
        ]);
        targets.push(row[value] / TARGET_UNIT);
    }
    Ok(Dataset {
        name: NAME.to_owned(),
        sha256: CALIFORNIA_HOUSING_SHA256.to_owned(),
        feature_names: FEATURES.map(str::to_owned).to_vec(),
        target_names: vec!["median_house_value".to_owned()],
        features,
        targets,
    })
}
