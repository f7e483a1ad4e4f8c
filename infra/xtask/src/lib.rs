//! What is written from the routes' declarations and the handlers' types, so that neither is said twice.

pub mod events;
pub mod files;
pub mod node;
pub mod openapi;
pub mod paths;
pub mod policy;
pub mod seed;
pub mod seeded;
pub mod template;
pub mod watch;

use std::path::{Path, PathBuf};

use files::File;
use template::stacks::{self, Stacks};

/// Why a chore can't be done.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The workspace's folder.
#[must_use]
pub fn root() -> PathBuf {
    let mut folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.pop();
    folder.pop();
    folder
}

/// Every file as it should be.
///
/// # Errors
/// If the routes can't be described, the sample account can't be made, or `Cargo.toml` or `infra/stacks.txt` can't be read.
pub async fn generate(root: &Path) -> Result<Vec<File>, Failure> {
    let seeded = seeded::Seeded::new().await?;
    let functions = template::route_functions();
    let stacks = Stacks::parse(&std::fs::read_to_string(root.join(stacks::PATH))?)?.with(&functions);
    let mut files = vec![
        File::new("functions/operations/openapi.json", openapi::document()?.to_json()?),
        File::new("functions/operations/src/paths.rs", paths::source()),
        File::new(stacks::PATH, stacks.text()),
        File::new("Cargo.toml", watch::manifest(&std::fs::read_to_string(root.join("Cargo.toml"))?)),
    ];
    for template in template::all(&functions, &stacks) {
        files.push(File::new(format!("infra/{}", template.path), template.text()?));
    }
    for (id, event) in events::all(&seeded)? {
        files.push(File::new(format!("events/{id}.json"), event.to_json()?));
    }
    Ok(files)
}
