//! What no service's table holds: the `aws:` keys, the partitions and the regions.
//! From the IAM user guide's pages on global condition keys and the list of regions.

use std::sync::OnceLock;

use super::{Key, KeyType, Keys};
use KeyType::{Arn, Bool, Date, IpAddress, Numeric, String};

const fn one(name: &'static str, kind: KeyType) -> Key {
    Key {
        name,
        kind,
        multivalued: false,
    }
}

const fn many(name: &'static str, kind: KeyType) -> Key {
    Key {
        name,
        kind,
        multivalued: true,
    }
}

/// The global condition keys, without `aws:`; `${}` stands for a tag key.
pub const GLOBAL_KEYS: [Key; 54] = [
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

/// The partitions.
pub const PARTITIONS: [&str; 9] = [
    "aws",
    "aws-cn",
    "aws-us-gov",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-eusc",
    "aws-iso-g",
];

/// The regions of all partitions.
pub const REGIONS: [&str; 48] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Whether AWS has a region of that name.
#[must_use]
pub fn is_region(name: &str) -> bool {
    REGIONS.contains(&name)
}

pub(super) fn global_key(name: &str) -> Option<Key> {
    static TABLE: OnceLock<Keys> = OnceLock::new();
    TABLE
        .get_or_init(|| Keys::new(GLOBAL_KEYS.to_vec()))
        .get(name)
}
