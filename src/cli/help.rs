//! What the help says beside each flag: the headings that flags stand under, and what to try.

use crate::inputs::{INPUTS, Input, Mode};

/// The groups of the book's page of inputs, in its order. What no other names is rare.
const HEADINGS: [(&str, &[&str]); 11] = [
    (
        "Needed",
        &[
            "github-token",
            "aws-role-arn",
            "aws-access-key-id",
            "aws-secret-access-key",
            "aws-region",
        ],
    ),
    (
        "Machine",
        &["runner", "image", "instance-type", "spot", "count"],
    ),
    (
        "Network",
        &["availability-zone", "subnet", "security-group"],
    ),
    ("Without a runner", &["fallback", "fallback-on"]),
    ("Storage", &["root", "root-size", "temp", "swap"]),
    ("Hooks", &["setup", "job-started", "job-completed"]),
    ("Limits", &["start-timeout", "idle-timeout", "max-lifetime"]),
    (
        "Stop and rerun",
        &["label", "instance-id", "force", "run-id", "max-attempts"],
    ),
    ("Listen", &["max-runners", "min-runners", "for", "public"]),
    ("Baking", &["image-name", "keep"]),
    ("Policy", &["policy", "require", "target", "format"]),
];

/// For everything else.
const RARE: &str = "Rare";

/// The inputs of a mode with their headings, group by group.
pub(super) fn grouped(mode: Mode) -> impl Iterator<Item = (&'static str, &'static Input)> {
    let headings = HEADINGS.iter().map(|(heading, _)| *heading).chain([RARE]);
    headings.flat_map(move |heading| {
        INPUTS
            .iter()
            .filter(move |input| input.modes.contains(&mode) && heading_of(input) == heading)
            .map(move |input| (heading, input))
    })
}

fn heading_of(input: &Input) -> &'static str {
    HEADINGS
        .iter()
        .find(|(_, names)| names.contains(&input.name))
        .map_or(RARE, |(heading, _)| *heading)
}

/// What stands below the help of a mode: its own examples.
pub(super) fn after(mode: Mode) -> String {
    let examples = match mode {
        Mode::Start => {
            "sprinters start --aws-region eu-central-1 --instance-type m7i.xlarge --spot auto\n  \
             sprinters start --runner sprinters:aws:eu-central-1:ubuntu-24.04-arm:m8g.xlarge"
        }
        Mode::Stop => {
            "sprinters stop --aws-region eu-central-1 --instance-id i-0123456789abcdef0\n  \
             sprinters stop --aws-region eu-central-1 --group mine --force true"
        }
        Mode::Check => {
            "sprinters check --aws-region eu-central-1\n  \
             sprinters check --aws-region eu-central-1 --image ubuntu-26.04 --instance-type m7i.xlarge"
        }
        Mode::Sweep => "sprinters sweep --aws-region eu-central-1",
        Mode::Rerun => "sprinters rerun --aws-region eu-central-1 --run-id 1234567890",
        Mode::Listen => {
            "sprinters listen --runner linux-x64 --max-runners 10\n  \
             sprinters listen --runner linux-x64,linux-arm64 --log json --metrics 127.0.0.1:9464"
        }
        Mode::Bake => {
            "sprinters bake --aws-region eu-central-1 --image ubuntu-24.04 --setup \"$(cat setup.sh)\""
        }
        // It has a text of its own.
        Mode::Policy => return String::new(),
    };
    format!(
        "Try it:\n  export GITHUB_REPOSITORY=octo/repo SPRINTERS_TOKEN=github_pat_… AWS_PROFILE=ci\n  {examples}\n\n\
         A flag is visible to everyone on the machine: pass secrets in the environment variables that are named beside them."
    )
}

/// What stands below the help of the program.
pub(super) const AFTER: &str = "\
In a workflow the inputs arrive as one JSON object in SPRINTERS_INPUTS. \
At a terminal, GITHUB_REPOSITORY=owner/name says where the runner belongs.

Try it:
  sprinters setup --repository octo/repo
  export GITHUB_REPOSITORY=octo/repo SPRINTERS_TOKEN=github_pat_… AWS_PROFILE=ci
  sprinters check --aws-region eu-central-1
  sprinters start --aws-region eu-central-1 --instance-type m7i.xlarge --spot auto
  sprinters stop  --aws-region eu-central-1 --instance-id i-0123456789abcdef0

Exit codes: 0 done, 1 failed, 2 an input is wrong, 3 no capacity anywhere on the ladder.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_an_input_s_and_stands_once() {
        let mut names: Vec<&str> = HEADINGS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        for name in &names {
            assert!(INPUTS.iter().any(|input| input.name == *name), "{name}");
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn examples_are_of_this_mode_alone() {
        for mode in Mode::ALL.into_iter().filter(|mode| *mode != Mode::Policy) {
            let text = after(mode);
            let called = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("sprinters "));
            let called: Vec<_> = called.filter_map(|line| line.split(' ').next()).collect();
            assert!(
                !called.is_empty() && called.iter().all(|name| *name == mode.name()),
                "{text}"
            );
        }
    }
}
