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

/// A place of `availability-zones-config`.
struct Place {
    region: Option<String>,
    image: Option<String>,
    subnet: Option<String>,
    group: Option<String>,
}

/// `availability-zones-config`: places to try, each with its image, subnet and group.
pub(super) fn zones(config: &str) -> Option<Meaning> {
    let places: Vec<Value> = serde_json::from_str(config).ok()?;
    let text =
        |place: &Value, name: &str| place.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut places: Vec<Place> = places
        .iter()
        .map(|place| Place {
            region: text(place, "region"),
            image: text(place, "imageId"),
            subnet: text(place, "subnetId"),
            group: text(place, "securityGroupId"),
        })
        .collect();
    let mut meaning = Meaning::default();
    let regions = distinct(places.iter().filter_map(|place| place.region.clone()));
    let in_none = places.iter().filter(|place| place.region.is_none()).count();
    if in_none > 0 && !regions.is_empty() {
        meaning.notes.push(format!(
            "{in_none} of the places name no region, and are left out: write theirs into `aws-region` and `subnet`"
        ));
        places.retain(|place| place.region.is_some());
    }
    let subnets = entries(&places, &regions, "subnet-", |place| place.subnet.as_ref())?;
    let groups = entries(&places, &regions, "sg-", |place| place.group.as_ref())?;
    if subnets.is_empty() {
        return None;
    }
    if !regions.is_empty() {
        meaning.inputs.push(("aws-region", regions.join(", ")));
    }
    let images = images(&places, &regions, &mut meaning.notes);
    for (input, values) in [
        ("image", images),
        ("subnet", subnets),
        ("security-group", groups),
    ] {
        if !values.is_empty() {
            meaning.inputs.push((input, values.join(", ")));
        }
    }
    let groups_of = |region: Option<&String>| {
        let own = places
            .iter()
            .filter(|place| place.region.as_ref() == region);
        distinct(own.filter_map(|place| place.group.clone())).len()
    };
    let mut everywhere = places.iter().map(|place| place.region.as_ref());
    if everywhere.any(|region| groups_of(region) > 1) {
        let note =
            "each instance gets all of its region's security groups: they must be of one VPC";
        meaning.notes.push(note.to_owned());
    }
    Some(meaning)
}

/// The ids of one kind, with their regions where there are several; `None` where one is not such an id.
fn entries(
    places: &[Place],
    regions: &[String],
    prefix: &str,
    id: impl Fn(&Place) -> Option<&String>,
) -> Option<Vec<String>> {
    let given: Vec<(&Place, &String)> = places
        .iter()
        .filter_map(|place| Some((place, id(place)?)))
        .collect();
    let are_ids = given.iter().all(|(_, id)| is_resource_id(id, prefix));
    let entries = given.iter().map(|(place, id)| placed(place, id, regions));
    are_ids.then(|| distinct(entries))
}

/// One image for each region.
fn images(places: &[Place], regions: &[String], notes: &mut Vec<String>) -> Vec<String> {
    let mut chosen: Vec<(Option<&String>, String)> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    for place in places {
        let Some(image) = &place.image else { continue };
        let entry = placed(place, image, regions);
        let own = chosen
            .iter()
            .find(|(region, _)| *region == place.region.as_ref());
        match own {
            None => chosen.push((place.region.as_ref(), entry)),
            Some((_, own)) if *own != entry => others.push(image.clone()),
            Some(_) => {}
        }
    }
    let others = distinct(others);
    if !others.is_empty() {
        notes.push(format!(
            "the images `{}` are left out: within a region all places have one image",
            others.join("`, `")
        ));
    }
    let lacks = |region: &&String| chosen.iter().all(|(own, _)| *own != Some(*region));
    for region in regions.iter().filter(lacks).filter(|_| !chosen.is_empty()) {
        notes.push(format!(
            "`{region}` has no image: add `{region}=ami-…` to `image`"
        ));
    }
    chosen.into_iter().map(|(_, entry)| entry).collect()
}

/// `us-west-2=subnet-…` where there are several regions.
fn placed(place: &Place, id: &str, regions: &[String]) -> String {
    match &place.region {
        Some(region) if regions.len() > 1 => format!("{region}={id}"),
        _ => id.to_owned(),
    }
}

/// Each once, in the order that they came in.
fn distinct(values: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all = Vec::new();
    for value in values {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all
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
            "aws-region=us-east-1, us-west-2; image=us-east-1=ami-11111111, us-west-2=ami-22222222; \
             subnet=us-east-1=subnet-11111111, us-east-1=subnet-22222222, us-west-2=subnet-33333333; \
             security-group=us-east-1=sg-11111111, us-west-2=sg-22222222"
        );
        assert!(zones(places).is_some_and(|zones| zones.notes.is_empty()));
        let one_region = places.replace("us-west-2", "us-east-1");
        assert_eq!(
            given(zones(&one_region)),
            "aws-region=us-east-1; image=ami-11111111; subnet=subnet-11111111, subnet-22222222, subnet-33333333; \
             security-group=sg-11111111, sg-22222222"
        );
        let notes = |places: &str| zones(places).unwrap_or_default().notes.concat();
        let told = notes(&one_region);
        assert!(
            told.contains("`ami-22222222`") && told.contains("one VPC"),
            "{told}"
        );
        let half = places.replace(r#""imageId": "ami-22222222", "#, "");
        assert!(notes(&half).contains("`us-west-2` has no image"));
        let some = places.replace(r#", "region": "us-west-2""#, "");
        assert!(notes(&some).contains("1 of the places"));
        assert!(given(zones(&some)).starts_with("aws-region=us-east-1; image=ami-11111111;"));
        for unreadable in ["", "${{ vars.ZONES }}", "[]", "{}", r#"[{"imageId": 1}]"#] {
            assert_eq!((zones(unreadable), block_devices(unreadable)), (None, None));
        }
    }
}
