//! The one engine that ends things: rollback, `stop`, `sweep` and `listen` use it.
//!
//! Instances come first, because they cost money, and do not wait for GitHub. A runner record that is gone ends an instance,
//! too, though later: its runner cannot connect any more, and the instance powers itself off. So records are deleted even
//! where EC2 does not answer.

mod instances;
mod leftovers;
mod records;

use std::time::Duration;

use crate::platform::executor;

pub(crate) use instances::{terminate, terminate_all};
pub(crate) use leftovers::{ClientToken, Ended, Leftovers, Search, end};
pub(crate) use records::{
    NotDeleted, Record, delete_record, delete_records, find_runner, try_delete,
};

/// Calls under way at a time.
const AT_ONCE: usize = 10;

/// How long so many instances or records may take to end: a minute, and what the documented rates take of each.
pub(crate) fn patience(count: usize) -> Duration {
    const EACH: Duration = Duration::from_millis(300);
    Duration::from_mins(1) + EACH * u32::try_from(count).unwrap_or(u32::MAX)
}

/// Does something for each item, some at a time; answers in their order.
pub(crate) fn each<T, Doing>(
    items: impl IntoIterator<Item = T>,
    act: impl FnMut(T) -> Doing + Send,
) -> impl Future<Output = Vec<Doing::Output>>
where
    T: Send,
    Doing: Future<Output: Send> + Send,
{
    executor::each(items, AT_ONCE, act)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_get_more_time() {
        assert_eq!(patience(0), Duration::from_mins(1));
        assert_eq!(patience(1_000), Duration::from_mins(6));
    }
}
