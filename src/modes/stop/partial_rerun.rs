//! An attempt that launched nothing, most likely because "Re-run failed jobs" left its `start` out. Pure.

use crate::ec2::Instance;
use crate::values::run::WorkflowRun;

/// What helps then. The job that launched an older attempt's runner is known as long as EC2 shows its instance.
pub(super) fn advice(run: &WorkflowRun, instances: &[Instance]) -> Option<String> {
    let launched = |instance: &Instance| instance.attempt() == Some(run.attempt.as_str());
    if run.is_first_attempt() || instances.iter().any(launched) {
        return None;
    }
    let newest = instances
        .iter()
        .filter(|instance| !instance.is_baking())
        .filter_map(|instance| Some((instance.attempt()?.parse::<u32>().ok()?, instance.job_id()?)))
        .max();
    let job = newest.map_or_else(String::new, |(_, job)| format!(" --job {job}"));
    Some(format!(
        "attempt {} has launched nothing. \"Re-run failed jobs\" does not run the job with `mode: start` again, and a job that \
         still asks for an older attempt's label waits in vain: `gh run rerun {}{job}` runs it again with all that need it, and \
         so does \"Re-run all jobs\"",
        run.attempt, run.id
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::{State, Usage, tags};
    use crate::values::network::InstanceId;
    use crate::values::repository::Repository;
    use crate::values::scope::Scope;

    fn run(attempt: &str) -> WorkflowRun {
        let repository: Repository = "octo/app".parse().unwrap_or_else(|e| unreachable!("{e}"));
        WorkflowRun {
            scope: Scope::Repository(repository.clone()),
            repository,
            id: "7".to_owned(),
            attempt: attempt.to_owned(),
            job: "stop-runner".to_owned(),
            job_id: None,
        }
    }

    fn instance(attempt: &str, job: &str) -> Instance {
        Instance {
            id: InstanceId::from_ec2("i-1"),
            state: State::Terminated,
            state_reason: None,
            instance_type: "m7i.large".to_owned(),
            usage: Usage::default(),
            tags: [(tags::RUN_ATTEMPT, attempt), (tags::JOB_ID, job)]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        }
    }

    #[test]
    fn only_where_this_attempt_launched_nothing() {
        let older = [instance("1", "10"), instance("2", "20")];
        assert_eq!(advice(&run("1"), &[]), None);
        assert_eq!(advice(&run("2"), &older), None);
        let third = advice(&run("3"), &older).unwrap_or_default();
        assert!(third.contains("`gh run rerun 7 --job 20`"), "{third}");
        let forgotten = advice(&run("2"), &[]).unwrap_or_default();
        assert!(forgotten.contains("`gh run rerun 7`"), "{forgotten}");
    }
}
