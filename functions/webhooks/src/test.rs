//! `POST /api/v1/webhooks/{id}/test`

use contract::id::WebhookId;
use contract::webhook::Delivery;
use contract::{Error, Time};
use runtime::{Accepted, Deliver, Queue, RequestId};
use store::deliveries::Deliveries;
use store::grant::Write;

pub(crate) async fn test(
    deliveries: Deliveries<Write>,
    deliver: Deliver,
    id: WebhookId,
    request_id: RequestId,
) -> Result<Accepted<Delivery>, Error> {
    let (delivery, message) = deliveries.ping(id, &request_id.0).await?;
    if let Some(message) = message {
        deliver.0.send(Queue::First, &[message], Time::from_millis(message.due)).await?;
    }
    Ok(Accepted(delivery))
}
