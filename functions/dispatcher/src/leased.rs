//! Leased: a message whose attempt has begun, and is ours.

use std::sync::Arc;

use bytes::Bytes;
use store::deliveries::{Content, Target};

use crate::attempted::Attempted;
use crate::ended::{End, Ended};
use crate::message::QueueMessage;
use crate::outbound::Request;
use crate::services::Services;
use crate::sign;

/// A message whose attempt is to be made.
pub(crate) struct Leased {
    pub(crate) message: QueueMessage,
    pub(crate) target: Arc<Target>,
    pub(crate) content: Content,
}

impl Leased {
    /// Signs and sends the request.
    pub(crate) async fn attempt(self, services: &Services) -> Result<Attempted, Ended> {
        let Self { message: queued, target, content } = self;
        let at = services.clock.now();
        let headers = match sign::headers(&target, &content, &queued.message, at) {
            Ok(headers) => headers,
            Err(error) => {
                let reason =
                    "a webhook's headers can't be made and its messages become dead letters: mend what the error names";
                return Err(Ended::failed(vec![queued], End::Returned, reason, &error));
            }
        };
        let request = Request { url: target.webhook.url.clone(), headers, body: Bytes::from(content.body) };
        let exchange = services.sender.send(request).await;
        Ok(Attempted { message: queued, target, request_id: content.request_id, at, exchange })
    }
}
