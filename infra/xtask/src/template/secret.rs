//! The secrets: the data keys, the keys that sign embed tokens, with their rotation, and Stripe's.

use runtime::{Consumer, Source};

use super::{KEPT, attribute, filled, logical, named, reference};
use crate::map;
use crate::node::Node;

/// The resource of the data keys.
pub(super) const DATA_KEYS: &str = "DataKeys";
/// The resource of the keys of embed tokens.
pub(super) const TOKEN_KEYS: &str = "TokenKeys";
/// The resource of Stripe's keys.
pub(super) const STRIPE_KEYS: &str = "StripeKeys";

/// How often a new key signs embed tokens, in days.
const ROTATION: u64 = 30;

/// A secret's ARN: its name with six characters that Secrets Manager adds.
pub(super) fn arn(secret: &str) -> Node {
    named("secretsmanager", &format!("secret:{}-??????", name(secret)))
}

fn name(secret: &str) -> String {
    let word = match secret {
        DATA_KEYS => "data-keys",
        TOKEN_KEYS => "token-keys",
        _ => "stripe",
    };
    format!("${{TablePrefix}}/{word}")
}

pub(super) fn resources() -> Vec<(String, Node)> {
    [(DATA_KEYS, data_keys()), (TOKEN_KEYS, token_keys()), (STRIPE_KEYS, stripe_keys())]
        .map(|(name, node)| (name.to_owned(), node))
        .into()
}

/// They are made with one key, and outlive the stack: what was sealed by a key that is gone never opens again.
pub(super) fn data_keys() -> Node {
    let (deleted, replaced) = KEPT;
    map! {
        "Type" => "AWS::SecretsManager::Secret",
        "DeletionPolicy" => deleted,
        "UpdateReplacePolicy" => replaced,
        "Properties" => map! {
            "Name" => filled(name(DATA_KEYS)),
            "Description" => "What seals the secrets of webhooks and mails on their way: keys by name, and which of them is current",
            "GenerateSecretString" => map! {
                "SecretStringTemplate" => "{\"current\":\"1\"}",
                "GenerateStringKey" => "1",
                "PasswordLength" => 64_u64,
                "ExcludePunctuation" => true,
            },
        },
    }
}

/// A version of it is a key, named by the version. They go with the stack: without it no token is good for anything.
fn token_keys() -> Node {
    map! {
        "Type" => "AWS::SecretsManager::Secret",
        "DeletionPolicy" => "Delete",
        "UpdateReplacePolicy" => "Delete",
        "Properties" => map! {
            "Name" => filled(name(TOKEN_KEYS)),
            "Description" => "What signs embed tokens: each version is a key",
            "GenerateSecretString" => map! { "PasswordLength" => 64_u64, "ExcludePunctuation" => true },
        },
    }
}

/// Nothing is in it until somebody puts it there, as docs/billing.md shows; what is in it then stays when the stack changes.
fn stripe_keys() -> Node {
    map! {
        "Type" => "AWS::SecretsManager::Secret",
        "DeletionPolicy" => "Delete",
        "UpdateReplacePolicy" => "Delete",
        "Properties" => map! {
            "Name" => filled(name(STRIPE_KEYS)),
            "Description" => "Stripe's keys, if the deployment takes payments: {\"secretKey\": …, \"webhookSecret\": …}",
            "SecretString" => "{}",
        },
    }
}

/// What has a function rotate the keys of embed tokens.
pub(super) fn rotation(consumer: &Consumer) -> Vec<(String, Node)> {
    if consumer.source != Source::TokenKeysRotation {
        return Vec::new();
    }
    let function = logical(consumer.id);
    let permission = format!("{function}Permission");
    let leave = map! {
        "Type" => "AWS::Lambda::Permission",
        "Properties" => map! {
            "Action" => "lambda:InvokeFunction",
            "FunctionName" => reference(&function),
            "Principal" => "secretsmanager.amazonaws.com",
            "SourceArn" => reference(TOKEN_KEYS),
        },
    };
    let schedule = map! {
        "Type" => "AWS::SecretsManager::RotationSchedule",
        // Other engines than AWS have none.
        "Condition" => "IsAws",
        "DependsOn" => [permission.as_str()],
        "Properties" => map! {
            "SecretId" => reference(TOKEN_KEYS),
            "RotationLambdaARN" => attribute(&function, "Arn"),
            "RotationRules" => map! { "AutomaticallyAfterDays" => ROTATION },
            "RotateImmediatelyOnUpdate" => false,
        },
    };
    vec![(permission, leave), (format!("{TOKEN_KEYS}Rotation"), schedule)]
}
