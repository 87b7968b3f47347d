//! The instruction set that kernels are dispatched to: the best that the processor at hand has.

use std::sync::atomic::{AtomicU8, Ordering};

use pulp::Arch;

/// What [`force_instruction_set`] asked for: 0 is nothing.
static FORCED: AtomicU8 = AtomicU8::new(0);

/// The instruction set.
#[inline]
pub(crate) fn arch() -> Arch {
    match FORCED.load(Ordering::Relaxed) {
        0 => Arch::new(),
        forced => lesser(forced),
    }
}

/// One that is not the best.
#[cold]
fn lesser(forced: u8) -> Arch {
    match forced {
        #[cfg(target_arch = "x86_64")]
        2 => pulp::x86::V3::try_new().map_or(Arch::Scalar, Arch::V3),
        _ => Arch::Scalar,
    }
}

/// Lets this library's kernels run with vectors of one number (1), with AVX2 (2) or with the best that there is (0), in
/// the whole process: for tests, which otherwise never meet what this processor has better ones than.
#[doc(hidden)]
pub fn force_instruction_set(number: u8) {
    FORCED.store(number, Ordering::Relaxed);
}
