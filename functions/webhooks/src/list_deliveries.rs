//! `GET /api/v1/webhooks/{id}/deliveries`

use contract::id::WebhookId;
use contract::webhook::{Delivery, DeliveryStatus, EventName};
use contract::{Error, Time};
use runtime::parameters::QueryName;
use runtime::{Admitted, FromRequest, Listed, Needs, Query};
use store::deliveries::{Deliveries, DeliveryFilter};
use store::grant::List;
use store::page::PageRequest;

macro_rules! filters {
    ($($filter:ident: $value:ty, $name:literal, $description:literal;)+) => { $(
        struct $filter;

        impl QueryName for $filter {
            type Value = $value;
            const NAME: &'static str = $name;
            const DESCRIPTION: &'static str = $description;
        }
    )+ };
}

filters! {
    Status: DeliveryStatus, "status", "Only those that stand there.";
    Event: EventName, "event", "Only those of this event.";
    Since: Time, "from", "Only those of what was committed at this time or later.";
    Until: Time, "to", "Only those of what was committed before this time.";
}

/// The filters, as one argument.
pub(crate) struct Filters(DeliveryFilter);

impl FromRequest for Filters {
    const QUERY: &'static [&'static str] = &[Status::NAME, Event::NAME, Since::NAME, Until::NAME];
    fn take(request: &mut Admitted) -> Result<Self, Error> {
        Ok(Self(DeliveryFilter {
            status: Query::<Status>::take(request)?.0,
            event: Query::<Event>::take(request)?.0,
            from: Query::<Since>::take(request)?.0,
            to: Query::<Until>::take(request)?.0,
        }))
    }
    fn needs(needs: &mut Needs) {
        Query::<Status>::needs(needs);
        Query::<Event>::needs(needs);
        Query::<Since>::needs(needs);
        Query::<Until>::needs(needs);
    }
}

pub(crate) async fn list(
    deliveries: Deliveries<List>,
    id: WebhookId,
    filters: Filters,
    page: PageRequest,
) -> Result<Listed<Delivery>, Error> {
    Ok(Listed(deliveries.list(id, &filters.0, &page).await?))
}
