//! `POST /api/v1/webhooks/{id}/test`

use contract::id::WebhookId;
use contract::webhook::Delivery;
use contract::{Error, Precondition};
use runtime::{Accepted, Deliver, Now, RequestInfo};
use store::deliveries::Deliveries;
use store::grant::Ping;

pub(crate) async fn test(
    deliveries: Deliveries<Ping>,
    deliver: Deliver,
    id: WebhookId,
    precondition: Option<Precondition>,
    from: RequestInfo,
    now: Now,
) -> Result<Accepted<Delivery>, Error> {
    let (delivery, message) = deliveries.ping(id, precondition, &from.request_id).await?;
    deliver.send(message.as_slice(), now.0).await?;
    Ok(Accepted(delivery))
}
