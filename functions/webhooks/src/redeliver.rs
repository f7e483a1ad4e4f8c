//! `POST /api/v1/deliveries/{id}/redeliver`

use contract::id::DeliveryId;
use contract::webhook::Delivery;
use contract::{Code, Error, Precondition};
use runtime::{Accepted, Deliver, Now};
use store::deliveries::Deliveries;
use store::grant::Redeliver;

pub(crate) async fn redeliver(
    deliveries: Deliveries<Redeliver>,
    deliver: Deliver,
    id: DeliveryId,
    precondition: Option<Precondition>,
    now: Now,
) -> Result<Accepted<Delivery>, Error> {
    if !matches!(precondition, None | Some(Precondition::Exists)) {
        let message = "A delivery has no version: the header `If-Match` can only be *.";
        return Err(Error::saying(Code::MalformedRequest, message));
    }
    let (delivery, message) = deliveries.redeliver(id).await?;
    deliver.send(message.as_slice(), now.0).await?;
    Ok(Accepted(delivery))
}
