use std::path::Path;

use super::convert::{self, Converted, Target, has_start};
use super::edits::Note;
use super::listen::Profiles;

fn convert(text: &str) -> Result<Converted, crate::yaml::Unreadable> {
    convert::convert(text, has_start(text), &mut Target::Steps)
}

fn converted(text: &str) -> Converted {
    convert(text).unwrap_or_else(|error| unreachable!("line {}: {}", error.line, error.why))
}

fn start(with: &str) -> String {
    format!(
        "jobs:\n  a:\n    env: {{AWS_REGION: x}}\n    steps:\n      - uses: machulav/ec2-github-runner@v2\n        with:\n          mode: start\n{with}"
    )
}

fn notes(text: &str) -> Vec<String> {
    converted(text)
        .notes
        .into_iter()
        .map(|note| note.text)
        .collect()
}

#[test]
fn what_is_no_workflow_stays() {
    for text in [
        "",
        "# a comment\n",
        "a: b\n",
        "- machulav/ec2-github-runner@v2\n",
        "jobs:\n",
    ] {
        let Converted {
            text: after,
            notes,
            is_found,
        } = converted(text);
        assert_eq!((after.as_str(), notes.len(), is_found), (text, 0, false));
    }
}

#[test]
fn every_input_of_theirs_becomes_something() {
    let text = start(
        "          ec2-image-id: ami-1\n          \
                   subnet-id: s\n          \
                   label: mine\n          \
                   run-runner-as-user: ci\n          \
                   eip-allocation-id: e\n          \
                   something-new: x\n          \
                   runner-home-dir: /opt\n",
    );
    let after = converted(&text).text;
    assert!(after.ends_with(
        "mode: start\n          image: ami-1\n          subnet: s\n          labels: mine\n          runner-user: ci\n          runner-home: /opt\n"
    ));
    let text = notes(&text).join("\n");
    for name in [
        "`label` is `labels` now",
        "`eip-allocation-id`",
        "`something-new` is left out: it has no counterpart",
    ] {
        assert!(text.contains(name), "{name} is not in {text}");
    }
}

#[test]
fn values_that_cannot_be_read_are_reported() {
    let text =
        start("          market-type: ${{ vars.MARKET }}\n          startup-timeout-minutes: 90\n");
    assert_eq!(
        converted(&text).text,
        start("").replace("machulav/ec2-github-runner@v2", "sprinters/action@v1")
    );
    let text = notes(&text).join("\n");
    assert!(text.contains("`market-type`") && text.contains("`startup-timeout-minutes`"));
    let spot = start("          market-type: \"spot\"\n");
    assert!(converted(&spot).text.ends_with("          spot: 'true'\n"));
}

#[test]
fn a_region_that_nobody_names_is_reported() {
    let text = start("");
    assert!(!notes(&text).join("\n").contains("region"));
    let text = text.replace("    env: {AWS_REGION: x}\n", "");
    assert!(notes(&text).join("\n").contains("the region must be known"));
}

#[test]
fn outputs_are_renamed_in_their_own_job_only() {
    let text = "jobs:\n  a:\n    outputs: {id: \"${{ steps.s.outputs.ec2-instance-id }}\"}\n    steps:\n      - id: s\n        uses: machulav/ec2-github-runner@v2\n        with: {mode: start}\n      - run: echo ${{ steps.s.outputs.ec2-instance-id-x }} ${{ steps.t.outputs.ec2-instance-id }}\n  b:\n    steps:\n      - run: echo ${{ steps.s.outputs.ec2-instance-id }}\n";
    let after = converted(text).text;
    assert_eq!(after.matches("steps.s.outputs.instance-id").count(), 1);
    assert_eq!(after.matches("ec2-instance-id").count(), 3);
}

#[test]
fn what_cannot_be_edited_safely_is_left() {
    for text in [
        "jobs:\n  a:\n    steps:\n      - uses: machulav/ec2-github-runner@v2\n",
        "jobs:\n  a:\n    steps:\n      - uses: machulav/ec2-github-runner@v2\n        with: {mode: pause}\n",
        "jobs:\n  a:\n    steps:\n      - uses: >-\n          machulav/ec2-github-runner@v2\n        with: {mode: start}\n",
    ] {
        let Converted {
            text: after,
            notes,
            is_found,
        } = converted(text);
        assert_eq!(after, text);
        assert!(
            is_found
                && notes
                    .iter()
                    .any(|note| note.text.starts_with("left as it is"))
        );
    }
}

#[test]
fn depth_is_bounded() {
    let deep = format!("jobs: {}{}", "[".repeat(200), "]".repeat(200));
    let error = convert(&deep).err();
    assert!(error.is_some_and(|error| error.why.contains("deep") || error.why.contains("limit")));
    assert!(convert(&"- ".repeat(500)).is_err());
}

#[test]
fn letters_beyond_ascii_do_not_move_anything() {
    let text = start("          # 🏃 größer\n          ec2-image-id: \"ämi\" # é\n");
    assert!(
        converted(&text)
            .text
            .ends_with("          # 🏃 größer\n          image: \"ämi\" # é\n")
    );
}

#[test]
fn a_label_of_the_hosted_service_is_taken_as_it_is() {
    let text = |label: &str| format!("jobs:\n  a:\n    runs-on: {label}\n    steps: []\n");
    let good = converted(&text("\"sprinters:aws:eu-west-1:m7i.large\"")).text;
    assert!(good.contains("runner: sprinters:aws:eu-west-1:m7i.large\n"));
    assert_eq!(good.matches("aws-region: eu-west-1").count(), 1, "{good}");
    for (label, why) in [
        (
            "sprinters:aws:m7i.large:sport=true",
            "did you mean `spot=`?",
        ),
        (
            "sprinters:aws:${{ inputs.type }}",
            "only when the workflow runs",
        ),
        ("{group: x, labels: sprinters:aws}", "group"),
    ] {
        assert_eq!(converted(&text(label)).text, text(label));
        let text = notes(&text(label)).join("\n");
        assert!(text.contains(why) && !text.contains('\n'), "{text}");
    }
}

#[test]
fn a_comment_behind_a_value_is_none_of_its() {
    let text = "jobs:\n  a:\n    needs: [b] # why\n    \"runs-on\" : \"runs-on=1/cpu=2\" # where\n    steps: []\n  b: {}\n";
    let after = converted(text).text;
    assert!(after.contains("    needs: [b, start-a] # why\n"), "{after}");
    assert!(after.contains("needs.start-a.outputs.label || 'ubuntu-latest' }} # where\n"));
    for uses in [
        "\"machulav/ec2-github-runner@v2\" # why",
        "'machulav/ec2-github-runner@v2'  # it''s so",
        "\"machulav/ec2-github-runner@v2\\x20\" # \"quoted\"",
    ] {
        let text = start("").replace("machulav/ec2-github-runner@v2", uses);
        let comment = uses.split_once(" #").map(|(_, comment)| comment.to_owned());
        let wanted = format!(" #{}\n", comment.unwrap_or_default());
        let after = converted(&text).text;
        assert!(
            after.contains("- uses: sprinters/action@v1") && after.contains(&wanted),
            "{after}"
        );
    }
}

#[test]
fn what_stands_in_braces_is_quoted_for_braces() {
    let text = "jobs:\n  a:\n    env: {AWS_REGION: x}\n    steps:\n      - uses: machulav/ec2-github-runner@v2\n        \
                with: {mode: start, startup-timeout-minutes: \"${{ inputs.minutes }}\", security-group-id: 'a\"b'}\n";
    assert!(
        converted(text).text.ends_with(
            "with: {mode: start, start-timeout: \"${{ inputs.minutes }}m\", security-group: 'a\"b'}\n"
        ),
        "{}",
        converted(text).text
    );
}

/// A workflow as people write it, with what stands beside it: what it becomes, and the notes.
struct Example {
    name: String,
    before: String,
    after: String,
    notes: String,
}

fn examples() -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrate/examples");
    let read = |name: &str, kind: &str| {
        std::fs::read_to_string(folder.join(format!("{name}.{kind}"))).unwrap_or_default()
    };
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let file = entry.ok()?.file_name().into_string().ok()?;
            Some(file.strip_suffix(".notes")?.to_owned())
        })
        .collect();
    names.sort();
    assert!(names.len() >= 30, "{names:?}");
    let example = |name: String| Example {
        before: read(&name, "yml"),
        after: read(&name, "after.yml"),
        notes: read(&name, "notes"),
        name,
    };
    names.into_iter().map(example).collect()
}

fn listed(name: &str, notes: &[Note]) -> String {
    let line = |note: &Note| format!("{name}.yml:{}: {}\n", note.line, note.text);
    notes.iter().map(line).collect()
}

#[test]
fn the_examples_become_what_stands_beside_them() {
    for example in examples() {
        let name = &example.name;
        let once = converted(&example.before);
        assert_eq!(once.text, example.after, "{name}");
        assert_eq!(listed(name, &once.notes), example.notes, "{name}");
        assert!(once.is_found, "{name}");
        assert_eq!(converted(&once.text).text, once.text, "{name}, again");
        let carriage_returns = example.before.replace('\n', "\r\n");
        let after = converted(&carriage_returns).text;
        assert_eq!(after, example.after.replace('\n', "\r\n"), "{name}");
    }
}

#[test]
fn a_start_in_another_file_makes_a_stop_of_a_lone_one() {
    let named = |wanted: &str| {
        let found = examples().into_iter().find(|one| one.name == wanted);
        found.map(|one| one.before).unwrap_or_default()
    };
    let (start, stop) = (named("ec2-call-label"), named("ec2-lone-stop"));
    assert_eq!((has_start(&start), has_start(&stop)), (true, false));
    let after = |has_start| {
        convert::convert(&stop, has_start, &mut Target::Steps).map(|converted| converted.text)
    };
    assert!(after(true).is_ok_and(|text| !text.contains("machulav")));
    assert!(after(false).is_ok_and(|text| text.contains("machulav")));
}

#[test]
fn labels_become_profiles_for_the_listener() {
    let mut target = Target::Listen(Profiles::default());
    let mut told = String::new();
    for example in examples() {
        let converted = convert::convert(&example.before, false, &mut target);
        let jobs = |text: &str| {
            let lines = text.lines().filter(|line| line.contains("runs-on"));
            lines
                .map(|line| format!("{}: {}\n", example.name, line.trim()))
                .collect::<String>()
        };
        if let Ok(converted) = converted.as_ref()
            && !example.name.starts_with("ec2")
        {
            told.push_str(&jobs(&converted.text));
            told.push_str(&listed(&example.name, &converted.notes));
        }
    }
    let Target::Listen(profiles) = target else {
        unreachable!("the target stays")
    };
    told.push_str(&profiles.text().unwrap_or_default());
    insta::assert_snapshot!(told);
}

#[test]
fn files_and_the_target_stand_on_the_command_line() {
    let read = |arguments: &[&str]| {
        let arguments = ["migrate"].iter().chain(arguments);
        let matches = super::command().try_get_matches_from(arguments);
        matches.map(|matches| super::parse(&matches)).ok()
    };
    let given = read(&["a.yml", "b.yml", "--write", "--to", "listen"]);
    assert!(given.is_some_and(|it| it.files == ["a.yml", "b.yml"] && it.write && it.is_to_listen));
    let plain = read(&["-"]);
    assert!(plain.is_some_and(|it| it.files == ["-"] && !it.write && !it.is_to_listen));
    assert!(read(&[]).is_none() && read(&["a.yml", "--to", "there"]).is_none());
}

#[test]
fn options_of_the_other_service_that_say_nothing_need_no_note() {
    let told = |option: &str| {
        let text = format!(
            "jobs:\n  a:\n    runs-on: runs-on=1/cpu=2/region=eu-west-1/{option}\n    steps: []\n"
        );
        notes(&text).join("\n")
    };
    for option in [
        "disk=default",
        "ssh=false",
        "private=false",
        "env=false",
        "retry=false",
    ] {
        assert_eq!(told(option), told("cpu=2"), "{option}");
    }
    for (option, why) in [
        ("ssh=true", "`ssh` is left out"),
        ("private=true", "`private` is left out"),
        ("env=prod", "`env` is left out"),
        ("tag=x", "`tag` is left out"),
        ("disk=huge", "`disk=huge` is left out"),
        ("extras=s3-cache", "`extras=s3-cache` is left out"),
    ] {
        assert!(told(option).contains(why), "{}", told(option));
    }
}

#[test]
fn a_zone_is_kept_and_names_the_region() {
    for key in ["az", "zone"] {
        let text =
            format!("jobs:\n  a:\n    runs-on: runs-on=1/cpu=2/{key}=eu-west-1b\n    steps: []\n");
        let after = converted(&text).text;
        assert!(after.contains("eu-west-1b"), "{after}");
    }
}
