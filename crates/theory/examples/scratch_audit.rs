//! scratch
use gaussflow_theory::audit::plan::*;
fn main() {
    let mut sampler = gaussflow_theory::Sampler::new(99);
    let rows = |n: usize, s: &mut gaussflow_theory::Sampler| Rows { seed: 0, inputs: s.normal(n*8), targets: s.normal(n).iter().map(|x| 2.0 + x).collect(), features: 8 };
    let m = Material { effort: if std::env::args().count() > 1 { Effort::Full } else { Effort::Quick }, under: vec![rows(256, &mut sampler)], over: vec![rows(64, &mut sampler)], traces: vec![] };
    let t = std::time::Instant::now();
    match audit(&m) { Ok(f) => { for s in &f.slopes { println!("SLOPE {s:?}"); } for s in &f.schedule_rates { println!("RATE {s:?}"); } for r in f.records { println!("{:34} {:60} L={:.3e} R={:.3e} tol={:.1e} ratio={:?} {} at {} | {}", r.statement.id, r.run, r.comparison.left, r.comparison.right, r.comparison.tolerance, r.comparison.ratio(), r.verdict.name(), r.comparison.at, r.note);
       if let Some(c) = &r.corrected { println!("      corrected L={:.3e} R={:.3e} {}", c.comparison.left, c.comparison.right, c.verdict.name()); }
       for h in &r.hypotheses { if !h.met { println!("      UNMET {} {:e} {:e}", h.name, h.value, h.threshold); } } } }, Err(e) => println!("ERR {e}") }
    eprintln!("{:?}", t.elapsed());
}
