//! Field groups: with one go its values, each tenant's fields there, and the copies of global fields, which leave it.

use contract::id::{ClientId, FieldId, GroupId};
use contract::names::TenantId;
use contract::resource::{FieldGroup, GlobalField};
use contract::{Code, Error};

use super::{Due, Run, TenantWork, parts};
use crate::change::{Change, Outcome, Written};
use crate::document::{Document, from_doc, to_doc};
use crate::dynamo::{Item, KeyRange, get_text, must, text};
use crate::global_fields::{GlobalFieldChange, GlobalFields};
use crate::grant::Update;
use crate::keys::{self, Key};
use crate::limits::Held;
use crate::sweep::{Range, Stopped};
use crate::tables::Table;

impl Run<'_> {
    pub(super) async fn group(&self, due: &Due, card: &Item) -> Result<(), Stopped> {
        let (client, id) = parts(&due.root.pk)?;
        let (group, id): (FieldGroup, GroupId) = (from_doc(card)?, must(id.parse().ok(), "pk")?);
        self.each_tenant(due, client, &TenantWork::LeaveGroup(id)).await?;
        let op = self.op(client).await?;
        self.leave_global_fields(&op, id).await?;
        let last = keys::deleted_group_key(&op.scope, &group.key);
        if let Some(row) = self.store.get(&last).await?
            && get_text(&row, "group") == Some(&*id.to_string())
        {
            self.delete_if_same(&last, &row).await?;
        }
        self.delete(&keys::deleted_group(&op.scope, id)).await?;
        self.delete(&due.root).await.map_err(Stopped::from)
    }

    /// All that a tenant has in a group.
    pub(super) async fn leave_group(&self, client: ClientId, tenant: &TenantId, group: GroupId) -> Result<(), Stopped> {
        let values = keys::TenantPart::Values.pk(client, tenant);
        for prefix in [keys::values_prefix(group), keys::deleted_values_prefix(group)] {
            self.drain(&Range::whole(Table::Main, &values).below(&prefix)).await?;
        }
        let fields = keys::TenantPart::Fields.pk(client, tenant);
        for prefix in keys::tenant_field_prefixes(group) {
            self.drain(&Range::whole(Table::Main, &fields).below(&prefix)).await?;
        }
        let here = Key { table: Table::Main, pk: fields.clone(), sk: group.to_string() };
        let Some(card) = self.store.get(&here).await? else { return Ok(()) };
        // The tenant's own card counts its fields in all groups: it goes down with what counted them here, once.
        let lost = i64::try_from(Held::of(Some(&card)).fields).unwrap_or(0);
        let event = contract::id::EventId::new(crate::author::unique(self.now));
        let counted = Change::update(keys::tenant_of_token(client, tenant)).add("fields", -lost).when_present();
        let changes = vec![Change::delete(here).when_present(), counted.unstamped()];
        match self.store.commit(changes, event).await? {
            Outcome::Done => Ok(()),
            Outcome::Stale => Err(Error::unavailable("a tenant's cards were changed while a group was purged").into()),
        }
    }

    /// Global fields that name the group name it no more: those that live are changed as a caller would change them.
    async fn leave_global_fields(&self, op: &crate::OpContext, group: GroupId) -> Result<(), Stopped> {
        let pk = keys::global_fields_pk(&op.scope);
        let range = KeyRange { table: Table::Main, pk: &pk, prefix: "", after: None, limit: None };
        for item in self.store.query(&range).await? {
            let field: GlobalField = from_doc(&item)?;
            if !field.field_group_ids.contains(&group) {
                continue;
            }
            let rest = field.field_group_ids.iter().copied().filter(|id| *id != group).collect();
            let sk = must(get_text(&item, "sk"), "sk")?;
            if sk.starts_with(FieldId::PREFIX) {
                let change = GlobalFieldChange { groups: Some(rest), ..GlobalFieldChange::default() };
                match GlobalFields::<Update>::open(op).update(field.id, None, &change).await {
                    Ok(_) => {}
                    // Deleted meanwhile: the next purge finds it among the deleted.
                    Err(error) if error.code() == Code::GlobalFieldNotFound => {
                        return Err(Error::unavailable("a global field was deleted while its group was purged").into());
                    }
                    Err(error) => return Err(error.into()),
                }
                continue;
            }
            let Document { version, .. } = Document::<GlobalField>::read(&item)?;
            let doc = to_doc(&GlobalField { field_group_ids: rest, ..field })?;
            let key = Key { table: Table::Main, pk: pk.clone(), sk: sk.to_owned() };
            let change = Change::update(key).set("doc", text(doc)).when_version(version);
            if let Written::Refused(Some(_)) = self.store.conditional_write(change).await? {
                return Err(Error::unavailable("a deleted global field was changed while its group was purged").into());
            }
        }
        Ok(())
    }
}
