//! What a process is started with.

use aws_config::SdkConfig;
use store::keys::Kind;

use crate::app::App;
use crate::config::{BadSetting, Config};
use crate::queues::Queues;

/// The start of a process.
pub struct Start<'a> {
    /// What the SDK goes by.
    pub sdk: &'a SdkConfig,
    /// What the deployment sets.
    pub config: &'a Config,
    /// What the process will hold.
    pub app: &'a mut App,
    /// The kind of item that it may read to make its first connection, if there is one.
    pub first_read: Option<Kind>,
}

impl Start<'_> {
    /// Has the process hold the queues.
    ///
    /// # Errors
    /// If it is not said where they are.
    pub(crate) fn connect_queues(&mut self) -> Result<(), BadSetting> {
        self.app.queues = Some(Queues::of_sdk(self.sdk, self.config.queues()?.to_owned()));
        Ok(())
    }
}
