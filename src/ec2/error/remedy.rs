//! What a person can do about what EC2 refuses.

use super::{Ec2Error, Kind, Next};
use crate::http::extra_roots;
use crate::values::region::Region;

impl Ec2Error {
    /// What the person who reads the log can do about it. A clock that is off comes first: AWS calls a signature of another
    /// time by many codes, none of which says so.
    pub(crate) fn remedy(&self, region: &Region) -> String {
        let remedy = self.remedy_for_kind(region);
        match self.skew {
            Some(skew) => format!(
                "this machine's clock is {} minutes off EC2's: set it right (EC2 refuses signatures of another time); otherwise, \
                 {remedy}",
                skew.as_secs() / 60
            ),
            None => remedy,
        }
    }

    fn remedy_for_kind(&self, region: &Region) -> String {
        match &self.kind {
            Kind::Redirect(_) => "check AWS_ENDPOINT_URL_EC2 and that no proxy or portal answers in EC2's place".to_owned(),
            Kind::NoAnswer | Kind::NotSent => extra_roots::remedy(&self.message).map_or_else(
                || format!("check that EC2's endpoint of `{region}` can be reached from this runner, and run the job again"),
                str::to_owned,
            ),
            Kind::NoCredentials if self.message.contains("cargo feature") => {
                "the AWS profile takes its credentials from `credential_process`, SSO or `aws login`, which this program does not \
                 run: put them into the environment first, with `eval \"$(aws configure export-credentials --format env)\"`"
                    .to_owned()
            }
            Kind::NoCredentials => "pass `aws-access-key-id` and `aws-secret-access-key`, or set up credentials in the \
                                    environment with a step before this one"
                .to_owned(),
            Kind::NoRole { help } => help.to_string(),
            Kind::Unreadable => "check that no proxy changes EC2's answers".to_owned(),
            Kind::ServerError(_) => "EC2 has a problem (see https://health.aws.amazon.com); run the job again".to_owned(),
            Kind::Code(code) => self.remedy_for(code, region),
        }
    }

    fn remedy_for(&self, code: &str, region: &Region) -> String {
        match code {
            _ if self.is_unauthorized() => {
                let (action, resource) = self.denied();
                let on = resource.map_or_else(String::new, |resource| format!(" (refused on `{resource}`)"));
                format!("{}{on}", statement_for(&action))
            }
            "AuthFailure" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
                "the access key is wrong, deleted or inactive: make a new one in IAM, and update the secrets that \
                 `aws-access-key-id` and `aws-secret-access-key` come from (AWS answers the same where the region is not \
                 enabled for the account)"
                    .to_owned()
            }
            "SignatureDoesNotMatch" => "`aws-secret-access-key` does not belong to `aws-access-key-id`: copy both again".to_owned(),
            "RequestExpired" => {
                "the credentials have expired: a step before this one must get new ones that last long enough".to_owned()
            }
            "OperationNotPermitted" => {
                "if EC2's message speaks of termination protection (`disableApiTermination`), switch it off for this instance and \
                 terminate it"
                    .to_owned()
            }
            code if code.starts_with("InvalidKMSKey") || code.starts_with("KMS") => {
                "the key's policy must let these credentials use it: see `KMS key policy for encrypted volumes` in the EC2 \
                 documentation, or use another key for the account's default EBS encryption"
                    .to_owned()
            }
            "InvalidBlockDeviceMapping" if self.is_about_volume() => {
                "give a larger `root-size`, or none: the image's own size is taken then".to_owned()
            }
            _ if self.is_about_volume() => {
                "ask for less in `root` (or `temp`), or for more GiB in `root-size`: gp3 gives at most 500 IOPS per GiB and 0.25 MiB/s \
                 per IOPS, and not every region gives as much; without `root` the volume has 3,000 IOPS and 125 MiB/s"
                    .to_owned()
            }
            "OptInRequired" => format!("enable `{region}` for this AWS account, or sign up for EC2 in it"),
            "AuthFailure.ServiceLinkedRoleCreationNotPermitted" => {
                "spot needs a service-linked role, once per account: aws iam create-service-linked-role \
                 --aws-service-name spot.amazonaws.com"
                    .to_owned()
            }
            "VcpuLimitExceeded" | "InstanceLimitExceeded" | "MaxSpotInstanceCountExceeded" => {
                format!("ask for a higher EC2 quota in `{region}` (Service Quotas), or list more instance types")
            }
            code if code.starts_with("InvalidAMIID") => {
                format!("check that this image exists in `{region}` and is shared with this account: AMI ids differ by region")
            }
            code if code.starts_with("InvalidSubnetID") || code.starts_with("InvalidGroup") => {
                format!("check the id, and that it is in `{region}` and this account")
            }
            "MissingInput" | "VPCIdNotSpecified" | "DefaultVpcDoesNotExist" => {
                format!("`{region}` has no default VPC in this account: name a `subnet`")
            }
            "IncorrectInstanceState" => "see EC2's message above".to_owned(),
            code if self.next() == Next::AnotherCandidate => {
                debug_assert!(!code.is_empty());
                "list more instance types or zones, or use `spot: auto`".to_owned()
            }
            _ => "see EC2's message above; the code is explained at \
                  https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
                .to_owned(),
        }
    }
}

/// The statement that grants an action.
pub(crate) fn statement_for(action: &str) -> String {
    format!(
        r#"add to the IAM policy: {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#
    )
}
