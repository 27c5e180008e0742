//! What jobs used of their instances, which have no permission to tell it: the runner's last hook makes it an annotation of the
//! job, and that is read here, where the job's own token may.

use std::fmt;
use std::time::Duration;

use crate::clients::Clients;
use crate::ec2::Instance;
use crate::github::{Annotation, Job, LOOK_AT_ANNOTATIONS};
use crate::report::markdown::MOST_ROWS;
use crate::retry::{self, Deadline};
use crate::teardown;

/// As `src/boot/boothook.sh` writes it.
const TITLE: &str = "Sprinters";
const BEGINNING: &str = "used at most ";
/// A job can write such an annotation, too, and a longer one.
const LONGEST: usize = 300;
/// Worth telling, not worth waiting for.
const PATIENCE: Duration = Duration::from_secs(5);

/// One job's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub job: String,
    /// The type of the instance that it ran on.
    pub instance_type: String,
    /// `used at most 3.0 of 15.4 GiB of memory, …`
    pub what: String,
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.job, self.what)
    }
}

/// Of the run's jobs that have ended on these instances, in GitHub's order. A token without `checks: read` is no error: their logs
/// have it, too.
pub(super) async fn by_jobs(
    clients: &Clients,
    jobs: Option<&[Job]>,
    instances: &[Instance],
) -> Vec<Used> {
    let (Some(jobs), Some(github)) = (jobs, &clients.job_github) else {
        return Vec::new();
    };
    let deadline = Deadline::after(PATIENCE);
    let ended = ended_on(jobs, instances).take(MOST_ROWS);
    let answers = teardown::each(ended, |(job, instance)| async move {
        let asking = || github.annotations(job.id);
        let annotations = retry::until(LOOK_AT_ANNOTATIONS, deadline, asking).await;
        let what = usage(&annotations.ok()?)?;
        Some(Used {
            job: job.name.clone(),
            instance_type: instance.instance_type.clone(),
            what,
        })
    });
    answers.await.into_iter().flatten().collect()
}

fn ended_on<'a>(
    jobs: &'a [Job],
    instances: &'a [Instance],
) -> impl Iterator<Item = (&'a Job, &'a Instance)> {
    jobs.iter()
        .filter(|job| job.is_completed())
        .filter_map(|job| {
            let ran_it =
                |one: &&Instance| job.runner_id.is_some() && one.runner_id() == job.runner_id;
            Some((job, instances.iter().find(ran_it)?))
        })
}

/// The instance's word comes last: after all that the job itself annotated.
fn usage(annotations: &[Annotation]) -> Option<String> {
    let is_ours = |one: &&Annotation| one.title.as_deref() == Some(TITLE);
    let mut messages = annotations
        .iter()
        .rev()
        .filter(is_ours)
        .filter_map(|one| one.message.as_deref());
    let message = messages.find(|message| message.starts_with(BEGINNING))?;
    let line = message.lines().next()?;
    Some(line.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(title: &str, message: &str) -> Annotation {
        Annotation {
            title: Some(title.to_owned()),
            message: Some(message.to_owned()),
        }
    }

    #[test]
    fn only_the_instance_s_own_word_counts() {
        let boothook = include_str!("../../boot/boothook.sh");
        assert!(boothook.contains(&format!("::notice title={TITLE}::")));
        assert!(boothook.contains(&format!("sprintf(\"{BEGINNING}")));

        let used = "used at most 3.0 of 15.4 GiB of memory";
        let others = [
            annotation("", used),
            annotation(TITLE, "a word of somebody else"),
            Annotation {
                title: None,
                message: None,
            },
        ];
        assert_eq!(usage(&others), None);
        let faked = annotation(TITLE, "used at most nothing");
        let real = annotation(TITLE, used);
        assert_eq!(usage(&[faked, real]).as_deref(), Some(used));
    }

    #[test]
    fn a_job_cannot_fill_the_summary() {
        let long = annotation(TITLE, &format!("{BEGINNING}{}", "é".repeat(10_000)));
        assert_eq!(
            usage(&[long]).map(|text| text.chars().count()),
            Some(LONGEST)
        );
        let lines = annotation(TITLE, "used at most 1\n# and a heading");
        assert_eq!(usage(&[lines]).as_deref(), Some("used at most 1"));
    }
}
