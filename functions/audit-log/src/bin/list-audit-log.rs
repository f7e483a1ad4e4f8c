//! The function `list-audit-log`.

fn main() {
    runtime::serve(&audit_log::LIST);
}
