//! Every function in one binary, for tests that deploy all of them and link once: it serves the one that `_HANDLER` names,
//! as Lambda sets it from the function's `Handler`.

#[expect(clippy::disallowed_methods, reason = "what Lambda tells a function of itself")]
fn main() -> Result<(), String> {
    let id = std::env::var("_HANDLER").unwrap_or_default();
    let mut endpoints = hedgerow_functions::routes().map(|spec| spec.endpoint);
    if let Some(endpoint) = endpoints.find(|endpoint| endpoint.route.id == id) {
        runtime::serve(endpoint);
        return Ok(());
    }
    if let Some(consumer) = hedgerow_functions::consumers().into_iter().find(|consumer| consumer.id == id) {
        runtime::consume(consumer);
        return Ok(());
    }
    Err(format!("_HANDLER names no function: {id:?}"))
}
