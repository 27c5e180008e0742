use super::*;
use crate::ec2::{State, Usage, tags};
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;

const TAKEN: &str = "Server.SpotInstanceTermination: Spot instance termination";
const DONE: &str = "Client.InstanceInitiatedShutdown: Instance initiated shutdown";

fn run(attempt: u32, status: &str, conclusion: Option<&str>) -> Run {
    Run {
        id: 7,
        run_attempt: attempt,
        status: Some(status.to_owned()),
        conclusion: conclusion.map(str::to_owned),
        html_url: String::new(),
    }
}

fn job(id: u64, name: &str, conclusion: &str, runner: Option<u64>) -> Job {
    Job {
        id: JobId(id),
        name: name.to_owned(),
        conclusion: Some(conclusion.to_owned()),
        runner_id: runner.map(RunnerId),
        runner_name: None,
        status: None,
        labels: Vec::new(),
    }
}

fn instance(id: &str, runner: u64, reason: &str, job: (&str, &str)) -> Instance {
    let (job, job_id) = job;
    Instance {
        id: InstanceId::from_ec2(id),
        state: State::Terminated,
        state_reason: Some(reason.to_owned()),
        instance_type: "m7i.large".to_owned(),
        usage: Usage::default(),
        tags: [
            (tags::RUNNER_ID, runner.to_string()),
            (tags::JOB, job.to_owned()),
            (tags::JOB_ID, job_id.to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into(),
    }
}

fn jobs() -> Vec<Job> {
    vec![
        job(100, "Start a runner", "success", Some(1)),
        job(101, "build", "failure", Some(7)),
        job(102, "stop-runner", "success", Some(2)),
        job(103, "lint", "failure", Some(3)),
    ]
}

fn part(jobs: &[Job], instances: &[Instance]) -> Result<Part, String> {
    let run = run(1, "completed", Some("failure"));
    let attempt = Attempt {
        number: 1,
        run: &run,
        jobs,
        instances,
    };
    match decide_by_instances(&attempt) {
        RerunDecision::Rerun { part, lost } => {
            assert!(!lost.is_empty());
            Ok(part)
        }
        RerunDecision::Leave(why) => Err(why),
    }
}

#[test]
fn only_a_failed_attempt_that_is_the_last_one() {
    assert_eq!(
        decide_by_run(&run(1, "completed", Some("cancelled")), 1, 3),
        None,
        "by whom, only the jobs tell"
    );
    let why = |run: Run| decide_by_run(&run, 1, 3).unwrap_or_default();
    assert_eq!(why(run(1, "completed", Some("failure"))), "");
    assert_eq!(
        why(run(1, "completed", Some("success"))),
        "attempt 1 succeeded"
    );
    assert_eq!(
        why(run(1, "completed", Some("skipped"))),
        "attempt 1 ended as `skipped`"
    );
    assert_eq!(
        why(run(1, "completed", None)),
        "attempt 1 ended as `unknown`"
    );
    assert_eq!(
        why(run(1, "in_progress", None)),
        "attempt 1 is still running"
    );
    let later = "attempt 1 was followed by attempt 2 already";
    assert_eq!(why(run(2, "completed", Some("failure"))), later);
    assert_eq!(why(run(2, "queued", None)), later);
    let bounded = decide_by_run(&run(3, "completed", Some("failure")), 3, 3);
    assert!(bounded.is_some_and(|why| why.contains("`max-attempts`")));
}

#[test]
fn the_job_that_launched_it_runs_again() {
    let lost = instance("i-a", 7, TAKEN, ("start", "100"));
    let expected = Part::Job(JobId(100), "Start a runner".to_owned());
    assert_eq!(
        part(&jobs(), std::slice::from_ref(&lost)),
        Ok(expected.clone())
    );
    // Its siblings do not matter, nor how many of them were lost.
    let sibling = instance("i-b", 3, TAKEN, ("start", "100"));
    let fine = instance("i-c", 8, DONE, ("start", "100"));
    assert_eq!(part(&jobs(), &[lost, sibling, fine]), Ok(expected));
}

#[test]
fn where_the_number_is_unknown_the_key_may_do() {
    let mut jobs = jobs();
    jobs[0].name = "start".to_owned();
    let by_key = instance("i-a", 7, TAKEN, ("start", ""));
    let expected = Part::Job(JobId(100), "start".to_owned());
    assert_eq!(part(&jobs, std::slice::from_ref(&by_key)), Ok(expected));
    // Two of that name: nobody knows which, so all of it.
    jobs[3].name = "start".to_owned();
    assert_eq!(part(&jobs, &[by_key]), Ok(Part::All));
}

#[test]
fn several_launching_jobs_are_the_whole_run() {
    let instances = [
        instance("i-a", 7, TAKEN, ("start", "100")),
        instance("i-b", 3, TAKEN, ("start-arm", "102")),
    ];
    assert_eq!(part(&jobs(), &instances), Ok(Part::All));
}

#[test]
fn a_start_that_lost_its_instance_runs_again() {
    let jobs = [job(100, "start", "failure", Some(1))];
    let lost = instance("i-a", 7, TAKEN, ("start", "100"));
    assert_eq!(
        part(&jobs, &[lost]),
        Ok(Part::Job(JobId(100), "start".to_owned()))
    );
}

#[test]
fn a_failure_of_its_own_stays() {
    // Nothing was reclaimed.
    let done = instance("i-a", 7, DONE, ("start", "100"));
    assert!(part(&jobs(), &[done]).is_err_and(|why| why.contains("none of its 1 instance")));
    // What was reclaimed had no job, or one that had succeeded.
    for runner in [99, 2] {
        let idle = instance("i-a", runner, TAKEN, ("start", "100"));
        assert!(part(&jobs(), &[idle]).is_err_and(|why| why.contains("no job failed on `i-a`")));
    }
    assert!(part(&jobs(), &[]).is_err_and(|why| why.contains("hour")));
}

#[test]
fn a_job_that_went_down_with_its_machine_may_end_as_cancelled() {
    let cancelled = [
        job(100, "start", "success", Some(1)),
        job(101, "build", "cancelled", Some(7)),
        job(102, "test", "cancelled", Some(8)),
    ];
    let lost = instance("i-a", 7, TAKEN, ("start", "100"));
    assert_eq!(
        part(&cancelled, std::slice::from_ref(&lost)),
        Ok(Part::Job(JobId(100), "start".to_owned()))
    );
    let run = run(1, "completed", Some("cancelled"));
    let asked = |instances: &[Instance]| {
        Attempt {
            number: 1,
            run: &run,
            jobs: &cancelled,
            instances,
        }
        .cancelled_jobs()
    };
    assert_eq!(asked(&[lost]), [JobId(101), JobId(102)]);
    let done = instance("i-a", 7, DONE, ("start", "100"));
    assert_eq!(asked(&[done]), [], "nothing has to be asked");
}

#[test]
fn who_cancelled() {
    for text in [
        "The run was canceled by @octocat.",
        "Canceling since a higher priority waiting request for 'CI-main' exists",
    ] {
        assert!(is_by_someone(text), "{text}");
    }
    for text in [
        "The operation was canceled.",
        "The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started \
         runner is canceled.",
        "The self-hosted runner lost communication with the server.",
    ] {
        assert!(!is_by_someone(text), "{text}");
    }
}

#[test]
fn a_run_says_itself_that_nothing_is_to_be_done() {
    let of = |run: &Run, attempt| decide_by_run(run, attempt, 3);
    let ended = |conclusion| run(2, "completed", Some(conclusion));
    let waiting = run(2, "queued", None);
    assert!(of(&waiting, 1).is_some_and(|why| why.contains("followed by attempt 2")));
    // It may wait for a runner that is gone.
    assert_eq!(of(&waiting, 2), None);
    for attempt in [1, 3, 4] {
        let running = run(attempt, "in_progress", None);
        assert_eq!(of(&running, attempt), Some(still_running(attempt)));
    }
    assert!(of(&ended("success"), 2).is_some_and(|why| why.ends_with("succeeded")));
    assert!(of(&ended("skipped"), 2).is_some_and(|why| why.ends_with("ended as `skipped`")));
    assert_eq!(
        (of(&ended("failure"), 2), of(&ended("cancelled"), 2)),
        (None, None)
    );
    let last = run(3, "completed", Some("failure"));
    assert!(of(&last, 3).is_some_and(|why| why.contains("`max-attempts` is 3")));
}

#[test]
fn what_was_lost_is_told_in_a_line_and_in_a_row() {
    let text = str::to_owned;
    let interrupted = Lost::Interrupted {
        job: text("build"),
        instance: text("i-1"),
        reason: text("Server.SpotInstanceTermination"),
    };
    assert_eq!(
        interrupted.row(),
        ["build", "i-1", "Server.SpotInstanceTermination"]
    );
    assert_eq!(
        interrupted.to_string(),
        "job `build` was lost because AWS reclaimed `i-1` (Server.SpotInstanceTermination)"
    );
    let waiting = Lost::Waiting {
        job: text("test"),
        label: text("sprinters-7-1-x"),
    };
    assert_eq!(
        waiting.row(),
        ["test", "sprinters-7-1-x", "of an older attempt"]
    );
    assert!(waiting.to_string().contains("waited for `sprinters-7-1-x`"));
}
