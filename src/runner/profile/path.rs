//! The way from the whole file to a value.

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

pub(super) type Path = Vec<Step>;

pub(super) fn keys(names: &[&str]) -> Path {
    names
        .iter()
        .map(|name| Step::Key((*name).to_owned()))
        .collect()
}

pub(super) fn below(path: &[Step], key: &str) -> Path {
    [path, &[Step::Key(key.to_owned())]].concat()
}

pub(super) fn inside(path: &[Step], index: usize) -> Path {
    [path, &[Step::Index(index)]].concat()
}

/// `runners.big.spot`, for messages; an entry of a list goes by the list's name.
pub(super) fn dotted(path: &[Step]) -> String {
    let names = path.iter().filter_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    });
    names.collect::<Vec<_>>().join(".")
}
