//! What a function may do, as its role.

use runtime::{Permissions, Queue};

use super::{bucket, named, queues, reference, secret, tables};
use crate::map;
use crate::node::Node;
use crate::policy::{self, Statement};

/// All that a function may do by itself. Resources go by name, so that a role waits for none and needs to be told of none.
pub(super) fn statements(permissions: &Permissions) -> Vec<Node> {
    let mut statements: Vec<Node> = policy::statements(&permissions.items).iter().map(items).collect();
    let queues =
        |queues: &mut dyn Iterator<Item = &Queue>| -> Node { queues.map(|queue| queues::arn(*queue)).collect() };
    if !permissions.sends.is_empty() {
        statements.push(allow(["sqs:SendMessage"], queues(&mut permissions.sends.iter())));
    }
    if !permissions.postpones.is_empty() {
        statements.push(allow(["sqs:ChangeMessageVisibility"], queues(&mut permissions.postpones.iter())));
    }
    if permissions.sends_mail {
        statements.push(mail());
    }
    if permissions.data_keys {
        statements.push(allow(["secretsmanager:GetSecretValue"], secret::arn(secret::DATA_KEYS)));
    }
    if permissions.billing_keys {
        statements.push(allow(["secretsmanager:GetSecretValue"], secret::arn(secret::STRIPE_KEYS)));
    }
    if permissions.token_keys {
        statements.push(allow(["secretsmanager:GetSecretValue"], secret::arn(secret::TOKEN_KEYS)));
    }
    if permissions.rotates_token_keys {
        let actions = [
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ];
        statements.push(allow(actions, secret::arn(secret::TOKEN_KEYS)));
    }
    let name = reference(bucket::BUCKET);
    statements.extend(permissions.objects.iter().map(|grant| bucket::statement(grant, &name)));
    statements
}

/// Writing to one log, which is there already.
pub(super) fn log(name: &str) -> Node {
    allow(["logs:CreateLogStream", "logs:PutLogEvents"], named("logs", &format!("log-group:{name}:*")))
}

/// From the deployment's address alone. The identity may be the address or its domain, and in SES's sandbox IAM asks about
/// the recipients' as well.
fn mail() -> Node {
    let from = map! { "StringEquals" => map! { "ses:FromAddress" => reference("MailFrom") } };
    allow(["ses:SendEmail"], named("ses", "identity/*")).with("Condition", from)
}

/// A statement without a condition.
pub(super) fn allow<const N: usize>(actions: [&str; N], resource: Node) -> Node {
    map! { "Effect" => "Allow", "Action" => actions, "Resource" => resource }
}

fn items(of: &Statement) -> Node {
    map! {
        "Effect" => "Allow",
        "Action" => of.actions.iter().map(|action| format!("dynamodb:{action}")).collect::<Node>(),
        "Resource" => tables::arn(of.table, ""),
        "Condition" => map! {
            "ForAllValues:StringLike" => map! { "dynamodb:LeadingKeys" => of.leading_keys().collect::<Node>() },
        },
    }
}

/// A role that a service takes on.
pub(super) fn resource(service: &str, statements: Vec<Node>) -> Node {
    let trust =
        map! { "Effect" => "Allow", "Action" => "sts:AssumeRole", "Principal" => map! { "Service" => service } };
    let policy = |statements: Vec<Node>| map! { "Version" => "2012-10-17", "Statement" => statements };
    map! {
        "Type" => "AWS::IAM::Role",
        "Properties" => map! {
            "AssumeRolePolicyDocument" => policy(vec![trust]),
            "Policies" => [map! { "PolicyName" => "own", "PolicyDocument" => policy(statements) }],
        },
    }
}
