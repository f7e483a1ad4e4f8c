//! Grants as the statements of a policy.

use std::collections::{BTreeMap, BTreeSet};

use store::grant::Grant;
use store::keys::Kind;
use store::tables::Table;

/// One statement: these actions on this table, for partition keys of these kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The table.
    pub table: Table,
    /// The actions, without `dynamodb:`.
    pub actions: Vec<&'static str>,
    /// The kinds of partition key.
    pub kinds: BTreeSet<Kind>,
}

impl Statement {
    /// The patterns of `dynamodb:LeadingKeys`.
    pub fn leading_keys(&self) -> impl Iterator<Item = String> + use<'_> {
        self.kinds.iter().map(|kind| format!("{}*", kind.prefix()))
    }
}

/// The statements of a function's role. IAM asks that *one* statement allow an action for all the keys that a call
/// names, so an action has one statement a table, with the kinds of all its grants together; actions with the same
/// kinds share it.
#[must_use]
pub fn statements(grants: &BTreeSet<Grant>) -> Vec<Statement> {
    let mut by_action: BTreeMap<(Table, &str), BTreeSet<Kind>> = BTreeMap::new();
    for grant in grants {
        by_action.entry((grant.table, grant.action.name())).or_default().extend(grant.kinds);
    }
    let mut statements: Vec<Statement> = Vec::new();
    for ((table, action), kinds) in by_action {
        match statements.iter_mut().find(|known| known.table == table && known.kinds == kinds) {
            Some(known) => known.actions.push(action),
            None => statements.push(Statement { table, actions: vec![action], kinds }),
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use store::grant::Action;

    use super::*;

    #[test]
    fn an_action_has_one_statement_a_table_whatever_its_grants() {
        let grants = |list: &[Grant]| statements(&list.iter().copied().collect());
        let main = |action, kinds| Grant { table: Table::Main, action, kinds };
        let merged = grants(&[
            main(Action::BatchGetItem, &[Kind::Values]),
            main(Action::Query, &[Kind::Values]),
            main(Action::BatchGetItem, &[Kind::Definitions]),
            Grant { table: Table::Log, action: Action::BatchGetItem, kinds: &[Kind::User] },
        ]);
        let keys: Vec<_> = merged.iter().map(|one| one.leading_keys().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(keys, ["D#* V#*", "V#*", "U#*"]);
        assert_eq!(merged[0].actions, ["BatchGetItem"]);
        assert_eq!(merged[2].table, Table::Log);
    }
}
