//! How often a start that waits looks at GitHub and at EC2.

use std::time::Duration;

/// This build's. Under Node one look takes 2 ms of CPU, ten times as much as natively.
pub(super) const PACE: Pace = Pace {
    is_sparing: cfg!(target_family = "wasm"),
};

pub(super) struct Pace {
    is_sparing: bool,
}

impl Pace {
    /// From one look at GitHub to the next. Most runners come online between 15 and 60 seconds after the launch; later than that, a
    /// second more or less matters less and less.
    pub(super) fn github(&self, elapsed: Duration) -> Duration {
        let eager = if self.is_sparing { 2 } else { 90 };
        let seconds = match elapsed.as_secs() {
            elapsed if elapsed < eager => 1,
            ..180 => 2,
            _ => 4,
        };
        Duration::from_secs(seconds)
    }

    /// From one look at EC2 to the next: a dead instance is rare, and noticing it a little later costs nothing.
    pub(super) fn ec2(&self) -> Duration {
        Duration::from_secs(if self.is_sparing { 10 } else { 5 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds of the first minute in which there is a look.
    fn looks(first: u64, pause: impl Fn(Duration) -> Duration) -> Vec<u64> {
        let next = |second: &u64| Some(second + pause(Duration::from_secs(*second)).as_secs());
        std::iter::successors(Some(first), next)
            .take_while(|second| *second < 60)
            .collect()
    }

    #[test]
    fn github_is_asked_every_second_while_runners_come_online() {
        let native = Pace { is_sparing: false };
        assert_eq!(
            looks(0, |elapsed| native.github(elapsed)),
            (0..60).collect::<Vec<_>>()
        );
        let sparing = Pace { is_sparing: true };
        let seconds = looks(0, |elapsed| sparing.github(elapsed));
        assert_eq!(seconds[..2], [0, 1]);
        assert_eq!(seconds[2..], (2..60).step_by(2).collect::<Vec<_>>());
        let late = Duration::from_mins(3);
        assert_eq!(native.github(late), sparing.github(late));
    }

    #[test]
    fn ec2_is_asked_every_few_seconds() {
        let pauses = [false, true].map(|is_sparing| Pace { is_sparing }.ec2().as_secs());
        assert_eq!(pauses, [5, 10]);
    }
}
