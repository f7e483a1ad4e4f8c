//! `POST /api/v1/deliveries/{id}/redeliver`

use contract::id::DeliveryId;
use contract::webhook::Delivery;
use contract::{Error, Time};
use runtime::{Accepted, Deliver, Queue};
use store::deliveries::Deliveries;
use store::grant::Write;

pub(crate) async fn redeliver(
    deliveries: Deliveries<Write>,
    deliver: Deliver,
    id: DeliveryId,
) -> Result<Accepted<Delivery>, Error> {
    let (delivery, message) = deliveries.redeliver(id).await?;
    deliver.0.send(Queue::First, &[message], Time::from_millis(message.due)).await?;
    Ok(Accepted(delivery))
}
