//! What a text is that has a policy in it, and what is said of it.

/// The kinds of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Utf16,
    FullWidth,
    TypographicQuotes,
    Invisible,
    Dashes,
    OtherQuotes,
    Program,
    Several,
    Statement,
    Statements,
    UrlEncoded,
    Base64,
    Entities,
    Markdown,
    Command,
    InQuotes,
    Marked,
    Other,
    JsonString,
    CloudFormation,
    Terraform,
    Answer,
}

const PLAIN: (&str, &str) = (
    "which IAM does not read; write plain ones",
    "Write plain characters",
);
const DECODE: (&str, &str) = ("which IAM does not decode; decode it", "Decode it");
const TAKE_OUT: (&str, &str) = ("not the policy itself; take it out", "Take the policy out");

impl What {
    /// What it is, for "this is …".
    fn name(self) -> &'static str {
        match self {
            Self::Utf16 => "a file in UTF-16",
            Self::FullWidth => "a policy with full-width characters",
            Self::TypographicQuotes => "a policy with typographic quotes",
            Self::Invisible => "a policy with invisible characters",
            Self::Dashes => "a policy with typographic dashes",
            Self::OtherQuotes => "a policy with other quotes than JSON's",
            Self::Program => "a policy in a program's notation",
            Self::Several => "several policies",
            Self::Statement => "a statement without its policy",
            Self::Statements => "a list of statements without its policy",
            Self::UrlEncoded => "a URL-encoded policy",
            Self::Base64 => "a policy in base64",
            Self::Entities => "a policy with HTML entities in it",
            Self::Markdown => "a Markdown block with the policy in it",
            Self::Command => "a command line with the policy in it",
            Self::InQuotes => "a policy in quotes",
            Self::Marked => "a policy with marks before its lines",
            Self::Other => "other text with the policy in it",
            Self::JsonString => "a JSON string with the policy in it",
            Self::CloudFormation => "a CloudFormation template with the policy in it",
            Self::Terraform => "Terraform's JSON with the policy in it",
            Self::Answer => "an answer of the AWS CLI, or another object around the policy",
        }
    }

    // What is wrong with it and what to do, and the same in a few words.
    fn advice(self) -> (&'static str, &'static str) {
        match self {
            Self::Utf16 => (
                "which AWS does not read; save it in UTF-8",
                "Write it in UTF-8",
            ),
            Self::FullWidth | Self::TypographicQuotes | Self::Invisible | Self::Dashes => PLAIN,
            Self::OtherQuotes => (
                "which IAM does not read; write JSON's",
                "Write JSON's quotes",
            ),
            Self::Program => (
                "with quotes, names or comments that JSON does not have; write it as JSON",
                "Write it as JSON",
            ),
            Self::Several => (
                "judged together here, of which IAM takes each by itself; put their statements into one",
                "Put them into one",
            ),
            Self::Statement | Self::Statements => (
                "which IAM does not take alone; put it into one",
                "Put it into a policy",
            ),
            Self::UrlEncoded | Self::Base64 | Self::Entities => DECODE,
            Self::Marked => ("which JSON does not have; remove them", "Remove the marks"),
            _ => TAKE_OUT,
        }
    }

    /// The sentence about it.
    pub(crate) fn sentence(self) -> String {
        let this = if self == Self::Several {
            "these are"
        } else {
            "this is"
        };
        format!("{this} {}, {}", self.name(), self.advice().0)
    }

    /// What the change does that makes it a policy.
    pub(crate) fn title(self) -> &'static str {
        self.advice().1
    }
}
