//! The function `export-audit-log`.

fn main() {
    runtime::serve(&audit_log::EXPORT);
}
