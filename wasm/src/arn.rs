//! ARNs, taken apart at their colons. Colons inside `${…}` do not count.

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

/// The first six fields of `text`, fewer if it has fewer.
#[must_use]
pub fn fields(text: &str) -> Vec<&str> {
    let mut fields = Vec::with_capacity(6);
    let (mut start, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() && fields.len() < 5 {
        match bytes[at] {
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                let end = text[at..].find('}').map_or(0, |length| length + at);
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
        match fields(text).as_slice() {
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
    crate::pattern::has_wildcard(text) || text.contains("${")
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
        assert_eq!(fields("a:${b"), ["a", "${b"]);
    }
}
