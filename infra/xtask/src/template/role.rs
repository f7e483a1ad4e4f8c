//! What a function may do, as the statements of its role.

use runtime::Permissions;

use super::{attribute, filled, queues, reference, secret, tables};
use crate::map;
use crate::node::Node;
use crate::policy::{self, Statement};

/// All that a function may do by itself.
pub(super) fn statements(permissions: &Permissions) -> Vec<Node> {
    let mut statements: Vec<Node> = policy::statements(&permissions.items).iter().map(items).collect();
    if !permissions.sends.is_empty() {
        let queues: Node = permissions.sends.iter().map(|queue| attribute(&queues::logical(*queue), "Arn")).collect();
        statements.push(allow(["sqs:SendMessage"], queues));
    }
    if !permissions.postpones.is_empty() {
        let queues: Node =
            permissions.postpones.iter().map(|queue| attribute(&queues::logical(*queue), "Arn")).collect();
        statements.push(allow(["sqs:ChangeMessageVisibility"], queues));
    }
    if permissions.sends_mail {
        statements.push(mail());
    }
    if permissions.data_keys {
        statements.push(allow(["secretsmanager:GetSecretValue"], reference(secret::DATA_KEYS)));
    }
    if permissions.billing_keys {
        statements.push(allow(["secretsmanager:GetSecretValue"], reference(secret::STRIPE_KEYS)));
    }
    if permissions.token_keys {
        statements.push(allow(["secretsmanager:GetSecretValue"], reference(secret::TOKEN_KEYS)));
    }
    if permissions.rotates_token_keys {
        let actions = [
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ];
        statements.push(allow(actions, reference(secret::TOKEN_KEYS)));
    }
    statements
}

/// From the deployment's address alone. The identity may be the address or its domain, and in SES's sandbox IAM asks about
/// the recipients' as well.
fn mail() -> Node {
    let identities = filled("arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*");
    let from = map! { "StringEquals" => map! { "ses:FromAddress" => reference("MailFrom") } };
    allow(["ses:SendEmail"], identities).with("Condition", from)
}

/// A statement without a condition.
pub(super) fn allow<const N: usize>(actions: [&str; N], resource: Node) -> Node {
    map! { "Effect" => "Allow", "Action" => actions, "Resource" => resource }
}

fn items(of: &Statement) -> Node {
    map! {
        "Effect" => "Allow",
        "Action" => of.actions.iter().map(|action| format!("dynamodb:{action}")).collect::<Node>(),
        "Resource" => attribute(tables::logical(of.table), "Arn"),
        "Condition" => map! {
            "ForAllValues:StringLike" => map! { "dynamodb:LeadingKeys" => of.leading_keys().collect::<Node>() },
        },
    }
}
