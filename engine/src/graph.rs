//! Order of steps: who waits for whom. The only file that knows petgraph.

use std::collections::HashMap;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

/// Who waits for whom, by position in the list it was made from.
#[derive(Debug, Default)]
pub struct Order {
    graph: DiGraph<(), ()>,
}

impl Order {
    /// From (key, keys it needs); needs that name nobody are left out.
    pub fn of<'a>(steps: impl Iterator<Item = (&'a str, &'a [String])> + Clone) -> Self {
        let mut graph = DiGraph::new();
        let mut nodes = HashMap::new();
        for (key, _) in steps.clone() {
            nodes.insert(key, graph.add_node(()));
        }
        for (key, needs) in steps {
            for need in needs {
                if let Some(from) = nodes.get(need.as_str()) {
                    graph.update_edge(*from, nodes[key], ());
                }
            }
        }
        Self { graph }
    }

    fn neighbors(&self, index: usize, direction: Direction) -> impl Iterator<Item = usize> + '_ {
        self.graph.neighbors_directed(NodeIndex::new(index), direction).map(NodeIndex::index)
    }

    /// Who directly waits for `index`.
    pub fn dependents(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        self.neighbors(index, Direction::Outgoing)
    }

    /// Whom `index` directly waits for.
    pub fn needs(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        self.neighbors(index, Direction::Incoming)
    }

    /// `index` and everybody who waits for it, directly or not.
    #[must_use]
    pub fn downstream(&self, index: usize) -> Vec<usize> {
        let mut seen = vec![false; self.graph.node_count()];
        let mut found = Vec::new();
        let mut open = vec![index];
        while let Some(next) = open.pop() {
            if !std::mem::replace(&mut seen[next], true) {
                found.push(next);
                open.extend(self.dependents(next));
            }
        }
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downstream_is_everything_that_would_be_done_again() {
        let needs: [Vec<String>; 4] = [vec![], vec!["a".into()], vec!["b".into(), "nobody".into()], vec!["a".into()]];
        let keys = ["a", "b", "c", "d"];
        let order = Order::of(keys.into_iter().zip(needs.iter().map(Vec::as_slice)));
        assert_eq!(order.downstream(1), [1, 2]);
        assert_eq!(order.downstream(0), [0, 1, 2, 3]);
        assert_eq!(order.needs(2).collect::<Vec<_>>(), [1]);
    }
}
