//! Random policies and requests, the same in each run.

use serde_json::{Map, Value, json};

/// A generator that gives the same numbers everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds shall not begin alike.
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn one<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// One to `most` of what `make` makes, as a value alone or as a list.
    pub fn some(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> String) -> Value {
        let all: Vec<String> = (0..=self.below(most)).map(|_| make(self)).collect();
        if all.len() == 1 && self.once_in(2) {
            json!(all[0])
        } else {
            json!(all)
        }
    }

    /// The text, perhaps with wildcards in place of parts of it. All of it is ASCII.
    pub fn widened(&mut self, text: &str) -> String {
        let mut out = text.to_owned();
        for _ in 0..self.below(3) {
            let start = self.below(out.len() + 1);
            let length = self.below(8);
            let end = (start + length).min(out.len());
            let one = self.once_in(3) && end > start;
            let (end, mark) = if one { (start + 1, "?") } else { (end, "*") };
            // Not in the middle of a variable.
            if out[..start].rfind("${") <= out[..start].rfind('}')
                && !out[start..end].contains(['$', '{', '}'])
            {
                out.replace_range(start..end, mark);
            }
        }
        out
    }

    /// The text with some of its letters in the other case.
    pub fn recased(&mut self, text: &str) -> String {
        if !self.once_in(4) {
            return text.to_owned();
        }
        let flip = |c: char| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        };
        text.chars()
            .map(|c| if self.once_in(3) { flip(c) } else { c })
            .collect()
    }
}

/// A condition key with its family of operators and the values that requests and policies may have.
pub struct Key {
    pub name: &'static str,
    pub family: &'static str,
    pub several: bool,
    pub given: &'static [&'static str],
    pub wanted: &'static [&'static str],
}

const STRINGS: [&str; 6] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
];
const ARNS: [&str; 4] = ["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"];
const ORDERS: [&str; 6] = [
    "Equals",
    "NotEquals",
    "LessThan",
    "LessThanEquals",
    "GreaterThan",
    "GreaterThanEquals",
];

/// Every operator of the family, without qualifier and `IfExists`.
pub fn operators(family: &str) -> Vec<String> {
    let owned = |all: &[&str]| all.iter().map(|&o| o.to_owned()).collect();
    match family {
        "String" => owned(&STRINGS),
        "Arn" => owned(&ARNS),
        "Numeric" | "Date" => ORDERS
            .iter()
            .map(|order| format!("{family}{order}"))
            .collect(),
        "IpAddress" => owned(&["IpAddress", "NotIpAddress"]),
        "Binary" => owned(&["BinaryEquals"]),
        _ => owned(&["Bool"]),
    }
}

/// A `Condition` about some of the keys.
pub fn condition(random: &mut Random, keys: &[Key]) -> Value {
    let mut blocks = Map::new();
    for _ in 0..=random.below(2) {
        let key = &keys[random.below(keys.len())];
        let (operator, values) = if random.once_in(8) {
            let set = ["", "", "", "ForAllValues:", "ForAnyValue:"][random.below(5)];
            let value = random.one(&["true", "false"]).to_owned();
            (format!("{set}Null"), json!(value))
        } else {
            let all = operators(key.family);
            let operator = all[random.below(all.len())].clone();
            let set = match (key.several, random.below(8)) {
                (true, 0..4) | (false, 0) => "ForAnyValue:",
                (true, _) | (false, 1) => "ForAllValues:",
                _ => "",
            };
            let if_exists = if random.once_in(5) { "IfExists" } else { "" };
            let values = random.some(3, |random| {
                let value = random.one(key.wanted);
                if operator.ends_with("Like") || key.family == "Arn" && random.once_in(2) {
                    random.widened(value)
                } else {
                    value.to_owned()
                }
            });
            (format!("{set}{operator}{if_exists}"), values)
        };
        let name = random.recased(key.name);
        // A key stands once in a block, in whatever case.
        blocks
            .entry(operator)
            .or_insert_with(|| json!({ name: values }));
    }
    Value::Object(blocks)
}

/// What policies are made of.
pub struct Parts<'p> {
    pub versions: &'p [&'p str],
    pub actions: &'p [&'p str],
    pub resources: &'p [&'p str],
    /// Whether resources get wildcards of their own.
    pub widened: bool,
    pub keys: &'p [Key],
}

/// A policy of one to five statements. Without a version if that is empty.
pub fn policy(random: &mut Random, parts: &Parts<'_>) -> Value {
    let statements: Vec<Value> = (0..=random.below(4))
        .map(|_| statement(random, parts))
        .collect();
    let mut policy = json!({ "Statement": statements });
    let version = random.one(parts.versions);
    if !version.is_empty() {
        policy["Version"] = json!(version);
    }
    policy
}

fn statement(random: &mut Random, parts: &Parts<'_>) -> Value {
    let mut statement = json!({ "Effect": if random.once_in(4) { "Deny" } else { "Allow" } });
    let name = perhaps_not(random, "Action");
    statement[name] = random.some(3, |random| {
        if random.once_in(6) {
            return "*".to_owned();
        }
        let action = random.one(parts.actions);
        // The service is written out: IAM takes no wildcard there.
        let (service, rest) = action.split_once(':').unwrap_or(("ec2", action));
        let action = format!("{service}:{}", random.widened(rest));
        random.recased(&action)
    });
    let name = perhaps_not(random, "Resource");
    statement[name] = random.some(3, |random| {
        if random.once_in(4) {
            return "*".to_owned();
        }
        let resource = random.one(parts.resources);
        // Nor in the first three fields of an ARN.
        match resource.match_indices(':').nth(2) {
            Some((at, _)) if parts.widened => {
                let colons = |text: &str| text.matches(':').count();
                // IAM takes no ARN with fewer fields.
                loop {
                    let rest = random.widened(&resource[at + 1..]);
                    let widened = format!("{}{rest}", &resource[..=at]);
                    if colons(&widened) == colons(resource) {
                        break widened;
                    }
                }
            }
            _ => resource.to_owned(),
        }
    });
    if !random.once_in(3) {
        statement["Condition"] = condition(random, parts.keys);
    }
    statement
}

fn perhaps_not(random: &mut Random, name: &str) -> String {
    let not = if random.once_in(5) { "Not" } else { "" };
    format!("{not}{name}")
}
