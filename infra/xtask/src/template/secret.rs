//! The secret that holds the data keys.

use super::filled;
use crate::map;
use crate::node::Node;

/// Its resource.
pub(super) const LOGICAL: &str = "DataKeys";

/// It is made with one key, and outlives the stack: what was sealed by a key that is gone never opens again.
pub(super) fn resources() -> Vec<(String, Node)> {
    let secret = map! {
        "Type" => "AWS::SecretsManager::Secret",
        "DeletionPolicy" => "Retain",
        "UpdateReplacePolicy" => "Retain",
        "Properties" => map! {
            "Name" => filled("${TablePrefix}/data-keys"),
            "Description" => "What seals the secrets of webhooks and mails on their way: keys by name, and which of them is current",
            "GenerateSecretString" => map! {
                "SecretStringTemplate" => "{\"current\":\"1\"}",
                "GenerateStringKey" => "1",
                "PasswordLength" => 64_u64,
                "ExcludePunctuation" => true,
            },
        },
    };
    vec![(LOGICAL.to_owned(), secret)]
}
