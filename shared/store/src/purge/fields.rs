//! Fields: the values that are kept under them go before them.

use contract::Error;
use contract::id::{ClientId, GroupId};
use contract::names::TenantId;
use contract::resource::GlobalField;

use super::{Due, Run, TenantWork, parts, tenant};
use crate::change::{Change, Written};
use crate::document::{from_doc, to_doc};
use crate::dynamo::{Item, get_number, must, text};
use crate::keys::{self, Key};
use crate::retry::{Step, update_with_retry};
use crate::sweep::{Range, Stopped};
use crate::tables::Table;
use crate::values::Document;

impl Run<'_> {
    pub(super) async fn tenant_field(&self, due: &Due, item: &Item) -> Result<(), Stopped> {
        let (client, named) = parts(&due.root.pk)?;
        let (group, field) = must(keys::deleted_of(&due.root.sk).and_then(|sk| sk.split_once('#')), "sk")?;
        self.strip(client, &tenant(named)?, must(group.parse().ok(), "sk")?, field).await?;
        self.delete_if_same(&due.root, item).await.map_err(Stopped::from)
    }

    pub(super) async fn global_field(&self, due: &Due, item: &Item) -> Result<(), Stopped> {
        let (client, _) = parts(&due.root.pk)?;
        let field: GlobalField = from_doc(item)?;
        let work = TenantWork::Strip(&field.field_group_ids, must(keys::deleted_of(&due.root.sk), "sk")?);
        self.each_tenant(due, client, &work).await?;
        self.delete_if_same(&due.root, item).await.map_err(Stopped::from)
    }

    /// Takes the value of a field out of all of a tenant's values in a group, deleted ones too. Nobody has changed them:
    /// their versions stay, and nothing is announced.
    pub(super) async fn strip(
        &self,
        client: ClientId,
        tenant: &TenantId,
        group: GroupId,
        field: &str,
    ) -> Result<(), Stopped> {
        let pk = keys::TenantPart::Values.pk(client, tenant);
        for prefix in [keys::values_prefix(group), keys::deleted_values_prefix(group)] {
            let mut after: Option<String> = None;
            loop {
                let range = Range { after: after.as_deref(), ..Range::whole(Table::Main, &pk).below(&prefix) };
                let Some(page) = self.store.sweep_page(&range, self.until).await? else { break };
                after = page.keys.last().map(|key| key.sk.clone());
                for (item, key) in page.items.iter().zip(page.keys) {
                    if from_doc::<Document>(item)?.contains_key(field) {
                        self.strip_one(&key, field).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn strip_one(&self, key: &Key, field: &str) -> Result<(), Error> {
        update_with_retry!({
            let Some(item) = self.store.get(key).await? else { return Ok(Step::Done(())) };
            let mut document: Document = from_doc(&item)?;
            if document.remove(field).is_none() {
                return Ok(Step::Done(()));
            }
            let version: u64 = must(get_number(&item, "version"), "version")?;
            let change = Change::update(key.clone()).set("doc", text(to_doc(&document)?)).when_version(version);
            match self.store.conditional_write(change).await? {
                Written::Done => Ok(Step::Done(())),
                Written::Refused(_) => Ok(Step::Stale { base: 0 }),
            }
        })
    }
}
