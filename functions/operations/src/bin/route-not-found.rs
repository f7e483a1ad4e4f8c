//! The function `route-not-found`.

fn main() {
    runtime::serve(&operations::ROUTE_NOT_FOUND);
}
