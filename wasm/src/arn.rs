//! ARNs, taken apart at their colons. Colons inside `${…}` do not count.

use crate::text;
use std::ops::Deref;

/// The six fields; `resource` holds every further colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// `ec2`, …
    pub service: &'a str,
    /// Empty for global services.
    pub region: &'a str,
    /// Empty where the service has none.
    pub account: &'a str,
    /// Type and name.
    pub resource: &'a str,
}

/// Up to six fields, without a list that would have to be allocated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    all: [&'a str; 6],
    count: usize,
}

impl<'a> Fields<'a> {
    fn push(&mut self, field: &'a str) {
        if let Some(free) = self.all.get_mut(self.count) {
            *free = field;
            self.count += 1;
        }
    }
}

impl<'a> Deref for Fields<'a> {
    type Target = [&'a str];

    fn deref(&self) -> &[&'a str] {
        &self.all[..self.count]
    }
}

/// The first six fields of `text`, fewer if it has fewer.
#[must_use]
pub fn fields(text: &str) -> Fields<'_> {
    let mut fields = Fields::default();
    let (mut start, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() && fields.count < 5 {
        match bytes[at] {
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                let end = text::find(&text[at..], b'}').map_or(0, |length| length + at);
                at = end.max(at);
            }
            b':' => {
                fields.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    fields.push(&text[start..]);
    fields
}

impl<'a> Arn<'a> {
    /// Takes `text` apart, `None` if it does not start with `arn:` or has fewer than six fields.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        match &*fields(text) {
            ["arn", partition, service, region, account, resource] => Some(Self {
                partition,
                service,
                region,
                account,
                resource,
            }),
            _ => None,
        }
    }
}

/// Whether the text has a wildcard or a variable, so that it stands for more than itself.
#[must_use]
pub fn is_open(text: &str) -> bool {
    crate::pattern::has_wildcard(text) || crate::pattern::has_variable(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_keep_their_colons() {
        let arn = Arn::parse("arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}").unwrap();
        assert_eq!(arn.account, "${aws:PrincipalAccount}");
        assert_eq!(arn.resource, "user/${aws:username}");
        assert_eq!(Arn::parse("arn:aws:s3:::a:b").unwrap().resource, "a:b");
        assert!(Arn::parse("arn:aws:s3").is_none());
        assert_eq!(*fields("a:${b"), ["a", "${b"]);
    }
}
