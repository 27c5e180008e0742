//! The job summary of a `rerun`.

use crate::report::markdown::{self, MOST_ROWS, code, table};

/// Whether a run was run again, and why.
pub(crate) fn rerun(is_rerun: bool, why: &str, url: &str, lost: &[[&str; 3]]) -> String {
    let title = if is_rerun {
        "run again"
    } else {
        "nothing to rerun"
    };
    // The URL is GitHub's own, but an answer is an answer.
    let url: String = url
        .chars()
        .filter(|c| c.is_ascii_graphic() && !"()<>[]|\\`".contains(*c))
        .collect();
    let run = if url.starts_with("https://") || url.starts_with("http://") {
        format!("[The run]({url})")
    } else {
        "The run".to_owned()
    };
    let mut text = format!(
        "### Sprinters: {title}\n\n{run}: {}.\n\n",
        markdown::text(why)
    );
    if !lost.is_empty() {
        let rows = lost
            .iter()
            .map(|[job, instance, reason]| vec![code(job), code(instance), markdown::text(reason)]);
        table(
            &mut text,
            &["Job", "Instance or label", "Lost"],
            rows.take(MOST_ROWS),
        );
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_break_nothing() {
        let job = "x|y\n\n<details>`##[add-path]/tmp";
        let why = format!("attempt 2 begins: job `{job}` and every job that needs it");
        let url = "javascript:alert(1)\n[x](y";
        insta::assert_snapshot!(rerun(true, &why, url, &[[job, job, job]]));
    }

    #[test]
    fn a_rerun() {
        let reason = "Server.SpotInstanceTermination: Spot instance termination";
        let why = "attempt 2 begins: job `start | runner` and every job that needs it";
        let url = "https://github.com/o/r/actions/runs/7";
        let lost = ["build", "i-0123456789abcdef0", reason];
        insta::assert_snapshot!(rerun(true, why, url, &[lost]));
        let left = rerun(false, "attempt 1 succeeded", url, &[]);
        insta::assert_snapshot!("nothing_to_rerun", left);
    }

    #[test]
    fn an_address_holds_nothing_that_ends_it() {
        let linked = |url: &str| rerun(false, "why", url, &[]);
        assert!(linked("http://127.0.0.1/o/r").contains("[The run](http://127.0.0.1/o/r): why."));
        assert!(linked("https://x/)[a b](`é\n").contains("[The run](https://x/ab): why."));
        assert!(linked("ftp://x").contains("\n\nThe run: why."));
    }
}
