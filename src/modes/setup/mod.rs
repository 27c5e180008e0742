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
