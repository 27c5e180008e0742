//! How many jobs a `strategy` makes of one.

use super::expression;
use crate::yaml::Node;

/// The number of combinations; `None` where only the run knows.
pub(super) fn combinations(strategy: &Node) -> Option<usize> {
    let matrix = strategy.get("matrix")?;
    let mut product = 1_usize;
    let mut is_any = false;
    for (key, values) in matrix.entries() {
        match key.scalar()? {
            // What these make of it depends on which combinations they fit.
            "exclude" => return None,
            "include" => {}
            _ => {
                let values = values.sequence()?;
                let is_known =
                    |value: &Node| value.scalar().is_none_or(|text| !expression::is_in(text));
                if !values.iter().all(is_known) {
                    return None;
                }
                product = product.checked_mul(values.len())?;
                is_any = true;
            }
        }
    }
    match matrix.get("include") {
        None => is_any.then_some(product),
        // Alone it is the list of combinations; beside others it may extend or add some.
        Some(include) if !is_any => include.sequence().map(<[Node]>::len),
        Some(_) => None,
    }
    .filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(matrix: &str) -> Option<usize> {
        let text = format!("matrix: {matrix}");
        let node = Node::parse(&text, super::super::workflow::AS_WRITTEN)
            .ok()
            .flatten()?;
        combinations(&node)
    }

    #[test]
    fn static_ones_are_counted() {
        assert_eq!(count("{os: [a, b], version: [1, 2, 3]}"), Some(6));
        assert_eq!(count("{include: [{a: 1}, {a: 2}]}"), Some(2));
        for unknown in [
            "${{ fromJSON(needs.a.outputs.b) }}",
            "{a: '${{ fromJSON(x) }}'}",
            "{a: [1, 2], exclude: [{a: 1}]}",
            "{a: [1, 2], include: [{b: 1}]}",
            "{a: []}",
        ] {
            assert_eq!(count(unknown), None, "{unknown}");
        }
    }
}
