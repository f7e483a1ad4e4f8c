//! `GET /api/v1/deliveries/{id}`

use contract::Error;
use contract::id::DeliveryId;
use contract::webhook::Delivery;
use runtime::Found;
use store::deliveries::Deliveries;
use store::grant::Read;

pub(crate) async fn get(deliveries: Deliveries<Read>, id: DeliveryId) -> Result<Found<Delivery>, Error> {
    Ok(Found(deliveries.get(id).await?))
}
