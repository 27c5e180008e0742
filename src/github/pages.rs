//! Lists that come in pages.

use http::StatusCode;
use serde::de::DeserializeOwned;

use super::{Github, GithubError};

/// The most that the API gives on one page.
pub(super) const PAGE: usize = 100;

/// One page of a list, which GitHub describes for each kind of entry by itself.
pub(super) trait Page: DeserializeOwned {
    type Entry;

    /// How many entries GitHub says the whole list has, and those of this page.
    fn into_parts(self) -> (Option<usize>, Vec<Self::Entry>);
}

/// A list, read once from its first page to its last.
pub(super) struct List<T> {
    pub entries: Vec<T>,
    /// How many GitHub said there are, on each page.
    totals: Vec<Option<usize>>,
}

impl<T> List<T> {
    fn new() -> Self {
        Self {
            entries: Vec::new(),
            totals: Vec::new(),
        }
    }

    /// Whether that was the last page.
    fn read(&mut self, (total, entries): (Option<usize>, Vec<T>)) -> bool {
        let is_last = entries.len() < PAGE;
        self.totals.push(total);
        self.entries.extend(entries);
        is_last
    }

    /// How many GitHub said there are, last.
    pub(super) fn total(&self) -> Option<usize> {
        self.totals.last().copied().flatten()
    }

    /// Whether so many different entries are all. Pages shift where one is deleted between two of them: whoever stood first on the
    /// next page is missed, and the one who was deleted makes up the number. So every page must tell the same number.
    pub(super) fn is_whole(&self, different: usize) -> bool {
        let [first, ..] = self.totals[..] else {
            return false;
        };
        self.totals.iter().all(|total| *total == first)
            && first.is_none_or(|total| different >= total)
    }
}

impl Github {
    /// Reads a list to its end, which is the first page that is not full: octocrab's loop goes wherever a `Link` header says, and
    /// takes the token along.
    pub(super) async fn pages<P: Page>(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<List<P::Entry>, GithubError> {
        let mut list = List::new();
        let separator = if path.contains('?') { '&' } else { '?' };
        for page in 1.. {
            let path = format!("{path}{separator}per_page={PAGE}&page={page}");
            let answer = self.get(operation, &path, None).await?;
            let page: P = answer.json(operation, StatusCode::OK)?;
            if list.read(page.into_parts()) {
                break;
            }
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole(pages: &[(Option<usize>, std::ops::Range<u64>)]) -> bool {
        let mut list = List::new();
        for (total, entries) in pages {
            list.read((*total, entries.clone().collect()));
        }
        list.is_whole(list.entries.len())
    }

    #[test]
    fn a_list_is_whole_where_every_page_tells_its_length() {
        assert!(is_whole(&[(Some(0), 0..0)]));
        assert!(is_whole(&[(Some(100), 0..100), (Some(100), 0..0)]));
        assert!(is_whole(&[(Some(150), 0..100), (Some(150), 100..150)]));
        assert!(!is_whole(&[]));
        assert!(!is_whole(&[(Some(2), 0..1)]));
        assert!(!is_whole(&[(Some(150), 0..100), (Some(150), 101..150)]));
        // One of the first page was deleted before the second was read, and 100 was missed.
        assert!(!is_whole(&[(Some(150), 0..100), (Some(149), 101..150)]));
    }
}
