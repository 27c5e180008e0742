//! The labels of `RunsOn`: `runs-on=…/runner=4cpu-linux-x64/spot=false`. Its parts, as inputs of ours.
//!
//! What each part means: <https://runs-on.com/configuration/job-labels/>.

use super::wanted::Wanted;
use crate::values::image::Ubuntu;

/// The parts of a label, while they are read.
#[derive(Default)]
struct Parts {
    cpu: Option<(u32, u32)>,
    ram: Option<u32>,
    families: Vec<String>,
    is_arm: bool,
    image: Option<String>,
    spot: Option<&'static str>,
    zone: Option<String>,
    root_size: Option<u32>,
    root: Option<String>,
    wanted: Wanted,
}

/// Whether a label is one of theirs.
pub(super) fn is_label(text: &str) -> bool {
    text == "runs-on" || text.starts_with("runs-on=") || text.starts_with("runs-on,")
}

/// Reads a label: parts between `/` or `,`. What must not be guessed is an error.
pub(super) fn parse(label: &str) -> Result<Wanted, String> {
    let mut parts = Parts::default();
    for part in split(label) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (key.trim(), value.trim());
        if matches!(key, "runs-on" | "run-id" | "") {
            continue;
        }
        if value.contains("${{") {
            return Err(format!("`{part}` is known only when the workflow runs"));
        }
        parts.take(key, value)?;
    }
    Ok(parts.finish())
}

/// Splits at `/` and `,`, but not within an expression.
fn split(label: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut in_expression) = (0, false);
    for (at, c) in label.char_indices() {
        let rest = &label[at..];
        in_expression = rest.starts_with("${{") || (in_expression && !rest.starts_with("}}"));
        if !in_expression && matches!(c, '/' | ',') {
            parts.push(&label[start..at]);
            start = at + 1;
        }
    }
    parts.push(&label[start..]);
    parts
}

impl Parts {
    fn take(&mut self, key: &str, value: &str) -> Result<(), String> {
        let number = |text: &str| text.trim_end_matches("gb").parse::<u32>().ok();
        let wrong = || Err(format!("`{key}={value}` is not understood"));
        match key {
            "runner" => return self.runner(value),
            "cpu" | "ram" => {
                let mut numbers: Vec<u32> = value.split('+').filter_map(number).collect();
                numbers.sort_unstable();
                let (Some(&least), Some(&most)) = (numbers.first(), numbers.last()) else {
                    return wrong();
                };
                if key == "cpu" {
                    self.cpu = Some((least, most));
                } else {
                    self.ram = Some(least);
                }
            }
            "family" => self.families = value.split('+').map(str::to_owned).collect(),
            "image" => self.image(value),
            "ami" => self.image = Some(value.to_owned()),
            "spot" => self.spot = Some(if is_no(value) { "false" } else { "auto" }),
            "retry" if value == "when-interrupted" => {
                self.spot = Some("rerun");
                self.note("`retry=when-interrupted` is `spot: rerun`, and needs the second workflow of the book's page \"Spot\"");
            }
            "volume" => return self.volume(value),
            "hdd" => self.root_size = number(value),
            "disk" if value == "large" => self.root_size = Some(80),
            "disk" if value == "default" => {}
            "region" => self.wanted.region = Some(value.to_owned()),
            "az" | "zone" => self.zone = Some(value.to_owned()),
            "ssh" | "private" | "retry" | "env" if is_no(value) => {}
            "ssh" => self.note("`ssh` is left out: no instance takes connections"),
            "private" => self.note("`private` is left out: name a private `subnet`"),
            "env" => self.note("`env` is left out: the credentials choose the account"),
            "tag" => self.note("`tag` is left out: the output `label` is unique as it is"),
            _ => self.note(&format!(
                "`{key}={value}` is left out: it has no counterpart"
            )),
        }
        Ok(())
    }

    fn note(&mut self, text: &str) {
        self.wanted.notes.push(text.to_owned());
    }

    /// `4cpu-linux-x64`.
    fn runner(&mut self, name: &str) -> Result<(), String> {
        let unknown = || {
            Err(format!(
                "`runner={name}` is not one of RunsOn's own for Linux"
            ))
        };
        let mut words = name.split('-');
        let cpu = words
            .next()
            .and_then(|word| word.strip_suffix("cpu")?.parse().ok());
        let (Some(cpu), Some("linux")) = (cpu, words.next()) else {
            return unknown();
        };
        match words.next() {
            None | Some("x64") => {}
            Some("arm64") => self.is_arm = true,
            Some(_) => return unknown(),
        }
        self.cpu = self.cpu.or(Some((cpu, cpu)));
        Ok(())
    }

    /// `ubuntu24-full-x64`.
    fn image(&mut self, name: &str) {
        let is_of = |version: &&str| {
            let (year, _) = version.split_once('.').unwrap_or((*version, ""));
            name.starts_with(&format!("ubuntu{year}-"))
        };
        let release = Ubuntu::versions().find(is_of);
        self.is_arm |= name.ends_with("-arm64");
        match release {
            Some(release) => {
                let arm = if self.is_arm { "-arm" } else { "" };
                self.image = Some(format!("ubuntu-{release}{arm}"));
                self.note("Canonical's Ubuntu has none of the tools of RunsOn's image: install them in `setup`, or bake an image");
            }
            None => self.note(&format!(
                "`image={name}` is left out: name the image's id in `image`, else Ubuntu 24.04 is taken"
            )),
        }
    }

    /// `80gb:gp3:750mbs:4000iops`, in any order behind the size.
    fn volume(&mut self, value: &str) -> Result<(), String> {
        let (mut iops, mut throughput) = (None, None);
        for part in value.split(':') {
            let number = |unit: &str| part.strip_suffix(unit)?.parse::<u32>().ok();
            if let Some(size) = number("gb") {
                self.root_size = Some(size);
            } else if let Some(speed) = number("mbs") {
                throughput = Some(speed);
            } else if let Some(operations) = number("iops") {
                iops = Some(operations);
            } else if part != "gp3" {
                return Err(format!("`volume={value}` is not a gp3 volume"));
            }
        }
        if iops.is_some() || throughput.is_some() {
            self.root = Some(format!(
                "gp3/{}/{}",
                iops.unwrap_or(3_000),
                throughput.unwrap_or(125)
            ));
        }
        Ok(())
    }

    fn finish(mut self) -> Wanted {
        let types = self.instance_types();
        // RunsOn takes spot where nobody says otherwise.
        let spot = self.spot.unwrap_or("auto");
        let inputs = [
            ("image", self.image),
            ("instance-type", Some(types)),
            ("spot", (spot != "false").then(|| spot.to_owned())),
            ("availability-zone", self.zone),
            ("root", self.root),
            ("root-size", self.root_size.map(|size| size.to_string())),
        ];
        let given = inputs
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        self.wanted.inputs = given.collect();
        self.wanted
    }

    /// The families in each size that has enough of everything.
    fn instance_types(&mut self) -> String {
        let (least, most) = self.cpu.unwrap_or((2, 2));
        let families = self.families();
        let sizes = SIZES
            .iter()
            .filter(|(cpus, _)| *cpus >= least && *cpus <= most.max(enough(least)));
        let mut types: Vec<String> = families
            .iter()
            .filter(|family| family.contains('.'))
            .cloned()
            .collect();
        for (cpus, size) in sizes {
            let of_size = families
                .iter()
                .filter(|family| !family.contains('.') && has_size(family, *cpus));
            types.extend(of_size.map(|family| format!("{family}.{size}")));
        }
        types.dedup();
        if types.is_empty() {
            self.note("no instance type is known that fits: choose `instance-type` by hand");
            return if self.is_arm { "t4g.large" } else { "t3.large" }.to_owned();
        }
        types.join(", ")
    }

    /// `m7` is all of that generation for the processor; `m7i`, `m7i.*` and `c7a.large` are what they say.
    fn families(&mut self) -> Vec<String> {
        let memory_per_cpu = self
            .ram
            .map(|ram| ram / self.cpu.map_or(2, |(cpu, _)| cpu).max(1));
        let given = std::mem::take(&mut self.families);
        if !given.is_empty() && memory_per_cpu.is_some() {
            self.note("`ram` is left out: the families decide how much memory there is");
        }
        let given = match (&given[..], memory_per_cpu) {
            ([], Some(0..=2)) => vec!["c7".to_owned()],
            ([], Some(5..)) => vec!["r7".to_owned()],
            ([], _) => vec!["m7".to_owned()],
            _ => given,
        };
        let mut families = Vec::new();
        for family in &given {
            let family = family.trim_end_matches('*').trim_end_matches('.');
            if family.ends_with(|c: char| c.is_ascii_digit()) {
                let makers: &[&str] = if self.is_arm { &["g"] } else { &["i", "a"] };
                families.extend(makers.iter().map(|maker| match (family, *maker) {
                    // Intel's of the fifth generation has no letter.
                    (fifth, "i") if fifth.ends_with('5') => fifth.to_owned(),
                    (family, maker) => format!("{family}{maker}"),
                }));
            } else {
                families.push(family.to_owned());
            }
        }
        families
    }
}

/// Sizes by vCPUs. Those between are the next larger ones.
const SIZES: [(u32, &str); 11] = [
    (1, "medium"),
    (2, "large"),
    (4, "xlarge"),
    (8, "2xlarge"),
    (16, "4xlarge"),
    (32, "8xlarge"),
    (48, "12xlarge"),
    (64, "16xlarge"),
    (96, "24xlarge"),
    (128, "32xlarge"),
    (192, "48xlarge"),
];

/// The least that there is with so many vCPUs.
fn enough(cpus: u32) -> u32 {
    let sizes = SIZES.iter().map(|(cpus, _)| *cpus);
    sizes.into_iter().find(|size| *size >= cpus).unwrap_or(cpus)
}

/// Whether that family has such a size: AWS's own processors end at 64, Intel's begin at 2 and leave 128 out.
fn has_size(family: &str, cpus: u32) -> bool {
    let attributes = family
        .trim_start_matches(|c: char| c.is_ascii_lowercase())
        .trim_start_matches(|c: char| c.is_ascii_digit());
    match attributes.chars().next() {
        Some('g') => cpus <= 64,
        Some('a') => true,
        _ => cpus > 1 && cpus != 128,
    }
}

fn is_no(value: &str) -> bool {
    matches!(value, "false" | "never" | "no" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(label: &str) -> String {
        match parse(label) {
            Ok(wanted) => {
                let inputs = wanted
                    .inputs
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}"));
                inputs.collect::<Vec<_>>().join("; ")
            }
            Err(why) => why,
        }
    }

    #[test]
    fn labels_become_inputs() {
        for (label, expected) in [
            (
                "runs-on=${{ github.run_id }}/runner=2cpu-linux-x64",
                "instance-type: m7i.large, m7a.large; spot: auto",
            ),
            (
                "runs-on=1/runner=4cpu-linux-arm64/spot=false",
                "instance-type: m7g.xlarge",
            ),
            (
                "runs-on=1/cpu=8/family=c7a+c6/spot=never",
                "instance-type: c7a.2xlarge, c6i.2xlarge, c6a.2xlarge",
            ),
            (
                "runs-on=1,cpu=4+8,family=m7i.*,spot=false",
                "instance-type: m7i.xlarge, m7i.2xlarge",
            ),
            (
                "runs-on=1/family=c7a.large/spot=false",
                "instance-type: c7a.large",
            ),
            (
                "runs-on=1/cpu=4/ram=8/spot=false",
                "instance-type: c7i.xlarge, c7a.xlarge",
            ),
            (
                "runs-on=1/cpu=4/ram=32/spot=false",
                "instance-type: r7i.xlarge, r7a.xlarge",
            ),
            (
                "runs-on=1/runner=1cpu-linux-x64/spot=false",
                "instance-type: m7a.medium",
            ),
            (
                "runs-on=1/cpu=6/spot=false",
                "instance-type: m7i.2xlarge, m7a.2xlarge",
            ),
            (
                "runs-on=1/image=ubuntu22-full-arm64/cpu=2/spot=lowest-price",
                "image: ubuntu-22.04-arm; instance-type: m7g.large; spot: auto",
            ),
            (
                "runs-on=1/image=ubuntu26-full-x64/cpu=2/spot=false",
                "image: ubuntu-26.04; instance-type: m7i.large, m7a.large",
            ),
            (
                "runs-on=1/cpu=2/volume=80gb:gp3:750mbs:4000iops/spot=false",
                "instance-type: m7i.large, m7a.large; root: gp3/4000/750; root-size: 80",
            ),
            (
                "runs-on=1/cpu=2/disk=large/retry=when-interrupted",
                "instance-type: m7i.large, m7a.large; spot: rerun; root-size: 80",
            ),
            (
                "runs-on=1/runner=2cpu-windows-x64",
                "`runner=2cpu-windows-x64` is not one of RunsOn's own for Linux",
            ),
            (
                "runs-on=1/runner=${{ matrix.a/b }}",
                "`runner=${{ matrix.a/b }}` is known only when the workflow runs",
            ),
            (
                "runs-on=1/volume=80gb:io2",
                "`volume=80gb:io2` is not a gp3 volume",
            ),
            ("runs-on=1/cpu=many", "`cpu=many` is not understood"),
        ] {
            assert_eq!(inputs(label), expected, "{label}");
        }
    }

    #[test]
    fn every_type_is_one() {
        use crate::values::instance_type::InstanceType;
        for cpu in 0..200 {
            for family in [
                "m7", "c7a", "r6", "m5", "m7i-flex", "c7gd", "x2iedn", "m7i.*",
            ] {
                let label = format!("runs-on=1/cpu={cpu}/family={family}/spot=false");
                let types = inputs(&label).replace("instance-type: ", "");
                for one in types.split(", ") {
                    assert!(one.parse::<InstanceType>().is_ok(), "{label}: {one}");
                }
            }
        }
    }

    #[test]
    fn what_has_no_counterpart_is_reported() {
        let wanted =
            parse("runs-on=1/cpu=2/extras=s3-cache+tmpfs/ssh=false/private=true/region=eu-west-1");
        let wanted = wanted.unwrap_or_default();
        assert_eq!(wanted.region.as_deref(), Some("eu-west-1"));
        assert_eq!(
            wanted.notes,
            [
                "`extras=s3-cache+tmpfs` is left out: it has no counterpart",
                "`private` is left out: name a private `subnet`",
            ]
        );
    }
}
