//! The table of inputs: flags, help, `action.yml` and the book all agree with it.

use super::{InputError, Mode};
use crate::values::list::closest;

/// One input of the contract.
pub(crate) struct Input {
    /// Its name in `action.yml`, and its flag after `--`.
    pub name: &'static str,
    /// What stands for the value in the help.
    pub value: &'static str,
    pub help: &'static str,
    pub default: Option<&'static str>,
    pub modes: &'static [Mode],
    /// Environment variables that are read where the input is absent.
    pub environment: &'static [&'static str],
    /// Never printed, and masked in the log.
    pub secret: bool,
}

use Mode::{Bake, Check, Listen, Policy, Rerun, Start, Stop, Sweep};

const EVERY: &[Mode] = &[Start, Stop, Check, Sweep, Rerun, Listen, Bake];
const LAUNCH: &[Mode] = &[Start, Check, Listen];
/// What an image is made with, too.
const INSTANCE: &[Mode] = &[Start, Check, Listen, Bake];

const fn input(
    name: &'static str,
    value: &'static str,
    modes: &'static [Mode],
    help: &'static str,
) -> Input {
    Input {
        name,
        value,
        help,
        default: None,
        modes,
        environment: &[],
        secret: false,
    }
}

impl Input {
    const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    const fn environment(self, environment: &'static [&'static str]) -> Self {
        Self {
            environment,
            ..self
        }
    }

    const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }
}

/// Every input but `mode`, in the order in which people read them.
pub(crate) const INPUTS: &[Input] = &[
    input(
        "github-token",
        "TOKEN",
        EVERY,
        "Fine-grained token with the repository permission `Administration: write`",
    )
    .environment(&["SPRINTERS_TOKEN"])
    .secret(),
    input(
        "github-app-id",
        "ID",
        EVERY,
        "GitHub App to sign in with instead of a token, its number or client id",
    ),
    input(
        "github-app-private-key",
        "PEM",
        EVERY,
        "The GitHub App's private key",
    )
    .environment(&["SPRINTERS_APP_PRIVATE_KEY"])
    .secret(),
    input(
        "github-app-installation-id",
        "ID",
        EVERY,
        "Number of the App's installation, which saves a start the look-up",
    ),
    input(
        "scope",
        "SCOPE",
        EVERY,
        "Where runners register: `repo`, `org` or `enterprise/<slug>`",
    )
    .default("repo"),
    input(
        "runner-group",
        "GROUP",
        LAUNCH,
        "Runner group of an organization or enterprise, name or id",
    )
    .default("Default"),
    input(
        "aws-access-key-id",
        "ID",
        EVERY,
        "AWS access key; without it the SDK's default credential chain applies",
    )
    .secret(),
    input(
        "aws-secret-access-key",
        "KEY",
        EVERY,
        "The access key's secret",
    )
    .secret(),
    input(
        "aws-session-token",
        "TOKEN",
        EVERY,
        "The session token of temporary credentials",
    )
    .secret(),
    input(
        "aws-role-arn",
        "ARN",
        EVERY,
        "IAM role to take with GitHub's OIDC token instead of a key (needs `id-token: write`)",
    ),
    input(
        "aws-region",
        "REGIONS",
        EVERY,
        "AWS regions in order of preference",
    )
    .environment(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
    input(
        "runner",
        "RUNNER",
        EVERY,
        "Label such as `sprinters:aws:eu-central-1:ubuntu-24.04:m7i.xlarge:spot=auto`, or a name in `.github/sprinters.yml`; individual inputs override it",
    ),
    input(
        "profiles",
        "WHERE",
        EVERY,
        "Where a workflow reads `.github/sprinters.yml`: at the run's `commit`, or in the `workspace`",
    )
    .default("commit"),
    input(
        "image",
        "IMAGE",
        INSTANCE,
        "`ubuntu-26.04`, `ubuntu-24.04`, `ubuntu-22.04` (with `-arm` for arm64), `ami-…`, `resolve:ssm:…` or `name=<pattern>@<owner>`; one region's own as `us-west-2=…`",
    )
    .default("ubuntu-24.04"),
    input(
        "instance-type",
        "TYPES",
        INSTANCE,
        "Instance types in order of preference",
    )
    .default("t3.large, t4g.large for arm64"),
    input(
        "spot",
        "WHEN",
        INSTANCE,
        "`false`, `true`, `auto`: spot first, on-demand where there is none, or `rerun`: `auto` on a run's first attempt, on-demand on later ones",
    )
    .default("false"),
    input("availability-zone", "ZONES", INSTANCE, "Availability zones")
        .default("any zone of the default VPC"),
    input(
        "subnet",
        "SUBNETS",
        INSTANCE,
        "Subnets, `subnet-…`, `eu-central-1a=subnet-…` or `us-west-2=subnet-…`",
    )
    .default("the default VPC's"),
    input(
        "security-group",
        "GROUPS",
        INSTANCE,
        "Security groups, `sg-…` or `us-west-2=sg-…`",
    )
    .default("the VPC's default group"),
    input(
        "public-ip",
        "BOOL",
        INSTANCE,
        "Whether the instance gets a public IPv4 address: `true` or `false`; without it, as the subnet says",
    ),
    input(
        "launch-template",
        "TEMPLATE",
        LAUNCH,
        "Launch template underneath the launch, `ID` or `NAME`, with `:VERSION`; one region's own as `us-west-2=…`; what Sprinters sets itself wins",
    ),
    input(
        "capacity-reservation",
        "RESERVATION",
        LAUNCH,
        "Capacity reservation: `open`, `none`, `cr-…`, `block=cr-…` for a Capacity Block, or the ARN of a resource group; one region's own as `us-west-2=…`",
    ),
    input(
        "nested-virtualization",
        "BOOL",
        LAUNCH,
        "Whether the job can run virtual machines with KVM, on types that can nest them: `true` or `false`",
    )
    .default("false"),
    input(
        "instance-profile",
        "PROFILE",
        INSTANCE,
        "IAM instance profile for the job, name or ARN (needs `iam:PassRole`)",
    ),
    input(
        "root",
        "VOLUME",
        INSTANCE,
        "Root volume's performance, `gp3/<iops>/<throughput>`, `max` allowed; `gp3-boot/…` until the runner is online",
    )
    .default("fast for the boot where that pays"),
    input("root-size", "GIB", INSTANCE, "Root volume's size in GiB")
        .default("30 for Ubuntu, else the image's"),
    input(
        "temp",
        "DISK",
        LAUNCH,
        "Where the work folder, Docker's data and `/tmp` live: `64` GiB, `gp3/64/4000/750`, `ephemeral` or `zram/16`",
    )
    .default("the root volume"),
    input("swap", "GIB", LAUNCH, "Swap space in GiB").default("0"),
    input(
        "count",
        "N",
        &[Start, Check],
        "How many runners to launch in one call",
    )
    .default("1"),
    input("labels", "LABELS", LAUNCH, "Extra runner labels"),
    input(
        "tags",
        "TAGS",
        INSTANCE,
        "Extra tags for instances and volumes, as YAML or JSON",
    ),
    input(
        "setup",
        "SCRIPT",
        INSTANCE,
        "Script that runs as root on the instance before the runner starts",
    ),
    input(
        "job-started",
        "SCRIPT",
        LAUNCH,
        "Script that `runner-user` runs on the instance before the job's first step",
    ),
    input(
        "job-completed",
        "SCRIPT",
        LAUNCH,
        "Script that `runner-user` runs on the instance after the job's last step",
    ),
    input(
        "runner-home",
        "PATH",
        LAUNCH,
        "Folder of a runner that is already in the image",
    ),
    input("runner-user", "USER", INSTANCE, "Account that runs jobs").default("runner"),
    input(
        "sudo",
        "BOOL",
        LAUNCH,
        "Whether that account has sudo and Docker: `true` or `false`",
    )
    .default("true"),
    input(
        "start-timeout",
        "DURATION",
        INSTANCE,
        "How long the runner may take until it is online, or the image until it is available",
    )
    .default("5m, 30m for an image"),
    input(
        "idle-timeout",
        "DURATION",
        LAUNCH,
        "How long the runner waits for its job before it powers off",
    )
    .default("10m"),
    input(
        "max-lifetime",
        "DURATION",
        LAUNCH,
        "When the instance powers off, whatever it does",
    )
    .default("6h"),
    input(
        "fallback",
        "LABEL",
        &[Start, Check],
        "Label to hand out instead, such as `ubuntu-latest`, where no runner can be had",
    ),
    input(
        "fallback-on",
        "CAUSES",
        &[Start, Check],
        "What to fall back for: `capacity`, `secrets` (a fork or Dependabot gets none), `error` (any other failure)",
    )
    .default("capacity, secrets"),
    input(
        "max-runners",
        "N",
        &[Listen],
        "The most runners that live at any moment, for each runner that is served",
    ),
    input(
        "min-runners",
        "N",
        &[Listen],
        "How many runners wait for jobs",
    )
    .default("0"),
    input(
        "for",
        "DURATION",
        &[Listen],
        "How long to listen; running jobs are left alone at the end",
    )
    .default("until it is ended"),
    input(
        "public",
        "FLAG",
        &[Listen],
        "Whether a public repository may be served, `true` or `false`",
    )
    .default("false"),
    input(
        "image-name",
        "NAME",
        &[Bake],
        "What baked images are called, before the time; of each name, `keep` stay",
    )
    .default("sprinters-<owner>-<repository>"),
    input("keep", "N", &[Bake], "How many baked images of a name and processor stay").default("3"),
    input(
        "label",
        "LABELS",
        &[Stop],
        "Stop only the runners that have one of these labels",
    ),
    input("instance-id", "IDS", &[Stop], "Stop only these instances"),
    input(
        "group",
        "WORD",
        &[Start, Stop, Check],
        "Any word, given to a `start` and its `stop`: a pair of their own among several in a run",
    ),
    input(
        "force",
        "BOOL",
        &[Stop],
        "Stop runners that a job uses or waits for, too: `true`, `false`",
    )
    .default("false"),
    input(
        "run-id",
        "ID",
        &[Rerun],
        "The workflow run to look at, and to run again if AWS reclaimed an instance of it",
    )
    .default("the run of the `workflow_run` event"),
    input(
        "max-attempts",
        "N",
        &[Rerun, Sweep],
        "Start no attempt of a run beyond this one",
    )
    .default("3"),
    input(
        "policy",
        "FILES",
        &[Policy],
        "IAM policies to check, files or patterns such as `iam/*.json`",
    ),
    input(
        "require",
        "FEATURES",
        &[Policy],
        "What the policy must allow beyond the six permissions: `instance-profile`, `spot-service-linked-role`, `ssm-image-parameter`, `console`, `launch-template`, `capacity-reservation`, `image-by-name`, `bake`",
    ),
    input(
        "target",
        "KIND",
        &[Policy],
        "What the policy is to become: `managed`, `inline-user`, `inline-role` or `inline-group`",
    )
    .default("managed"),
    input(
        "format",
        "FORMAT",
        &[Policy],
        "How findings are printed: `text`, `json` or `sarif`",
    )
    .default("text"),
];

/// A name that the table does not have.
pub(super) fn unknown(name: &str) -> InputError {
    let names: Vec<&str> = INPUTS.iter().map(|input| input.name).collect();
    let hint =
        closest(name, &names).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    InputError::new(name, &format!("no input has this name{hint}"))
}
