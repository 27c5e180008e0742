//! The tables' form: comma-separated, one head line, comments after `#`, no quotes.

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
