//! What is granted although the suites never use it, each with its reason.

use engines::Use;

/// A grant that the suites do not come by.
#[derive(Debug)]
pub(crate) struct Exception {
    /// All that are granted it, if none is named.
    functions: &'static [&'static str],
    action: &'static str,
    /// The kind of partition, where it is about items.
    keys: Option<&'static str>,
    #[expect(dead_code, reason = "it is shown when nobody is granted it any more, and for readers")]
    reason: &'static str,
}

impl Exception {
    pub(crate) fn is_of(&self, of: &Use) -> bool {
        let is_of_function = self.functions.is_empty() || self.functions.contains(&of.function.as_str());
        is_of_function && self.action == of.action && of.keys.as_deref() == self.keys
    }
}

/// A webhook that is switched on in the moment in which a test of it is held has the test sent anew.
const SWITCHED_ON: &str = "the webhook is switched on between two calls";

/// The functions of one process share the keys that one of them has read.
const READ_BY_ANOTHER: &str = "the keys that seal and sign are kept for the whole process, by whoever needs them first";

/// A first save that passes another's deletion leaves two items, which the next change joins.
const JOINED: &str = "values begin beside what is left of deleted ones";

pub(crate) const EXCEPTIONS: &[Exception] = &[
    Exception {
        functions: &[],
        action: "PutItem",
        keys: Some("AN#*"),
        reason: "a refusal is noted by whichever function is the first in its minute",
    },
    Exception {
        functions: &["sign-up"],
        action: "GetItem",
        keys: Some("N#*"),
        reason: "only where the first alone may sign up, as here everyone may",
    },
    Exception {
        functions: &["merge-values", "replace-values", "delete-values", "restore-values"],
        action: "UpdateItem",
        keys: Some("V#*"),
        reason: JOINED,
    },
    Exception { functions: &["delete-values"], action: "DeleteItem", keys: Some("Z#*"), reason: JOINED },
    Exception {
        functions: &[
            "create-webhook",
            "update-webhook",
            "rotate-webhook-secret",
            "dispatcher",
            "create-tenant-field",
            "list-fields",
            "get-tenant-field",
            "update-tenant-field",
            "delete-tenant-field",
            "restore-tenant-field",
            "list-entities",
            "get-values",
            "merge-values",
            "replace-values",
            "delete-values",
            "restore-values",
            "create-embed-token",
            "send-mail",
            "log-in",
            "change-password",
            "request-password-reset",
            "confirm-password-reset",
            "invite-member",
            "accept-invitation",
            "start-totp",
            "confirm-totp",
            "turn-off-totp",
        ],
        action: "GetSecretValue",
        keys: None,
        reason: READ_BY_ANOTHER,
    },
    Exception {
        functions: &["change-password", "start-totp", "turn-off-totp", "accept-invitation", "delete-client"],
        action: "PutItem",
        keys: Some("E#*"),
        reason: "wrong passwords that are long ago are counted anew, here as at the login",
    },
    Exception {
        functions: &["log-in"],
        action: "UpdateItem",
        keys: Some("PW#*"),
        reason: "a hash that was made by lower settings is made anew: no account has one yet",
    },
    Exception {
        functions: &["send-mail"],
        action: "GetItem",
        keys: Some("U#*"),
        reason: "the message of a reset is handed out twice",
    },
    Exception {
        functions: &["sign-up"],
        action: "PutItem",
        keys: Some("N#*"),
        reason: "only where the first alone may sign up, as here everyone may",
    },
    Exception {
        functions: &["run-jobs"],
        action: "Query",
        keys: Some("D#*"),
        reason: "a group's fields are kept for the whole process, by whoever reads them first",
    },
    Exception {
        functions: &["purge-deleted"],
        action: "BatchWriteItem",
        keys: Some("Z#*"),
        reason: "what hangs on a group was deleted before it, and is purged before it unless that fails",
    },
    Exception {
        functions: &["get-job"],
        action: "GetObject",
        keys: None,
        reason: "it signs an address, which is used by whoever gets it",
    },
    Exception {
        functions: &["run-jobs"],
        action: "AbortMultipartUpload",
        keys: None,
        reason: "a tenant is erased between two parts of its export",
    },
    Exception {
        functions: &["erase-clients"],
        action: "SendMessage",
        keys: None,
        reason: "the message of an erasure is lost between its request and the queue",
    },
    Exception { functions: &["test-webhook"], action: "Query", keys: Some("W#*"), reason: SWITCHED_ON },
    Exception { functions: &["test-webhook"], action: "BatchGetItem", keys: Some("DL#*"), reason: SWITCHED_ON },
    Exception { functions: &["test-webhook"], action: "DeleteItem", keys: Some("DL#*"), reason: SWITCHED_ON },
];
