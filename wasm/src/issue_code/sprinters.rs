//! The codes of Sprinters' own advice; Access Analyzer has no such checks.
//!
//! The comment of a code is its page in the book: `UPDATE_PAGES=1 cargo test -p sprinters-policy pages` writes the pages anew.

use super::{Check, Code, FindingType};

macro_rules! own {
    ($($(#[doc = $doc:literal])* $name:ident $kind:ident $text:literal)*) => {
        $($(#[doc = $doc])* pub const $name: Code = Code(&Check { name: $text, kind: FindingType::$kind });)*

        /// Every code with the lines of its comment.
        #[cfg(test)]
        const ALL: &[(Code, &[&str])] = &[$(($name, &[$($doc),*])),*];
    };
}

own! {
    /// A permission that the chosen features need is not granted.
    ///
    /// ## Why it matters
    ///
    /// Sprinters makes a request with this permission in every run, or in every run with the feature that was asked for. EC2
    /// refuses it with `UnauthorizedOperation`, and no runner starts, or none is ended. IAM decides for each type of resource by
    /// itself: a launch must be allowed on the image, the instance, the network interface, the security group, the subnet and
    /// the volume.
    ///
    /// ## Bad
    ///
    /// Nothing may end the instances:
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": ["ec2:RunInstances", "ec2:CreateTags", "ec2:Describe*", "ec2:ModifyVolume"],
    ///     "Resource": "*"
    ///   }
    /// }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": [
    ///       "ec2:RunInstances", "ec2:CreateTags", "ec2:Describe*", "ec2:ModifyVolume", "ec2:TerminateInstances"
    ///     ],
    ///     "Resource": "*"
    ///   }
    /// }
    /// ```
    MISSING_PERMISSION Error "SPRINTERS_MISSING_PERMISSION"

    /// A statement denies a permission that the chosen features need.
    ///
    /// ## Why it matters
    ///
    /// A `Deny` that applies wins over every `Allow`, in this policy and in all others. No further permission helps: the
    /// statement itself has to change, with a condition, a narrower `Resource`, or without the action.
    ///
    /// ## Bad
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     { "Effect": "Allow", "Action": "ec2:*", "Resource": "*" },
    ///     { "Effect": "Deny", "Action": "ec2:Terminate*", "Resource": "*" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Good
    ///
    /// What is not Sprinters' stays protected:
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     { "Effect": "Allow", "Action": "ec2:*", "Resource": "*" },
    ///     {
    ///       "Effect": "Deny",
    ///       "Action": "ec2:Terminate*",
    ///       "Resource": "*",
    ///       "Condition": { "StringNotEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } }
    ///     }
    ///   ]
    /// }
    /// ```
    DENIED_PERMISSION Error "SPRINTERS_DENIED_PERMISSION"

    /// A permission depends on something that the text does not tell.
    ///
    /// ## Why it matters
    ///
    /// The policy may work or not: it depends on an account, a subnet, an instance type, a tag that only some launches carry, or
    /// on where the request comes from. The finding names it. Say what you know (the fields below the editor; `--region`,
    /// `--account`, `--subnet` and so on at the terminal), and the answer becomes a yes or a no.
    ///
    /// ## Bad
    ///
    /// Whether the runner's address is in the range, nobody can say:
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "ec2:*",
    ///     "Resource": "*",
    ///     "Condition": { "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }
    ///   }
    /// }
    /// ```
    ///
    /// ## Good
    ///
    /// GitHub's runners have many addresses; a condition on the region holds always:
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "ec2:*",
    ///     "Resource": "*",
    ///     "Condition": { "StringEquals": { "aws:RequestedRegion": "eu-central-1" } }
    ///   }
    /// }
    /// ```
    CONDITIONAL_PERMISSION Suggestion "SPRINTERS_CONDITIONAL_PERMISSION"

    /// More is granted than the chosen features need.
    ///
    /// ## Why it matters
    ///
    /// Whoever gets hold of the key or the role can use all that it grants. The finding lists what Sprinters never asks for. It
    /// may be there for another purpose: then give that its own role.
    ///
    /// ## Bad
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": { "Effect": "Allow", "Action": ["ec2:RunInstances", "ec2:StopInstances"], "Resource": "*" }
    /// }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": { "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*" }
    /// }
    /// ```
    UNNEEDED_PERMISSION Suggestion "SPRINTERS_UNNEEDED_PERMISSION"

    /// The policy grants every action on every resource.
    ///
    /// ## Why it matters
    ///
    /// That is administrator access: the key or role of a workflow could delete the account's data or create users. Sprinters
    /// works with it, and needs six permissions.
    ///
    /// ## Bad
    ///
    /// ```json
    /// { "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": [
    ///       "ec2:RunInstances", "ec2:CreateTags", "ec2:DescribeInstances",
    ///       "ec2:DescribeSpotPriceHistory", "ec2:ModifyVolume", "ec2:TerminateInstances"
    ///     ],
    ///     "Resource": "*"
    ///   }
    /// }
    /// ```
    ///
    /// `sprinters policy tighten` prints one that is narrower still.
    ADMINISTRATOR_ACCESS SecurityWarning "SPRINTERS_ADMINISTRATOR_ACCESS"

    /// The policy grants every action of a service, or all but a few.
    ///
    /// ## Why it matters
    ///
    /// `ec2:*` is more than 700 actions, among them the ones that delete networks, share disks and open ports. New ones are
    /// granted the day that AWS adds them. `NotAction` with `Allow` grants everything in AWS but what it names.
    ///
    /// ## Bad
    ///
    /// ```json
    /// { "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "ec2:*", "Resource": "*" } }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": [
    ///       "ec2:RunInstances", "ec2:CreateTags", "ec2:DescribeInstances",
    ///       "ec2:DescribeSpotPriceHistory", "ec2:ModifyVolume", "ec2:TerminateInstances"
    ///     ],
    ///     "Resource": "*"
    ///   }
    /// }
    /// ```
    WHOLE_SERVICE SecurityWarning "SPRINTERS_WHOLE_SERVICE"

    /// Tags can be put on foreign instances, so a condition on a tag protects nothing.
    ///
    /// ## Why it matters
    ///
    /// The policy ends only instances with Sprinters' tag. But it also lets its holder put that tag on any instance, and then end
    /// it. `ec2:CreateAction` limits the tags to the moment of a launch.
    ///
    /// ## Bad
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Effect": "Allow",
    ///       "Action": "ec2:TerminateInstances",
    ///       "Resource": "*",
    ///       "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } }
    ///     },
    ///     { "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Effect": "Allow",
    ///       "Action": "ec2:TerminateInstances",
    ///       "Resource": "*",
    ///       "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } }
    ///     },
    ///     {
    ///       "Effect": "Allow",
    ///       "Action": "ec2:CreateTags",
    ///       "Resource": "*",
    ///       "Condition": { "StringEquals": { "ec2:CreateAction": "RunInstances" } }
    ///     }
    ///   ]
    /// }
    /// ```
    UNGUARDED_CREATE_TAGS SecurityWarning "SPRINTERS_UNGUARDED_CREATE_TAGS"

    /// A condition on a key that the request never carries.
    ///
    /// ## Why it matters
    ///
    /// Each type of resource in a request has keys of its own. A launch creates its instance, so that no
    /// `aws:ResourceTag` is there to compare with, and the statement never grants what it names.
    ///
    /// ## Bad
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "ec2:RunInstances",
    ///     "Resource": "*",
    ///     "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } }
    ///   }
    /// }
    /// ```
    ///
    /// ## Good
    ///
    /// The tag is asked for where it is sent, and nothing of what the launch only uses:
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Effect": "Allow",
    ///       "Action": "ec2:RunInstances",
    ///       "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:volume/*"],
    ///       "Condition": { "StringEquals": { "aws:RequestTag/sprinters:sprinters": "true" } }
    ///     },
    ///     {
    ///       "Effect": "Allow",
    ///       "Action": "ec2:RunInstances",
    ///       "Resource": [
    ///         "arn:aws:ec2:*::image/*",
    ///         "arn:aws:ec2:*:*:subnet/*",
    ///         "arn:aws:ec2:*:*:security-group/*",
    ///         "arn:aws:ec2:*:*:network-interface/*"
    ///       ]
    ///     }
    ///   ]
    /// }
    /// ```
    CONDITION_NEVER_TRUE Warning "SPRINTERS_CONDITION_NEVER_TRUE"

    /// IAM refuses a managed policy without `"Version": "2012-10-17"`.
    ///
    /// ## Why it matters
    ///
    /// A managed policy of the older version, or without one, cannot be saved: `MalformedPolicyDocument`.
    ///
    /// ## Bad
    ///
    /// ```json
    /// { "Statement": { "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*" } }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// { "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*" } }
    /// ```
    MANAGED_POLICY_VERSION Error "SPRINTERS_MANAGED_POLICY_VERSION"

    /// An inline policy without `"Version": "2012-10-17"`.
    ///
    /// ## Why it matters
    ///
    /// IAM saves it and reads it by the rules of 2008: `${aws:username}` and all other variables are plain text, which matches
    /// nothing that anybody meant.
    ///
    /// ## Bad
    ///
    /// ```json
    /// { "Statement": { "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*" } }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// { "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*" } }
    /// ```
    INLINE_POLICY_VERSION Warning "SPRINTERS_INLINE_POLICY_VERSION"

    /// The policy has more characters than IAM takes for this kind of policy.
    ///
    /// ## Why it matters
    ///
    /// White space aside, a managed policy may have 6,144 characters, the inline policies of a user 2,048, of a role 10,240, of a
    /// group 5,120. IAM refuses what is longer.
    ///
    /// ## Bad
    ///
    /// A statement for each of two hundred subnets.
    ///
    /// ## Good
    ///
    /// One statement with a pattern, or a condition on a tag or on the VPC, or two policies attached to the same role:
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "ec2:RunInstances",
    ///     "Resource": "arn:aws:ec2:eu-central-1:111122223333:subnet/*",
    ///     "Condition": { "ArnEquals": { "ec2:Vpc": "arn:aws:ec2:eu-central-1:111122223333:vpc/vpc-0123456789abcdef0" } }
    ///   }
    /// }
    /// ```
    POLICY_TOO_LARGE Error "SPRINTERS_POLICY_TOO_LARGE"

    /// A placeholder of a template that IAM does not fill in.
    ///
    /// ## Why it matters
    ///
    /// Templates and tutorials have words of their own in place of a value. Saved as it is, IAM takes such a word for text or for
    /// a variable that it does not know, and the statement matches nothing.
    ///
    /// ## Bad
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "ec2:TerminateInstances",
    ///     "Resource": "arn:aws:ec2:*:${AWS::AccountId}:instance/*"
    ///   }
    /// }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "ec2:TerminateInstances",
    ///     "Resource": "arn:aws:ec2:*:111122223333:instance/*"
    ///   }
    /// }
    /// ```
    TEMPLATE_PLACEHOLDER Warning "SPRINTERS_TEMPLATE_PLACEHOLDER"

    /// The names of a service's actions and condition keys are not at hand, so they were not checked.
    ///
    /// ## Why it matters
    ///
    /// A misspelled action or condition key of that service would not be found. The page loads the names of all services by itself, and the
    /// program has them inside; only where they could not be loaded is this reported.
    ///
    /// ## Bad
    ///
    /// ```json
    /// { "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" } }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// { "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*" } }
    /// ```
    NOT_CHECKED Suggestion "SPRINTERS_NOT_CHECKED"

    /// The policy also ends instances that are not Sprinters'.
    ///
    /// ## Why it matters
    ///
    /// Every instance and volume that Sprinters launches carries the tag `sprinters:sprinters`. With a condition on it, a leaked
    /// key cannot end your other machines.
    ///
    /// ## Bad
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": { "Effect": "Allow", "Action": ["ec2:TerminateInstances", "ec2:ModifyVolume"], "Resource": "*" }
    /// }
    /// ```
    ///
    /// ## Good
    ///
    /// ```json
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": ["ec2:TerminateInstances", "ec2:ModifyVolume"],
    ///     "Resource": "*",
    ///     "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } }
    ///   }
    /// }
    /// ```
    UNSCOPED_TERMINATE Suggestion "SPRINTERS_UNSCOPED_TERMINATE"
}

#[cfg(test)]
mod pages {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{ALL, Code, FindingType, INLINE_POLICY_VERSION};
    use crate::{Checker, Options, Target};

    fn book() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src")
    }

    fn stem(code: Code) -> String {
        code.name.to_ascii_lowercase().replace('_', "-")
    }

    // `Missing permission`.
    fn title(code: Code) -> String {
        let words = code.name.to_ascii_lowercase().replace('_', " ");
        let words = words.trim_start_matches("sprinters ");
        let (first, rest) = words.split_at(1);
        first.to_ascii_uppercase() + rest
    }

    fn text(lines: &[&str]) -> String {
        let lines = lines
            .iter()
            .map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn page(code: Code, lines: &[&str]) -> String {
        let kind = match code.kind {
            FindingType::Error => "an error",
            FindingType::SecurityWarning => "a security warning",
            FindingType::Warning => "a warning",
            FindingType::Suggestion => "a suggestion",
        };
        format!(
            "# {}\n\n`{}`\n\n{}\n\n[Sprinters' policy checker](check-policies.md) reports it as {kind}.\n",
            title(code),
            code.name,
            text(lines)
        )
    }

    // The policy under a heading, where there is one.
    fn example<'p>(page: &'p str, heading: &str) -> Option<&'p str> {
        let (_, under) = page.split_once(heading)?;
        let under = under.split("\n## ").next()?;
        under.split_once("```json\n")?.1.split("```").next()
    }

    #[test]
    fn every_code_has_its_page() {
        let summary = fs::read_to_string(book().join("SUMMARY.md")).unwrap();
        let overview = fs::read_to_string(book().join("check-policies.md")).unwrap();
        for (code, lines) in ALL {
            let name = stem(*code);
            let (file, page) = (book().join(format!("{name}.md")), page(*code, lines));
            if std::env::var_os("UPDATE_PAGES").is_some() {
                fs::write(&file, &page).unwrap();
            }
            let written = fs::read_to_string(&file).unwrap_or_default();
            assert_eq!(
                written, page,
                "docs/src/{name}.md is old; `UPDATE_PAGES=1 cargo test -p sprinters-policy pages` writes it"
            );
            assert!(code.learn_more_link().ends_with(&format!("/{name}.html")));
            let entry = format!("- [{}]({name}.md)\n", title(*code));
            assert!(summary.contains(&entry), "SUMMARY.md lacks {entry}");
            let row = format!("| [`{}`]({name}.md) | {} |\n", code.name, text(&lines[..1]));
            assert!(overview.contains(&row), "check-policies.md lacks {row}");
        }
    }

    #[test]
    fn every_example_is_what_its_page_says() {
        for (code, lines) in ALL {
            let page = text(lines);
            let checker = Checker::new(Options {
                target: if *code == INLINE_POLICY_VERSION {
                    Target::InlineRole
                } else {
                    Target::Managed
                },
                ..Options::default()
            });
            let has = |policy: &str| {
                let report = checker.check(policy);
                let own = report.advice.iter().chain(&report.findings);
                own.map(|f| f.issue_code.as_str()).any(|c| c == code.name)
            };
            let good = example(&page, "## Good");
            assert!(good.is_some_and(|policy| !has(policy)), "{}", code.name);
            // Of one, the policy would be too long for a page.
            let bad = example(&page, "## Bad");
            assert!(bad.is_none_or(has), "{}", code.name);
        }
    }
}
