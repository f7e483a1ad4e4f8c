//! Members of a client, and invitations to become one.

mod invite;
mod list;
mod list_invitations;
mod remove;
mod take_back;
mod update;

use contract::Code;
use contract::permission::Role;
use runtime::{Access, GoesOn, Sample};

const ADMINS: Access = Access::member(Role::Admin);

runtime::routes! {
    /// List the members
    Get "/api/v1/members"
    LIST "list-members" => list::list {
        access: ADMINS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }

    /// Give a member another role
    ///
    /// The member's sessions in this client end. Only an owner makes or unmakes owners, and one always stays.
    Patch "/api/v1/members/{id}"
    UPDATE "update-member" => update::update {
        access: ADMINS,
    } about {
        failures: &[Code::LastOwner],
        sample: Sample::path(&[("id", "$member")]).and_body(r#"{ "role": "admin" }"#),
    }

    /// Remove a member, or leave
    ///
    /// At once and for good: the member's sessions in this client end.
    Delete "/api/v1/members/{id}"
    REMOVE "remove-member" => remove::remove {
        access: Access::session(),
        goes_on: GoesOn::Unsubscribed,
    } about {
        failures: &[Code::LastOwner],
        sample: Sample::path(&[("id", "$spareMember")]),
    }

    /// List the open invitations
    Get "/api/v1/members/invitations"
    LIST_INVITATIONS "list-invitations" => list_invitations::list_invitations {
        access: ADMINS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }

    /// Invite somebody by mail
    ///
    /// The link lives for 72 hours and works once. Another invitation of the same address takes its place.
    Post "/api/v1/members/invitations"
    INVITE "invite-member" => invite::invite {
        access: ADMINS,
    } about {
        sample: Sample::body(r#"{ "email": "colleague@example.com", "role": "editor" }"#),
    }

    /// Take an invitation back
    Delete "/api/v1/members/invitations/{id}"
    TAKE_BACK "delete-invitation" => take_back::take_back {
        access: ADMINS,
        goes_on: GoesOn::Unsubscribed,
    } about {
        sample: Sample::path(&[("id", "$invitation")]),
    }
}
