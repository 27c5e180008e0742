//! What no service's table holds: the `aws:` keys, from the IAM user guide's page on global condition keys.

use std::sync::OnceLock;

use super::{Key, KeyType, Keys};
use KeyType::{Arn, Bool, Date, IpAddress, Numeric, String};

const fn one(name: &'static str, kind: KeyType) -> (&'static str, Key) {
    let multivalued = false;
    (name, Key { kind, multivalued })
}

const fn many(name: &'static str, kind: KeyType) -> (&'static str, Key) {
    let multivalued = true;
    (name, Key { kind, multivalued })
}

/// The global condition keys, without `aws:`; `${}` stands for a tag key.
pub const GLOBAL_KEYS: [(&str, Key); 54] = [
    many("CalledVia", String),
    one("CalledViaFirst", String),
    one("CalledViaLast", String),
    one("AssumedRoot", Bool),
    one("ChatbotSourceArn", Arn),
    one("CurrentTime", Date),
    one("Ec2InstanceSourceVpc", String),
    one("Ec2InstanceSourcePrivateIPv4", IpAddress),
    one("EpochTime", Date),
    one("FederatedProvider", String),
    one("IsMcpServiceAction", Bool),
    one("MultiFactorAuthAge", Numeric),
    one("MultiFactorAuthPresent", Bool),
    one("PrincipalAccount", String),
    one("PrincipalArn", Arn),
    one("PrincipalIsAWSService", Bool),
    one("PrincipalOrgID", String),
    one("PrincipalOrgMasterAccountId", String),
    many("PrincipalOrgPaths", String),
    one("PrincipalServiceName", String),
    many("PrincipalServiceNamesList", String),
    one("PrincipalTag/${}", String),
    one("PrincipalType", String),
    one("Referer", String),
    one("RequestTag/${}", String),
    one("RequestedRegion", String),
    one("ResourceAccount", String),
    one("ResourceOrgID", String),
    many("ResourceOrgPaths", String),
    one("ResourceTag/${}", String),
    one("SecureTransport", Bool),
    one("SignInSessionArn", Arn),
    one("SourceAccount", String),
    one("SourceArn", Arn),
    one("SourceIdentity", String),
    one("SourceIp", IpAddress),
    one("SourceOrgID", String),
    many("SourceOrgPaths", String),
    one("SourceVpc", String),
    one("SourceVpcArn", Arn),
    one("SourceVpce", String),
    many("TagKeys", String),
    one("TokenIssueTime", Date),
    one("UserAgent", String),
    one("ViaAWSMCPService", Bool),
    one("CalledViaAWSMCP", String),
    one("ViaAWSService", Bool),
    one("VpceAccount", String),
    one("VpceOrgID", String),
    many("VpceOrgPaths", String),
    one("VpcSourceIp", IpAddress),
    one("userid", String),
    one("username", String),
    one("ARN", Arn),
];

pub(super) fn global_key(name: &str) -> Option<Key> {
    static TABLE: OnceLock<Keys> = OnceLock::new();
    TABLE
        .get_or_init(|| Keys::new(GLOBAL_KEYS.into_iter()))
        .get(name)
}
