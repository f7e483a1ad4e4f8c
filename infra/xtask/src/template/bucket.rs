//! The deployment's bucket.

use runtime::bucket::{INCOMPLETE, ObjectAction, ObjectGrant, Prefix};

use super::{KEPT, filled, reference};
use crate::map;
use crate::node::Node;

/// Its resource, and the parameter by which nested stacks know its name.
pub(super) const BUCKET: &str = "Bucket";

const DAY: u64 = 24 * 3600;

/// What may be done with objects below a prefix. A list is asked of the bucket, and held to the prefix by a condition.
pub(super) fn statement(grant: &ObjectGrant, name: &Node) -> Node {
    let (prefix, action) = (grant.prefix.word(), format!("s3:{}", grant.action.name()));
    let arn = |below: &str| {
        let text = Node::from(format!("arn:${{AWS::Partition}}:s3:::${{Name}}{below}"));
        map! { "Fn::Sub" => [text, map! { "Name" => name.clone() }] }
    };
    // Its name says nothing of whose it is: if it were deleted, anybody could make another of that name.
    let own = map! { "StringEquals" => map! { "aws:ResourceAccount" => reference("AWS::AccountId") } };
    let (on, condition) = match grant.action {
        ObjectAction::ListBucket => {
            (String::new(), own.with("StringLike", map! { "s3:prefix" => format!("{prefix}*") }))
        }
        _ => (format!("/{prefix}*"), own),
    };
    map! { "Effect" => "Allow", "Action" => [action], "Resource" => arn(&on), "Condition" => condition }
}

/// Private, encrypted, over TLS alone, and without versions: what is erased is gone.
pub(super) fn resources() -> Vec<(String, Node)> {
    let (deleted, replaced) = KEPT;
    let encrypted = map! { "ServerSideEncryptionByDefault" => map! { "SSEAlgorithm" => "AES256" } };
    let days = |span: std::time::Duration| span.as_secs() / DAY;
    let incomplete = map! {
        "Id" => "Incomplete",
        "Status" => "Enabled",
        "AbortIncompleteMultipartUpload" => map! { "DaysAfterInitiation" => days(INCOMPLETE) },
    };
    let expiring = Prefix::ALL.into_iter().filter_map(|prefix| {
        let id = prefix.word().trim_end_matches('/');
        let kept = days(prefix.kept()?);
        Some(map! { "Id" => id, "Status" => "Enabled", "Prefix" => prefix.word(), "ExpirationInDays" => kept })
    });
    let bucket = map! {
        "Type" => "AWS::S3::Bucket",
        "DeletionPolicy" => deleted,
        "UpdateReplacePolicy" => replaced,
        "Properties" => map! {
            "PublicAccessBlockConfiguration" => map! {
                "BlockPublicAcls" => true,
                "BlockPublicPolicy" => true,
                "IgnorePublicAcls" => true,
                "RestrictPublicBuckets" => true,
            },
            "OwnershipControls" => map! { "Rules" => [map! { "ObjectOwnership" => "BucketOwnerEnforced" }] },
            "BucketEncryption" => map! { "ServerSideEncryptionConfiguration" => [encrypted] },
            "LifecycleConfiguration" => map! { "Rules" => std::iter::once(incomplete).chain(expiring).collect::<Node>() },
        },
    };
    let arn = |below: &str| filled(format!("${{{BUCKET}.Arn}}{below}"));
    let over_tls = map! {
        "Effect" => "Deny",
        "Principal" => "*",
        "Action" => "s3:*",
        "Resource" => [arn(""), arn("/*")],
        "Condition" => map! { "Bool" => map! { "aws:SecureTransport" => "false" } },
    };
    let policy = map! {
        "Type" => "AWS::S3::BucketPolicy",
        "Properties" => map! {
            "Bucket" => reference(BUCKET),
            "PolicyDocument" => map! { "Version" => "2012-10-17", "Statement" => [over_tls] },
        },
    };
    vec![(BUCKET.to_owned(), bucket), (format!("{BUCKET}Policy"), policy)]
}

pub(super) fn outputs() -> Vec<(String, Node)> {
    let value = map! { "Description" => "The bucket of exports", "Value" => reference(BUCKET) };
    vec![(format!("{BUCKET}Name"), value)]
}
