//! A sweep over ranks: rank 0 hands out the runs one by one, every rank makes them, rank 0 among them.
//!
//! Runs are written as `gaussflow sweep` writes them, so that the finished folder has the same bytes, and
//! what is on disk when a rank dies stays there for `--resume` of either program.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gaussflow_driver::config::Source;
use gaussflow_driver::sweep::{
    self, Existing, Pending, Plan, Report, SweepError, SweepFolder, Told, work,
};

use crate::agreement::{Failure, agree};
use crate::communicator::Communicator;
use crate::message::Message;

/// How long rank 0 rests between looks at its messages, beside which it makes runs itself.
const REST: Duration = Duration::from_millis(1);

/// What the command line asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The configuration with its `[sweep]` section.
    pub config: PathBuf,
    /// The folder to write, which all ranks see.
    pub out: PathBuf,
    /// What happens to runs that are there.
    pub existing: Existing,
}

/// Collective: makes every run of a sweep that is not there yet or damaged, then summary.csv, bands.csv and
/// manifest.json. `None` on other ranks than 0. `progress(done, all)` is called on rank 0 after each run.
///
/// # Errors
/// [`Failure`], on all ranks; a run without an answer is not one: it is recorded with its error.
pub fn sweep<C: Communicator>(
    request: &Request,
    ranks: &C,
    mut progress: impl FnMut(usize, usize),
) -> Result<Option<Report>, Failure> {
    let begun = Instant::now();
    let open = || {
        let plan = Plan::read(&Source::File(request.config.clone()))?;
        if ranks.rank() > 0 {
            return Ok((plan, SweepFolder::shared(&request.out), Pending::default()));
        }
        let folder = SweepFolder::open(&request.out, &plan, request.existing)?;
        let pending = sweep::pending(&plan, &folder)?;
        Ok((plan, folder, pending))
    };
    // Rank 0 has removed what an earlier sweep left unfinished before anybody writes.
    let (plan, folder, pending) = agree(ranks, open())?;
    let sweep = Sweep { plan: &plan, folder: &folder };
    if ranks.rank() > 0 {
        sweep.follow(ranks);
        return agree(ranks, Ok(None));
    }
    let Pending { runs: pending, damaged } = pending;
    let (all, resumed) = (plan.runs.len(), plan.runs.len() - pending.len());
    let (done, worked) = sweep.lead(ranks, &pending, |done| progress(resumed + done, all));
    let finished = worked
        .and_then(|()| sweep::finish(&plan, &folder, begun).map_err(|error| error.to_string()));
    let report = match finished {
        Ok(Told { failed, remarks }) => {
            let seconds = begun.elapsed().as_secs_f64();
            let damaged = damaged.into_iter().map(|(id, _)| id).collect();
            Ok(Some(Report {
                out: request.out.clone(),
                runs: all,
                resumed,
                damaged,
                failed,
                remarks,
                seconds,
            }))
        }
        Err(reason) => {
            let (config, out, ranks) =
                (request.config.display(), request.out.display(), ranks.size());
            let command =
                format!("mpirun -n {ranks} gaussflow-mpi sweep {config} --out {out} --resume");
            Err(SweepError::Stopped { reason, done: resumed + done, all, command }.into())
        }
    };
    agree(ranks, report)
}

/// What each rank makes runs of.
#[derive(Clone, Copy)]
struct Sweep<'s> {
    plan: &'s Plan,
    folder: &'s SweepFolder,
}

impl Sweep<'_> {
    /// Makes the run of this index on one thread: ranks are what runs are shared by.
    fn make(&self, index: usize) -> Result<(), String> {
        let Some(planned) = self.plan.runs.get(index) else {
            return Err(format!("no run has the number {index}"));
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.map_err(|error| error.to_string())?;
        pool.install(|| work::one(planned, self.plan, self.folder)).map_err(|e| e.to_string())
    }

    /// A rank above 0: makes what it is told to, until there is no more.
    fn follow<C: Communicator>(&self, ranks: &C) {
        let mut answer = Message::Ready;
        loop {
            ranks.send(0, &answer.to_bytes());
            let (_, bytes) = ranks.receive();
            let Some(Message::Take(index)) = Message::from_bytes(&bytes) else { return };
            answer = match self.make(index) {
                Ok(()) => Message::Done(index),
                Err(words) => Message::Failed(words),
            };
        }
    }

    /// Rank 0: hands out `pending` to those who ask and makes runs in a thread of its own; how many were
    /// made, and the first failure.
    fn lead<C: Communicator>(
        &self,
        ranks: &C,
        pending: &[usize],
        mut progress: impl FnMut(usize),
    ) -> (usize, Result<(), String>) {
        let (next, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let stop = AtomicBool::new(false);
        let failure: Mutex<Option<String>> = Mutex::new(None);
        let take = || {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            pending.get(next.fetch_add(1, Ordering::Relaxed)).copied()
        };
        let fail = |words: String| {
            stop.store(true, Ordering::Relaxed);
            // A poisoned lock only means that another thread panicked; its value is whole.
            failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(words);
        };
        let mut told = 0;
        std::thread::scope(|scope| {
            let own = scope.spawn(|| {
                while let Some(index) = take() {
                    match self.make(index) {
                        Ok(()) => made.fetch_add(1, Ordering::Relaxed),
                        Err(words) => return fail(words),
                    };
                }
            });
            let mut others = ranks.size() - 1;
            while others > 0 || !own.is_finished() {
                while let Some((from, bytes)) = ranks.try_receive() {
                    let next = match Message::from_bytes(&bytes) {
                        Some(Message::Ready) => take(),
                        Some(Message::Done(_)) => {
                            made.fetch_add(1, Ordering::Relaxed);
                            take()
                        }
                        Some(Message::Failed(words)) => {
                            fail(format!("rank {from}: {words}"));
                            None
                        }
                        Some(Message::Take(_) | Message::Stop) | None => {
                            fail(format!("rank {from} sent what is no answer"));
                            None
                        }
                    };
                    others -= usize::from(next.is_none());
                    let answer = next.map_or(Message::Stop, Message::Take);
                    ranks.send(from, &answer.to_bytes());
                }
                let now = made.load(Ordering::Relaxed);
                for done in told + 1..=now {
                    progress(done);
                }
                told = now;
                std::thread::sleep(REST);
            }
        });
        let now = made.into_inner();
        for done in told + 1..=now {
            progress(done);
        }
        let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        (now, failure.map_or(Ok(()), Err))
    }
}
