//! `POST /api/v1/deliveries/{id}/redeliver`

use contract::Error;
use contract::id::DeliveryId;
use contract::webhook::Delivery;
use runtime::{Accepted, Deliver, Now, Unversioned};
use store::deliveries::Deliveries;
use store::grant::Redeliver;

pub(crate) async fn redeliver(
    deliveries: Deliveries<Redeliver>,
    deliver: Deliver,
    id: DeliveryId,
    _: Unversioned,
    now: Now,
) -> Result<Accepted<Delivery>, Error> {
    let (delivery, message) = deliveries.redeliver(id).await?;
    deliver.send(message.as_slice(), now.0).await?;
    Ok(Accepted(delivery))
}
