//! How many threads the program uses: `RAYON_NUM_THREADS` within a bound, and a word where it is not what was asked.
//!
//! Results do not depend on the number; a number far above the cores only takes memory and time.

use std::ffi::OsStr;

use crate::console;

/// The variable that names the number of threads.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// So many threads are always accepted, however few cores there are.
const ALWAYS: usize = 256;

/// Threads for each core that are accepted beyond that.
const EACH_CORE: usize = 4;

/// Threads could not be started: a command ends with status 3 for it.
#[derive(Debug, thiserror::Error)]
#[error("cannot start threads: {message}")]
pub struct ThreadError {
    /// The system's own words.
    pub message: String,
}

/// The most threads, or runs at a time, that are started on this machine.
pub(crate) fn most() -> usize {
    cores().saturating_mul(EACH_CORE).max(ALWAYS)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Starts the threads that parallel loops share; says on standard error where their number is not that of
/// `RAYON_NUM_THREADS`.
pub fn start() -> Result<(), ThreadError> {
    let asked = std::env::var_os(VARIABLE);
    let (threads, word) = number(asked.as_deref(), cores(), most());
    if let Some(word) = word {
        console::note(word);
    }
    let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    match built {
        // Without a cause of the system's they are there already.
        Err(error) if std::error::Error::source(&error).is_some() => {
            let message = format!("{error} ({threads} threads; {VARIABLE} sets their number)");
            Err(ThreadError { message })
        }
        _ => Ok(()),
    }
}

/// The number of threads for what the variable says, and what to say about it.
fn number(asked: Option<&OsStr>, cores: usize, most: usize) -> (usize, Option<String>) {
    let Some(asked) = asked else { return (cores, None) };
    let text = asked.to_string_lossy();
    let digits = text.trim();
    if digits.is_empty() {
        return (cores, None);
    }
    let accepted = format!("a whole number from 1 to {most}, or 0 for one a core");
    // More digits than a number holds are still a number.
    let count = match digits.parse::<usize>() {
        Ok(count) => count,
        Err(_) if digits.bytes().all(|byte| byte.is_ascii_digit()) => usize::MAX,
        Err(_) => {
            let word = format!(
                "note: {VARIABLE} = {digits:?} is not a number of threads; {cores} are used (accepted: {accepted})"
            );
            return (cores, Some(word));
        }
    };
    match count {
        0 => (cores, None),
        count if count > most => {
            let word = format!(
                "note: {VARIABLE} = {digits} is more than this machine is given; {most} threads are used (accepted: \
                 {accepted})"
            );
            (most, Some(word))
        }
        count => (count, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_within_the_bound_are_taken_and_others_are_spoken_of() {
        let number = |text: &str| number(Some(OsStr::new(text)), 2, 256);
        for (text, threads) in [("1", 1), ("0", 2), ("", 2), (" 7 ", 7), ("256", 256), ("+3", 3)] {
            assert_eq!(number(text), (threads, None), "{text}");
        }
        for text in ["257", "1000000000", "99999999999999999999999999"] {
            let (threads, word) = number(text);
            let word = word.unwrap();
            assert!(threads == 256 && word.contains(text) && word.contains("1 to 256"), "{word}");
        }
        for text in ["-1", "two", "1e3", "0x10", "3.5"] {
            let (threads, word) = number(text);
            assert!(threads == 2 && word.unwrap().contains(text), "{text}");
        }
        assert_eq!(super::number(None, 2, 256), (2, None));
    }
}
