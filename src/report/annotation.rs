//! What an annotation has beside its text: a level, and a place in a file.

/// How much an annotation matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warning,
    Notice,
    Debug,
}

impl Level {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Debug => "debug",
        }
    }
}

/// A range in a file; lines and columns from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnnotationRange<'a> {
    pub file: &'a str,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_called_as_github_calls_them() {
        let names = [Level::Error, Level::Warning, Level::Notice, Level::Debug].map(Level::name);
        assert_eq!(names, ["error", "warning", "notice", "debug"]);
    }
}
