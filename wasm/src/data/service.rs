//! The services that are embedded: every action and resource type of EC2, IAM, SSM and STS,
//! and what requests can carry for the actions that Sprinters needs.

use std::sync::OnceLock;

use super::Names;
use crate::pattern::{overlaps, same_name};
use crate::text::{self, IntoList};

const SERVICES: &str = include_str!("../../data/services.txt");

/// A resource type that an action can touch.
#[derive(Clone, Copy, Debug)]
pub struct ResourceType {
    /// Its name, as in `instance`.
    pub name: &'static str,
    keys: &'static str,
}

impl ResourceType {
    /// The condition keys that a request about this resource can carry.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.split(' ').filter(|key| !key.is_empty())
    }
}

/// One action of a service.
#[derive(Debug)]
pub struct Action {
    /// Its name without the prefix.
    pub name: &'static str,
    /// Whether a condition on tags can apply.
    pub takes_tags: bool,
    /// The numbers of its sets of keys as the table has them, read when they are asked for: that of all its requests, then
    /// those of its resource types.
    sets: &'static str,
}

impl Action {
    /// The condition keys that every request of this action can carry.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        let number = text::cut(self.sets, b' ').map_or(self.sets, |(number, _)| number);
        set(number).split(' ').filter(|key| !key.is_empty())
    }

    /// The resource types, for the actions that Sprinters needs.
    pub fn resources(&self) -> impl Iterator<Item = ResourceType> + use<> {
        let fields = self.sets.split(' ').skip(1);
        fields.filter_map(|field| {
            let (name, number) = text::cut(field, b'=')?;
            let keys = set(number);
            Some(ResourceType { name, keys })
        })
    }
}

/// The ARNs of one resource type.
#[derive(Debug)]
pub struct TypePattern {
    /// The type's name.
    pub name: &'static str,
    /// The service that its ARNs name, mostly but not always its own.
    pub service: &'static str,
    /// Whether its ARNs name an account.
    pub has_account: bool,
    /// The last field, with wildcards for each variable part.
    pub resource: String,
}

impl TypePattern {
    fn new(name: &'static str, arn: &'static str, owner: &'static str) -> Option<Self> {
        if arn.is_empty() {
            // The usual one, which the table leaves out.
            return Some(Self {
                name,
                service: owner,
                has_account: true,
                resource: format!("{name}/?*"),
            });
        }
        let mut fields = arn.splitn(6, ':').skip(2);
        let service = fields.next()?;
        let has_account = !fields.nth(1)?.is_empty();
        Some(Self {
            name,
            service,
            has_account,
            resource: text::replaced(fields.next()?, "${}", "?*"),
        })
    }

    /// Whether an ARN's last field, which may have wildcards, can be of this type.
    #[must_use]
    pub fn fits(&self, resource: &str) -> bool {
        let literal = |text: &str| text::literal_length(text);
        let shared = literal(&self.resource).min(literal(resource));
        // Most types differ in their first letters.
        self.resource.as_bytes()[..shared] == resource.as_bytes()[..shared]
            && overlaps(&self.resource, resource, false)
    }
}

/// A whole service.
#[derive(Debug)]
pub struct Service {
    actions: Names<Action>,
    /// Its resource types.
    pub types: Vec<TypePattern>,
}

impl Service {
    /// The action of that name, in any case.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(name)
    }

    /// The actions that a pattern may fit: those with the same letters before its first wildcard.
    pub fn actions_like(&self, pattern: &str) -> impl Iterator<Item = &Action> {
        let head = &pattern[..text::literal_length(pattern)];
        self.actions.beginning(head).map(|(_, action)| action)
    }

    /// All actions.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().map(|(_, action)| action)
    }
}

/// The service of that prefix, if it is embedded.
#[must_use]
pub fn service(prefix: &str) -> Option<&'static Service> {
    static TABLE: OnceLock<Vec<(&'static str, Service)>> = OnceLock::new();
    // Four, and most ask for the first.
    let all = TABLE.get_or_init(read);
    let found = all.iter().find(|(name, _)| same_name(name, prefix));
    found.map(|(_, service)| service)
}

type Actions = Vec<(&'static str, Action)>;

fn read() -> Vec<(&'static str, Service)> {
    let mut services: Vec<(&'static str, Actions, Vec<TypePattern>)> = Vec::new();
    for line in SERVICES.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            services.push((name, Vec::new(), Vec::new()));
            continue;
        }
        let Some((kind, rest)) = text::cut(line, b' ') else {
            continue;
        };
        match (kind, services.last_mut()) {
            ("t", Some(service)) => {
                let (name, arn) = text::cut(rest, b' ').unwrap_or((rest, ""));
                service.2.extend(TypePattern::new(name, arn, service.0));
            }
            ("a", Some(service)) => {
                let action = read_action(rest);
                service.1.push((action.name, action));
            }
            _ => {}
        }
    }
    let build = |(name, actions, types): (&'static str, Actions, _)| {
        let actions = Names::new(actions);
        (name, Service { actions, types })
    };
    services.into_iter().map(build).list()
}

fn read_action(line: &'static str) -> Action {
    let (name, sets) = text::cut(line, b' ').unwrap_or((line, ""));
    Action {
        name: name.trim_end_matches('!'),
        takes_tags: !name.ends_with('!'),
        sets,
    }
}

// The condition keys of a set.
fn set(number: &str) -> &'static str {
    static SETS: OnceLock<Vec<&'static str>> = OnceLock::new();
    let sets = SETS.get_or_init(|| {
        let sets = SERVICES.lines().filter_map(|line| line.strip_prefix("k "));
        sets.filter_map(|set| Some(text::cut(set, b' ')?.1)).list()
    });
    let number: Option<usize> = number.parse().ok();
    number.and_then(|n| sets.get(n)).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ec2_is_whole() {
        let ec2 = service("EC2").unwrap();
        assert!(ec2.actions().count() > 700);
        let lower: Vec<_> = ec2.actions().map(|a| a.name.to_ascii_lowercase()).collect();
        assert!(lower.is_sorted(), "bisection needs the table sorted");
        let run: Vec<_> = ec2.actions_like("rUn*").map(|a| a.name).collect();
        assert_eq!(run, ["RunInstances", "RunScheduledInstances"]);
        let run = ec2.action("runinstances").unwrap();
        let instance = run.resources().find(|r| r.name == "instance").unwrap();
        assert!(instance.keys().any(|k| k == "ec2:InstanceType"));
        assert!(!instance.keys().any(|k| k.starts_with("aws:ResourceTag")));
        assert!(
            ec2.action("DescribeInstances")
                .unwrap()
                .resources()
                .next()
                .is_none()
        );
        assert!(
            ec2.types
                .iter()
                .any(|t| t.name == "image" && !t.has_account)
        );
    }
}
