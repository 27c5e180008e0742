//! What is reported of a job that is over: one line, and the same as fields. Pure.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::fleet::Member;
use crate::github::scale_sets::Job;
use crate::report::seconds;
use crate::values::runner_id::RunnerId;

/// EC2 bills at least a minute.
const LEAST: Duration = Duration::from_mins(1);

/// A job that is over.
#[derive(Debug)]
pub(super) struct JobOver {
    pub job: Job,
    pub runner: Option<RunnerId>,
    pub result: String,
}

/// A job's end, with what is known of its runner.
pub(super) struct Ended<'a> {
    pub job: &'a Job,
    pub result: &'a str,
    pub runner: Option<&'a Member>,
    /// It had a runner, and nothing is known of its instance.
    pub is_unknown: bool,
    /// What kept it waiting.
    pub hindrance: Option<&'a str>,
}

impl Ended<'_> {
    /// The points in its life, in their order, after the time at which it was queued.
    fn times(&self) -> Vec<(&'static str, SystemTime)> {
        let known = [
            ("launched", self.runner.map(|runner| runner.launched)),
            ("online", self.online()),
            ("started", self.job.started),
            ("done", self.job.finished),
        ];
        known
            .into_iter()
            .filter_map(|(name, time)| Some((name, time?)))
            .collect()
    }

    /// When its runner was seen online, which is at times seen only after its job has started.
    fn online(&self) -> Option<SystemTime> {
        let seen = self.runner?.online?;
        Some(self.job.started.map_or(seen, |started| seen.min(started)))
    }

    /// How many hours of its instance are billed until then.
    fn hours(&self) -> Option<f64> {
        let ran = self.job.finished?.duration_since(self.runner?.launched);
        Some(ran.ok()?.max(LEAST).as_secs_f64() / 3_600.0)
    }

    /// What its instance cost until then.
    fn instance_usd(&self) -> Option<f64> {
        Some(self.runner?.usd_per_hour? * self.hours()?)
    }

    /// What its volumes cost until then.
    fn volumes_usd(&self) -> Option<f64> {
        Some(self.runner?.volumes_usd_per_hour? * self.hours()?)
    }

    pub(super) fn line(&self) -> String {
        let Self { job, result, .. } = self;
        let result = if result.is_empty() { "over" } else { result };
        let mut line = format!(
            "job `{}` of {} (run {}) {}",
            shown(&job.name),
            shown(&job.repository),
            job.run_id,
            shown(result)
        );
        if let Some(queued) = job.queued {
            line.push_str(&format!(": queued {}", clock(queued)));
            for (name, time) in self.times() {
                let after = time.duration_since(queued).unwrap_or_default();
                line.push_str(&format!(", {name} +{}", seconds(after)));
            }
        }
        if let Some(runner) = self.runner {
            line.push_str(&format!("; {} {}", runner.market, runner.instance_type));
            if let Some(zone) = &runner.zone {
                line.push_str(&format!(" in {zone}"));
            }
            match (self.instance_usd(), self.volumes_usd()) {
                (Some(instance), Some(volumes)) => {
                    line.push_str(&format!(", ${:.4}", instance + volumes));
                }
                (Some(instance), None) => {
                    line.push_str(&format!(", ${instance:.4} without its volumes"));
                }
                (None, _) => {}
            }
        }
        if self.is_unknown {
            line.push_str("; its instance and price are not known");
        }
        if let Some(hindrance) = self.hindrance {
            line.push_str(&format!("; it waited because {hindrance}"));
        }
        line
    }

    pub(super) fn fields(&self) -> Map<String, Value> {
        let Self { job, result, .. } = self;
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                fields.insert(name.to_owned(), value);
            }
        };
        put("job", json!(job.name));
        put("repository", json!(job.repository));
        put("run_id", json!(job.run_id));
        put("workflow", json!(job.workflow));
        put("result", json!(result));
        if let Some(queued) = job.queued {
            put("queued", json!(unix(queued)));
            for (name, time) in self.times() {
                let after = time.duration_since(queued).unwrap_or_default();
                put(&format!("{name}_after_s"), json!(after.as_secs_f64()));
            }
        }
        if let Some(runner) = self.runner {
            put("instance", json!(runner.instance.to_string()));
            put("instance_type", json!(runner.instance_type));
            put("market", json!(runner.market.to_string()));
            put("zone", json!(runner.zone));
            let (instance, volumes) = (self.instance_usd(), self.volumes_usd());
            put("usd", json!(instance.zip(volumes).map(|(a, b)| a + b)));
            put("instance_usd", json!(instance));
            put("volumes_usd", json!(volumes));
        }
        put("waited_because", json!(self.hindrance));
        fields
    }
}

/// Names that people gave, without what could move a terminal's cursor, and not without end.
fn shown(text: &str) -> String {
    const MOST: usize = 100;
    let visible = text.chars().map(|c| {
        if c.is_control() || c == '`' {
            '\u{fffd}'
        } else {
            c
        }
    });
    visible.take(MOST).collect()
}

fn unix(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

/// `18:02:11`, in UTC.
fn clock(time: SystemTime) -> String {
    let of_day = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        % 86_400;
    format!(
        "{:02}:{:02}:{:02}",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modes::listen::fleet::Stage;
    use crate::values::network::InstanceId;
    use crate::values::spot::Market;

    #[test]
    fn one_line_tells_it_all() {
        let queued = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let after = |seconds| Some(queued + Duration::from_secs(seconds));
        let runner = Member {
            instance: InstanceId::from_ec2("i-1"),
            runner: None,
            name: None,
            stage: Stage::Done,
            launched: queued + Duration::from_millis(250),
            online: after(28),
            expires: None,
            market: Market::Spot,
            instance_type: "m7i.large".to_owned(),
            zone: Some("eu-central-1a".to_owned()),
            usd_per_hour: Some(0.036),
            volumes_usd_per_hour: Some(0.024),
            is_of_deleted_set: false,
            launch: None,
            etag: None,
        };
        let job = Job {
            name: "build\u{1b}[2J".to_owned(),
            repository: "octo/app".to_owned(),
            run_id: 7,
            queued: Some(queued),
            started: after(31),
            finished: after(125),
            ..Job::default()
        };
        let ended = Ended {
            job: &job,
            result: "succeeded",
            runner: Some(&runner),
            is_unknown: false,
            hindrance: Some("`max-runners` (2) lived"),
        };
        assert_eq!(
            ended.line(),
            "job `build\u{fffd}[2J` of octo/app (run 7) succeeded: queued 11:06:40, launched +0.25 s, online +28.0 s, \
             started +31.0 s, done +2 min 05 s; spot m7i.large in eu-central-1a, $0.0021; \
             it waited because `max-runners` (2) lived"
        );
        let fields = ended.fields();
        assert_eq!(fields.get("market"), Some(&json!("spot")));
        assert_eq!(fields.get("online_after_s"), Some(&json!(28.0)));
        let runner = Member {
            volumes_usd_per_hour: None,
            ..runner.clone()
        };
        let ended = Ended {
            runner: Some(&runner),
            ..ended
        };
        assert!(ended.line().contains(", $0.0012 without its volumes; "));
        let late = Member {
            online: after(32),
            ..runner.clone()
        };
        let ended = Ended {
            runner: Some(&late),
            ..ended
        };
        assert!(ended.line().contains("online +31.0 s, started +31.0 s"));
        let ended = Ended {
            runner: None,
            is_unknown: true,
            ..ended
        };
        assert!(
            ended
                .line()
                .contains("; its instance and price are not known; it waited")
        );
    }

    #[test]
    fn the_fields_are_those_that_are_known() {
        let queued = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let job = Job {
            name: "build".to_owned(),
            repository: "octo/app".to_owned(),
            run_id: 7,
            workflow: "ci.yml".to_owned(),
            queued: Some(queued),
            started: Some(queued + Duration::from_secs(3)),
            ..Job::default()
        };
        let ended = |result: &'static str| Ended {
            job: &job,
            result,
            runner: None,
            is_unknown: false,
            hindrance: None,
        };
        let expected = json!({
            "job": "build",
            "repository": "octo/app",
            "run_id": 7,
            "workflow": "ci.yml",
            "result": "canceled",
            "queued": 1_795_000_000.0,
            "started_after_s": 3.0,
        });
        assert_eq!(Value::Object(ended("canceled").fields()), expected);
        assert_eq!(
            ended("").line(),
            "job `build` of octo/app (run 7) over: queued 11:06:40, started +3.00 s"
        );
    }

    #[test]
    fn names_of_others_are_shown_without_what_moves_a_cursor() {
        assert_eq!(shown("a`b\u{7}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(shown(&"é".repeat(200)).chars().count(), 100);
        let of_day = |seconds| clock(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(
            (of_day(86_399), of_day(86_400 + 3_661)),
            ("23:59:59".to_owned(), "01:01:01".to_owned())
        );
    }
}
