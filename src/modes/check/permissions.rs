//! The credentials, the image and each EC2 permission, by dry runs.

use std::time::{Duration, SystemTime};

use super::{PATIENCE, joined};
use crate::boot::UserData;
use crate::clients::Clients;
use crate::ec2::{
    CREATE_IMAGE, DELETE_SNAPSHOT, DEREGISTER_IMAGE, DESCRIBE_IMAGES, Ec2, Ec2Error,
    GET_CONSOLE_OUTPUT, Launch, PowerOff, RUN_INSTANCES, statement_for, tags,
};
use crate::error::Failure;
use crate::launch::prepare::Prepared;
use crate::launch::spec::StartSpec;
use crate::report::{CheckResult, CheckStatus, Reporter};
use crate::retry::{self, Deadline, Transient};
use crate::values::candidate::Candidate;
use crate::values::network::InstanceId;
use crate::values::region::Region;
use crate::values::run::LaunchName;
use crate::values::runner_id::RunnerId;

/// An id that nobody has: permissions are decided before the resource is looked for.
const NO_INSTANCE: &str = "i-00000000000000000";

/// The five that the launch needs beside itself.
const OTHERS: [&str; 5] = [
    "ec2:CreateTags",
    "ec2:DescribeInstances",
    "ec2:ModifyVolume",
    "ec2:TerminateInstances",
    "ec2:DescribeSpotPriceHistory",
];

/// What the dry runs answered.
struct Answers {
    launch: Result<(), Ec2Error>,
    others: [Result<(), Ec2Error>; 5],
    /// Not needed: it only makes a failed boot tell more.
    console: Result<(), Ec2Error>,
    /// Not needed: `bake` makes images with it.
    bake: Result<(), Ec2Error>,
}

impl Answers {
    fn all(&self) -> impl Iterator<Item = &Result<(), Ec2Error>> {
        self.others.iter().chain([&self.launch])
    }
}

/// Signs in, finds the image, and asks for each permission.
pub(super) async fn check(
    clients: &Clients,
    spec: &StartSpec,
    report: &Reporter,
) -> Vec<CheckResult> {
    let mut findings = Vec::new();
    match clients.ec2.home().sign_in().await {
        Ok(None) => {}
        Ok(Some(taken)) => findings.push(CheckResult::fine(format!(
            "role taken with the OIDC token of `{}`: `{}`",
            taken.subject, taken.arn
        ))),
        Err(error) => {
            let subject = "role by GitHub's OIDC token";
            let remedy = format!("{error}; {}", error.help);
            return vec![if error.is_transient() {
                CheckResult::unanswered(subject, remedy)
            } else {
                CheckResult::missing(subject, remedy)
            }];
        }
    }
    let prepared = Prepared::fetch(clients, spec, report, Deadline::after(PATIENCE)).await;
    for ec2 in clients.ec2.each() {
        let place = if clients.ec2.is_several() {
            format!(" in `{}`", ec2.region)
        } else {
            String::new()
        };
        let all = region(clients, ec2, spec, &prepared).await;
        findings.extend(all.into_iter().map(|finding| CheckResult {
            subject: format!("{}{place}", finding.subject),
            ..finding
        }));
    }
    findings
}

/// What one region has and allows.
async fn region(
    clients: &Clients,
    ec2: &Ec2,
    spec: &StartSpec,
    prepared: &Result<Prepared, Failure>,
) -> Vec<CheckResult> {
    let mut findings = Vec::new();
    let image = format!("image `{}`", spec.regions.of(&ec2.region).image);
    let why_not = match prepared {
        Ok(prepared) => {
            let mut skipped = prepared.skipped.iter();
            let skipped = skipped.find(|(region, _)| *region == ec2.region);
            skipped.map(|(_, failure)| failure)
        }
        Err(failure) => Some(failure),
    };
    findings.push(match why_not {
        None => CheckResult::fine(image),
        Some(failure) => CheckResult::missing(image, joined(failure)),
    });
    let answers = ask(clients, ec2, spec, prepared.as_ref().ok()).await;
    findings.push(credentials(ec2, &answers));
    findings.extend(decide(&ec2.region, &answers));
    if answers.bake.is_ok() {
        let what = format!(
            "{CREATE_IMAGE}, {DESCRIBE_IMAGES}, {DEREGISTER_IMAGE} and {DELETE_SNAPSHOT} (optional: `mode: bake`)"
        );
        findings.push(CheckResult::fine(what));
    }
    if answers.console.is_ok() {
        let what = format!("{GET_CONSOLE_OUTPUT} (optional: for the last lines of a failed boot)");
        findings.push(CheckResult::fine(what));
    }
    findings
}

/// Whether AWS knows the credentials: any answer of EC2's that is not about them shows that it does.
fn credentials(ec2: &Ec2, answers: &Answers) -> CheckResult {
    let subject = format!("credentials for `{}`: {}", ec2.region, ec2.signed_with);
    let remedy = |error: &Ec2Error| format!("{error}; {}", error.remedy(&ec2.region));
    let errors = || answers.all().filter_map(|answer| answer.as_ref().err());
    if let Some(error) = errors().find(|error| is_about_caller(error)) {
        return CheckResult::missing(subject, remedy(error));
    }
    let [.., prices] = &answers.others;
    let mut decided = answers.others.iter().filter(|answer| match answer {
        Ok(()) => true,
        Err(error) => is_decided(error),
    });
    match (decided.next(), prices) {
        (None, Err(error)) => CheckResult::unanswered(subject, remedy(error)),
        _ => CheckResult::fine(subject),
    }
}

async fn ask(
    clients: &Clients,
    ec2: &Ec2,
    spec: &StartSpec,
    prepared: Option<&Prepared>,
) -> Answers {
    let none = InstanceId::from_ec2(NO_INSTANCE);
    let run = &clients.run;
    let name = LaunchName::fresh(run, SystemTime::now()).runner_name();
    let expires = SystemTime::now() + Duration::from_hours(1);
    let tags = tags::for_launch(
        run,
        &name,
        &name,
        RunnerId(0),
        expires,
        spec.volumes(&ec2.region),
        spec.group.as_ref(),
        tags::regions(clients.ec2.regions()),
        &spec.tags,
    );
    let idle = UserData::default();
    let is_there = |candidate: &&Candidate| candidate.region == ec2.region;
    let candidate = prepared.and_then(|prepared| prepared.ladder.iter().find(is_there));
    let deadline = Deadline::after(PATIENCE);
    let launch = async {
        match (prepared, candidate) {
            (Some(prepared), Some(candidate)) => {
                let launch = launch_of(spec, prepared, candidate, &tags, &idle);
                dry_run_launch(ec2, launch, spec, deadline).await
            }
            // Without an image there is nothing to ask with; the image's own line says so.
            _ => Ok(()),
        }
    };
    let [tagging, describing, modifying, terminating, prices] = OTHERS;
    let (launch, tagging, describing, modifying, terminating, prices, console, bake) = tokio::join!(
        launch,
        retry::until(tagging, deadline, || ec2.dry_run_create_tags(&none)),
        retry::until(describing, deadline, || ec2.dry_run_describe_instances()),
        retry::until(modifying, deadline, || ec2.dry_run_modify_volume()),
        retry::until(terminating, deadline, || ec2.dry_run_terminate(&none)),
        retry::until(prices, deadline, || ec2
            .dry_run_describe_spot_price_history()),
        retry::until(GET_CONSOLE_OUTPUT, deadline, || ec2
            .dry_run_get_console_output(&none)),
        retry::until(CREATE_IMAGE, deadline, || ec2.dry_run_bake(&none)),
    );
    Answers {
        launch,
        others: [tagging, describing, modifying, terminating, prices],
        console,
        bake,
    }
}

/// The launch, under each name that the root device may have.
async fn dry_run_launch(
    ec2: &Ec2,
    mut launch: Launch<'_>,
    spec: &StartSpec,
    deadline: Deadline,
) -> Result<(), Ec2Error> {
    let mut answer = retry::until(RUN_INSTANCES, deadline, || ec2.dry_run_launch(&launch)).await;
    for root_device in spec.regions.of(&ec2.region).image.root_devices() {
        if !matches!(&answer, Err(error) if error.is_other_root_device()) {
            break;
        }
        launch.root_device = root_device;
        answer = retry::until(RUN_INSTANCES, deadline, || ec2.dry_run_launch(&launch)).await;
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
    let image = prepared.image(candidate);
    let known = image.root_device.as_deref();
    let region = spec.regions.of(&candidate.region);
    let [usual, ..] = region.image.root_devices();
    Launch {
        candidate,
        image_id: &image.id,
        root_device: known.unwrap_or(usual),
        volumes: spec.volumes(&candidate.region),
        security_groups: &region.security_groups,
        instance_profile: spec.instance_profile.as_ref(),
        options: &region.options,
        tags,
        user_data,
        client_token: "sprinters-check",
        power_off: PowerOff::Terminates,
    }
}

/// One finding for each of the six permissions.
fn decide(region: &Region, answers: &Answers) -> Vec<CheckResult> {
    // EC2 authorizes the tags of a launch as `ec2:CreateTags`. So where the tagged launch is allowed but all three are
    // refused on things that nobody has, the policy is scoped to our tags, as the book's tight policy is: it is right to
    // refuse them, and only a real runner could show more.
    let [tagging, _, modifying, terminating, _] = &answers.others;
    let is_scoped = answers.launch.is_ok()
        && [tagging, modifying, terminating]
            .iter()
            .all(|answer| answer.as_ref().is_err_and(Ec2Error::is_unauthorized));
    let mut findings = vec![finding(region, "ec2:RunInstances", &answers.launch, false)];
    for (action, answer) in OTHERS.into_iter().zip(&answers.others) {
        let is_scoped = is_scoped && !action.starts_with("ec2:Describe");
        findings.push(finding(region, action, answer, is_scoped));
    }
    findings
}

fn finding(
    region: &Region,
    action: &str,
    answer: &Result<(), Ec2Error>,
    is_scoped: bool,
) -> CheckResult {
    let Err(error) = answer else {
        return CheckResult::fine(action);
    };
    let remedy = error.remedy(region);
    if is_about_caller(error) {
        CheckResult::missing(action, "not checked, because the credentials do not work")
    } else if !is_decided(error) {
        CheckResult::unanswered(action, format!("{error}; {remedy}"))
    } else if !error.is_unauthorized() {
        CheckResult::missing(action, format!("{error}; {remedy}"))
    } else if is_scoped {
        CheckResult {
            mark: CheckStatus::Unknown,
            subject: action.to_owned(),
            remedy: Some(
                "the policy is scoped to Sprinters' tags, so that only a running runner could prove this permission".to_owned(),
            ),
        }
    } else {
        refused(action, &remedy)
    }
}

fn refused(action: &str, remedy: &str) -> CheckResult {
    let scoped = match action {
        "ec2:CreateTags" | "ec2:ModifyVolume" | "ec2:TerminateInstances" => {
            "; if your policy grants it for `aws:ResourceTag/sprinters:sprinters` or `ec2:CreateAction` only, this check \
             cannot see that"
        }
        _ => "",
    };
    let mut remedy = format!("refused; {remedy}{scoped}");
    if !remedy.contains(action) {
        remedy = format!("{remedy}; {}", statement_for(action));
    }
    CheckResult::missing(action, remedy)
}

/// Whether EC2 has said whether the call is allowed, rather than that it cannot say now, or nothing.
fn is_decided(error: &Ec2Error) -> bool {
    error.code().is_some() && !error.is_transient()
}

/// Whether an answer is about who asks, rather than what they ask for.
fn is_about_caller(error: &Ec2Error) -> bool {
    use crate::ec2::Ec2ErrorKind as Kind;
    matches!(error.kind, Kind::NoCredentials | Kind::NoRole { .. })
        || matches!(
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
