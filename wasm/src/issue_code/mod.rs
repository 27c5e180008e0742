//! The checks' names, as AWS IAM Access Analyzer prints them.

pub mod sprinters;

use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// How much a finding matters, in Access Analyzer's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingType {
    /// A part of the policy does not work.
    Error,
    /// The policy allows more than it should.
    SecurityWarning,
    /// Against good practice, not against security.
    Warning,
    /// Could be said better.
    Suggestion,
}

impl FindingType {
    /// The word in the anchors of AWS's reference page.
    fn anchor(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::SecurityWarning => "security-warning",
            Self::Warning => "general-warning",
            Self::Suggestion => "suggestion",
        }
    }
}

/// A check's name and type.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// As in `INVALID_ACTION`.
    pub name: &'static str,
    /// Its type.
    pub kind: FindingType,
}

/// A check. One word for each, which keeps the hundred calls that report small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(&'static Check);

impl Deref for Code {
    type Target = Check;

    fn deref(&self) -> &Check {
        self.0
    }
}

const PAGE: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html";

/// The book, which has a page for each code of our own.
const BOOK: &str = "https://sprinters.github.io/action/";

impl Code {
    /// The page that explains the check: the book's, or a place in AWS's reference.
    #[must_use]
    pub fn learn_more_link(self) -> String {
        let name = self.name.to_ascii_lowercase().replace('_', "-");
        if name.starts_with("sprinters-") {
            return [BOOK, &name, ".html"].concat();
        }
        let anchor = "#access-analyzer-reference-policy-checks-";
        [PAGE, anchor, self.kind.anchor(), "-", &name].concat()
    }
}

macro_rules! codes {
    ($($kind:ident: $($name:ident)*;)*) => {
        $($(
            #[doc = concat!("`", stringify!($name), "`")]
            pub const $name: Code = Code(&Check { name: stringify!($name), kind: FindingType::$kind });
        )*)*
        /// Every check of Access Analyzer that this crate makes.
        pub const ALL: &[Code] = &[$($($name),*),*];
    };
}

codes! {
    Error:
        ARN_ACCOUNT_NOT_ALLOWED ARN_REGION_NOT_ALLOWED DATA_TYPE_MISMATCH
        DUPLICATE_KEYS_WITH_DIFFERENT_CASE EMPTY_VARIABLE INVALID_ACTION INVALID_ARN_ACCOUNT
        INVALID_ARN_PREFIX INVALID_ARN_REGION INVALID_ARN_RESOURCE INVALID_ARN_SERVICE_CASE
        INVALID_CONDITION_DATA_TYPE INVALID_CONDITION_KEY_FORMAT INVALID_CONDITION_MULTIPLE_BOOLEAN
        INVALID_CONDITION_OPERATOR INVALID_EFFECT INVALID_GLOBAL_CONDITION_KEY
        INVALID_KMS_KEY_VALUE INVALID_PARTITION INVALID_POLICY_ELEMENT INVALID_REGION
        INVALID_SERVICE INVALID_SERVICE_CONDITION_KEY INVALID_SERVICE_IN_ACTION
        INVALID_SERVICE_PRINCIPAL_FORMAT INVALID_VARIABLE_FOR_OPERATOR INVALID_VERSION
        INVALID_VPCE_FORMAT INVALID_VPC_FORMAT JSON_SYNTAX_ERROR MISSING_ACTION
        MISSING_ACTION_FOR_CONDITION_KEY MISSING_ARN_ACCOUNT MISSING_ARN_FIELD MISSING_ARN_REGION
        MISSING_BRACE_IN_VARIABLE MISSING_EFFECT MISSING_QUALIFIER MISSING_QUOTE_IN_VARIABLE
        MISSING_RESOURCE MISSING_STATEMENT MISSING_TAG_KEY_IN_CONDITION NULL_WITH_IF_EXISTS
        PRIVATE_IP_ADDRESS PRIVATE_NOT_IP_ADDRESS TYPE_MISMATCH_IP_RANGE UNIQUE_SIDS_REQUIRED
        UNSUPPORTED_ACTION_FOR_CONDITION_KEY UNSUPPORTED_ELEMENT_COMBINATION
        UNSUPPORTED_GLOBAL_CONDITION_KEY UNSUPPORTED_PRINCIPAL UNSUPPORTED_SID
        UNSUPPORTED_SPACE_IN_VARIABLE VARIABLE_UNSUPPORTED_IN_ELEMENT
        VARIABLE_UNSUPPORTED_IN_VERSION VARIABLE_USAGE_TOO_PERMISSIVE WILDCARD_USAGE_TOO_PERMISSIVE;
    SecurityWarning:
        DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE
        DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE DYNAMODB_ATTRIBUTES_WITHOUT_SELECT
        FORALLVALUES_WITH_SINGLE_VALUED_KEY MISSING_PAIRED_CONDITION_KEYS
        PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE PASS_ROLE_WITH_NOT_RESOURCE
        PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE
        PASS_ROLE_WITH_STAR_IN_RESOURCE PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION
        S3_PREFIX_IN_NEGATIVE_CONTEXT STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS
        UNTRUSTWORTHY_CONDITION_KEY;
    Suggestion:
        ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE
        ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE EMPTY_ARRAY_ACTION
        EMPTY_ARRAY_CONDITION EMPTY_ARRAY_CONDITION_FORALLVALUES EMPTY_ARRAY_CONDITION_FORANYVALUE
        EMPTY_ARRAY_CONDITION_IFEXISTS EMPTY_ARRAY_RESOURCE EMPTY_OBJECT_CONDITION EMPTY_SID_VALUE
        EQUIVALENT_TO_NULL_FALSE EQUIVALENT_TO_NULL_TRUE IMPROVE_IP_RANGE NULL_WITH_QUALIFIER
        PRIVATE_IP_ADDRESS_SUBSET PRIVATE_NOT_IP_ADDRESS_SUBSET REDUNDANT_ACTION
        REDUNDANT_CONDITION_VALUE_NUM REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION
        REDUNDANT_RESOURCE REDUNDANT_STATEMENT REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION
        WILDCARD_IN_SERVICE_NAME;
    Warning:
        CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE CREATE_SLR_WITH_NOT_RESOURCE
        CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE
        CREATE_SLR_WITH_STAR_IN_RESOURCE CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION
        DEPRECATED_GLOBAL_CONDITION_KEY INVALID_DATE_VALUE MISSING_VERSION
        POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA TYPE_MISMATCH TYPE_MISMATCH_BOOLEAN
        TYPE_MISMATCH_DATE TYPE_MISMATCH_NUMBER TYPE_MISMATCH_STRING UNIQUE_SIDS_RECOMMENDED
        USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES WILDCARD_WITHOUT_LIKE_OPERATOR;
}

/// What IAM itself refuses when the policy is saved: the document's grammar, by the reference of the policy language and the
/// messages of `MalformedPolicyDocument`. Access Analyzer's other errors are saved, and then do not do what they say.
const REFUSED: &[Code] = &[
    DATA_TYPE_MISMATCH,
    EMPTY_ARRAY_ACTION,
    EMPTY_ARRAY_RESOURCE,
    INVALID_ARN_PREFIX,
    INVALID_CONDITION_KEY_FORMAT,
    INVALID_CONDITION_OPERATOR,
    INVALID_EFFECT,
    INVALID_PARTITION,
    INVALID_POLICY_ELEMENT,
    INVALID_VERSION,
    JSON_SYNTAX_ERROR,
    MISSING_ACTION,
    MISSING_EFFECT,
    MISSING_RESOURCE,
    MISSING_STATEMENT,
    NULL_WITH_IF_EXISTS,
    POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA,
    UNIQUE_SIDS_REQUIRED,
    UNSUPPORTED_ELEMENT_COMBINATION,
    UNSUPPORTED_PRINCIPAL,
    UNSUPPORTED_SID,
    sprinters::MANAGED_POLICY_VERSION,
    sprinters::POLICY_TOO_LARGE,
];

impl Code {
    /// Whether IAM saves no policy with such a finding.
    #[must_use]
    pub fn is_refused(self) -> bool {
        REFUSED.contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_spelled_as_aws_prints_them() {
        let link = POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA.learn_more_link();
        assert!(link.ends_with(
            "#access-analyzer-reference-policy-checks-general-warning-policy-size-exceeds-identity-policy-quota"
        ));
        let link = PASS_ROLE_WITH_STAR_IN_RESOURCE.learn_more_link();
        assert!(link.ends_with("-security-warning-pass-role-with-star-in-resource"));
        assert_eq!(
            sprinters::NOT_CHECKED.learn_more_link(),
            "https://sprinters.github.io/action/sprinters-not-checked.html"
        );
    }
}
