//! Lets the adversary search the families of every paper and prints the largest ratio of each statement.
//!
//!     cargo run --release -p gaussflow-theory --example attack -- [DRAWS] [KEY [FAMILY]]

use std::time::Instant;

use gaussflow_theory::Verdict;
use gaussflow_theory::papers::ALL;
use gaussflow_theory::referee::{Extent, Family, Search};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let draws = arguments.next().and_then(|word| word.parse().ok()).unwrap_or(100);
    let (key, name) = (arguments.next(), arguments.next());
    let search = Search { seed: 1, extent: Extent::Draws(draws) };
    for paper in ALL.iter().filter(|paper| key.as_ref().is_none_or(|key| key == paper.key)) {
        let asked = |family: &&Family| name.as_ref().is_none_or(|name| name == family.name);
        for family in paper.families.iter().filter(asked) {
            let begun = Instant::now();
            let records = search.attack(family);
            println!("{}, {}: {:.2} s", paper.key, family.name, begun.elapsed().as_secs_f64());
            for record in records {
                let Some(attack) = &record.attack else { continue };
                let (side, verdict, what) = match &record.corrected {
                    Some(c) if attack.corrected => (&c.comparison, c.verdict, "corrected"),
                    _ => (&record.comparison, record.verdict, ""),
                };
                println!(
                    "  {:34} {:28} {what:9} {:10} ratio {:<12.5e} left {:<12.5e} tolerance {:<9.2e} of {}",
                    record.statement.id,
                    record.statement.place,
                    verdict.name(),
                    side.ratio().unwrap_or(f64::NAN),
                    side.left,
                    side.tolerance,
                    attack.evaluations,
                );
                if verdict == Verdict::Violated {
                    println!("      at {}; {}", side.at, attack.problem);
                }
            }
        }
    }
}
