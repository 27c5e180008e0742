//! The tags that every instance and volume of ours carries.
//!
//! `stop` and `sweep` find by them, and policies scope on [`OURS`]. They are set in the `RunInstances` call itself, so that
//! nothing of ours ever exists without them.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use sprinters_policy::region::is_region;

use crate::values::group::Group;
use crate::values::region::Region;
use crate::values::run::WorkflowRun;
use crate::values::runner_id::RunnerId;
use crate::values::tags::Tags;
use crate::values::volume::Volumes;

#[cfg(not(target_family = "wasm"))]
pub(crate) use sprinters_policy::tags::SCALE_SET;
pub(crate) use sprinters_policy::tags::{
    EXPIRES, GROUP, JOB, JOB_ID, LABEL, NAME, OURS, REGIONS, REPOSITORY, ROOT, RUN_ATTEMPT, RUN_ID,
    RUNNER_ID, SCOPE, TEMP,
};

/// The name that a baked image is one of several of.
pub(crate) const IMAGE: &str = "sprinters:image";

/// The tags of what `bake` makes, the instance and the image: found by the same means as a runner's.
pub(crate) fn for_bake(
    run: &WorkflowRun,
    name: &str,
    image: &str,
    expires: Option<SystemTime>,
    extra: &Tags,
) -> Vec<(String, String)> {
    let ours = [
        (OURS, "true".to_owned()),
        (NAME, name.to_owned()),
        (REPOSITORY, run.repository.to_string()),
        (RUN_ID, run.id.clone()),
        (RUN_ATTEMPT, run.attempt.clone()),
        (JOB, run.job.clone()),
        (IMAGE, image.to_owned()),
    ];
    let expires = expires.map(|expires| (EXPIRES, rfc3339(expires)));
    let shared = run.scope.tag().map(|scope| (SCOPE, scope));
    let job_id = run.job_id.map(|id| (JOB_ID, id.to_string()));
    let all = ours.into_iter().chain(expires).chain(shared).chain(job_id);
    with_extra(all, extra)
}

/// The tags of one launch, from the table that the policy checker decides by; the user's own last. A user's `Name` wins over ours.
#[expect(
    clippy::too_many_arguments,
    reason = "one launch is described by just these"
)]
pub(crate) fn for_launch(
    run: &WorkflowRun,
    runner_name: &str,
    label: &str,
    runner_id: RunnerId,
    expires: SystemTime,
    volumes: Volumes,
    group: Option<&Group>,
    regions: Option<String>,
    extra: &Tags,
) -> Vec<(String, String)> {
    let of_run = [
        (RUN_ID, run.id.clone()),
        (RUN_ATTEMPT, run.attempt.clone()),
        (JOB, run.job.clone()),
        (LABEL, label.to_owned()),
    ];
    let job_id = run.job_id.map(|id| (JOB_ID, id.to_string()));
    let group = group.map(|group| (GROUP, group.to_string()));
    let ours = of_runner(run, runner_name, runner_id, expires, volumes);
    let regions = regions.map(|regions| (REGIONS, regions));
    let ours = ours.into_iter().chain(of_run);
    let all = ours.chain(group).chain(regions).chain(job_id);
    with_extra(all, extra)
}

/// The tags of a launch for a scale set: no workflow run is its own.
#[cfg(not(target_family = "wasm"))]
#[expect(
    clippy::too_many_arguments,
    reason = "one launch is described by just these"
)]
pub(crate) fn for_scale_set(
    run: &WorkflowRun,
    runner_name: &str,
    set: &str,
    runner_id: RunnerId,
    expires: SystemTime,
    volumes: Volumes,
    regions: Option<String>,
    extra: &Tags,
) -> Vec<(String, String)> {
    let ours = of_runner(run, runner_name, runner_id, expires, volumes);
    let regions = regions.map(|regions| (REGIONS, regions));
    let ours = ours.into_iter().chain(regions);
    with_extra(ours.chain([(SCALE_SET, set.to_owned())]), extra)
}

fn of_runner(
    run: &WorkflowRun,
    runner_name: &str,
    runner_id: RunnerId,
    expires: SystemTime,
    volumes: Volumes,
) -> Vec<(&'static str, String)> {
    let ours = [
        (OURS, "true".to_owned()),
        (NAME, runner_name.to_owned()),
        (REPOSITORY, run.repository.to_string()),
        (RUNNER_ID, runner_id.to_string()),
        (EXPIRES, rfc3339(expires)),
        (ROOT, volumes.root.to_tag()),
    ];
    let shared = run.scope.tag().map(|scope| (SCOPE, scope));
    let temp = volumes.temp.map(|temp| (TEMP, temp.to_string()));
    ours.into_iter().chain(temp).chain(shared).collect()
}

fn with_extra(
    ours: impl Iterator<Item = (&'static str, String)>,
    extra: &Tags,
) -> Vec<(String, String)> {
    ours.filter(|(key, _)| *key != NAME || extra.iter().all(|(theirs, _)| theirs != NAME))
        .map(|(key, value)| (key.to_owned(), value))
        .chain(
            extra
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned())),
        )
        .collect()
}

/// A time as the `sprinters:expires` tag writes it, in whole seconds.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let whole = DateTime::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    whole.fmt(Format::DateTime).unwrap_or_default()
}

/// Regions as the `sprinters:regions` tag writes them: EC2 takes no commas. `None` for a single one.
pub(crate) fn regions<'a>(regions: impl IntoIterator<Item = &'a Region>) -> Option<String> {
    let names: Vec<&str> = regions.into_iter().map(Region::as_str).collect();
    (names.len() > 1).then(|| names.join("/"))
}

/// Reads a `sprinters:regions` tag back. Everybody who may tag instances can write it: only regions that AWS has are asked.
pub(crate) fn parse_regions(text: &str) -> Vec<Region> {
    let known = text.split('/').filter(|name| is_region(name));
    known.filter_map(|name| name.parse().ok()).collect()
}

/// Reads a `sprinters:expires` tag back.
pub(crate) fn parse_expires(text: &str) -> Option<SystemTime> {
    SystemTime::try_from(DateTime::from_str(text, Format::DateTimeWithOffset).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::scope::Scope;
    use crate::values::temp::Temp;
    use crate::values::volume::RootVolume;
    use std::time::Duration;

    #[test]
    fn regions_are_remembered_where_there_are_several() {
        let of = |text: &str| crate::values::per_region::regions(text).ok();
        let tag = |text: &str| of(text).and_then(|all| regions(all.regions()));
        assert_eq!(tag("us-west-2"), None);
        assert_eq!(
            tag("us-west-2, eu-west-1").as_deref(),
            Some("us-west-2/eu-west-1")
        );
        let read = |text: &str| {
            let regions = parse_regions(text).into_iter();
            regions.map(|region| region.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(read("us-west-2/eu-west-1"), ["us-west-2", "eu-west-1"]);
        assert!(read("evil.example/nz-north-1/us-west-2 /us-wst-2").is_empty());
    }

    #[test]
    fn expiry_round_trips() {
        let time = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        assert_eq!(rfc3339(time), "2026-11-18T11:06:40Z");
        assert_eq!(parse_expires(&rfc3339(time)), Some(time));
        assert_eq!(parse_expires("tomorrow"), None);
    }

    fn run(scope: &str) -> WorkflowRun {
        let repository = "octo/app".parse().unwrap_or_else(|e| unreachable!("{e}"));
        WorkflowRun {
            scope: Scope::parse(scope, &repository).unwrap_or_else(|e| unreachable!("{e}")),
            repository,
            id: "42".to_owned(),
            attempt: "2".to_owned(),
            job: "start".to_owned(),
            job_id: Some(77),
        }
    }

    fn listed(tags: &[(String, String)]) -> Vec<String> {
        let pair = |(key, value): &(String, String)| format!("{key}={value}");
        tags.iter().map(pair).collect()
    }

    fn own(text: &str) -> Tags {
        Tags::parse(text).unwrap_or_else(|e| unreachable!("{e}"))
    }

    const VOLUMES: Volumes = Volumes {
        root: RootVolume {
            gib: Some(30),
            iops: None,
            throughput: None,
            initialization: None,
            is_for_boot: false,
        },
        temp: None,
    };

    #[test]
    fn a_launch_says_whose_it_is_and_until_when() {
        let (expires, id) = (UNIX_EPOCH + Duration::from_secs(1_795_000_000), RunnerId(7));
        let group = "blue".parse().ok();
        let regions = Some("us-west-2/eu-west-1".to_owned());
        let tags = for_launch(
            &run("repo"),
            "runner",
            "label",
            id,
            expires,
            VOLUMES,
            group.as_ref(),
            regions,
            &own("team: ci"),
        );
        assert_eq!(
            listed(&tags),
            [
                "sprinters:sprinters=true",
                "Name=runner",
                "sprinters:repository=octo/app",
                "sprinters:runner-id=7",
                "sprinters:expires=2026-11-18T11:06:40Z",
                "sprinters:root=gp3/3000/125,30GiB",
                "sprinters:run-id=42",
                "sprinters:run-attempt=2",
                "sprinters:job=start",
                "sprinters:label=label",
                "sprinters:group=blue",
                "sprinters:regions=us-west-2/eu-west-1",
                "sprinters:job-id=77",
                "team=ci",
            ]
        );
    }

    #[test]
    fn a_name_of_the_user_s_is_taken_instead_of_ours() {
        let tags = for_launch(
            &run("repo"),
            "runner",
            "label",
            RunnerId(7),
            UNIX_EPOCH,
            VOLUMES,
            None,
            None,
            &own("Name: mine"),
        );
        let names = tags.iter().filter(|(key, _)| key == NAME);
        assert_eq!(names.map(|(_, value)| value).collect::<Vec<_>>(), ["mine"]);
        assert_eq!(tags.first().map(|(key, _)| key.as_str()), Some(OURS));
    }

    #[test]
    fn a_runner_of_a_scale_set_is_of_no_run() {
        let volumes = Volumes {
            temp: "gp3/64/4000/250"
                .parse::<Temp>()
                .ok()
                .and_then(Temp::volume),
            ..VOLUMES
        };
        let tags = for_scale_set(
            &run("org"),
            "runner",
            "linux",
            RunnerId(7),
            UNIX_EPOCH,
            volumes,
            None,
            &own("team: ci"),
        );
        assert_eq!(
            listed(&tags),
            [
                "sprinters:sprinters=true",
                "Name=runner",
                "sprinters:repository=octo/app",
                "sprinters:runner-id=7",
                "sprinters:expires=1970-01-01T00:00:00Z",
                "sprinters:root=gp3/3000/125,30GiB",
                "sprinters:temp=gp3/64/4000/250",
                "sprinters:scope=orgs/octo",
                "sprinters:scale-set=linux",
                "team=ci",
            ]
        );
    }

    #[test]
    fn an_image_has_no_runner_and_is_found_all_the_same() {
        let tags = |expires, extra: &str| {
            listed(&for_bake(&run("org"), "name", "ci", expires, &own(extra)))
        };
        assert_eq!(
            tags(Some(UNIX_EPOCH), "team: ci"),
            [
                "sprinters:sprinters=true",
                "Name=name",
                "sprinters:repository=octo/app",
                "sprinters:run-id=42",
                "sprinters:run-attempt=2",
                "sprinters:job=start",
                "sprinters:image=ci",
                "sprinters:expires=1970-01-01T00:00:00Z",
                "sprinters:scope=orgs/octo",
                "sprinters:job-id=77",
                "team=ci",
            ]
        );
        let kept = tags(None, "Name: mine");
        assert!(!kept.iter().any(|tag| tag.contains("expires")), "{kept:?}");
        assert!(kept.contains(&"Name=mine".to_owned()) && !kept.contains(&"Name=name".to_owned()));
    }

    #[test]
    fn there_is_room_for_all_tags_that_the_input_takes() {
        let own = |count: usize| {
            let lines: Vec<String> = (0..count).map(|n| format!("k{n}: v")).collect();
            Tags::parse(&lines.join("\n"))
        };
        let volumes = Volumes {
            temp: "gp3/64".parse::<Temp>().ok().and_then(Temp::volume),
            ..VOLUMES
        };
        let group = "blue".parse().ok();
        let all = |extra: &Tags| {
            for_launch(
                &run("org"),
                "runner",
                "label",
                RunnerId(7),
                UNIX_EPOCH,
                volumes,
                group.as_ref(),
                Some("us-west-2/eu-west-1".to_owned()),
                extra,
            )
        };
        assert_eq!(own(35).map(|extra| all(&extra).len()), Ok(50));
        assert!(own(36).is_err_and(|why| why.contains("at most 35 tags")));
    }
}
