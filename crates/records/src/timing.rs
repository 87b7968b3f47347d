//! timing.json: every measured time, when it began and on what machine; no other file holds any of it.

use std::collections::BTreeMap;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::number;

/// timing.json: every measured time, and what it depends on; no other file holds one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Wall-clock seconds of the whole.
    #[serde(with = "number::scalar")]
    pub seconds: f64,
    /// Wall-clock seconds by part.
    #[serde(with = "number::map")]
    pub parts: BTreeMap<String, f64>,
    /// Threads in use.
    pub threads: usize,
    /// When it began: ISO 8601 in UTC, to the second; empty in files of earlier versions.
    #[serde(default)]
    pub started: String,
    /// The processor's name, as the system tells it; empty where it does not.
    #[serde(default)]
    pub processor: String,
    /// Operating system and architecture.
    #[serde(default)]
    pub system: String,
}

impl Timing {
    /// Of work on this machine that took so many seconds and ends now.
    pub fn ending_now(seconds: f64, parts: BTreeMap<String, f64>, threads: usize) -> Self {
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds since 1970, at least 0"
        )]
        let started = (now - seconds).max(0.0) as u64;
        let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
        Self { started: utc(started), processor: processor(), system, seconds, parts, threads }
    }
}

/// The processor's name, where `/proc` tells it.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':'))
        .map_or_else(String::new, |(_, name)| name.trim().to_owned())
}

/// Seconds since 1970 as `2026-01-31T12:00:00Z`.
///
/// The calendar repeats every 400 years, of 146,097 days; years that begin in March have the leap day at their end.
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March of the year 0.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March on have 153 days in five.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", 400 * era + year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(seconds), date);
        }
    }

    #[test]
    fn a_record_of_an_earlier_version_is_read() {
        let old: Timing =
            serde_json::from_str(r#"{"seconds": 1.5, "parts": {}, "threads": 2}"#).unwrap();
        assert_eq!((old.started.as_str(), old.seconds), ("", 1.5));
        let new = Timing::ending_now(1.0, BTreeMap::new(), 2);
        assert!(
            new.started.starts_with("20") && new.started.ends_with('Z') && !new.system.is_empty()
        );
    }
}
