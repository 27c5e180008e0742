//! Condition operators: an optional qualifier, the comparison, an optional `IfExists`.
use crate::pattern::same_name;
use crate::text;

/// `ForAllValues:` or `ForAnyValue:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qualifier {
    /// Every value of the request must match; true where there is none.
    ForAllValues,
    /// One value of the request must match; false where there is none.
    ForAnyValue,
}

/// What an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Text.
    String,
    /// Numbers.
    Numeric,
    /// Points in time.
    Date,
    /// `true` or `false`.
    Bool,
    /// Bytes in base64.
    Binary,
    /// Addresses.
    IpAddress,
    /// ARNs.
    Arn,
    /// Whether the key is there.
    Null,
}

impl Family {
    /// The family's name in AWS's messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Numeric => "Numeric",
            Self::Date => "Date",
            Self::Bool => "Bool",
            Self::Binary => "Binary",
            Self::IpAddress => "IpAddress",
            Self::Arn => "Arn",
            Self::Null => "Null",
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same.
    Equals,
    /// The same, ignoring case.
    EqualsIgnoreCase,
    /// With wildcards.
    Like,
    /// Smaller.
    LessThan,
    /// Smaller or the same.
    LessThanEquals,
    /// Greater.
    GreaterThan,
    /// Greater or the same.
    GreaterThanEquals,
}

/// A condition operator, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The set operator in front.
    pub qualifier: Option<Qualifier>,
    /// What it compares.
    pub family: Family,
    /// How.
    pub comparison: Comparison,
    /// Whether the result is turned round.
    pub negated: bool,
    /// Whether a missing key makes it true.
    pub if_exists: bool,
}

const BASES: [(&str, Family, Comparison, bool); 27] = {
    use Comparison::{Equals, EqualsIgnoreCase, Like};
    use Comparison::{GreaterThan, GreaterThanEquals, LessThan, LessThanEquals};
    use Family::{Arn, Binary, Bool, Date, IpAddress, Null, Numeric, String};
    [
        ("StringEquals", String, Equals, false),
        ("StringNotEquals", String, Equals, true),
        ("StringEqualsIgnoreCase", String, EqualsIgnoreCase, false),
        ("StringNotEqualsIgnoreCase", String, EqualsIgnoreCase, true),
        ("StringLike", String, Like, false),
        ("StringNotLike", String, Like, true),
        ("NumericEquals", Numeric, Equals, false),
        ("NumericNotEquals", Numeric, Equals, true),
        ("NumericLessThan", Numeric, LessThan, false),
        ("NumericLessThanEquals", Numeric, LessThanEquals, false),
        ("NumericGreaterThan", Numeric, GreaterThan, false),
        (
            "NumericGreaterThanEquals",
            Numeric,
            GreaterThanEquals,
            false,
        ),
        ("DateEquals", Date, Equals, false),
        ("DateNotEquals", Date, Equals, true),
        ("DateLessThan", Date, LessThan, false),
        ("DateLessThanEquals", Date, LessThanEquals, false),
        ("DateGreaterThan", Date, GreaterThan, false),
        ("DateGreaterThanEquals", Date, GreaterThanEquals, false),
        ("Bool", Bool, Equals, false),
        ("BinaryEquals", Binary, Equals, false),
        ("IpAddress", IpAddress, Equals, false),
        ("NotIpAddress", IpAddress, Equals, true),
        ("ArnEquals", Arn, Like, false),
        ("ArnNotEquals", Arn, Like, true),
        ("ArnLike", Arn, Like, false),
        ("ArnNotLike", Arn, Like, true),
        ("Null", Null, Equals, false),
    ]
};

impl Operator {
    /// Reads an operator's name; the case of its letters does not matter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (qualifier, rest) = match text::cut(name, b':') {
            None => (None, name),
            Some((q, rest)) if same_name(q, "ForAllValues") => {
                (Some(Qualifier::ForAllValues), rest)
            }
            Some((q, rest)) if same_name(q, "ForAnyValue") => (Some(Qualifier::ForAnyValue), rest),
            Some(_) => return None,
        };
        let cut = rest.len().saturating_sub("IfExists".len());
        let (base, if_exists) = match (rest.get(..cut), rest.get(cut..)) {
            (Some(base), Some(end)) if same_name(end, "IfExists") => (base, true),
            _ => (rest, false),
        };
        let (_, family, comparison, negated) = BASES
            .iter()
            .find(|(name, ..)| name.len() == base.len() && same_name(name, base))?;
        Some(Self {
            qualifier,
            family: *family,
            comparison: *comparison,
            negated: *negated,
            if_exists,
        })
    }

    /// The base names, for suggestions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BASES.iter().map(|(name, ..)| *name)
    }

    /// Whether `*` and `?` are wildcards in its values.
    #[must_use]
    pub fn takes_wildcards(self) -> bool {
        self.comparison == Comparison::Like
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_operators_apart() {
        let op = Operator::parse("ForAnyValue:StringNotLikeIfExists").unwrap();
        assert_eq!(op.qualifier, Some(Qualifier::ForAnyValue));
        assert_eq!(
            (op.family, op.comparison),
            (Family::String, Comparison::Like)
        );
        assert!(op.negated && op.if_exists);
        assert!(Operator::parse("stringequals").is_some());
        assert!(Operator::parse("StringIs").is_none());
        assert!(Operator::parse("ForSome:StringLike").is_none());
        assert!(Operator::parse("").is_none());
    }

    #[test]
    fn arn_equals_is_arn_like() {
        let (a, b) = (Operator::parse("ArnEquals"), Operator::parse("ArnLike"));
        assert_eq!(a, b);
    }
}
