//! What is asked of the checker.

use clap::{Arg, ArgAction, ArgMatches, Command};
use sprinters_policy::simulate::{ContextEntry, Simulation};
use sprinters_policy::{Feature, Options, Setup, Target};

use super::facts;
use crate::inputs::{InputError, Inputs, Problems};
use crate::values::list::{self, word};

/// The inputs of `mode: policy`, valid.
#[derive(Debug)]
pub(crate) struct PolicySpec {
    pub files: Vec<String>,
    pub options: Options,
    pub format: Format,
    pub change: Change,
}

/// What to do with the changes that the findings offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Change {
    /// Only say what is wrong.
    #[default]
    None,
    /// Write them into the files; standard input's to standard output.
    Fix,
    /// Print them.
    Diff,
}

/// How the findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Sarif,
}

/// A question whose answer is the output.
#[derive(Debug)]
pub(crate) enum Question {
    Tighten(Setup),
    Simulate(Asked),
}

/// `simulate`'s question, with files still to be read.
#[derive(Debug)]
pub(crate) struct Asked {
    pub policies: Vec<String>,
    pub boundary: Vec<String>,
    pub simulation: Simulation,
}

impl PolicySpec {
    pub(crate) fn parse(inputs: &Inputs, problems: &mut Problems) -> Option<Self> {
        let files: Vec<String> = list::entries(inputs.get("policy").unwrap_or_default())
            .map(str::to_owned)
            .collect();
        if files.is_empty() {
            problems.push(InputError::new(
                "policy",
                "it is empty; name the policy's file, or `-` for standard input",
            ));
        }
        let features = problems.optional(inputs, "require", |text| {
            list::entries(text).map(feature).collect()
        });
        let target = problems.optional(inputs, "target", target);
        let format = problems.optional(inputs, "format", format);
        let given = |name: &str| inputs.given(name).map(str::to_owned);
        let (setup, wrong) = facts::parse(features.unwrap_or_default(), given);
        for error in wrong {
            problems.push(error);
        }
        let change = match (given("diff"), given("fix")) {
            (Some(_), _) => Change::Diff,
            (None, Some(_)) => Change::Fix,
            (None, None) => Change::None,
        };
        let options = Options {
            setup,
            target: target.unwrap_or_default(),
        };
        problems.is_empty().then_some(Self {
            files,
            options,
            format: format.unwrap_or_default(),
            change,
        })
    }
}

fn feature(text: &str) -> Result<Feature, String> {
    word(text, &Feature::ALL.map(|feature| (feature.name(), feature)))
}

fn target(text: &str) -> Result<Target, String> {
    word(text, &Target::ALL.map(|target| (target.name(), target)))
}

fn format(text: &str) -> Result<Format, String> {
    word(
        text,
        &[
            ("text", Format::Text),
            ("json", Format::Json),
            ("sarif", Format::Sarif),
        ],
    )
}

/// What stands below the help: it needs no account, no repository and no secret.
const AFTER_HELP: &str = "\
It asks nobody: no credentials, no network.

Try it:
  sprinters policy my-policy.json
  sprinters policy --require instance-profile,console --format sarif 'iam/*.json'
  sprinters policy --region eu-central-1 --account 111122223333 --diff my-policy.json
  sprinters policy tighten --region eu-central-1 --account 111122223333 | sprinters policy -
  sprinters policy simulate my-policy.json --action-names ec2:RunInstances

Exit codes: 0 it fits, 1 an error or a permission that is missing or denied, 2 it cannot be read.";

/// The two questions. As the modes', their flags are made only where they are asked for.
pub(crate) fn questions() -> [Command; 2] {
    [
        Command::new("simulate")
            .about("Answer `aws iam simulate-custom-policy`'s question, without AWS")
            .defer(with_question),
        Command::new("tighten")
            .about("Print the tightest policy that lets Sprinters work")
            .defer(with_setup),
    ]
}

/// Completes `sprinters policy`: files without a flag.
pub(crate) fn command(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .help(help)
            .action(ArgAction::SetTrue)
    };
    facts::arguments(command, "what the policy says")
        .after_help(AFTER_HELP)
        .arg(files())
        .arg(flag(
            "fix",
            "Apply every fix that is offered to the files; of standard input, print the result",
        ))
        .arg(
            flag(
                "diff",
                "Print what `--fix` would change, and change nothing",
            )
            .conflicts_with("fix"),
        )
        .args_conflicts_with_subcommands(true)
}

fn with_question(simulate: Command) -> Command {
    simulate
        .arg(files().required(true))
        .arg(list("action-names", "ACTION", "Actions to ask for").required(true))
        .arg(list("resource-arns", "ARN", "Resources to ask for [default: *]"))
        .arg(list(
            "context-entries",
            "ENTRY",
            "What the request carries: ContextKeyName=aws:RequestedRegion,ContextKeyValues=us-east-1,ContextKeyType=string",
        ))
        .arg(list("permissions-boundary", "FILE", "Policies that bound what the others grant"))
}

fn with_setup(tighten: Command) -> Command {
    let tighten = tighten.arg(list(
        "require",
        "FEATURE",
        "Features beyond the six permissions: `instance-profile`, `spot-service-linked-role`, `ssm-image-parameter`, `console`, `launch-template`, `capacity-reservation`, `image-by-name`, `bake`",
    ));
    facts::arguments(tighten, "all")
}

fn files() -> Arg {
    Arg::new("FILE")
        .help("Policies to read, `-` for standard input")
        .action(ArgAction::Append)
}

fn list(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .help(help)
        .num_args(1..)
        .action(ArgAction::Append)
}

/// What stands on the command line beside the inputs: the files, as the `policy` input takes them, what is known of the
/// requests, and what to do with changes.
pub(crate) fn flags(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let mut flags: Vec<_> = facts::given(matches).collect();
    let files = many(matches, "FILE").join(",");
    if !files.is_empty() {
        flags.push(("policy", files));
    }
    for name in ["fix", "diff"] {
        if matches.get_flag(name) {
            flags.push((name, "true".to_owned()));
        }
    }
    flags
}

/// The question that a subcommand of `sprinters policy` asks.
pub(crate) fn parse_subcommand(
    name: &str,
    matches: &ArgMatches,
) -> Result<Question, Vec<InputError>> {
    if name == "tighten" {
        tighten(matches).map(Question::Tighten)
    } else {
        let question = simulate(matches).map(Question::Simulate);
        question.map_err(|error| vec![error])
    }
}

fn many(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches
        .get_many::<String>(name)
        .into_iter()
        .flatten()
        .cloned()
        .collect()
}

/// As [`many`], with commas between values allowed as well.
fn listed(matches: &ArgMatches, name: &str) -> Vec<String> {
    many(matches, name)
        .iter()
        .flat_map(|text| list::entries(text))
        .map(str::to_owned)
        .collect()
}

fn tighten(matches: &ArgMatches) -> Result<Setup, Vec<InputError>> {
    let mut problems = Problems::default();
    let features = listed(matches, "require")
        .iter()
        .filter_map(|text| {
            let wrong = |accepted: String| InputError::wrong("require", text, &accepted);
            problems.collect(feature(text).map_err(wrong))
        })
        .collect();
    let given: Vec<_> = facts::given(matches).collect();
    let text = |asked: &str| {
        let same = given.iter().find(|(name, _)| *name == asked);
        same.map(|(_, text)| text.clone())
    };
    let (setup, wrong) = facts::parse(features, text);
    for error in wrong {
        problems.push(error);
    }
    if problems.is_empty() {
        Ok(setup)
    } else {
        Err(problems.into_errors())
    }
}

fn simulate(matches: &ArgMatches) -> Result<Asked, InputError> {
    let entries = many(matches, "context-entries")
        .iter()
        .map(|text| context_entry(text).ok_or_else(|| {
            let accepted = "`ContextKeyName=…,ContextKeyValues=…,ContextKeyType=…`, as the AWS CLI takes it";
            InputError::wrong("context-entries", text, accepted)
        }))
        .collect::<Result<_, _>>()?;
    Ok(Asked {
        policies: many(matches, "FILE"),
        boundary: many(matches, "permissions-boundary"),
        simulation: Simulation {
            action_names: listed(matches, "action-names"),
            resource_arns: many(matches, "resource-arns"),
            context_entries: entries,
            ..Simulation::default()
        },
    })
}

/// The AWS CLI's shorthand: a value goes on after a comma until the next `Key=`.
fn context_entry(text: &str) -> Option<ContextEntry> {
    let mut entry = ContextEntry {
        context_key_type: "string".to_owned(),
        ..ContextEntry::default()
    };
    let mut key = "";
    for part in text.split(',') {
        let value = match part.split_once('=') {
            Some((name @ ("ContextKeyName" | "ContextKeyValues" | "ContextKeyType"), value)) => {
                key = name;
                value
            }
            _ => part,
        };
        match key {
            "ContextKeyName" => value.clone_into(&mut entry.context_key_name),
            "ContextKeyValues" => entry.context_key_values.push(value.to_owned()),
            "ContextKeyType" => value.clone_into(&mut entry.context_key_type),
            _ => return None,
        }
    }
    (!entry.context_key_name.is_empty()).then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cli_s_shorthand() {
        let entry = context_entry(
            "ContextKeyName=ec2:InstanceType,ContextKeyValues=m7i.large,m7i.xlarge,ContextKeyType=string",
        );
        assert!(
            entry.is_some_and(|entry| entry.context_key_name == "ec2:InstanceType"
                && entry.context_key_values == ["m7i.large", "m7i.xlarge"])
        );
        assert!(context_entry("m7i.large").is_none());
    }

    #[test]
    fn words_are_suggested() {
        assert!(format("sarf").is_err_and(|e| e.ends_with("did you mean `sarif`?")));
    }

    fn matched(arguments: &[&str]) -> ArgMatches {
        let arguments = ["policy"].iter().chain(arguments);
        command(Command::new("policy").subcommands(questions()))
            .try_get_matches_from(arguments)
            .unwrap_or_else(|error| unreachable!("{error}"))
    }

    fn asked(arguments: &[&str]) -> Result<Question, Vec<String>> {
        let matches = matched(arguments);
        let Some((name, matches)) = matches.subcommand() else {
            unreachable!("{arguments:?} has no subcommand")
        };
        let messages = |errors: Vec<InputError>| errors.iter().map(ToString::to_string).collect();
        parse_subcommand(name, matches).map_err(messages)
    }

    #[test]
    fn files_and_what_is_known_stand_on_the_command_line() {
        let of = |arguments: &[&str]| flags(&matched(arguments));
        assert_eq!(of(&[]), []);
        assert_eq!(
            of(&[
                "a.json",
                "-",
                "--region",
                "us-east-1",
                "--account",
                "1",
                "--region",
                "us-west-2",
                "--fix"
            ]),
            [
                ("region", "us-east-1,us-west-2".to_owned()),
                ("account", "1".to_owned()),
                ("policy", "a.json,-".to_owned()),
                ("fix", "true".to_owned()),
            ]
        );
        assert_eq!(of(&["--diff"]), [("diff", "true".to_owned())]);
    }

    #[test]
    fn tighten_takes_features_and_what_is_known() {
        let question = asked(&[
            "tighten",
            "--require",
            "console,bake",
            "--require",
            "launch-template",
            "--region",
            "eu-central-1",
        ]);
        let Ok(Question::Tighten(setup)) = question else {
            unreachable!("{question:?}")
        };
        let names: Vec<&str> = setup.features.iter().map(|one| one.name()).collect();
        assert_eq!(names, ["console", "bake", "launch-template"]);
        assert_eq!(setup.regions, ["eu-central-1"]);
        let wrong = asked(&["tighten", "--require", "consle", "--account", "12"]);
        let wrong = wrong.err().unwrap_or_default();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("did you mean `console`?") && wrong[1].contains("account"));
    }

    #[test]
    fn simulate_takes_what_the_aws_cli_takes() {
        let question = asked(&[
            "simulate",
            "a.json",
            "--action-names",
            "ec2:RunInstances,ec2:CreateTags",
            "--resource-arns",
            "arn:aws:ec2:*:*:instance/*",
            "--permissions-boundary",
            "b.json",
            "--context-entries",
            "ContextKeyName=aws:RequestedRegion,ContextKeyValues=us-east-1,ContextKeyType=stringList",
        ]);
        let Ok(Question::Simulate(asked_for)) = question else {
            unreachable!("{question:?}")
        };
        assert_eq!(
            (asked_for.policies, asked_for.boundary),
            (vec!["a.json".to_owned()], vec!["b.json".to_owned()])
        );
        let simulation = asked_for.simulation;
        assert_eq!(
            simulation.action_names,
            ["ec2:RunInstances", "ec2:CreateTags"]
        );
        assert_eq!(simulation.resource_arns, ["arn:aws:ec2:*:*:instance/*"]);
        let types: Vec<&str> = simulation
            .context_entries
            .iter()
            .map(|one| one.context_key_type.as_str())
            .collect();
        assert_eq!(types, ["stringList"]);
        let wrong = asked(&[
            "simulate",
            "a.json",
            "--action-names",
            "x",
            "--context-entries",
            "us-east-1",
        ]);
        assert!(wrong.is_err_and(|wrong| wrong.concat().contains("as the AWS CLI takes it")));
    }

    #[test]
    fn an_entry_of_no_type_is_a_string_and_one_of_no_name_is_refused() {
        let entry = context_entry("ContextKeyName=a,ContextKeyValues=b");
        assert_eq!(
            entry.map(|entry| entry.context_key_type).as_deref(),
            Some("string")
        );
        assert!(context_entry("ContextKeyValues=b").is_none());
    }

    #[test]
    fn the_inputs_of_the_action_say_the_same() {
        let read = |inputs: &[(&'static str, &str)]| {
            let json: std::collections::BTreeMap<_, _> = inputs.iter().copied().collect();
            let json = serde_json::to_string(&json).unwrap_or_default();
            let (_, inputs) =
                Inputs::gather(std::collections::BTreeMap::new(), Some(&json), |_| None)
                    .unwrap_or_else(|error| unreachable!("{error}"));
            let mut problems = Problems::default();
            let spec = PolicySpec::parse(&inputs, &mut problems);
            let problems: Vec<_> = problems
                .into_errors()
                .iter()
                .map(ToString::to_string)
                .collect();
            (spec, problems.join("; "))
        };
        let (spec, wrong) = read(&[
            ("policy", "a.json, b.json"),
            ("require", "console"),
            ("target", "inline-role"),
            ("format", "sarif"),
        ]);
        let Some(spec) = spec else {
            unreachable!("{wrong}")
        };
        assert_eq!(spec.files, ["a.json", "b.json"]);
        assert_eq!((spec.format, spec.change), (Format::Sarif, Change::None));
        assert_eq!(spec.options.setup.features.len(), 1);
        assert_ne!(spec.options.target, Target::default());
        let (spec, _) = read(&[("policy", "a.json")]);
        assert!(spec.is_some_and(|spec| spec.format == Format::Text
            && spec.options.target == Target::default()
            && spec.options.setup.features.is_empty()));
        for (inputs, why) in [
            (&[][..], "name the policy's file"),
            (&[("policy", "a"), ("target", "inline-rol")], "target"),
            (&[("policy", "a"), ("format", "yaml")], "format"),
            (&[("policy", "a"), ("require", "consle")], "require"),
        ] {
            let (spec, wrong) = read(inputs);
            assert!(spec.is_none() && wrong.contains(why), "{wrong}");
        }
    }
}
