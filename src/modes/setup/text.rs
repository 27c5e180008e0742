//! The text of each format: the book's file with what is known put in.

use sprinters_policy::tighten;

use super::{Format, Group, Wanted};

/// What the security group is called, and what it is for: EC2 allows few signs in a description.
const GROUP: &str = "sprinters";
const GROUP_IS: &str = "Sprinters - nothing comes in";

/// Everything that is wanted, to be run or deployed.
pub(crate) fn text(wanted: &Wanted) -> String {
    match wanted.format {
        Format::Cli => commands(wanted),
        Format::CloudFormation => template(wanted),
        Format::Terraform => terraform(wanted),
    }
}

fn file(wanted: &Wanted, role: &str, user: &str) -> String {
    let text = if wanted.is_user { user } else { role };
    match &wanted.environment {
        // Nothing else in the files is written so.
        Some(name) => text.replace(":*", &format!(":environment:{name}")),
        None => text.to_owned(),
    }
}

/// Replaces what stands between two texts; the book's files have both once, as a test knows.
fn replaced(text: &str, from: &str, until: &str, new: &str) -> String {
    let Some((before, rest)) = text.split_once(from) else {
        return text.to_owned();
    };
    let Some((_, after)) = rest.split_once(until) else {
        return text.to_owned();
    };
    format!("{before}{from}{new}{until}{after}")
}

/// The tight policy, each line but the first so far in.
fn tight(wanted: &Wanted, indent: usize) -> Option<String> {
    let policy = tighten(wanted.tight.as_ref()?);
    let between = format!("\n{:indent$}", "");
    Some(policy.trim_end().lines().collect::<Vec<_>>().join(&between))
}

fn commands(wanted: &Wanted) -> String {
    let repository = &wanted.repository;
    let mut text = file(
        wanted,
        include_str!("../../../docs/src/setup/role/commands.sh"),
        include_str!("../../../docs/src/setup/user/commands.sh"),
    )
    .replace("octo/app", &repository.to_string());
    if let Some(policy) = tight(wanted, 0) {
        text = replaced(&text, "--policy-document '", "'\n", &policy);
    }
    let Some(Group { vpc }) = &wanted.group else {
        return text;
    };
    let mut options = String::new();
    if let Some(vpc) = vpc {
        options.push_str(&format!(" --vpc-id {vpc}"));
    }
    if let Some(region) = &wanted.region {
        options.push_str(&format!(" --region {region}"));
    }
    text.push_str(&format!(
        "\n# The input `security-group`: nothing comes in, everything may go out.\n\
         aws ec2 create-security-group --group-name {GROUP} --description '{GROUP_IS}'{options} --query GroupId --output text\n"
    ));
    text.push_str(&format!(
        "\n# The GitHub token with which runners are registered: make one with the repository permission `Administration: write`\n\
         # (https://github.com/settings/personal-access-tokens/new), and paste it where this asks for it.\n\
         gh secret set SPRINTERS_TOKEN --repo {repository}\n"
    ));
    if wanted.is_user {
        text = text.replace(" Run it in a clone of your repository.", "");
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let set = format!("gh secret set {name}");
            text = text.replace(&set, &format!("{set} --repo {repository}"));
        }
    }
    text
}

fn template(wanted: &Wanted) -> String {
    let mut text = file(
        wanted,
        include_str!("../../../docs/src/setup/role/template.yaml"),
        include_str!("../../../docs/src/setup/user/template.yaml"),
    );
    if let Some(policy) = tight(wanted, 8) {
        // JSON is YAML, too.
        let new = format!("        {policy}");
        text = replaced(&text, "      PolicyDocument:\n", "\n\n", &new);
    }
    let Some(Group { vpc }) = &wanted.group else {
        return text;
    };
    let vpc = vpc
        .as_ref()
        .map_or_else(String::new, |vpc| format!("      VpcId: {vpc}\n"));
    let group = format!(
        "  SecurityGroup:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupName: {GROUP}\n      \
         GroupDescription: {GROUP_IS}\n{vpc}"
    );
    let output = "  SecurityGroup:\n    Description: The input security-group\n    Value: !GetAtt SecurityGroup.GroupId\n";
    text = match text.split_once("Outputs:\n") {
        Some((before, outputs)) => format!("{before}{group}\nOutputs:\n{outputs}{output}"),
        None => format!("{text}\n{group}\nOutputs:\n{output}"),
    };
    format!("{}{text}", how_to_deploy(wanted))
}

/// The command, as a comment above the template, which asks GitHub for the repository's ids: a stack cannot.
fn how_to_deploy(wanted: &Wanted) -> String {
    let repository = &wanted.repository;
    let region = wanted.region.as_ref();
    let region = region.map_or_else(String::new, |region| format!(" --region {region}"));
    let subject = match &wanted.environment {
        Some(name) => format!("environment:{name}"),
        None => "*".to_owned(),
    };
    let parameters = if wanted.is_user {
        String::new()
    } else {
        format!(
            " \\\n#     --parameter-overrides \"Subjects=$(gh api repos/{repository} --jq \
             '\"repo:\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id):{subject},repo:\\(.full_name):{subject}\"')\""
        )
    };
    format!(
        "# For {repository}. Save this as sprinters.yaml, and run:\n\
         #   aws cloudformation deploy --stack-name sprinters --template-file sprinters.yaml \
         --capabilities CAPABILITY_NAMED_IAM{region}{parameters}\n\
         #   gh secret set SPRINTERS_TOKEN --repo {repository}\n"
    )
}

fn terraform(wanted: &Wanted) -> String {
    let repository = &wanted.repository;
    let mut text = file(
        wanted,
        include_str!("../../../docs/src/setup/role/main.tf"),
        include_str!("../../../docs/src/setup/user/main.tf"),
    );
    if let Some(policy) = tight(wanted, 4) {
        // Terraform would take it for a reference of its own.
        let policy = policy.replace("${", "$${");
        let new = format!("<<-JSON\n    {policy}\n  JSON");
        text = replaced(&text, "  policy = ", "\n}\n", &new);
    }
    let Some(Group { vpc }) = &wanted.group else {
        return text;
    };
    let vpc = vpc
        .as_ref()
        .map_or_else(String::new, |vpc| format!("  vpc_id      = \"{vpc}\"\n"));
    text.push_str(&format!(
        "\nresource \"aws_security_group\" \"sprinters\" {{\n  name        = \"{GROUP}\"\n  description = \"{GROUP_IS}\"\n{vpc}\n  \
         egress {{\n    from_port        = 0\n    to_port          = 0\n    protocol         = \"-1\"\n    \
         cidr_blocks      = [\"0.0.0.0/0\"]\n    ipv6_cidr_blocks = [\"::/0\"]\n  }}\n}}\n\n\
         output \"security_group\" {{\n  description = \"The input security-group\"\n  \
         value       = aws_security_group.sprinters.id\n}}\n"
    ));
    if let Some(region) = &wanted.region {
        text.push_str(&format!(
            "\nprovider \"aws\" {{\n  region = \"{region}\"\n}}\n"
        ));
    }
    let text = text.replacen(
        "such as octo/app\"\n  type        = string\n",
        &format!("such as octo/app\"\n  type        = string\n  default     = \"{repository}\"\n"),
        1,
    );
    format!(
        "# For {repository}. After `terraform apply`: gh secret set SPRINTERS_TOKEN --repo {repository}\n{text}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modes::setup;

    fn printed(arguments: &[&str]) -> String {
        let arguments = ["setup", "--repository", "octo/app"]
            .iter()
            .chain(arguments);
        let matches = setup::command().try_get_matches_from(arguments);
        let matches = matches.unwrap_or_else(|error| unreachable!("{error}"));
        text(&setup::parse(&matches).unwrap_or_else(|errors| unreachable!("{errors:?}")))
    }

    const FORMATS: [&str; 3] = ["cli", "cloudformation", "terraform"];

    #[test]
    fn every_format_takes_the_tight_policy() {
        for format in FORMATS {
            for user in [&[][..], &["--user"]] {
                let arguments = [&["--format", format, "--account", "111122223333"], user].concat();
                let text = printed(&arguments);
                assert!(
                    text.contains("\"arn:aws:ec2:*:111122223333:instance/*\""),
                    "{text}"
                );
                assert!(
                    !text.contains("Sid: sprinters") && !text.contains("\"sprinters\",\n"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn an_environment_narrows_both_subjects_and_nothing_else() {
        for format in FORMATS {
            let text = printed(&["--format", format, "--environment", "aws"]);
            assert!(text.matches(":environment:aws").count() >= 2, "{text}");
            let subjects = text.lines().filter(|line| line.contains("repo:"));
            assert!(
                subjects.into_iter().all(|line| !line.contains(":*")),
                "{text}"
            );
            assert!(text.contains("arn:aws:ec2:*:*:instance/*"), "{text}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_reported() {
        let arguments = [
            "setup",
            "--repository",
            "octo",
            "--region",
            "eu-centrl-1",
            "--account",
            "7",
            "--environment",
            "a:b",
            "--security-group",
            "sg-1",
        ];
        let matches = setup::command().try_get_matches_from(arguments);
        let matches = matches.unwrap_or_else(|error| unreachable!("{error}"));
        let wrong = setup::parse(&matches).err().unwrap_or_default();
        let names: Vec<&str> = wrong.iter().map(|error| error.input.as_str()).collect();
        assert_eq!(
            names,
            [
                "repository",
                "region",
                "account",
                "environment",
                "security-group"
            ]
        );
    }
}
