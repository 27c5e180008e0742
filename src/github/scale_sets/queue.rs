//! The messages of a scale set's queue: what has happened to its jobs. Pure.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

use super::wire::{RawMessage, Statistics};
use crate::values::runner_id::RunnerId;

/// One message: at most 50 events.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Message {
    pub id: u64,
    pub statistics: Option<Statistics>,
    pub events: Vec<Event>,
}

/// What has happened to a job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// It is on offer, under this number: a listener must acquire it first.
    Available {
        request: i64,
    },
    /// It waits for a runner of this set.
    Assigned(Job),
    Started {
        job: Job,
        runner: RunnerId,
    },
    /// Over. A job without a runner was cancelled, or no runner took it in time.
    Completed {
        job: Job,
        runner: Option<RunnerId>,
        result: String,
    },
}

/// A job, in GitHub's words. All of it is somebody else's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Job {
    /// What names it in all messages.
    pub key: String,
    pub name: String,
    /// `owner/name`.
    pub repository: String,
    pub run_id: u64,
    pub workflow: String,
    pub queued: Option<SystemTime>,
    pub assigned: Option<SystemTime>,
    pub started: Option<SystemTime>,
    pub finished: Option<SystemTime>,
}

/// Reads a message; `None` where it is not one: an empty or cut body, or a type that does not exist yet.
pub(crate) fn parse(body: &str) -> Option<Message> {
    let raw: RawMessage = serde_json::from_str(body).ok()?;
    let text = raw.body.unwrap_or_default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // Each by itself: one that cannot be read does not hide the others.
    let entries: Vec<Value> = if raw.message_type == "RunnerScaleSetJobMessages" {
        serde_json::from_str(text).unwrap_or_default()
    } else {
        Vec::new()
    };
    Some(Message {
        id: raw.message_id,
        statistics: raw.statistics,
        events: entries.iter().filter_map(event).collect(),
    })
}

/// One entry. A field of another type than expected counts as absent.
fn event(entry: &Value) -> Option<Event> {
    let job = job(entry);
    let runner = u64::try_from(number(entry, "runnerId"))
        .ok()
        .filter(|id| *id > 0)
        .map(RunnerId);
    match text(entry, "messageType")? {
        "JobAvailable" => Some(Event::Available {
            request: number(entry, "runnerRequestId"),
        }),
        "JobAssigned" => Some(Event::Assigned(job)),
        "JobStarted" => Some(Event::Started {
            job,
            runner: runner?,
        }),
        "JobCompleted" => Some(Event::Completed {
            job,
            runner,
            result: owned(entry, "result"),
        }),
        _ => None,
    }
}

fn job(entry: &Value) -> Job {
    let time = |field| time(text(entry, field)?);
    // The request's number is 0 in newer messages.
    let key = text(entry, "jobId")
        .filter(|id| !id.is_empty())
        .map_or_else(
            || number(entry, "runnerRequestId").to_string(),
            str::to_owned,
        );
    Job {
        key,
        name: owned(entry, "jobDisplayName"),
        repository: format!(
            "{}/{}",
            owned(entry, "ownerName"),
            owned(entry, "repositoryName")
        ),
        run_id: u64::try_from(number(entry, "workflowRunId")).unwrap_or_default(),
        workflow: owned(entry, "jobWorkflowRef"),
        queued: time("queueTime"),
        assigned: time("scaleSetAssignTime"),
        started: time("runnerAssignTime"),
        finished: time("finishTime"),
    }
}

fn text<'a>(entry: &'a Value, field: &str) -> Option<&'a str> {
    entry.get(field)?.as_str()
}

fn owned(entry: &Value, field: &str) -> String {
    text(entry, field).unwrap_or_default().to_owned()
}

fn number(entry: &Value, field: &str) -> i64 {
    entry.get(field).and_then(Value::as_i64).unwrap_or_default()
}

/// A time; GitHub writes the year 1 for one that has not come.
fn time(text: &str) -> Option<SystemTime> {
    let parsed = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
    (parsed.secs() > 0)
        .then(|| parsed.try_into().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn message(body: &str) -> String {
        serde_json::json!({
            "messageId": 4,
            "messageType": "RunnerScaleSetJobMessages",
            "body": body,
            "statistics": {"totalAssignedJobs": 2, "totalRunningJobs": 1},
        })
        .to_string()
    }

    #[test]
    fn events_are_read_each_by_itself() {
        let body = r#"[
            {"messageType": "JobAssigned", "runnerRequestId": 0, "jobId": "a", "ownerName": "octo", "repositoryName": "app",
             "jobDisplayName": "build", "workflowRunId": 7, "queueTime": "2026-11-18T11:06:40.1234567Z",
             "runnerAssignTime": "0001-01-01T00:00:00Z"},
            {"messageType": "JobStarted", "jobId": "a", "runnerId": 9},
            {"messageType": "JobCompleted", "jobId": "b", "result": "canceled", "runnerId": 0},
            {"messageType": "JobAvailable", "runnerRequestId": 1001, "jobId": "c"},
            {"messageType": "JobVanished", "jobId": "d"},
            {"messageType": "JobAssigned", "jobId": "e", "queueTime": 7, "ownerName": null},
            "garbage"
        ]"#;
        let parsed = parse(&message(body)).unwrap_or_default();
        assert_eq!(parsed.events.len(), 5);
        assert_eq!(parsed.statistics.map(Statistics::assigned), Some(2));
        let [Event::Assigned(job), Event::Started { runner, .. }, ..] = &parsed.events[..] else {
            unreachable!("{:?}", parsed.events)
        };
        assert_eq!((job.key.as_str(), *runner), ("a", RunnerId(9)));
        assert_eq!((job.repository.as_str(), job.run_id), ("octo/app", 7));
        assert_eq!(job.started, None);
        let queued = job.queued.and_then(|t| t.duration_since(UNIX_EPOCH).ok());
        assert_eq!(queued.map(|t| t.as_secs()), Some(1_795_000_000));
        assert!(queued.is_some_and(|t| t > Duration::from_secs(1_795_000_000)));
        assert!(matches!(
            &parsed.events[2],
            Event::Completed { runner: None, .. }
        ));
        assert!(matches!(
            &parsed.events[3],
            Event::Available { request: 1001 }
        ));
        assert!(
            matches!(&parsed.events[4], Event::Assigned(job) if job.key == "e" && job.queued.is_none())
        );
    }

    #[test]
    fn what_is_no_message_is_none() {
        for body in ["", "{", "[]", "null", r#"{"messageId": "x"}"#] {
            assert_eq!(parse(body), None, "{body}");
        }
        for body in ["", "{}", "[", "null"] {
            let parsed = parse(&message(body));
            assert!(
                parsed.is_some_and(|m| m.events.is_empty() && m.id == 4),
                "{body}"
            );
        }
    }

    #[test]
    fn a_time_that_has_not_come_is_none() {
        assert_eq!(
            time("1970-01-01T00:00:01Z"),
            Some(UNIX_EPOCH + Duration::from_secs(1))
        );
        for text in ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "soon", ""] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn a_job_of_an_older_message_is_named_by_its_request() {
        let body = r#"[
            {"messageType": "JobAssigned", "runnerRequestId": 17, "jobId": "", "ownerName": "octo", "repositoryName": "app",
             "workflowRunId": -1, "jobWorkflowRef": "octo/app/.github/workflows/ci.yml",
             "scaleSetAssignTime": "2026-11-18T11:06:40Z"},
            {"messageType": "JobStarted", "jobId": "a", "runnerId": 0},
            {"messageType": "JobCompleted", "jobId": "a", "runnerId": 9, "result": "succeeded", "finishTime": "2026-11-18T11:06:40Z"}
        ]"#;
        let parsed = parse(&message(body)).unwrap_or_default();
        // One that started on no runner tells nothing.
        let [
            Event::Assigned(job),
            Event::Completed {
                job: done,
                runner,
                result,
            },
        ] = &parsed.events[..]
        else {
            unreachable!("{:?}", parsed.events)
        };
        assert_eq!((job.key.as_str(), job.run_id), ("17", 0));
        assert_eq!(job.workflow, "octo/app/.github/workflows/ci.yml");
        let at = Some(UNIX_EPOCH + Duration::from_secs(1_795_000_000));
        assert_eq!((job.assigned, done.finished), (at, at));
        assert_eq!((*runner, result.as_str()), (Some(RunnerId(9)), "succeeded"));
    }
}
