//! The checkpoint of a long run on disk: written whole, used only by the run that it was made for.

use std::path::{Path, PathBuf};

use gaussflow::dynamics::{self, Checkpoint};
use gaussflow_records::{
    CheckpointRecord, Event, EventKind, RecordError, SCHEMA, TraceRow, parse_trace, read_json,
    write_json,
};

/// Folder of the checkpoints within an output folder; gone once every run is finished.
pub const CHECKPOINTS: &str = "checkpoints";

/// Where a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At step 0; a checkpoint that is there will be replaced.
    Fresh,
    /// At the last checkpoint, if there is a usable one.
    LastCheckpoint,
}

/// The file `checkpoints/ID.json` of one run.
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    data_sha256: String,
    start: Start,
}

/// A run as far as its checkpoint tells.
pub struct Resumed {
    pub(crate) at: Checkpoint,
    pub(crate) record: CheckpointRecord,
    pub(crate) trace: Vec<TraceRow>,
}

impl CheckpointFile {
    /// The checkpoint of run `id` on the data with this checksum, below the output folder `root`.
    pub fn new(root: &Path, id: &str, data_sha256: &str, start: Start) -> Self {
        let path = root.join(CHECKPOINTS).join(format!("{id}.json"));
        Self { path, data_sha256: data_sha256.to_owned(), start }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checkpoint to begin at. One that cannot be read or belongs to another configuration, data or
    /// version counts as none: the run then begins at step 0 and ends with the same bytes.
    pub(crate) fn load(&self, config: &str) -> Option<Resumed> {
        Resumed::new(self.usable(config)?).ok()
    }

    /// The bytes of that checkpoint, for machines that do not see the file, and how many machines it was made on; no bytes
    /// where there is none.
    pub fn bytes(&self, config: &str) -> (Vec<u8>, usize) {
        let Some(record) = self.usable(config) else { return (Vec::new(), 0) };
        let machines = record.machines;
        (serde_json::to_vec(&record).unwrap_or_default(), machines)
    }

    fn usable(&self, config: &str) -> Option<CheckpointRecord> {
        if self.start == Start::Fresh {
            return None;
        }
        let record: CheckpointRecord = read_json(&self.path).ok()?;
        let is_ours = record.schema == SCHEMA
            && record.version == env!("CARGO_PKG_VERSION")
            && record.config == config
            && record.data_sha256 == self.data_sha256;
        is_ours.then_some(record)
    }

    /// Replaces the checkpoint.
    pub(crate) fn save(&self, record: &CheckpointRecord) -> Result<(), RecordError> {
        let data_sha256 = self.data_sha256.clone();
        write_json(&self.path, &CheckpointRecord { data_sha256, ..record.clone() })
    }

    /// Removes the checkpoint of a run that is finished.
    pub fn remove(&self) {
        // What stays behind is never used again: the run is finished, and that is looked at first.
        drop(std::fs::remove_file(&self.path));
    }
}

impl Resumed {
    /// The run as far as the bytes of a checkpoint tell.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let path = Path::new(CHECKPOINTS);
        let record = serde_json::from_slice(bytes)
            .map_err(|source| RecordError::Json { path: path.to_owned(), source })?;
        Self::new(record)
    }

    fn new(record: CheckpointRecord) -> Result<Self, RecordError> {
        let trace = parse_trace(Path::new(CHECKPOINTS), record.trace.as_bytes())?;
        let events = record.events.iter().map(located).collect();
        let at = Checkpoint {
            step: record.step,
            weights: record.weights.clone(),
            rank_scale: record.rank_scale,
            stationary_reference: record.stationary_reference,
            events,
        };
        Ok(Self { at, record, trace })
    }
}

/// Removes the folder of checkpoints from `root` if it is empty.
pub fn remove_empty_folder(root: &Path) {
    // An empty folder harms nobody; one with other runs' checkpoints must stay.
    drop(std::fs::remove_dir(root.join(CHECKPOINTS)));
}

/// An event as the dynamics know it; standstill ends a run, so that no checkpoint holds it.
fn located(event: &Event) -> dynamics::EventRecord {
    dynamics::EventRecord {
        kind: match event.kind {
            EventKind::LeftBall => dynamics::EventKind::LeftBall,
            EventKind::RankLost => dynamics::EventKind::RankLost,
            EventKind::NonFinite => dynamics::EventKind::NonFinite,
        },
        time: event.time,
        step: usize::try_from(event.step).unwrap_or(usize::MAX),
        value: event.value,
        threshold: event.threshold,
    }
}
