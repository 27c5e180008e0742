//! Inputs of theirs that are JSON, read for what they mean.

use serde_json::Value;

use crate::values::image::is_resource_id;

/// Inputs of ours, and what was left out of theirs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub inputs: Vec<(&'static str, String)>,
    pub notes: Vec<String>,
}

/// `ec2-image-filters` with `ec2-image-owner`: the newest image of a name.
pub(super) fn image_filters(filters: &str, owner: Option<&str>) -> Option<Meaning> {
    let filters: Vec<Value> = serde_json::from_str(filters).ok()?;
    let mut meaning = Meaning::default();
    let mut name = None;
    for filter in &filters {
        let values = filter.get("Values")?.as_array()?;
        match (filter.get("Name")?.as_str()?, &values[..]) {
            ("name", [one]) => name = Some(one.as_str()?),
            (other, _) => meaning.notes.push(format!(
                "the filter `{other}` is left out: `image` looks for a name and an owner"
            )),
        }
    }
    let owner = owner.filter(|owner| {
        matches!(*owner, "self" | "amazon" | "aws-marketplace")
            || (owner.len() == 12 && owner.chars().all(|c| c.is_ascii_digit()))
    })?;
    meaning
        .inputs
        .push(("image", format!("name={}@{owner}", name?)));
    meaning.notes.push(
        "looking for an image by its name needs the permission `ec2:DescribeImages`".to_owned(),
    );
    Some(meaning)
}

/// `block-device-mappings`: the root volume's size and performance.
pub(super) fn block_devices(mappings: &str) -> Option<Meaning> {
    let mappings: Vec<Value> = serde_json::from_str(mappings).ok()?;
    let (first, others) = mappings.split_first()?;
    let ebs = first.get("Ebs")?;
    let number = |name: &str| ebs.get(name).and_then(Value::as_u64);
    let mut meaning = Meaning::default();
    if let Some(size) = number("VolumeSize") {
        meaning.inputs.push(("root-size", size.to_string()));
    }
    if let (None | Some("gp3"), true) = (
        ebs.get("VolumeType").and_then(Value::as_str),
        number("Iops").or(number("Throughput")).is_some(),
    ) {
        let (iops, throughput) = (number("Iops"), number("Throughput"));
        let root = format!(
            "gp3/{}/{}",
            iops.unwrap_or(3_000),
            throughput.unwrap_or(125)
        );
        meaning.inputs.push(("root", root));
    }
    if meaning.inputs.is_empty() {
        return None;
    }
    if let Some(kind) = ebs
        .get("VolumeType")
        .and_then(Value::as_str)
        .filter(|kind| *kind != "gp3")
    {
        meaning.notes.push(format!(
            "the volume type `{kind}` is left out: volumes are gp3"
        ));
    }
    if !others.is_empty() {
        meaning.notes.push(format!(
            "{} more volumes are left out: `temp` is a second volume for the job's data",
            others.len()
        ));
    }
    Some(meaning)
}

/// `availability-zones-config`: places to try, each with its image, subnet and group. They are of one region.
pub(super) fn zones(config: &str) -> Option<Meaning> {
    let places: Vec<Value> = serde_json::from_str(config).ok()?;
    let text =
        |place: &Value, name: &str| place.get(name).and_then(Value::as_str).map(str::to_owned);
    let region = |place: &Value| text(place, "region");
    let first = region(places.first()?);
    let (here, elsewhere): (Vec<&Value>, Vec<&Value>) =
        places.iter().partition(|place| region(place) == first);
    let all = |name: &str| {
        let mut values: Vec<String> = here.iter().filter_map(|place| text(place, name)).collect();
        values.dedup();
        values
    };
    let (images, subnets, groups) = (all("imageId"), all("subnetId"), all("securityGroupId"));
    let is_id = |ids: &[String], prefix: &str| ids.iter().all(|id| is_resource_id(id, prefix));
    if !is_id(&subnets, "subnet-") || !is_id(&groups, "sg-") || subnets.is_empty() {
        return None;
    }
    let mut meaning = Meaning::default();
    if let Some(region) = first {
        meaning.inputs.push(("aws-region", region));
    }
    if let Some(image) = images.first() {
        meaning.inputs.push(("image", image.clone()));
    }
    meaning.inputs.push(("subnet", subnets.join(", ")));
    if !groups.is_empty() {
        let mut groups = groups.clone();
        groups.sort();
        groups.dedup();
        if groups.len() > 1 {
            let note = "each instance gets all of these security groups: they must be of one VPC";
            meaning.notes.push(note.to_owned());
        }
        meaning.inputs.push(("security-group", groups.join(", ")));
    }
    if images.len() > 1 {
        let others = images[1..].join("`, `");
        meaning.notes.push(format!(
            "the images `{others}` are left out: within a region all places have one image"
        ));
    }
    let mut others: Vec<String> = elsewhere.iter().filter_map(|place| region(place)).collect();
    others.dedup();
    if !others.is_empty() {
        meaning.notes.push(format!(
            "the places in `{}` are left out: start there in a step of its own, if this one fails",
            others.join("`, `")
        ));
    }
    Some(meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(meaning: Option<Meaning>) -> String {
        let inputs = meaning.unwrap_or_default().inputs;
        let shown: Vec<String> = inputs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        shown.join("; ")
    }

    #[test]
    fn json_is_read_for_what_it_means() {
        let filters = r#"[{"Name": "name", "Values": ["ci-*"]}, {"Name": "architecture", "Values": ["x86_64"]}]"#;
        assert_eq!(
            given(image_filters(filters, Some("self"))),
            "image=name=ci-*@self"
        );
        assert_eq!(image_filters(filters, None), None);
        let devices = r#"[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 200, "VolumeType": "gp3", "Iops": 6000}}]"#;
        assert_eq!(
            given(block_devices(devices)),
            "root-size=200; root=gp3/6000/125"
        );
        let places = r#"[{"imageId": "ami-11111111", "subnetId": "subnet-11111111", "securityGroupId": "sg-11111111", "region": "us-east-1"},
            {"imageId": "ami-11111111", "subnetId": "subnet-22222222", "securityGroupId": "sg-11111111", "region": "us-east-1"},
            {"imageId": "ami-22222222", "subnetId": "subnet-33333333", "securityGroupId": "sg-22222222", "region": "us-west-2"}]"#;
        assert_eq!(
            given(zones(places)),
            "aws-region=us-east-1; image=ami-11111111; subnet=subnet-11111111, subnet-22222222; security-group=sg-11111111"
        );
        assert!(zones(places).is_some_and(|zones| zones.notes.concat().contains("`us-west-2`")));
        for unreadable in ["", "${{ vars.ZONES }}", "[]", "{}", r#"[{"imageId": 1}]"#] {
            assert_eq!((zones(unreadable), block_devices(unreadable)), (None, None));
        }
    }
}
