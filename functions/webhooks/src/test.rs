//! `POST /api/v1/webhooks/{id}/test`

use contract::Error;
use contract::id::WebhookId;
use contract::webhook::Delivery;
use runtime::{Accepted, Deliver, Now, RequestId};
use store::deliveries::Deliveries;
use store::grant::Ping;

pub(crate) async fn test(
    deliveries: Deliveries<Ping>,
    deliver: Deliver,
    id: WebhookId,
    request_id: RequestId,
    now: Now,
) -> Result<Accepted<Delivery>, Error> {
    let (delivery, message) = deliveries.ping(id, &request_id.0).await?;
    deliver.send(message.as_slice(), now.0).await?;
    Ok(Accepted(delivery))
}
