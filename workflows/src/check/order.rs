//! Order: cycles shown as a path, and outputs that nothing uses.

use std::collections::{HashMap, HashSet};

use super::checker::Checker;
use crate::diagnostic::Diagnostic;
use crate::workflow::{Step, StepKind};

/// Each further cycle tells less.
const CYCLES_MAX: usize = 20;

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    /// On the path that is being walked.
    Open,
    Done,
}

impl Checker<'_> {
    /// Notes cycles of `after` and data among `steps`.
    pub(super) fn cycles(&mut self, steps: &[Step]) {
        let at: HashMap<&str, usize> = steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        let needs = |step: &Step| {
            let named = step.after.iter().chain(step.uses.iter().map(|used| &used.step));
            named.filter_map(|id| at.get(id.as_str()).copied()).collect::<Vec<usize>>()
        };
        let needs: Vec<Vec<usize>> = steps.iter().map(needs).collect();
        let mut told: HashSet<usize> = HashSet::new();
        for cycle in cycles(&needs) {
            // Two ways around the same steps are one mistake.
            if cycle.iter().any(|at| told.contains(at)) {
                continue;
            }
            told.extend(&cycle);
            let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|at| steps[*at].id.as_str()).collect();
            let path = names.join(" → ");
            let found = Diagnostic::error(
                "K040",
                format!("these steps wait for one another: {path}"),
                format!("ステップが互いを待っています: {path}"),
            )
            .help("each arrow: needs; remove one", "矢印は「必要とする」です。どれか 1 つを外してください");
            let span = self.names.step(names[0]).map_or(0..0, |outline| outline.span.clone());
            self.note(found, span);
        }
    }

    /// Warns of outputs that nothing reads.
    ///
    /// Where a file says what its results are (a hand-off, `outputs`), everything else is suspicious; where it does not, the
    /// outputs of steps that nothing follows are its results.
    pub(super) fn unused_outputs(&mut self, steps: &[Step], says_results: bool) {
        let says_results = says_results || steps.iter().any(|step| matches!(step.kind, StepKind::Handoff(_)));
        let followed: HashSet<usize> = self.used.iter().map(|(step, _)| *step).collect();
        let mut unused = Vec::new();
        for (at, outline) in self.names.steps.iter().enumerate() {
            for (name, output) in &outline.outputs {
                let used = self.used.contains(&(at, name.clone()));
                if let Some(span) = output.span.clone().filter(|_| !used && (says_results || followed.contains(&at))) {
                    unused.push((outline.id.clone(), name.clone(), span));
                }
            }
        }
        for (step, name, span) in unused {
            let found = Diagnostic::warning(
                "K044",
                format!("nothing uses steps.{step}.{name}"),
                format!("steps.{step}.{name} はどこでも使われていません"),
            )
            .help(
                "remove it, use it, or write `keep: true` if it is to be kept for people",
                "削除するか、使うか、人のために残すなら `keep: true` と書きます",
            );
            self.note(found, span);
        }
    }
}

/// Cycles of a graph given as successors; iterative, because thousands of steps may form one chain.
fn cycles(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut marks = vec![Mark::New; needs.len()];
    let mut found = Vec::new();
    for start in 0..needs.len() {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((node, next)) = path.last().copied() {
            match needs[node].get(next).copied() {
                None => {
                    marks[node] = Mark::Done;
                    path.pop();
                }
                Some(other) => {
                    if let Some(last) = path.last_mut() {
                        last.1 += 1;
                    }
                    match marks[other] {
                        Mark::New => {
                            marks[other] = Mark::Open;
                            path.push((other, 0));
                        }
                        Mark::Open if found.len() < CYCLES_MAX => {
                            let from = path.iter().position(|(node, _)| *node == other).unwrap_or(0);
                            found.push(path[from..].iter().map(|(node, _)| *node).collect());
                        }
                        Mark::Open | Mark::Done => {}
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::cycles;

    #[test]
    fn each_cycle_is_found_once_as_a_path() {
        assert_eq!(cycles(&[vec![1], vec![2], vec![0]]), vec![vec![0, 1, 2]]);
        assert_eq!(cycles(&[vec![0]]), vec![vec![0]]);
        assert_eq!(cycles(&[vec![1], vec![], vec![1, 0]]), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn a_very_long_chain_does_not_overflow() {
        let chain: Vec<Vec<usize>> = (0..100_000).map(|at| if at == 0 { vec![] } else { vec![at - 1] }).rev().collect();
        assert!(cycles(&chain).len() <= 20);
    }
}
