//! Every documented example says what the page of the hosted service says that it does; and what is wrong gets its caret.

use super::*;
use crate::inputs::Problems;
use crate::launch::spec::StartSpec;
use crate::values::per_region::regions;
use fastrand::Rng;

fn inputs(values: &[(&'static str, &str)]) -> Inputs {
    let flags = values
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    Inputs::gather(flags, None, |_| None)
        .map(|(_, inputs)| inputs)
        .unwrap_or_default()
}

/// The inputs with the label put below them, or what is wrong.
fn resolved(label: &str, values: &[(&'static str, &str)]) -> Result<Inputs, String> {
    let messages = |errors: Vec<InputError>| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        lines.join("\n")
    };
    let given = inputs(&[&[("runner", label)], values].concat());
    let layer = RunnerLabel::parse(label)
        .map_err(messages)?
        .layer(&given)
        .map_err(|error| error.to_string())?;
    let all = given.with(layer);
    let mut problems = Problems::default();
    let region = all.get("aws-region").and_then(|text| regions(text).ok());
    match StartSpec::parse(&all, region.as_ref(), &mut problems) {
        Some(_) => Ok(all),
        None => Err(messages(problems.located(&all))),
    }
}

const EVERYWHERE: [&str; 11] = [
    "aws-region",
    "availability-zone",
    "subnet",
    "image",
    "instance-type",
    "spot",
    "security-group",
    "root",
    "temp",
    "swap",
    "instance-profile",
];

/// The label, and every input that it sets beside the region of nobody's choice.
const EXAMPLES: [(&str, &[(&str, &str)]); 20] = [
    ("sprinters:aws:ubuntu-latest", &[("image", "ubuntu-26.04")]),
    (
        "sprinters:aws:eu-central-1:ubuntu-22.04:m7i.24xlarge:temp=gp3/64",
        &[
            ("aws-region", "eu-central-1"),
            ("image", "ubuntu-22.04"),
            ("instance-type", "m7i.24xlarge"),
            ("temp", "gp3/64"),
        ],
    ),
    (
        "sprinters:aws:ubuntu-latest:temp=gp3/64/3000/max",
        &[("image", "ubuntu-26.04"), ("temp", "gp3/64/3000/750")],
    ),
    (
        "sprinters:aws:ubuntu-latest:temp=zram/8",
        &[("image", "ubuntu-26.04"), ("temp", "zram/8")],
    ),
    (
        "sprinters:aws:ubuntu-24.04-arm:m8gd.medium:temp=ephemeral",
        &[
            ("image", "ubuntu-24.04-arm"),
            ("instance-type", "m8gd.medium"),
            ("temp", "ephemeral"),
        ],
    ),
    (
        "sprinters:aws:ubuntu-latest:c6id.8xlarge:temp=ephemeral",
        &[
            ("image", "ubuntu-26.04"),
            ("instance-type", "c6id.8xlarge"),
            ("temp", "ephemeral"),
        ],
    ),
    (
        "sprinters:aws:ubuntu-latest:swap=8:temp=32",
        &[("image", "ubuntu-26.04"), ("temp", "gp3/32"), ("swap", "8")],
    ),
    (
        "sprinters:aws:ubuntu-24.04-minimal:ca-central-1",
        &[
            ("aws-region", "ca-central-1"),
            ("image", "ubuntu-24.04-minimal"),
        ],
    ),
    (
        "sprinters:aws:ubuntu-latest:eu-central-1c",
        &[
            ("aws-region", "eu-central-1"),
            ("availability-zone", "eu-central-1c"),
            ("image", "ubuntu-26.04"),
        ],
    ),
    (
        "sprinters:aws:us-east-1/subnet-0123456789abcdef0:ubuntu-latest",
        &[
            ("aws-region", "us-east-1"),
            ("subnet", "subnet-0123456789abcdef0"),
            ("image", "ubuntu-26.04"),
        ],
    ),
    (
        "sprinters:aws:eu-central-1/eu-central-1c:ubuntu-latest",
        &[
            ("aws-region", "eu-central-1"),
            ("availability-zone", "eu-central-1c"),
            ("image", "ubuntu-26.04"),
        ],
    ),
    (
        "sprinters:aws:eu-central-1c/subnet-0123456789abcdef0",
        &[
            ("aws-region", "eu-central-1"),
            ("availability-zone", "eu-central-1c"),
            ("subnet", "eu-central-1c=subnet-0123456789abcdef0"),
        ],
    ),
    (
        "sprinters:aws/123456789012:ubuntu-latest",
        &[("image", "ubuntu-26.04")],
    ),
    (
        "sprinters:aws:ubuntu-latest:m7i.8xlarge",
        &[("image", "ubuntu-26.04"), ("instance-type", "m7i.8xlarge")],
    ),
    (
        "sprinters:aws:ubuntu-latest:spot=true",
        &[("image", "ubuntu-26.04"), ("spot", "true")],
    ),
    (
        "sprinters:aws:ubuntu-latest:sg-01234567890abcdef",
        &[
            ("image", "ubuntu-26.04"),
            ("security-group", "sg-01234567890abcdef"),
        ],
    ),
    (
        "sprinters:aws:ubuntu-latest:root=gp3/4000/1000",
        &[("image", "ubuntu-26.04"), ("root", "gp3/4000/1000")],
    ),
    (
        "sprinters:aws:ubuntu-latest:root=gp3/max/max",
        &[("image", "ubuntu-26.04"), ("root", "gp3/max/max")],
    ),
    (
        "sprinters:aws:ubuntu-latest:events=false:profile=ci",
        &[("image", "ubuntu-26.04"), ("instance-profile", "ci")],
    ),
    (
        "sprinters:aws:spot=auto:t4g.small:eu-central-1/eu-central-1c/subnet-12345678:ubuntu-22.04-arm",
        &[
            ("aws-region", "eu-central-1"),
            ("availability-zone", "eu-central-1c"),
            ("subnet", "eu-central-1c=subnet-12345678"),
            ("image", "ubuntu-22.04-arm"),
            ("instance-type", "t4g.small"),
            ("spot", "auto"),
        ],
    ),
];

#[test]
fn documented_examples_say_what_their_page_says() {
    for (label, expected) in EXAMPLES {
        let found = resolved(label, &[]).map(|inputs| {
            EVERYWHERE
                .iter()
                .filter_map(|name| Some((*name, inputs.get(name)?.to_owned())))
                .collect::<BTreeMap<_, _>>()
        });
        let mut wanted: BTreeMap<_, _> = [("aws-region", "us-east-1".to_owned())].into();
        wanted.extend(
            expected
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        assert_eq!(found, Ok(wanted), "{label}");
    }
}

#[test]
fn the_account_is_kept_for_the_check() {
    let account =
        |label| resolved(label, &[]).map(|inputs| inputs.account().map(ToString::to_string));
    assert_eq!(
        account("sprinters:aws/123456789012:ubuntu-latest"),
        Ok(Some("123456789012".to_owned()))
    );
    assert_eq!(account("sprinters:aws:ubuntu-latest"), Ok(None));
}

#[test]
fn single_inputs_override_parts() {
    let label = "sprinters:aws:eu-central-1c/subnet-12345678:ubuntu-24.04:m7i.large:spot=true";
    let get = |values: &[(&'static str, &str)], name: &str| {
        resolved(label, values).map(|inputs| inputs.get(name).map(str::to_owned))
    };
    assert_eq!(
        get(&[("spot", "false")], "spot"),
        Ok(Some("false".to_owned()))
    );
    assert_eq!(
        get(
            &[("instance-type", "c7i.large, m7i.large")],
            "instance-type"
        ),
        Ok(Some("c7i.large, m7i.large".to_owned()))
    );
    // A place is one thing.
    assert_eq!(
        get(&[("subnet", "subnet-87654321")], "availability-zone"),
        Ok(None)
    );
    assert_eq!(
        get(&[("availability-zone", "eu-central-1a")], "subnet"),
        Ok(None)
    );
    assert!(get(&[("aws-region", "us-west-2")], "subnet").is_err());
    let label = "sprinters:aws:eu-central-1";
    let moved = resolved(label, &[("aws-region", "us-west-2")]);
    assert!(moved.is_ok_and(|inputs| inputs.get("aws-region") == Some("us-west-2")));
}

#[test]
fn the_environment_is_below_the_label() {
    let region = |label: &str| {
        let flags = [("runner", label.to_owned())].into();
        let variable = |name: &str| (name == "AWS_REGION").then(|| "us-west-2".to_owned());
        let (_, given) = Inputs::gather(flags, None, variable).unwrap_or_default();
        let layer = RunnerLabel::parse(label).ok()?.layer(&given).ok()?;
        given.with(layer).get("aws-region").map(str::to_owned)
    };
    assert_eq!(
        region("sprinters:aws:eu-central-1").as_deref(),
        Some("eu-central-1")
    );
    assert_eq!(
        region("sprinters:aws:ubuntu-latest").as_deref(),
        Some("us-west-2")
    );
}

#[test]
fn what_is_wrong_is_shown_in_its_place() {
    for (name, label) in [
        ("spot", "sprinters:aws:ubuntu-24.04:spot=atuo"),
        (
            "two_wrong_parts",
            "sprinters:aws:ubunto-24.04:m7i.xlrge:eu-central-1",
        ),
        ("twice", "sprinters:aws:m7i.large:ubuntu-24.04:m7a.large"),
        (
            "another_regions_zone",
            "sprinters:aws:eu-central-1/us-east-1a",
        ),
        ("an_architecture", "sprinters:aws:ubuntu-24.04:m8gd.medium"),
        (
            "gp3s_rules",
            "sprinters:aws:ubuntu-24.04:root=gp3/3000/2000",
        ),
        ("no_beginning", "aws:eu-central-1:ubuntu-24.04"),
    ] {
        insta::assert_snapshot!(name, resolved(label, &[]).err().unwrap_or_default());
    }
    let two = resolved("sprinters:aws:eu-central-1:us-west-2", &[]);
    let told = two.err().unwrap_or_default();
    assert!(
        told.contains("one region in a label; the input `aws-region` takes a list"),
        "{told}"
    );
    let moved = resolved(
        "sprinters:aws:eu-central-1/subnet-12345678",
        &[("aws-region", "us-west-2")],
    );
    insta::assert_snapshot!("a_subnet_elsewhere", moved.err().unwrap_or_default());
}

#[test]
fn suggestions() {
    for (part, hint) in [
        ("ubunt-24.04", "did you mean `ubuntu-24.04`?"),
        ("ubuntu-28.04", "did you mean `ubuntu-26.04`?"),
        ("eu-centrl-1", "did you mean `eu-central-1`?"),
        ("eu-centrl-1c", "did you mean `eu-central-1c`?"),
        ("eu-centrl-1/eu-central-1c", "did you mean `eu-central-1`?"),
        ("EU-CENTRAL-1", "did you mean `eu-central-1`?"),
        ("m7i.xlrge", "did you mean `m7i.xlarge`?"),
        ("m7i-xlarge", "did you mean `m7i.xlarge`?"),
        ("m7i_xlarge", "did you mean `m7i.xlarge`?"),
        ("m7i", "did you mean `m7i.large`?"),
        ("M7i.xlarge", "did you mean `m7i.xlarge`?"),
        ("sport=auto", "did you mean `spot=`?"),
        ("spot=atuo", "did you mean `auto`?"),
        ("spot", "did you mean `spot=true`?"),
        ("auto", "did you mean `spot=auto`?"),
        ("events=flase", "did you mean `false`?"),
        ("gp3/4000/max", "did you mean `root=gp3/4000/max`?"),
        ("gp3/64", "did you mean `temp=gp3/64`?"),
        ("ephemeral", "did you mean `temp=ephemeral`?"),
        ("64", "did you mean `temp=64`?"),
        ("swap", "did you mean `swap=4`?"),
        ("ci-runner", "write `profile=ci-runner`"),
        ("self-hosted", "the input `labels`"),
        ("resolve", "the input `image`"),
        ("windows-2022", "Linux"),
        ("arm64", "`ubuntu-24.04-arm`"),
        ("vpc-12345678", "`eu-central-1/subnet-…`"),
        ("123456789012", "did you mean `sprinters:aws/123456789012`?"),
        ("sg_12345678", "did you mean `sg-12345678`?"),
        (
            "subnet-12345678",
            "name its region: `eu-central-1/subnet-12345678`",
        ),
        ("temp=ephemral", "`ephemeral`"),
        ("temp=gp3/64/1/1", "3000 to 80000 IOPS"),
        ("t3.large:temp=ephemeral", "NVMe"),
        ("swap=lots", "from 0 (none)"),
        ("profile=a b", "an instance profile's name"),
        ("root=gp3/1/1", "`gp3/<iops>/<throughput>`"),
        ("sg-xyz", "security groups such as"),
        ("eu-central-1c/eu-central-1", "`<region>/<zone>`"),
        ("", "an image (`ubuntu-24.04`)"),
    ] {
        let error = resolved(&format!("sprinters:aws:{part}"), &[]).err();
        assert!(
            error.as_ref().is_some_and(|e| e.contains(hint)),
            "{part}: {error:?}"
        );
    }
    for (label, hint) in [
        ("sprinter:aws:ubuntu-24.04", "did you mean `sprinters`?"),
        ("sprinters", "`sprinters:aws`"),
        ("sprinters:aw:ubuntu-24.04", "did you mean `aws`?"),
        ("sprinters:gcp", "the one cloud"),
        (
            "sprinters:aws/1234-5678-9012",
            "did you mean `123456789012`?",
        ),
        ("sprinters:aws/123456789012/x", "nothing more"),
        ("sprinters:aws/", "12 digits"),
    ] {
        let error = resolved(label, &[]).err();
        assert!(
            error.as_ref().is_some_and(|e| e.contains(hint)),
            "{label}: {error:?}"
        );
    }
}

#[test]
fn github_must_take_the_label() {
    let long = format!("sprinters:aws:profile={}", "x".repeat(250));
    assert!(resolved(&long, &[]).is_err_and(|e| e.contains("at most 256 characters")));
    assert!(resolved("sprinters:aws:\u{7}", &[]).is_err_and(|e| e.contains("printable")));
}

/// What each kind may be, in forms that are not all canonical.
const CHOICES: [&[&str]; 11] = [
    &["aws", "aws/012345678901"],
    &[
        "us-east-1",
        "eu-central-1c",
        "us-gov-west-1/us-gov-west-1b",
        "eu-west-3/subnet-12345678",
        "eu-west-3a/subnet-0123456789abcdef0",
        "eu-west-3/eu-west-3a/subnet-12345678",
    ],
    &[
        "ubuntu-latest",
        "ubuntu-22.04-arm",
        "ubuntu-latest-minimal-arm",
        "ami-12345678",
    ],
    &["t3.nano", "m8gd.24xlarge", "u-6tb1.metal"],
    &["spot=true", "spot=false", "spot=auto", "spot=rerun"],
    &["sg-12345678"],
    &["root=gp3/3000/125", "root=gp3-boot/max/max/300"],
    &[
        "temp=64",
        "temp=gp3/100/max/max",
        "temp=zram/8",
        "temp=zram",
    ],
    &["swap=0", "swap=16"],
    &["profile=a+b=c,d.e@f_g-h"],
    &["events=true", "events=false"],
];

#[test]
fn parse_print_parse_is_the_same_in_any_order() {
    let mut rng = Rng::with_seed(20_261_123);
    for _ in 0..5_000 {
        let mut parts: Vec<&str> = Vec::new();
        for choices in CHOICES.iter().skip(1) {
            parts.extend(choices.get(rng.usize(..=choices.len())));
        }
        let cloud = rng.choice(CHOICES[0]).copied().unwrap_or_default();
        let written = |parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(|part| format!(":{part}")).collect();
            format!("sprinters:{cloud}{}", parts.concat())
        };
        let ordered = written(&parts);
        rng.shuffle(&mut parts);
        let shuffled = written(&parts);
        let printed = |text: &str| RunnerLabel::parse(text).map(|label| label.to_string());
        let canonical = printed(&shuffled);
        assert!(canonical.is_ok(), "{shuffled}: {canonical:?}");
        assert_eq!(canonical, printed(&ordered), "{shuffled}");
        let again = canonical.as_deref().map(printed);
        assert_eq!(again, Ok(canonical.clone()), "{shuffled}");
        // The values are the same, too, not only the text.
        let values = |text: &str| {
            let label = RunnerLabel::parse(text).ok()?;
            let values = label
                .parts
                .into_iter()
                .map(|(kind, part)| (kind, part.value));
            Some(values.collect::<Vec<_>>())
        };
        assert_eq!(
            values(&shuffled),
            canonical.as_deref().ok().and_then(values)
        );
    }
}

/// Every label in the book's page is one, but for those in messages.
#[test]
fn the_books_examples_are_labels() {
    let page = include_str!("../../../docs/src/labels.md");
    let shown: String = page
        .split(" --> runner:")
        .next()
        .unwrap_or_default()
        .to_owned();
    let words = shown.split(|c: char| c.is_whitespace() || "`\"[]".contains(c));
    let labels: Vec<&str> = words
        .filter(|word| word.starts_with("sprinters:aws:") || word.starts_with("sprinters:aws/"))
        .collect();
    assert!(labels.len() > 15, "{labels:?}");
    for label in labels {
        assert_eq!(resolved(label, &[]).err(), None, "{label}");
    }
}
