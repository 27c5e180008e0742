//! `setup`: prints what an AWS account needs for one repository. Asks nobody and changes nothing: a person reads it, and runs it.
//!
//! The files beside this one are the book's, and are handed out as they are with `--policy six --security-group none`.

mod text;

use clap::{Arg, ArgAction, ArgMatches, Command};
use sprinters_policy::Setup;

use crate::inputs::{InputError, Problems};
use crate::values::account::AccountId;
use crate::values::region::Region;
use crate::values::repository::Repository;

pub(crate) use text::text;

/// The subcommand's name.
pub(crate) const NAME: &str = "setup";

/// What is to be printed.
#[derive(Debug)]
pub(crate) struct Wanted {
    repository: Repository,
    format: Format,
    /// A user with an access key instead of a role.
    is_user: bool,
    /// The environment whose jobs alone may take the role.
    environment: Option<String>,
    /// What the tight policy names; `None` for the six permissions on everything.
    tight: Option<Setup>,
    group: Option<Group>,
    region: Option<Region>,
}

/// A security group of its own, into which nothing comes.
#[derive(Debug)]
struct Group {
    /// The default VPC where none is named.
    vpc: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Cli,
    CloudFormation,
    Terraform,
}

pub(crate) fn command() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new(NAME)
        .about("Print what your AWS account needs: OIDC provider, role, policy, security group, secrets")
        .after_help(AFTER_HELP)
        .arg(text("repository", "OWNER/NAME", "The repository whose jobs launch runners").required(true))
        .arg(
            text("format", "FORMAT", "What to print")
                .value_parser(["cli", "cloudformation", "terraform"])
                .default_value("cli"),
        )
        .arg(
            Arg::new("user")
                .long("user")
                .action(ArgAction::SetTrue)
                .conflicts_with("environment")
                .help("Make a user with an access key instead of a role that GitHub's OIDC tokens may take"),
        )
        .arg(text(
            "environment",
            "NAME",
            "Let only jobs of this GitHub environment take the role [default: every job of the repository]",
        ))
        .arg(
            text(
                "policy",
                "POLICY",
                "`tight` allows the six permissions on what carries Sprinters' tag, `six` on everything",
            )
            .value_parser(["tight", "six"])
            .default_value("tight"),
        )
        .arg(text("region", "REGION", "The region that runners live in [default: all, and the AWS CLI's own]"))
        .arg(text("account", "ACCOUNT", "The account, its 12 digits [default: all]"))
        .arg(
            text("security-group", "WHERE", "Make a security group into which nothing comes, in this VPC: `default`, `vpc-…` or `none`")
                .default_value("default"),
        )
}

const AFTER_HELP: &str = "\
It asks nobody and changes nothing. The role trusts exactly one repository, by its ids and by its name.

Try it:
  sprinters setup --repository octo/app >setup.sh
  sprinters setup --repository octo/app --format cloudformation >sprinters.yaml
  sprinters setup --repository octo/app --format terraform --region eu-central-1 --account 111122223333 >sprinters.tf";

/// What the arguments say, or everything that is wrong with them.
pub(crate) fn parse(matches: &ArgMatches) -> Result<Wanted, Vec<InputError>> {
    let given = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let mut problems = Problems::default();
    let repository = valid("repository", given("repository"), &mut problems);
    let region: Option<Region> = valid("region", given("region"), &mut problems);
    let account: Option<AccountId> = valid("account", given("account"), &mut problems);
    let environment = given("environment").and_then(|name| {
        // Whatever GitHub allows beyond that would have to be escaped in the token's subject.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
        let fits = !name.is_empty() && name.chars().all(is_plain);
        let accepted = "the name of an environment, of letters, digits, `-`, `_`, `.` and blanks";
        problems.collect(if fits {
            Ok(name.to_owned())
        } else {
            Err(InputError::wrong("environment", name, accepted))
        })
    });
    let group = problems.collect(group(given("security-group").unwrap_or("default")));
    let tight = (given("policy") == Some("tight")).then(|| Setup {
        regions: region
            .iter()
            .map(|region| region.as_str().to_owned())
            .collect(),
        account: account.map(|account| account.as_str().to_owned()),
        ..Setup::default()
    });
    let format = match given("format") {
        Some("cloudformation") => Format::CloudFormation,
        Some("terraform") => Format::Terraform,
        _ => Format::Cli,
    };
    match (repository, group) {
        (Some(repository), Some(group)) if problems.is_empty() => Ok(Wanted {
            repository,
            format,
            is_user: matches.get_flag("user"),
            environment,
            tight,
            group,
            region,
        }),
        _ => Err(problems.into_errors()),
    }
}

fn valid<T: std::str::FromStr<Err = String>>(
    name: &'static str,
    given: Option<&str>,
    problems: &mut Problems,
) -> Option<T> {
    let text = given?;
    problems.collect(
        text.parse()
            .map_err(|accepted: String| InputError::wrong(name, text, &accepted)),
    )
}

fn group(text: &str) -> Result<Option<Group>, InputError> {
    let is_vpc = |id: &str| crate::values::image::is_resource_id(id, "vpc-");
    match text {
        "none" => Ok(None),
        "default" => Ok(Some(Group { vpc: None })),
        id if is_vpc(id) => Ok(Some(Group {
            vpc: Some(id.to_owned()),
        })),
        _ => Err(InputError::wrong(
            "security-group",
            text,
            "`default` (the default VPC), a VPC's id such as `vpc-0123456789abcdef0`, or `none`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Wanted, String> {
        let arguments = [NAME, "--repository", "octo/app"].iter().chain(arguments);
        let matches = command().try_get_matches_from(arguments);
        let matches = matches.map_err(|error| error.to_string())?;
        parse(&matches).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            errors.join("; ")
        })
    }

    fn good(arguments: &[&str]) -> Wanted {
        read(arguments).unwrap_or_else(|wrong| unreachable!("{wrong}"))
    }

    #[test]
    fn without_more_it_is_a_role_with_a_tight_policy_and_a_group() {
        let wanted = good(&[]);
        assert_eq!(wanted.repository.to_string(), "octo/app");
        assert_eq!((wanted.format, wanted.is_user), (Format::Cli, false));
        assert!(wanted.environment.is_none() && wanted.region.is_none());
        assert!(
            wanted
                .tight
                .is_some_and(|setup| setup.regions.is_empty() && setup.account.is_none())
        );
        assert!(wanted.group.is_some_and(|group| group.vpc.is_none()));
    }

    #[test]
    fn each_argument_says_what_is_printed() {
        let formats = [
            ("cli", Format::Cli),
            ("cloudformation", Format::CloudFormation),
            ("terraform", Format::Terraform),
        ];
        for (name, format) in formats {
            assert_eq!(good(&["--format", name]).format, format);
        }
        assert!(good(&["--user"]).is_user && good(&["--policy", "six"]).tight.is_none());
        let named = good(&[
            "--region",
            "eu-central-1",
            "--account",
            "111122223333",
            "--environment",
            "Prod 1-a_b.c",
        ]);
        assert_eq!(named.environment.as_deref(), Some("Prod 1-a_b.c"));
        let tight = named.tight.unwrap_or_default();
        assert_eq!(
            (tight.regions, tight.account.as_deref()),
            (vec!["eu-central-1".to_owned()], Some("111122223333"))
        );
        assert!(good(&["--security-group", "none"]).group.is_none());
        let group = good(&["--security-group", "vpc-0123456789abcdef0"]).group;
        assert_eq!(
            group.and_then(|group| group.vpc).as_deref(),
            Some("vpc-0123456789abcdef0")
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let wrong = read(&[
            "--region",
            "eu-centrl-1",
            "--account",
            "12",
            "--environment",
            "a:b",
            "--security-group",
            "sg-1",
        ]);
        let wrong = wrong.err().unwrap_or_default();
        for name in ["region", "account", "environment", "security-group"] {
            assert!(wrong.contains(&format!("`{name}`")), "{name}: {wrong}");
        }
        assert!(read(&["--environment", ""]).is_err());
        assert!(read(&["--user", "--environment", "prod"]).is_err());
    }
}
