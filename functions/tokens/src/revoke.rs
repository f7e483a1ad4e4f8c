//! `POST /api/v1/tenants/{tenantId}/embed-tokens/revoke`

use contract::Error;
use runtime::NoContent;
use store::embed_tokens::EmbedTokens;

pub(crate) async fn revoke(tokens: EmbedTokens) -> Result<NoContent, Error> {
    tokens.revoke().await?;
    Ok(NoContent)
}
