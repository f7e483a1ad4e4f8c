//! What the queues' file must look like.

use rusqlite::Connection;

use super::SCHEMA;
use super::receive::{DUE, DUE_IN_GROUP, FIRST_DUE, NEXT_GROUP};

#[test]
fn a_look_for_messages_uses_the_indexes() {
    let file = Connection::open_in_memory().unwrap();
    file.execute_batch(SCHEMA).unwrap();
    for (statement, index) in [
        (FIRST_DUE, "messages_by_time"),
        (DUE, "messages_by_time"),
        (NEXT_GROUP, "messages_by_group"),
        (DUE_IN_GROUP, "messages_by_group"),
    ] {
        let mut explained = file.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        let count = explained.parameter_count();
        let rows = explained.query_map(rusqlite::params_from_iter(vec!["1"; count]), |row| row.get::<_, String>(3));
        let plan: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
        assert!(matches!(&plan[..], [step] if step.contains(index)), "{plan:?}");
    }
}
