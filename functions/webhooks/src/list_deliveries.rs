//! `GET /api/v1/webhooks/{id}/deliveries`

use contract::id::WebhookId;
use contract::webhook::{Delivery, DeliveryStatus, EventName};
use contract::{Error, Time};
use runtime::{Listed, Query};
use store::deliveries::{Deliveries, DeliveryFilter};
use store::grant::List;
use store::page::PageRequest;

runtime::query_names! {
    Status: DeliveryStatus, "status", "Only those that stand there.";
    Event: EventName, "event", "Only those of this event.";
    Since: Time, "from", "Only those of what was committed at this time or later.";
    Until: Time, "to", "Only those of what was committed before this time.";
}

/// The filters, as one argument.
type Filters = (Query<Status>, Query<Event>, Query<Since>, Query<Until>);

pub(crate) async fn list(
    deliveries: Deliveries<List>,
    id: WebhookId,
    (status, event, from, to): Filters,
    page: PageRequest,
) -> Result<Listed<Delivery>, Error> {
    let filter = DeliveryFilter { status: status.0, event: event.0, from: from.0, to: to.0 };
    Ok(Listed(deliveries.list(id, &filter, &page).await?))
}
