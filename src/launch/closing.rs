//! The word that everything is to be undone: nothing new may be made from then on, and whoever waits stops waiting.

use tokio::sync::watch;

/// Said once, heard by all.
#[derive(Debug)]
pub(crate) struct Closing(watch::Sender<bool>);

impl Default for Closing {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Closing {
    pub(crate) fn close(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is said.
    pub(crate) async fn closed(&self) {
        // The sender lives as long as this does, so that the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|closed| *closed).await;
    }
}
