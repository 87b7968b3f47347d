//! A buffer and whether what it holds belongs to the present point.

/// A lazily allocated workspace that knows whether it holds the present point's factor.
pub(crate) struct Slot<T> {
    pub(crate) workspace: Option<T>,
    /// The damping of the factor held, `None` when stale.
    pub(crate) damping: Option<f64>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { workspace: None, damping: None }
    }
}

impl<T> Slot<T> {
    /// The workspace, made on first use, and whether its factor is current at `damping`.
    pub(crate) fn open(&mut self, damping: f64, make: impl FnOnce() -> T) -> (&mut T, bool) {
        let current = self.damping == Some(damping) && self.workspace.is_some();
        self.damping = Some(damping);
        (self.workspace.get_or_insert_with(make), current)
    }
}
