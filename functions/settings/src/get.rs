//! `GET /api/v1/settings`

use contract::Error;
use contract::settings::Settings;
use runtime::Found;
use store::grant::Get;
use store::settings::ClientSettings;

pub(crate) async fn get(settings: ClientSettings<Get>) -> Result<Found<Settings>, Error> {
    Ok(Found(settings.get().await?))
}
