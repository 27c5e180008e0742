//! A `stop` at a terminal that names nothing: there is no workflow run, and everybody else at a terminal launches for the same
//! repository. It tells what there is, and ends none of it.

use std::time::SystemTime;

use super::filter::StopFilter;
use crate::ec2::Instance;
use crate::error::{Exit, Failure};
use crate::report::seconds;
use crate::values::run::WorkflowRun;

/// Whether nobody can tell which instances it is about.
pub(super) fn is_anybodys(run: &WorkflowRun, filter: &StopFilter) -> bool {
    run.is_local() && filter.is_whole_run() && !filter.force
}

/// What to choose from; nothing where all have ended.
pub(super) fn ask(run: &WorkflowRun, instances: &[Instance], now: SystemTime) -> Option<Failure> {
    let alive = || instances.iter().filter(|one| one.state.is_alive());
    let first = alive().next()?;
    let lines = alive().map(|instance| described(instance, now));
    let lines: Vec<String> = lines.collect();
    let what = format!(
        "which of these is to end? They were launched at a terminal for `{}`, by you or by somebody else:\n    {}",
        run.repository,
        lines.join("\n    ")
    );
    let by_name = format!(
        "name them: `sprinters stop --instance-id {}`, or `--label`, or the `--group` that `start` was given",
        first.id
    );
    let mut failure = Failure::new(what, by_name)
        .and("`--force true` ends all of them, also those that a job runs on");
    failure.exit = Exit::WrongInput;
    Some(failure)
}

fn described(instance: &Instance, now: SystemTime) -> String {
    let age = instance.usage.launched;
    let age = age.and_then(|launched| now.duration_since(launched).ok());
    let age = age.map_or_else(String::new, |age| {
        format!(", launched {} ago", seconds(age))
    });
    let label = instance
        .label()
        .map_or_else(String::new, |label| format!(", label `{label}`"));
    format!("`{}` ({}{age}{label})", instance.id, instance.instance_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::{State, Usage, tags};
    use crate::values::network::InstanceId;
    use crate::values::repository::Repository;
    use crate::values::scope::Scope;
    use std::time::Duration;

    fn run(id: &str) -> WorkflowRun {
        let repository: Repository = "octo/app".parse().unwrap_or_else(|e| unreachable!("{e}"));
        WorkflowRun {
            scope: Scope::Repository(repository.clone()),
            repository,
            id: id.to_owned(),
            attempt: "1".to_owned(),
            job: "local".to_owned(),
            job_id: None,
        }
    }

    #[test]
    fn only_at_a_terminal_and_only_unnamed() {
        let narrowed = StopFilter {
            group: "mine".parse().ok(),
            ..StopFilter::default()
        };
        let forced = StopFilter {
            force: true,
            ..StopFilter::default()
        };
        assert!(is_anybodys(&run("local"), &StopFilter::default()));
        assert!(!is_anybodys(&run("local"), &narrowed));
        assert!(!is_anybodys(&run("local"), &forced));
        assert!(!is_anybodys(&run("7"), &StopFilter::default()));
    }

    #[test]
    fn the_living_are_told_apart() {
        let now = SystemTime::now();
        let instance = |id: &str, state| Instance {
            id: InstanceId::from_ec2(id),
            state,
            state_reason: None,
            instance_type: "m7i.large".to_owned(),
            usage: Usage {
                launched: Some(now - Duration::from_secs(90)),
                ..Usage::default()
            },
            tags: [(tags::LABEL.to_owned(), "sprinters-local-1-x".to_owned())].into(),
        };
        let over = instance("i-1", State::Terminated);
        assert!(ask(&run("local"), std::slice::from_ref(&over), now).is_none());
        let failure = ask(&run("local"), &[over, instance("i-2", State::Running)], now);
        let failure = failure.expect("one is alive");
        assert_eq!(failure.exit, Exit::WrongInput);
        assert!(failure.what.contains("`i-2` (m7i.large, launched "));
        assert!(failure.what.contains("ago, label `sprinters-local-1-x`)"));
        assert!(!failure.what.contains("i-1"));
        assert!(failure.help[0].contains("stop --instance-id i-2"));
    }
}
