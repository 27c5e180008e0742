//! `check`: prove the set-up without launching anything.

#[cfg(not(target_family = "wasm"))]
mod scale_set;
mod summary;

use std::sync::Arc;
use std::time::Duration;

use crate::boot::UserData;
use crate::clients::Clients;
use crate::clients::expected_account;
use crate::ec2::{
    CREATE_IMAGE, DELETE_SNAPSHOT, DEREGISTER_IMAGE, DESCRIBE_IMAGES, Ec2, Ec2Error,
    GET_CONSOLE_OUTPUT, Launch, PowerOff, statement_for, tags,
};
use crate::error::{Exit, Failure};
use crate::github::{DEFAULT_GROUP, JobId};
use crate::launch::prepare::Prepared;
use crate::launch::runner_group;
use crate::launch::spec::StartSpec;
use crate::report::{CheckResult, CheckStatus, Reporter};
use crate::retry::Deadline;
use crate::teardown::{self, Record};
use crate::values::candidate::Candidate;
use crate::values::network::InstanceId;
use crate::values::run::LaunchName;
use crate::values::runner_id::RunnerId;
use crate::values::scope::RunnerGroup;
use crate::values::spot::Spot;

/// An id that nobody has: permissions are decided before the resource is looked for.
const NO_INSTANCE: &str = "i-00000000000000000";

/// How long passing errors are waited out.
const PATIENCE: Duration = Duration::from_secs(20);

/// Checks everything that `start`, `stop` and `sweep` need, and what `listen` needs to serve the runner of that name. Tells each
/// remedy.
pub(crate) async fn check(
    clients: &Clients,
    spec: &StartSpec,
    served: Option<&str>,
    report: &Arc<Reporter>,
) -> Result<(), Failure> {
    let (account, aws, github, listener) = tokio::join!(
        account(clients),
        aws(clients, spec, report),
        github(clients, spec),
        listener(clients, spec, served, report)
    );
    let rerun = reruns(clients, spec).await;
    let findings: Vec<CheckResult> = account
        .into_iter()
        .chain(aws)
        .chain(github)
        .chain(listener)
        .chain(rerun)
        .collect();
    for finding in &findings {
        match &finding.remedy {
            None => report.mark(finding.mark, &finding.subject),
            Some(remedy) => {
                report.mark(finding.mark, format_args!("{}: {remedy}", finding.subject));
            }
        }
    }
    report.summary(&summary::checked(&findings));
    let missing: Vec<&str> = findings
        .iter()
        .filter(|f| f.mark == CheckStatus::Missing)
        .map(|f| f.subject.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure {
        exit: Exit::Failed,
        place: None,
        what: format!(
            "{} of {} checks failed: {}",
            missing.len(),
            findings.len(),
            missing.join(", ")
        ),
        help: findings
            .iter()
            .filter(|f| f.mark == CheckStatus::Missing)
            .filter_map(|f| f.remedy.clone())
            .collect(),
    })
}

#[cfg(not(target_family = "wasm"))]
async fn listener(
    clients: &Clients,
    spec: &StartSpec,
    served: Option<&str>,
    report: &Arc<Reporter>,
) -> Vec<CheckResult> {
    match served {
        Some(name) => scale_set::check(clients, name, &spec.runner_group, report).await,
        None => Vec::new(),
    }
}

/// The portable build does not listen.
#[cfg(target_family = "wasm")]
#[expect(clippy::unused_async, reason = "as the native build has it")]
async fn listener(
    _: &Clients,
    _: &StartSpec,
    _: Option<&str>,
    _: &Arc<Reporter>,
) -> Vec<CheckResult> {
    Vec::new()
}

/// What the dry runs answered.
struct Answers {
    launch: Result<(), Ec2Error>,
    others: [Result<(), Ec2Error>; 5],
    /// Not needed: it only makes a failed boot tell more.
    console: Result<(), Ec2Error>,
    /// Not needed: `bake` makes images with it.
    bake: Result<(), Ec2Error>,
}

async fn aws(clients: &Clients, spec: &StartSpec, report: &Reporter) -> Vec<CheckResult> {
    let mut findings = Vec::new();
    match clients.ec2.sign_in().await {
        Ok(None) => {}
        Ok(Some(taken)) => findings.push(CheckResult::fine(format!(
            "role taken with the OIDC token of `{}`: `{}`",
            taken.subject, taken.arn
        ))),
        Err(error) => {
            let remedy = format!("{error}; {}", error.help);
            return vec![CheckResult::missing("role by GitHub's OIDC token", remedy)];
        }
    }
    let prepared = match Prepared::fetch(clients, spec, report, Deadline::after(PATIENCE)).await {
        Ok(prepared) => {
            findings.push(CheckResult::fine(format!("image `{}`", spec.image)));
            Some(prepared)
        }
        Err(failure) => {
            findings.push(CheckResult::missing(
                format!("image `{}`", spec.image),
                joined(&failure),
            ));
            None
        }
    };
    let answers = ask(clients, spec, prepared.as_ref()).await;
    let credentials = format!(
        "credentials for `{}`: {}",
        clients.region, clients.ec2.signed_with
    );
    let all = || answers.others.iter().chain([&answers.launch]);
    if let Some(error) = all()
        .filter_map(|answer| answer.as_ref().err())
        .find(|error| is_about_caller(error))
    {
        let remedy = format!("{error}; {}", error.remedy(&clients.region));
        findings.push(CheckResult::missing(credentials, remedy));
    } else {
        findings.push(CheckResult::fine(credentials));
    }
    findings.extend(decide(clients, &answers));
    if answers.bake.is_ok() {
        let what = format!(
            "{CREATE_IMAGE}, {DESCRIBE_IMAGES}, {DEREGISTER_IMAGE} and {DELETE_SNAPSHOT} (optional: `mode: bake`)"
        );
        findings.push(CheckResult::fine(what));
    }
    if answers.console.is_ok() {
        let what = format!("{GET_CONSOLE_OUTPUT} (optional: a failed boot tells its last lines)");
        findings.push(CheckResult::fine(what));
    }
    findings
}

/// Whether the credentials are of the account that `runner` names.
async fn account(clients: &Clients) -> Option<CheckResult> {
    let wanted = clients.account.as_ref()?;
    let subject = format!("AWS account `{wanted}`");
    let checked = expected_account::check(clients, Some(wanted), Deadline::after(PATIENCE)).await;
    Some(match checked {
        Ok(()) => CheckResult::fine(subject),
        Err(failure) => CheckResult::missing(subject, joined(&failure)),
    })
}

async fn ask(clients: &Clients, spec: &StartSpec, prepared: Option<&Prepared>) -> Answers {
    let ec2 = &clients.ec2;
    let none = InstanceId::from_ec2(NO_INSTANCE);
    let run = &clients.run;
    let name = LaunchName::fresh(run, std::time::SystemTime::now()).runner_name();
    let expires = std::time::SystemTime::now() + Duration::from_hours(1);
    let tags = tags::for_launch(
        run,
        &name,
        &name,
        RunnerId(0),
        expires,
        spec.volumes(),
        spec.group.as_ref(),
        &spec.tags,
    );
    let idle = &UserData::default();
    let candidate = prepared.and_then(|prepared| prepared.ladder.first());
    let launch = |tags| async move {
        match (prepared, candidate) {
            (Some(prepared), Some(candidate)) => {
                dry_run_launch(ec2, launch_of(spec, prepared, candidate, tags, idle), spec).await
            }
            // Without an image there is nothing to ask with; the image's own line says so.
            _ => Ok(()),
        }
    };
    let (launch, tagging, describing, modifying, terminating, prices, console, bake) = tokio::join!(
        launch(&tags[..]),
        ec2.dry_run_create_tags(&none),
        ec2.dry_run_describe_instances(),
        ec2.dry_run_modify_volume(),
        ec2.dry_run_terminate(&none),
        ec2.dry_run_describe_spot_price_history(),
        ec2.dry_run_get_console_output(&none),
        ec2.dry_run_bake(&none),
    );
    Answers {
        launch,
        others: [tagging, describing, modifying, terminating, prices],
        console,
        bake,
    }
}

/// The launch, under each name that the root device may have.
async fn dry_run_launch(ec2: &Ec2, launch: Launch<'_>, spec: &StartSpec) -> Result<(), Ec2Error> {
    let mut answer = ec2.dry_run_launch(&launch).await;
    for root_device in spec.image.root_devices() {
        if !matches!(&answer, Err(error) if error.is_other_root_device()) {
            break;
        }
        answer = ec2
            .dry_run_launch(&Launch {
                root_device,
                ..launch
            })
            .await;
    }
    answer
}

fn launch_of<'a>(
    spec: &'a StartSpec,
    prepared: &'a Prepared,
    candidate: &'a Candidate,
    tags: &'a [(String, String)],
    user_data: &'a UserData,
) -> Launch<'a> {
    let image = prepared.image(candidate.instance_type.architecture());
    let known = image.root_device.as_deref();
    let [usual, ..] = spec.image.root_devices();
    Launch {
        candidate,
        image_id: &image.id,
        root_device: known.unwrap_or(usual),
        volumes: spec.volumes(),
        security_groups: &spec.security_groups,
        instance_profile: spec.instance_profile.as_ref(),
        tags,
        user_data,
        client_token: "sprinters-check",
        power_off: PowerOff::Terminates,
    }
}

/// One finding for each of the six permissions.
fn decide(clients: &Clients, answers: &Answers) -> Vec<CheckResult> {
    // EC2 authorizes the tags of a launch as `ec2:CreateTags`. So where the tagged launch is allowed but all three are
    // refused on things that nobody has, the policy is scoped to our tags, as the book's tight policy is: it is right to
    // refuse them, and only a real runner could show more.
    let [tagging, _, modifying, terminating, _] = &answers.others;
    let is_scoped = answers.launch.is_ok()
        && [tagging, modifying, terminating]
            .iter()
            .all(|answer| answer.as_ref().is_err_and(Ec2Error::is_unauthorized));
    let names = [
        "CreateTags",
        "DescribeInstances",
        "ModifyVolume",
        "TerminateInstances",
        "DescribeSpotPriceHistory",
    ];
    let mut findings = vec![finding(clients, "RunInstances", &answers.launch, false)];
    for (name, answer) in names.into_iter().zip(&answers.others) {
        findings.push(finding(
            clients,
            name,
            answer,
            is_scoped && !name.starts_with("Describe"),
        ));
    }
    findings
}

fn finding(
    clients: &Clients,
    name: &str,
    answer: &Result<(), Ec2Error>,
    is_scoped: bool,
) -> CheckResult {
    let subject = format!("ec2:{name}");
    match answer {
        Ok(()) => CheckResult::fine(subject),
        Err(error) if is_about_caller(error) => CheckResult::missing(subject, "not checked, because the credentials do not work"),
        Err(error) if error.is_unauthorized() && is_scoped => CheckResult {
            mark: CheckStatus::Unknown,
            subject,
            remedy: Some(
                "the policy is scoped to Sprinters' tags, so that only a running runner could prove this permission".to_owned(),
            ),
        },
        Err(error) if error.is_unauthorized() => {
            let scoped = match name {
                "CreateTags" | "ModifyVolume" | "TerminateInstances" => {
                    "; if your policy grants it for `aws:ResourceTag/sprinters:sprinters` or `ec2:CreateAction` only, this check \
                     cannot see that"
                }
                _ => "",
            };
            let mut remedy = format!("refused; {}{scoped}", error.remedy(&clients.region));
            let ours = statement_for(&subject);
            if !remedy.contains(&subject) {
                remedy = format!("{remedy}; {ours}");
            }
            CheckResult::missing(subject, remedy)
        }
        Err(error) => CheckResult::missing(subject, format!("{error}; {}", error.remedy(&clients.region))),
    }
}

/// Whether an answer is about who asks, rather than what they ask for.
fn is_about_caller(error: &Ec2Error) -> bool {
    use crate::ec2::Ec2ErrorKind as Kind;
    matches!(
        error.kind,
        Kind::NoCredentials | Kind::NoRole { .. } | Kind::NoAnswer
    ) || matches!(
        error.code(),
        Some(
            "AuthFailure"
                | "InvalidClientTokenId"
                | "UnrecognizedClientException"
                | "SignatureDoesNotMatch"
                | "RequestExpired"
                | "OptInRequired"
        )
    )
}

/// The token's right to create runners: one is created and deleted again, because a read-only token can list them as well.
async fn github(clients: &Clients, spec: &StartSpec) -> Vec<CheckResult> {
    let github = &clients.github;
    let scope = &clients.run.scope;
    let mut findings = Vec::new();
    if let Some(app) = github.app() {
        let subject =
            format!("GitHub App `{app}` is installed in {scope} and may manage its runners");
        match clients.sign_in_to_github(Deadline::after(PATIENCE)).await {
            Ok(()) => findings.push(CheckResult::fine(subject)),
            Err(failure) => return vec![CheckResult::missing(subject, joined(&failure))],
        }
    }
    let mut group = DEFAULT_GROUP;
    if spec.runner_group != RunnerGroup::Default {
        let subject = format!("runner group `{}`", spec.runner_group);
        match runner_group::resolve(clients, &spec.runner_group, Deadline::after(PATIENCE)).await {
            Ok(id) => {
                group = id;
                findings.push(CheckResult::fine(subject));
            }
            Err(failure) => findings.push(CheckResult::missing(subject, joined(&failure))),
        }
    }
    let subject = match github.app() {
        Some(_) => format!("its installation token may create runners in {scope}"),
        None => format!("GitHub token may create runners in {scope}"),
    };
    let name = LaunchName::fresh(&clients.run, std::time::SystemTime::now()).runner_name();
    findings.push(
        match github.create_jit_runner(&name, &[&name], group).await {
            Err(error) => {
                CheckResult::missing(subject, format!("{error}; {}", error.remedy(scope)))
            }
            Ok(jit) => {
                match teardown::delete_record(
                    github,
                    &Record { id: jit.id, name },
                    Deadline::after(Duration::from_secs(10)),
                )
                .await
                {
                    Ok(()) => CheckResult::fine(subject),
                    Err(why) => CheckResult::missing(
                        subject,
                        format!(
                            "created runner record {}, but could not delete it: {why}",
                            jit.id
                        ),
                    ),
                }
            }
        },
    );
    findings
}

/// The token's right to run a run again, where `spot: rerun` is chosen. The workflow with `mode: rerun` brings a token of its
/// own, so that this one's lack of the right is not a fault. It is asked to run this very job again, which GitHub refuses in
/// any case, because the job is running.
async fn reruns(clients: &Clients, spec: &StartSpec) -> Option<CheckResult> {
    if spec.spot != Spot::Rerun {
        return None;
    }
    let github = &clients.github;
    let subject = format!(
        "GitHub token may rerun runs of `{}`",
        clients.run.repository
    );
    let answer = match clients.run.job_id {
        Some(id) => github.rerun_job(JobId(id)).await.err(),
        None => None,
    };
    if answer.is_some_and(|error| error.is_already_running()) {
        return Some(CheckResult::fine(subject));
    }
    Some(CheckResult {
        mark: CheckStatus::Unknown,
        subject,
        remedy: Some(
            "not this one. The job with `mode: rerun` needs `permissions: {actions: write, checks: read}` and \
             `github-token: ${{ github.token }}`; without it nobody reruns what AWS reclaims"
                .to_owned(),
        ),
    })
}

fn joined(failure: &Failure) -> String {
    let help = failure.help.join("; ");
    format!("{}; {help}", failure.what)
}
