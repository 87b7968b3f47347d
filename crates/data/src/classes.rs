//! Two small data sets of classes that this crate carries; `data/README.md` has source, licence and checksums.

use super::bundled::Bundled;
use super::{DataError, Dataset};

/// Handwritten digits, E. Alpaydin and C. Kaynak, 1998.
const DIGITS: Bundled<'_> = Bundled {
    name: "digits",
    sha256: "592cc047d0a1cc7fdef9fd724514209dcb45a80aa147dc3ab375e3e1a9a380f4",
    compressed: include_bytes!("../data/digits.csv.gz"),
};

/// Breast masses, W. H. Wolberg, W. N. Street and O. L. Mangasarian, 1995.
const BREAST_CANCER: Bundled<'_> = Bundled {
    name: "breast-cancer",
    sha256: "841ebc1d5d5822e02a772a093458239ec3704685cdb3dc7f9f74c537ce0c6a33",
    compressed: include_bytes!("../data/breast_cancer.csv.gz"),
};

/// The largest count of a pixel of [`digits`].
const INK: f64 = 16.0;

/// Loads 1,797 images of handwritten digits: 64 pixels from 0 to 1 as features, and the digit, 0 to 9, as the class.
///
/// Some pixels are 0 in all images, so that they cannot be scaled by their standard deviation.
///
/// # Errors
/// [`DataError::Checksum`] where the unpacked file is not the bundled one.
pub fn digits() -> Result<Dataset, DataError> {
    let mut data = DIGITS.table()?.with_targets(&["digit"], DIGITS.name, DIGITS.sha256)?;
    data.features.iter_mut().for_each(|pixel| *pixel /= INK);
    Ok(data)
}

/// Loads 569 breast masses: 30 measurements of their cells as features, and as the class 1 for the 357 benign ones and 0 for
/// the 212 malignant ones.
///
/// # Errors
/// [`DataError::Checksum`] where the unpacked file is not the bundled one.
pub fn breast_cancer() -> Result<Dataset, DataError> {
    BREAST_CANCER.table()?.with_targets(&["benign"], BREAST_CANCER.name, BREAST_CANCER.sha256)
}
