//! `listen`: serve scale sets, so that jobs find their runners by themselves.
//!
//! Each set has a loop of its own around one long poll. It reconciles without memory: what is wanted comes from GitHub's
//! statistics and messages, what lives from EC2's tags and GitHub's records, so that a listener that was killed goes on where
//! it was, here or on another machine.

mod census;
mod distrust;
mod errand;
mod fleet;
mod gone;
mod health;
mod hindrance;
mod http_server;
mod job_line;
mod jobs;
mod launches;
mod launching;
mod look;
mod messages;
mod metrics;
mod news;
mod notify;
mod overview;
mod prices;
mod reconcile;
mod serve;
mod service;
mod session;
mod set;
mod spec;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use crate::clients::{Clients, expected_account};
use crate::ec2;
use crate::error::{Exit, Failure};
use crate::github::scale_sets::ScaleSets;
use crate::github::{Purpose, VISIBILITY};
use crate::http;
use crate::inputs::ListenFlags;
use crate::inputs::{Inputs, Problems};
use crate::launch::context::RateLimits;
use crate::platform::environment;
use crate::platform::executor::spawn;
use crate::platform::signals::Cancel;
use crate::report::Reporter;
use crate::retry::{self, Deadline};
use crate::runner;
use crate::values::base36::letters;
use crate::values::per_region::listed;
use crate::values::run::WorkflowRun;
use crate::values::scope::Scope;
use serve::serve;
use service::{Service, Voice};
use session::failure;
use set::Set;
use spec::{ListenSpec, SetSpec};

/// How long passing errors are waited out before anything is served.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the sets have to close their sessions; GitHub kills a cancelled step after 7.5 s.
const CLOSE_WITHIN: Duration = Duration::from_millis(6_800);
const SIGN_OUT: Duration = Duration::from_millis(600);
/// A second signal that comes sooner is the first one's echo: `timeout`, and whoever else ends a process group, sends two.
const ECHO: Duration = Duration::from_millis(250);

/// Serves until a signal comes, or the time is over.
pub(crate) async fn listen(
    inputs: Inputs,
    flags: &ListenFlags,
    report: &Arc<Reporter>,
) -> Result<(), Failure> {
    let drained = flags.drain.as_deref();
    let runners = runner::served(&inputs, drained, environment, report).await;
    let mut runners = runners.map_err(|failure| failure.after(inputs.unknown()))?;
    let region = ec2::profile_region(environment).await;
    for runner in &mut runners {
        runner.inputs = std::mem::take(&mut runner.inputs).with_region_of_profile(region.clone());
    }
    let mut problems = Problems::of(&inputs);
    let Some((target, spec)) = ListenSpec::parse(&runners, flags, environment, &mut problems)
    else {
        return Err(Failure::inputs(&problems.located(&inputs)));
    };
    let patience = http::LONG_POLL_TIMEOUT;
    let clients = Clients::new(target, Purpose::Runners, environment, report, patience).await;
    let mut cancel = Cancel::install().map_err(|error| Failure::bug(&error))?;
    let work = run(&clients, spec, report, &mut cancel);
    let outcome = Box::pin(work).await;
    let _ = timeout(SIGN_OUT, clients.github.sign_out()).await;
    outcome
}

async fn run(
    clients: &Clients,
    spec: ListenSpec,
    report: &Arc<Reporter>,
    cancel: &mut Cancel,
) -> Result<(), Failure> {
    let names = spec.sets.iter().map(|set| set.name.as_str());
    let service = Arc::new(Service::new(report.clone(), names, owner()));
    let pages = match spec.metrics {
        None => None,
        Some(address) => Some(tokio::spawn(http_server::serve(
            http_server::bind(address).await.map_err(|error| {
                Failure::new(
                    format!("could not listen at `{address}`: {error}"),
                    "name another address with `--metrics`",
                )
            })?,
            service.clone(),
        ))),
    };
    let sets = tokio::select! {
        sets = prepare(clients, &spec, &service) => sets?,
        signal = cancel.requested() => return Err(Failure::cancelled(signal)),
    };
    let mut tasks = JoinSet::new();
    for set in sets {
        spawn(&mut tasks, serve(set));
    }
    notify::ready(&match spec.sets.len() {
        1 => "serving 1 scale set".to_owned(),
        count => format!("serving {count} scale sets"),
    });
    let outcome = attend(&service, &mut tasks, cancel, report).await;
    if let Some(pages) = pages {
        pages.abort();
    }
    outcome
}

/// Until all sets have ended, or a signal has ended them. The second signal leaves at once.
async fn attend(
    service: &Service,
    tasks: &mut JoinSet<Result<(), Failure>>,
    cancel: &mut Cancel,
    report: &Reporter,
) -> Result<(), Failure> {
    let mut outcome = Ok(());
    let mut alive = interval(notify::interval().unwrap_or(Duration::from_hours(1)));
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                None => return outcome,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(failure))) => {
                    service.stop.cancel();
                    outcome = outcome.and(Err(failure));
                }
                Some(Err(error)) => {
                    service.stop.cancel();
                    let what = format!("a scale set's loop ended unexpectedly: {error}");
                    outcome = outcome.and(Err(Failure::new(what, "report this as a bug")));
                }
            },
            _ = alive.tick() => notify::alive(),
            signal = cancel.requested() => {
                if service.stop.is_cancelled() {
                    return Err(left_at_once(signal));
                }
                notify::stopping();
                service.stop.cancel();
                report.line(format_args!(
                    "· {signal}: closing the sessions; runners that work go on (once more: leave at once)"
                ));
                tokio::select! {
                    () = all_ended(tasks) => return outcome,
                    () = tokio::time::sleep(CLOSE_WITHIN) => return outcome,
                    signal = again(cancel) => return Err(left_at_once(signal)),
                }
            }
        }
    }
}

async fn again(cancel: &mut Cancel) -> &'static str {
    let first = Instant::now();
    loop {
        let signal = cancel.requested().await;
        if first.elapsed() > ECHO {
            return signal;
        }
    }
}

fn left_at_once(signal: &str) -> Failure {
    Failure::new(
        format!("left at once ({signal}), with sessions open"),
        "the next listener may have to wait some two minutes for GitHub to end them; it finds what comes of launches that \
         were under way",
    )
}

async fn all_ended(tasks: &mut JoinSet<Result<(), Failure>>) {
    while tasks.join_next().await.is_some() {}
}

/// Everything that can be wrong with the set-up is reported before anything is served.
async fn prepare(
    clients: &Clients,
    spec: &ListenSpec,
    service: &Arc<Service>,
) -> Result<Vec<Set>, Failure> {
    let deadline = Deadline::after(PATIENCE);
    clients.sign_in(deadline).await?;
    if !spec.serves_public {
        refuse_public(clients, deadline).await?;
    }
    let sets = clients.scale_sets(&service.report);
    let sign_in = retry::until(crate::github::scale_sets::REGISTER, deadline, || {
        sets.sign_in()
    });
    sign_in.await.map_err(|error| failure(&error, clients))?;
    let mut limits: BTreeMap<String, Arc<RateLimits>> = BTreeMap::new();
    let mut proven = BTreeSet::new();
    for set in &spec.sets {
        if proven.insert(listed(set.regions.regions())) {
            let run = clients.run.clone();
            let clients = clients.for_scale_set(&set.regions, set.account.clone(), run);
            census::prove(&clients).await?;
        }
    }
    let mut made = Vec::new();
    for set in &spec.sets {
        let shared = limits
            .entry(listed(set.regions.regions()))
            .or_default()
            .clone();
        made.push(one(clients, &sets, set, spec.drains, service, shared).await?);
    }
    Ok(made)
}

async fn one(
    clients: &Clients,
    sets: &ScaleSets,
    spec: &SetSpec,
    drains: bool,
    service: &Arc<Service>,
    limits: Arc<RateLimits>,
) -> Result<Set, Failure> {
    let deadline = Deadline::after(PATIENCE);
    let voice = Voice {
        report: service.report.clone(),
        set: spec.name.clone(),
    };
    let clients = clients.for_scale_set(&spec.regions, spec.account.clone(), clients.run.clone());
    expected_account::check(&clients, clients.account.as_ref(), deadline).await?;
    let group = session::group(sets, &spec.start.runner_group, &clients).await?;
    let found = if drains {
        session::existing(sets, spec, group, &clients).await?
    } else {
        session::ensure(sets, spec, group, &voice)
            .await
            .map_err(|error| failure(&error, &clients))?
    };
    let run = identity(&clients.run, found.id, &spec.name);
    let clients = clients.for_scale_set(&spec.regions, spec.account.clone(), run);
    let service = service.clone();
    Ok(Set::new(
        service,
        voice,
        spec.clone(),
        (clients, sets.clone()),
        (found.id, group),
        drains,
        limits,
    ))
}

/// What the names of a set's runners are made of, instead of a workflow run.
fn identity(run: &WorkflowRun, set: u64, name: &str) -> WorkflowRun {
    WorkflowRun {
        id: "listen".to_owned(),
        attempt: set.to_string(),
        job: name.to_owned(),
        job_id: None,
        ..run.clone()
    }
}

/// Anybody may open a pull request at a public repository, and its workflow may name any of the repository's sets.
async fn refuse_public(clients: &Clients, deadline: Deadline) -> Result<(), Failure> {
    if !matches!(clients.run.scope, Scope::Repository(_)) {
        return Ok(());
    }
    let github = &clients.github;
    let is_public = retry::until(VISIBILITY, deadline, || github.is_public())
        .await
        .map_err(|error| clients.github_failure(&error))?;
    if !is_public {
        return Ok(());
    }
    let what = format!(
        "input `public` is not `true`, but `{}` is public: anyone who opens a pull request there can run code on these runners",
        clients.run.repository
    );
    let help = "require approval for all outside contributors (the repository's *Settings, Actions, General*), leave out \
                `instance-profile`, set `sudo: false` and a `subnet` of its own, and then set `public: true`";
    Err(Failure {
        exit: Exit::WrongInput,
        ..Failure::new(what, help)
    })
}

/// Who holds the sessions: the machine, and which of its listeners.
fn owner() -> String {
    let host = environment("HOSTNAME")
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "sprinters".to_owned());
    format!("{host} {} {}", std::process::id(), letters(4))
}
