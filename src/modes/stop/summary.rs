//! The job summary of a `stop`.

use std::fmt::Write;
use std::time::Duration;

use super::bill::Bills;
use super::cost_report;
use super::used::Used;
use crate::ec2::Instance;
use crate::report::markdown::{MOST_ROWS, code, table, text as literal};
use crate::report::seconds;

/// What `stop` ended, and what it cost.
pub(crate) fn stopped(
    instances: &[Instance],
    bills: &Bills,
    used: &[Used],
    records: usize,
    took: Duration,
) -> String {
    let mut text = String::from("### Sprinters: stopped\n\n");
    if instances.is_empty() {
        text.push_str("There was nothing to stop.\n\n");
        return text;
    }
    let rows = instances.iter().zip(&bills.0).map(|(instance, bill)| {
        let was = if instance.state.is_alive() {
            "terminated now"
        } else {
            "had ended already"
        };
        vec![
            code(instance.id.as_str()),
            code(&instance.instance_type),
            bill.market.to_string(),
            cost_report::ran(bill),
            cost_report::usd(bill.compute),
            was.to_owned(),
        ]
    });
    table(
        &mut text,
        &[
            "Instance",
            "Type",
            "Market",
            "Ran",
            "Cost without volume",
            "Stop",
        ],
        rows.take(MOST_ROWS),
    );
    if let Some(more) = instances.len().checked_sub(MOST_ROWS + 1) {
        let _ = writeln!(text, "\n… and {} more.", more + 1);
    }
    text.push('\n');
    cost_report::section(&mut text, bills);
    used_by_jobs(&mut text, used);
    let _ = writeln!(
        text,
        "Runner records deleted: {records}. Took {}.\n",
        seconds(took)
    );
    text
}

/// Nothing where nobody told it.
fn used_by_jobs(text: &mut String, used: &[Used]) {
    if used.is_empty() {
        return;
    }
    let rows = used
        .iter()
        .map(|one| vec![code(&one.job), code(&one.instance_type), literal(&one.what)]);
    table(text, &["Job", "Type", "What it used"], rows);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::{SpotPriceSince, State, Usage, tags};
    use crate::modes::stop::bill::Bill;
    use crate::values::network::InstanceId;
    use crate::values::region::Zone;
    use crate::values::spot::Market;
    use std::time::SystemTime;

    #[test]
    fn a_stop() {
        let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let after = |seconds| began + Duration::from_secs(seconds);
        let zone = "us-east-1b".parse().ok();
        let instance = |id: &str, state, market, ended| Instance {
            id: InstanceId::from_ec2(id),
            state,
            state_reason: None,
            instance_type: "m7i.xlarge".to_owned(),
            usage: Usage {
                launched: Some(began),
                ended,
                market,
                zone: zone.clone(),
                root_volume_id: None,
            },
            tags: [(tags::ROOT.to_owned(), "gp3/3000/125,30GiB".to_owned())].into(),
        };
        let history: Vec<SpotPriceSince> = zone
            .iter()
            .map(|zone: &Zone| SpotPriceSince {
                instance_type: "m7i.xlarge".to_owned(),
                zone: zone.clone(),
                usd_per_hour: 0.08,
                since: began,
            })
            .collect();
        let instances = [
            instance("i-0a", State::Running, Market::Spot, None),
            instance(
                "i-0b",
                State::Terminated,
                Market::OnDemand,
                Some(after(600)),
            ),
        ];
        let stop = |region: &str| {
            let bill = |instance| {
                let region = region.parse().unwrap_or_else(|e| unreachable!("{e}"));
                Bill::of(instance, &region, &history, after(1_205))
            };
            let bills = Bills(instances.iter().map(bill).collect());
            let used = Used {
                job: "build | [x](y)".to_owned(),
                instance_type: "m7i.xlarge".to_owned(),
                what: "used at most 3.0 of 15.4 GiB of memory: m7i.large has half of it".to_owned(),
            };
            stopped(&instances, &bills, &[used], 1, Duration::from_millis(420))
        };
        insta::assert_snapshot!(stop("us-east-1"));
        insta::assert_snapshot!("a_stop_where_prices_are_unknown", stop("ap-east-2"));
        let nothing = stopped(&[], &Bills::default(), &[], 0, Duration::ZERO);
        insta::assert_snapshot!("a_stop_of_nothing", nothing);
    }
}
