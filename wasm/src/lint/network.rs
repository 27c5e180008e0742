//! Addresses in conditions.

use super::Lint;
use crate::fix::Change;
use crate::issue_code;
use crate::json::Member;
use crate::operator::Operator;
use crate::pattern::{has_variable, same_name};
use crate::values::address::Network;

pub(super) fn check(lint: &mut Lint<'_, '_>, operator: Operator, entry: &Member<'_>) {
    let mut networks = Vec::new();
    for value in entry.value.elements() {
        let Some(text) = value.as_text() else {
            let message = "an address or a range stands in quotes, as in \"203.0.113.0/24\"";
            lint.report(issue_code::TYPE_MISMATCH_IP_RANGE, value.span(), message);
            continue;
        };
        if has_variable(&text.value) {
            continue;
        }
        let Some(network) = Network::parse(&text.value) else {
            let message = format!(
                "`{}` is not an address range; write one like 203.0.113.0/24",
                text.value
            );
            lint.report(issue_code::TYPE_MISMATCH_IP_RANGE, text.span, message);
            continue;
        };
        if let Some(tidied) = network.tidied() {
            let message = format!(
                "the bits after the mask in `{}` are ignored; write {tidied}",
                text.value
            );
            let change = Change::write(&tidied, text.span, &tidied);
            lint.report_fix(issue_code::IMPROVE_IP_RANGE, text.span, message, change);
        }
        networks.push(network);
    }
    if same_name(&entry.key.value, "aws:SourceIp") {
        private(lint, operator, entry, &networks);
    }
}

fn private(lint: &mut Lint<'_, '_>, operator: Operator, entry: &Member<'_>, networks: &[Network]) {
    let count = networks.iter().filter(|n| n.is_private()).count();
    if count == 0 {
        return;
    }
    let all = count == networks.len();
    let (code, message) = match (all, operator.negated) {
        (true, false) => (
            issue_code::PRIVATE_IP_ADDRESS,
            "AWS sees public addresses only, so a private one in `aws:SourceIp` never matches; \
             write public ranges, or use `aws:VpcSourceIp`",
        ),
        (true, true) => (
            issue_code::PRIVATE_NOT_IP_ADDRESS,
            "AWS sees public addresses only, so excluding private ones from `aws:SourceIp` does \
             nothing; write public ranges",
        ),
        (false, false) => (
            issue_code::PRIVATE_IP_ADDRESS_SUBSET,
            "the private addresses among these never match `aws:SourceIp`; remove them, or use \
             `aws:VpcSourceIp` for them",
        ),
        (false, true) => (
            issue_code::PRIVATE_NOT_IP_ADDRESS_SUBSET,
            "the private addresses among these do nothing in `aws:SourceIp`; remove them, or use \
             `aws:VpcSourceIp` for them",
        ),
    };
    lint.report(code, entry.key.span, message);
}
