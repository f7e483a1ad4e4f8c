//! `GET /api/v1/deliveries/{id}`

use contract::Error;
use contract::id::DeliveryId;
use contract::webhook::Delivery;
use runtime::Found;
use store::deliveries::Deliveries;
use store::grant::Get;

pub(crate) async fn get(deliveries: Deliveries<Get>, id: DeliveryId) -> Result<Found<Delivery>, Error> {
    Ok(Found(deliveries.get(id).await?))
}
