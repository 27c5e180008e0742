//! How a secret that comes into being is kept out of the log.

use std::sync::Arc;

/// Keeps a secret out of the log; called before the secret is used.
pub(crate) type Mask = Arc<dyn Fn(&str) + Send + Sync>;
