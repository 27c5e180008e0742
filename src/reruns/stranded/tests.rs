use super::*;
use crate::ec2::{State, Usage};
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;

const OLD: &str = "sprinters-7-1-tabcdefwxyz";

fn job(id: u64, name: &str, status: &str, labels: &[&str]) -> Job {
    Job {
        id: JobId(id),
        name: name.to_owned(),
        status: Some(status.to_owned()),
        conclusion: (status == "completed").then(|| "success".to_owned()),
        runner_id: (status == "in_progress").then_some(RunnerId(1)),
        runner_name: None,
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    }
}

fn instance(state: State, label: &str, job_id: &str) -> Instance {
    Instance {
        id: InstanceId::from_ec2("i-1"),
        state,
        state_reason: None,
        instance_type: "m7i.large".to_owned(),
        usage: Usage::default(),
        tags: [
            (tags::LABEL, label),
            (tags::JOB_ID, job_id),
            (tags::JOB, "start-runner"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into(),
    }
}

fn stranded(jobs: &[Job], instances: &[Instance]) -> Option<Stranded> {
    let waiting = Waiting {
        run: "7",
        attempt: 2,
        jobs,
        older_jobs: &[job(10, "Start a runner", "completed", &[])],
        instances,
    };
    waiting.stranded()
}

#[test]
fn the_job_that_launched_it_runs_again() {
    let start = job(20, "Start a runner", "completed", &["ubuntu-latest"]);
    let build = job(21, "build", "queued", &[OLD]);
    let ended = [instance(State::Terminated, OLD, "10")];
    let expected = Stranded {
        jobs: vec![("build".to_owned(), OLD.to_owned())],
        part: Part::Job(JobId(20), "Start a runner".to_owned()),
    };
    assert_eq!(
        stranded(&[start.clone(), build.clone()], &ended),
        Some(expected)
    );
    // EC2 no longer shows it, so that nobody knows who launched it.
    let all = stranded(&[start, build], &[]).map(|stranded| stranded.part);
    assert_eq!(all, Some(Part::All));
}

#[test]
fn several_starters_are_the_whole_run() {
    let other = "sprinters-7-1-tbcdefgwxyz";
    let jobs = [
        job(20, "Start a runner", "completed", &[]),
        job(22, "start-runner", "completed", &[]),
        job(21, "build", "queued", &[OLD]),
        job(23, "test", "queued", &[other]),
    ];
    let instances = [
        instance(State::Terminated, OLD, "10"),
        instance(State::Terminated, other, ""),
    ];
    let part = stranded(&jobs, &instances).map(|stranded| stranded.part);
    assert_eq!(part, Some(Part::All));
}

#[test]
fn whatever_may_go_on_is_left_alone() {
    let build = job(21, "build", "queued", &[OLD]);
    let ended = instance(State::Terminated, OLD, "10");
    for other in [
        job(22, "lint", "in_progress", &["ubuntu-latest"]),
        job(22, "lint", "queued", &["ubuntu-latest"]),
        job(22, "deploy", "waiting", &[]),
        // Of this attempt, or of another run.
        job(22, "test", "queued", &["sprinters-7-2-tabcdefwxyz"]),
        job(22, "test", "queued", &["sprinters-77-1-tabcdefwxyz"]),
    ] {
        let name = other.name.clone();
        assert_eq!(
            stranded(&[build.clone(), other], std::slice::from_ref(&ended)),
            None,
            "{name}"
        );
    }
    let living = instance(State::Running, OLD, "10");
    assert_eq!(stranded(std::slice::from_ref(&build), &[living]), None);
    assert_eq!(
        stranded(&[job(20, "a", "completed", &[OLD])], &[ended]),
        None
    );
}
