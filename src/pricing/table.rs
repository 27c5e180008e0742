//! The tables' forms. Comma-separated: one head line, no quotes. In sections: `[name]`, then `key=value`. Comments begin with `#`.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;

/// Section → key → value.
pub(super) type Sections<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

/// Compressed by build.rs.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ec2_on_demand.ini.gz"));

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::new();
    // The bytes are our own; were they broken, no price would be known.
    let _ = GzDecoder::new(PACKED).read_to_string(&mut text);
    text
});

/// What a type costs, and how many mediums a size is. Unpacked when the first price is asked for: most invocations ask for none.
pub(super) static ON_DEMAND: LazyLock<Sections<'static>> = LazyLock::new(|| sections(&TEXT));

pub(super) fn sections(text: &str) -> Sections<'_> {
    let mut sections = Sections::new();
    let mut name = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let head = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'));
        if let Some(head) = head {
            name = head;
        } else if let Some((key, value)) = line.split_once('=') {
            sections.entry(name).or_default().insert(key, value);
        }
    }
    sections
}

/// The rows under the head, each with as many fields as asked for; other lines are left out.
pub(super) fn rows<const FIELDS: usize>(text: &str) -> impl Iterator<Item = [&str; FIELDS]> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split(',');
            let mut row = [""; FIELDS];
            for field in &mut row {
                *field = fields.next()?;
            }
            fields.next().is_none().then_some(row)
        })
}
