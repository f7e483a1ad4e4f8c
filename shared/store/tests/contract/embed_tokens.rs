//! Embed tokens, held against the tenant's card and the key that made them.

use std::time::Duration;

use auth::EmbedClaims;
use auth::embed_token::Audience;
use contract::id::{ClientId, KeyId, TokenId};
use contract::names::TenantId;
use contract::permission::{Permission, TokenPermission, TokenPermissions};
use contract::{Code, Error, Several};
use hedgerow_store::Store;
use hedgerow_store::api_keys::NewApiKey;
use hedgerow_store::author::unique;
use hedgerow_store::embed_tokens::EmbedTokens;

use crate::fixture::{Account, Tables, all, by_key, new_own, refused, string};
use crate::life::new_key;

/// Within this every instance goes by what was changed.
const SOON: Duration = Duration::from_secs(10);

/// The claims of a token that a key makes now; its signature is not the store's to look at.
pub(crate) fn claims(tables: &Tables, client: ClientId, key: KeyId, tenant: &str) -> EmbedClaims {
    let now = tables.clock.now();
    let seconds = u64::try_from(now.seconds()).unwrap();
    EmbedClaims {
        iss: "http://localhost:3000".parse().unwrap(),
        aud: Audience::Embed,
        client_id: client,
        key_id: key,
        tenant_id: tenant.parse().unwrap(),
        field_group_id: None,
        field_group_key: None,
        entity_id: None,
        permissions: TokenPermissions::of(TokenPermission::ALL.to_vec()).unwrap(),
        field_limit: Some(1),
        origins: None,
        iat: seconds,
        nbf: seconds,
        exp: seconds + 900,
        jti: TokenId::new(unique(now)),
    }
}

async fn works(store: &Store, claims: &EmbedClaims) -> bool {
    store.verify_token(claims.clone()).await.unwrap().is_some()
}

pub(crate) async fn revoke(account: &Account, tenant: &str) {
    let op = account.op();
    let scope = op.scope().tenant(tenant.parse::<TenantId>().unwrap());
    EmbedTokens::open(&op, scope).revoke().await.unwrap();
}

#[tokio::test]
async fn a_token_gives_the_scope_of_its_tenant_and_what_its_key_still_has() -> Result<(), Error> {
    let tables = Tables::new().await;
    let account = tables.account().await;
    account.group("product").await;
    let permissions = Several::of(vec![Permission::TokensCreate, Permission::ValuesRead, Permission::SchemaWrite]).ok();
    let (key, _) = account.keys().create(NewApiKey { permissions, ..new_key() }).await?;
    let token = tables.store().verify_token(claims(&tables, account.client.id, key.id, "acme")).await?.unwrap();
    assert_eq!((token.scope.client(), token.scope.tenant().as_str()), (account.client.id, "acme"));
    assert!(token.may(TokenPermission::ValuesRead) && token.may(TokenPermission::FieldsWrite));
    assert!(!token.may(TokenPermission::ValuesWrite), "its key may not");
    // Its limit goes with its scope.
    let fields = || hedgerow_store::tenant_fields::TenantFields::open(&account.op(), token.scope.clone());
    fields().create(&by_key("product"), new_own("one", string())).await?;
    assert_eq!(refused(fields().create(&by_key("product"), new_own("two", string())).await), Code::FieldLimitReached);
    account.fields("acme").create(&by_key("product"), new_own("two", string())).await?;
    Ok(())
}

#[tokio::test]
async fn a_revocation_holds_everywhere_at_once_and_a_key_that_is_gone_within_ten_seconds() -> Result<(), Error> {
    let tables = Tables::new().await;
    let (account, other) = (tables.account().await, tables.store());
    let (key, _) = account.keys().create(new_key()).await?;
    let of = |tenant: &str| claims(&tables, account.client.id, key.id, tenant);
    let (first, elsewhere) = (of("acme"), of("globex"));
    assert!(works(&other, &first).await && works(&other, &elsewhere).await);
    revoke(&account, "acme").await;
    assert!(!works(&other, &first).await && works(&other, &elsewhere).await);
    assert!(account.tenants().list(&all()).await?.items.is_empty(), "a revocation makes no tenant");
    tables.clock.advance(Duration::from_millis(1));
    let second = of("acme");
    assert!(works(&other, &second).await && !works(&other, &first).await);
    // A later one goes on from there.
    revoke(&account, "acme").await;
    assert!(!works(&other, &second).await);

    account.keys().delete(key.id, None).await?;
    tables.clock.advance(SOON);
    assert!(!works(&other, &elsewhere).await);
    let (gone, nobody) = (of("globex"), claims(&tables, ClientId::new(unique(tables.clock.now())), key.id, "globex"));
    assert!(!works(&tables.store(), &gone).await && !works(&tables.store(), &nobody).await);
    Ok(())
}
