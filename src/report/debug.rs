//! Debug logging: the program's own events as lines of the log, where GitHub's "Enable debug logging" asks for them.

use std::fmt::{self, Write};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::Reporter;

/// Shows debug events from now on, if `RUNNER_DEBUG` is `1`: GitHub's runner sets it then.
pub(crate) fn enable(report: &Arc<Reporter>, environment: impl Fn(&str) -> Option<String>) {
    if environment("RUNNER_DEBUG").as_deref() == Some("1") {
        let lines = DebugLines(report.clone());
        // It is the only one, and set once.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines));
    }
}

struct DebugLines(Arc<Reporter>);

impl<S: Subscriber> Layer<S> for DebugLines {
    /// Libraries emit events, too, with headers and bodies in them: none but our own is shown.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        is_ours(metadata.target())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if is_ours(event.metadata().target()) {
            let mut line = Line(String::new());
            event.record(&mut line);
            self.0.debug(&line.0);
        }
    }
}

fn is_ours(target: &str) -> bool {
    let krate = env!("CARGO_CRATE_NAME");
    target
        .strip_prefix(krate)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// `message name=value name="two words"`
struct Line(String);

impl Line {
    fn field(&mut self, field: &Field, value: &dyn fmt::Display) {
        if field.name() == "message" {
            self.0.insert_str(0, &value.to_string());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(self.0, " {}={value}", field.name());
        }
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, &format_args!("{value:.2}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if value.contains(char::is_whitespace) || value.is_empty() {
            self.field(field, &format_args!("{value:?}"));
        } else {
            self.field(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, &format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_events_are_shown() {
        assert!(is_ours(module_path!()));
        assert!(is_ours("sprinters"));
        for other in [
            "octocrab",
            "hyper::client",
            "aws_smithy_runtime",
            "sprinters_policy",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
