//! Subscriptions, and the service that is paid by: Stripe.

mod checkout;
mod event;
mod get;
mod portal;
mod stripe;
mod take_event;

use contract::Code;
use contract::permission::Role;
use runtime::{Access, GoesOn, Sample};

const ADMINS: Access = Access::member(Role::Admin);

runtime::routes! {
    /// Get the subscription
    ///
    /// With what the plan allows, and what there is of it; `null` where there is no limit, or nobody counts.
    Get "/api/v1/subscription"
    GET "get-subscription" => get::get {
        access: ADMINS,
    }

    /// Begin to pay for a plan
    ///
    /// Answers the page of the payment service's to send the browser to. What is paid for there is in force when its event
    /// has arrived, some seconds later.
    Post "/api/v1/subscription/checkout"
    CHECKOUT "create-checkout" => checkout::checkout {
        access: ADMINS,
        goes_on: GoesOn::Unsubscribed,
    } about {
        failures: &[Code::BillingNotConfigured],
        sample: Sample::body(r#"{ "plan": "team" }"#),
    }

    /// Change what is paid for
    ///
    /// Answers the page of the payment service's where plan, card and invoices are.
    Post "/api/v1/subscription/portal"
    PORTAL "create-portal" => portal::portal {
        access: ADMINS,
        goes_on: GoesOn::Closed,
    } about {
        failures: &[Code::BillingNotConfigured],
    }

    /// Hear of the payment service's events
    ///
    /// Of those that are signed by it, the ones about subscriptions set the client's.
    Post "/api/billing/stripe"
    TAKE_EVENT "take-stripe-event" => take_event::take {
        access: Access::Public,
    } about {
        failures: &[Code::Unauthenticated, Code::BillingNotConfigured],
        sample: Sample::body(
            r#"{
                "id": "evt_1",
                "type": "customer.subscription.updated",
                "created": 1767225600,
                "data": {"object": {"id": "sub_1", "customer": "cus_1", "status": "active", "items": {"data": []}, "metadata": {}}}
            }"#,
        ),
    }
}
