//! What would change in a file, as `diff -u` writes it, so that `git apply` takes it.

use diffy::{DiffOptions, PatchFormatter};

/// The changes between two texts, each with the name that it has in the header.
pub(crate) fn unified(before: (&str, &str), after: (&str, &str)) -> String {
    let ((old_name, old), (new_name, new)) = (before, after);
    let patch = DiffOptions::new()
        .set_original_filename(old_name.to_owned())
        .set_modified_filename(new_name.to_owned())
        .create_patch(old, new);
    // A blank line that stays keeps its mark.
    let format = PatchFormatter::new().suppress_blank_empty(false);
    format.fmt_patch(&patch).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_lines_around_and_a_last_line_without_an_end() {
        let diff = unified(
            ("a/x", "1\n\n3\n4\n5\n6\nseven"),
            ("b/x", "1\n\n3\n4\n5\n6\n7\n"),
        );
        let expected = "--- a/x\n+++ b/x\n@@ -4,4 +4,4 @@\n 4\n 5\n 6\n-seven\n\\ No newline at end of file\n+7\n";
        assert_eq!(diff, expected);
        let blank = unified(("/dev/null", ""), ("b/x", "1\n\n"));
        assert_eq!(blank, "--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+1\n+\n");
        let around = unified(("a/x", "\n1\n"), ("b/x", "\n2\n"));
        assert_eq!(around, "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n \n-1\n+2\n");
    }
}
