//! What the machine grants this process: bytes of memory, as far as the system says it.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// Bytes that the process can have in all: the least of the machine's memory, of the limits of the control groups
/// that hold the process, and of its limit on address space, less what is mapped already; `None` where the system
/// does not say (it is asked through `/proc`, as Linux has it).
///
/// The machine's whole memory counts, not what is free at the moment: what is accepted must not depend on its load.
pub fn memory() -> Option<u64> {
    static KNOWN: OnceLock<Option<u64>> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let all = [physical(), control_group(), address_space()];
        all.into_iter().flatten().min()
    })
}

/// `MemTotal`.
fn physical() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")
}

/// The number of kibibytes after `name`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The least limit of the groups on the way from the root to this process (version 2), or of the memory controller's
/// (version 1).
fn control_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut least = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(group)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let (root, file) = if number == "0" && controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|name| name == "memory") {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            continue;
        };
        // In a container the group's own path may not be there: its ancestors are asked as well.
        for folder in Path::new(group.trim_start_matches('/')).ancestors() {
            let text = fs::read_to_string(Path::new(root).join(folder).join(file));
            // "max" is no limit.
            let limit = text.ok().and_then(|text| text.trim().parse::<u64>().ok());
            least = least.into_iter().chain(limit).min();
        }
    }
    least
}

/// The soft limit on address space (`ulimit -v`), less what the process has mapped.
fn address_space() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit = line.split_whitespace().next()?.parse::<u64>().ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(limit.saturating_sub(kibibytes(&status, "VmSize:").unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_read() {
        let text = "MemTotal:       24661500 kB\nMemFree:          123 kB\n";
        assert_eq!(kibibytes(text, "MemTotal:"), Some(24_661_500 * 1024));
        assert_eq!(kibibytes(text, "MemFree:"), Some(123 * 1024));
        for text in ["MemTotal: x kB", "MemTotal: 18446744073709551615 kB", "MemTotal: 5", ""] {
            assert_eq!(kibibytes(text, "MemTotal:"), None, "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_memory() {
        assert!(memory().is_some_and(|bytes| bytes > 1 << 26));
    }
}
