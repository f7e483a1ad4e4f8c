//! What the roles' statements look like.

use std::collections::BTreeSet;

use runtime::Queue;
use serde_json::{Value, json};
use store::tables::Table;

use crate::{operation, resources, template};

/// The statements of a function's role.
fn all_statements<'t>(template: &'t Value, function: &Value) -> impl Iterator<Item = &'t Value> {
    let role = &template["Resources"][texts(&function["Role"]["Fn::GetAtt"])[0]]["Properties"];
    let policies = role["Policies"].as_array().unwrap().iter();
    policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap())
}

/// The statements of a function's role, but for that on its log.
pub(crate) fn statements<'t>(template: &'t Value, function: &Value) -> Vec<&'t Value> {
    all_statements(template, function).filter(|statement| service(statement) != "logs").collect()
}

/// What a resource that is named by its ARN is called: its service, and its name as the template fills it in.
pub(crate) fn named(resource: &Value) -> (&str, &str) {
    let arn = resource["Fn::Sub"].as_str().unwrap().strip_prefix("arn:${AWS::Partition}:").unwrap();
    let (service, name) = arn.split_once(":${AWS::Region}:${AWS::AccountId}:").unwrap();
    (service, name)
}

/// The secrets, as the template names them; Secrets Manager adds six characters.
pub(crate) const DATA_KEYS: &str = "secret:${TablePrefix}/data-keys-??????";
pub(crate) const TOKEN_KEYS: &str = "secret:${TablePrefix}/token-keys-??????";
pub(crate) const STRIPE_KEYS: &str = "secret:${TablePrefix}/stripe-??????";

pub(crate) fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

pub(crate) fn leading_keys(statement: &Value) -> Vec<&str> {
    texts(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
}

/// What a statement is about: its actions' service.
fn service(statement: &Value) -> &str {
    texts(&statement["Action"])[0].split_once(':').unwrap().0
}

/// The statements on items of tables, and all others.
fn parted<'t>(template: &'t Value, function: &Value) -> (Vec<&'t Value>, Vec<&'t Value>) {
    statements(template, function)
        .into_iter()
        .partition(|statement| service(statement) == "dynamodb" && statement.get("Condition").is_some())
}

/// Nobody changes or deletes a line of the audit log, and the recorder alone adds one: so says each role, by itself.
#[test]
fn the_audit_log_is_only_ever_added_to() {
    let template = template();
    let mut may_add = BTreeSet::new();
    for function in resources(&template, "AWS::Lambda::Function") {
        for statement in parted(&template, function).0 {
            let keys = leading_keys(statement);
            // No pattern but a kind's own reaches it.
            assert!(keys.iter().all(|key| key.ends_with("#*")), "{keys:?}");
            for action in texts(&statement["Action"]).into_iter().filter(|_| keys.contains(&"A#*")) {
                if action == "dynamodb:PutItem" {
                    may_add.insert(operation(function));
                } else {
                    assert_eq!(action, "dynamodb:Query", "{}", operation(function));
                }
            }
            let heads = keys.iter().any(|key| ["AH#*", "AD#*"].contains(key));
            let writes = texts(&statement["Action"])
                .iter()
                .any(|action| !["dynamodb:Query", "dynamodb:GetItem"].contains(action));
            assert!(!(heads && writes) || operation(function) == "recorder", "{}", operation(function));
        }
    }
    assert_eq!(may_add, ["recorder"].into());
}

#[test]
fn every_statement_on_items_is_held_to_kinds_of_keys_in_one_table() {
    let template = template();
    for function in resources(&template, "AWS::Lambda::Function") {
        for statement in parted(&template, function).0 {
            let keys = leading_keys(statement);
            let of_a_kind = |key: &&str| {
                let kind = key.strip_suffix("#*").unwrap_or_default();
                !kind.is_empty() && kind.bytes().all(|letter| letter.is_ascii_uppercase())
            };
            assert!(!keys.is_empty() && keys.iter().all(of_a_kind), "{}: {keys:?}", operation(function));
            let tables = Table::ALL.map(|table| format!("table/${{TablePrefix}}-{}", table.word()));
            let (service, name) = named(&statement["Resource"]);
            assert!(service == "dynamodb" && tables.iter().any(|table| table == name), "{name}");
            assert_eq!(statement["Effect"], "Allow");
        }
    }
}

/// `ForAllValues` is true where a call names no key, so only actions that always name one may be granted.
#[test]
fn only_actions_on_items_are_granted_each_once_a_table() {
    let on_items = [
        "GetItem",
        "BatchGetItem",
        "Query",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "ConditionCheckItem",
        "BatchWriteItem",
    ];
    let template = template();
    for function in resources(&template, "AWS::Lambda::Function") {
        let mut granted = BTreeSet::new();
        for statement in parted(&template, function).0 {
            for action in texts(&statement["Action"]) {
                let name = action.strip_prefix("dynamodb:").unwrap();
                assert!(on_items.contains(&name), "{}: {action}", operation(function));
                assert!(
                    granted.insert((statement["Resource"].to_string(), action)),
                    "{}: {action}",
                    operation(function)
                );
            }
        }
    }
}

/// What is not about items is about one stream, queue, secret or bucket of the stack, and nothing but what is named here.
#[test]
fn nothing_else_is_granted_but_on_resources_of_the_stack() {
    let template = template();
    for function in resources(&template, "AWS::Lambda::Function") {
        for statement in parted(&template, function).1 {
            let (of, actions, on) = (operation(function), texts(&statement["Action"]), &statement["Resource"]);
            assert_eq!(statement["Effect"], "Allow", "{of}");
            let right = match (service(statement), &actions[..]) {
                ("sqs", ["sqs:SendMessage" | "sqs:ChangeMessageVisibility"])
                | ("sqs", ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]) => {
                    let known = Queue::ALL.map(|queue| format!("${{TablePrefix}}-{}", queue.word()));
                    let queues = on.as_array().unwrap().iter().map(named);
                    let is_known = |(service, queue)| service == "sqs" && known.iter().any(|name| name == queue);
                    queues.clone().all(is_known) && queues.count() > 0
                }
                ("secretsmanager", ["secretsmanager:GetSecretValue"]) => {
                    matches!(named(on), ("secretsmanager", DATA_KEYS | TOKEN_KEYS | STRIPE_KEYS))
                }
                ("secretsmanager", _) => of == "rotate-token-keys" && named(on) == ("secretsmanager", TOKEN_KEYS),
                // Whose identity it is, is not the stack's; from which address, is.
                ("ses", ["ses:SendEmail"]) => {
                    statement["Condition"] == json!({ "StringEquals": { "ses:FromAddress": { "Ref": "MailFrom" } } })
                        && named(on) == ("ses", "identity/*")
                }
                ("dynamodb", _) => {
                    let of_streams = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
                    actions.iter().all(|action| of_streams.contains(&action.strip_prefix("dynamodb:").unwrap()))
                        && named(on) == ("dynamodb", "table/${TablePrefix}-main/stream/*")
                }
                // A bucket that is deleted may be made again by somebody else.
                ("s3", ["s3:ListBucket" | "s3:PutObject"]) if on["Fn::Sub"][1].is_null() => {
                    let bucket = json!({ "Fn::GetAtt": ["GivenUpChanges", "Arn"] });
                    let objects = json!({ "Fn::Sub": "${GivenUpChanges.Arn}/*" });
                    *on == if actions == ["s3:ListBucket"] { bucket } else { objects }
                        && statement["Condition"]
                            == json!({ "StringEquals": { "aws:ResourceAccount": { "Ref": "AWS::AccountId" } } })
                }
                ("s3", ["s3:ListBucket"]) => {
                    statement["Condition"]["StringLike"] == json!({ "s3:prefix": "exports/*" })
                        && is_of_bucket(statement, "")
                }
                ("s3", ["s3:PutObject" | "s3:GetObject" | "s3:DeleteObject" | "s3:AbortMultipartUpload"]) => {
                    is_of_bucket(statement, "/exports/*")
                }
                _ => false,
            };
            assert!(right, "{of}: {statement}");
        }
    }
}

/// Whoever has the keys of embed tokens can make any: only what makes or takes tokens, and what rotates the keys.
#[test]
fn few_have_the_keys_of_tokens() {
    let template = template();
    let having: BTreeSet<_> = resources(&template, "AWS::Lambda::Function")
        .filter(|function| {
            let on_secrets = statements(&template, function).into_iter().filter(|one| service(one) == "secretsmanager");
            on_secrets.map(|one| named(&one["Resource"]).1).any(|secret| secret == TOKEN_KEYS)
        })
        .map(operation)
        .collect();
    let taking = crate::routes().filter(|route| route.access.takes_tokens()).map(|route| route.id);
    let others = ["create-embed-token", "rotate-token-keys"];
    assert_eq!(having, taking.chain(others).collect());
}

#[test]
fn what_touches_nothing_may_count_its_callers_alone() {
    let template = template();
    let counts = |statement: &Value| statement.to_string().contains("L#*");
    let without: BTreeSet<_> = resources(&template, "AWS::Lambda::Function")
        .filter(|function| matches!(statements(&template, function).as_slice(), [one] if counts(one)))
        .map(operation)
        .collect();
    assert_eq!(without, BTreeSet::from(["get-health", "get-openapi"]));
}

/// A function may write its log, and neither make it nor touch another.
#[test]
fn every_function_may_write_its_own_log_alone() {
    let template = template();
    for function in resources(&template, "AWS::Lambda::Function") {
        let of = operation(function);
        let on_logs: Vec<_> =
            all_statements(&template, function).filter(|statement| service(statement) == "logs").collect();
        assert_eq!(on_logs.len(), 1, "{of}");
        assert_eq!(texts(&on_logs[0]["Action"]), ["logs:CreateLogStream", "logs:PutLogEvents"]);
        let log = &template["Resources"][function["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap()]["Properties"];
        let (service, name) = named(&on_logs[0]["Resource"]);
        assert_eq!(service, "logs");
        assert_eq!(name, format!("log-group:{}:*", log["LogGroupName"]["Fn::Sub"].as_str().unwrap()));
        assert!(name.ends_with(&format!("}}-{of}:*")), "{name}");
        assert_eq!(log["RetentionInDays"]["Ref"], "LogRetentionDays");
    }
}

/// At rest by AWS's keys, on its way by TLS, and out of everybody else's reach.
#[test]
fn what_holds_data_is_encrypted_and_private() {
    let template = template();
    for table in resources(&template, "AWS::DynamoDB::Table") {
        assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    }
    for queue in resources(&template, "AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true);
    }
    for log in resources(&template, "AWS::Logs::LogGroup") {
        assert_eq!(log["RetentionInDays"]["Ref"], "LogRetentionDays");
    }
    let buckets: Vec<_> = resources(&template, "AWS::S3::Bucket").collect();
    assert_eq!(buckets.len(), 2);
    for bucket in buckets {
        let open = bucket["PublicAccessBlockConfiguration"].as_object().unwrap();
        assert!(open.len() == 4 && open.values().all(|blocked| *blocked == true), "{open:?}");
        assert!(bucket["BucketEncryption"].is_object() && bucket.get("VersioningConfiguration").is_none());
    }
    let policies: Vec<_> = resources(&template, "AWS::S3::BucketPolicy").collect();
    let mut of: Vec<_> = policies.iter().map(|policy| policy["Bucket"]["Ref"].as_str().unwrap()).collect();
    of.sort_unstable();
    assert_eq!(of, ["Bucket", "GivenUpChanges"]);
    for policy in policies {
        let denied = &policy["PolicyDocument"]["Statement"][0];
        assert_eq!(
            (&denied["Effect"], &denied["Principal"], &denied["Action"]),
            (&json!("Deny"), &json!("*"), &json!("s3:*"))
        );
        assert_eq!(denied["Resource"].as_array().unwrap().len(), 2);
        assert_eq!(denied["Condition"], json!({ "Bool": { "aws:SecureTransport": "false" } }));
    }
}

/// Whether a statement is about what lies below the deployment's own bucket like this.
fn is_of_bucket(statement: &Value, below: &str) -> bool {
    let arn = format!("arn:${{AWS::Partition}}:s3:::${{Name}}{below}");
    let own = json!({ "aws:ResourceAccount": { "Ref": "AWS::AccountId" } });
    statement["Resource"] == json!({ "Fn::Sub": [arn, { "Name": { "Ref": "Bucket" } }] })
        && statement["Condition"]["StringEquals"] == own
}
