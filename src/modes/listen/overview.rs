//! What a person at a terminal sees of all sets: one line. Pure.

use std::sync::{Mutex, PoisonError};

use super::metrics::Standing;

#[derive(Debug, Default)]
pub(super) struct Overview {
    sets: Mutex<Vec<(String, Standing)>>,
}

impl Overview {
    /// The line, where the set does not stand as before.
    pub(super) fn changed(&self, set: &str, standing: Standing) -> Option<String> {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sets.iter_mut().find(|(known, _)| known == set);
        if let Some((_, before)) = known {
            if *before == standing {
                return None;
            }
            *before = standing;
        } else {
            sets.push((set.to_owned(), standing));
        }
        Some(line(&sets))
    }

    /// The set is not served any more.
    pub(super) fn forget(&self, set: &str) {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.retain(|(known, _)| known != set);
    }
}

fn line(sets: &[(String, Standing)]) -> String {
    let mut all = Standing::default();
    for (_, one) in sets {
        all.wanted += one.wanted;
        all.live += one.live;
        all.busy += one.busy;
        all.usd_per_hour += one.usd_per_hour;
    }
    let what = match sets {
        [(only, _)] => only.clone(),
        several => format!("{} scale sets", several.len()),
    };
    let mut line = format!(
        "{what}: {} wanted · {} live · {} busy",
        all.wanted, all.live, all.busy
    );
    if all.usd_per_hour > 0.0 {
        line.push_str(&format!(" · ${:.3} an hour", all.usd_per_hour));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_for_all_sets() {
        let overview = Overview::default();
        let standing = Standing {
            wanted: 3,
            live: 2,
            busy: 1,
            usd_per_hour: 0.25,
        };
        let line = overview.changed("a", standing);
        let expected = "a: 3 wanted · 2 live · 1 busy · $0.250 an hour";
        assert_eq!(line.as_deref(), Some(expected));
        assert_eq!(overview.changed("a", standing), None);
        let idle = Standing::default();
        let line = overview.changed("b", idle);
        let expected = "2 scale sets: 3 wanted · 2 live · 1 busy · $0.250 an hour";
        assert_eq!(line.as_deref(), Some(expected));
        overview.forget("a");
        let busy = Standing { busy: 1, ..idle };
        let line = overview.changed("b", busy);
        assert_eq!(line.as_deref(), Some("b: 0 wanted · 0 live · 1 busy"));
    }
}
