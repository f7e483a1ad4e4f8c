//! Members, and invitations to become one.

use auth::{MailedToken, SessionToken};
use contract::permission::Role;
use contract::resource::{Invitation, SessionInfo};
use contract::{Code, Error};
use futures_util::future::join_all;
use hedgerow_store::acceptance::Acceptance;
use hedgerow_store::invitations::Invitations;
use hedgerow_store::members::Members;
use hedgerow_store::sessions::SessionCredential;

use crate::fixture::{
    Account, DAY, PASSWORD, Tables, all, assert_conflict, if_match, named, problems, refused, request_info,
};

const NEW: &str = "four oak tables and a lamp";

async fn credential(account: &Account, token: &SessionToken) -> Option<SessionCredential> {
    account.tables.store().verify_session(token, &request_info()).await.unwrap()
}

async fn owner(account: &Account) -> SessionCredential {
    let (_, token) = account.tables.log_in(&account.user.email, named(PASSWORD), None).await.unwrap();
    credential(account, &token).await.unwrap()
}

async fn invite(account: &Account, by: &SessionCredential, email: &str, role: Role) -> (Invitation, MailedToken) {
    Invitations::open(&account.op()).create(by, named(email), role).await.unwrap()
}

async fn accept(
    account: &Account,
    token: &MailedToken,
    password: Option<&str>,
) -> Result<(SessionInfo, SessionToken), Error> {
    Acceptance::open(&account.tables.store(), account.tables.author())
        .accept(token, password.map(named), None, &account.ring)
        .await
        .map_err(|refused| refused.error)
}

async fn joined(account: &Account, by: &SessionCredential, email: &str, role: Role) -> (SessionInfo, SessionToken) {
    let (_, token) = invite(account, by, email, role).await;
    accept(account, &token, Some(PASSWORD)).await.unwrap()
}

#[tokio::test]
async fn an_invitation_makes_one_member_once() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let owner = owner(&account).await;
    let (invitation, token) = invite(&account, &owner, "Bob@example.com", Role::Editor).await;
    assert_eq!(Invitations::open(&account.op()).list(&all()).await?.items, [invitation]);

    assert_eq!(problems(accept(&account, &token, None).await), ["password required"]);
    assert_eq!(problems(accept(&account, &token, Some("acme acme acme acme")).await), ["password too_easy"]);
    assert_eq!(refused(accept(&account, &MailedToken::generate(), Some(PASSWORD)).await), Code::Unauthenticated);
    let both = join_all([accept(&account, &token, Some(PASSWORD)), accept(&account, &token, Some(PASSWORD))]).await;
    let mut done: Vec<_> = both.into_iter().filter_map(Result::ok).collect();
    assert_eq!(done.len(), 1, "of two at once one");
    let (info, session) = done.remove(0);
    assert_eq!(
        (info.user.email.as_str(), info.user.role, info.client.id),
        ("Bob@example.com", Role::Editor, account.client.id)
    );
    assert_eq!(credential(&account, &session).await.unwrap().role(), Role::Editor);
    assert_eq!(refused(accept(&account, &token, Some(PASSWORD)).await), Code::Unauthenticated);
    assert!(Invitations::open(&account.op()).list(&all()).await?.items.is_empty());
    let members = Members::open(&account.op()).list(&all()).await?.items;
    assert_eq!(members.iter().map(|member| member.role).collect::<Vec<_>>(), [Role::Owner, Role::Editor]);
    account.tables.log_in(&named("bob@EXAMPLE.com"), named(PASSWORD), None).await?;

    let again = Invitations::open(&account.op()).create(&owner, named("bob@example.com"), Role::Admin).await;
    assert_eq!(problems(again), ["email already_member"]);
    Ok(())
}

#[tokio::test]
async fn an_invitation_runs_out_is_taken_back_and_is_replaced() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let owner = owner(&account).await;
    let (first, old) = invite(&account, &owner, "bob@example.com", Role::Viewer).await;
    let (second, new) = invite(&account, &owner, "bob@example.com", Role::Admin).await;
    assert_eq!(Invitations::open(&account.op()).list(&all()).await?.items, std::slice::from_ref(&second));
    assert_eq!(refused(accept(&account, &old, Some(PASSWORD)).await), Code::Unauthenticated);
    assert_eq!(refused(Invitations::open(&account.op()).delete(first.id).await), Code::InvitationNotFound);
    Invitations::open(&account.op()).delete(second.id).await?;
    assert_eq!(refused(accept(&account, &new, Some(PASSWORD)).await), Code::Unauthenticated);
    assert_eq!(refused(Invitations::open(&account.op()).delete(second.id).await), Code::InvitationNotFound);

    let (_, late) = invite(&account, &owner, "bob@example.com", Role::Admin).await;
    account.tables.clock.advance(3 * DAY);
    assert_eq!(refused(accept(&account, &late, Some(PASSWORD)).await), Code::Unauthenticated);
    assert!(Invitations::open(&account.op()).list(&all()).await?.items.is_empty());
    // What has run out makes room.
    for round in 0..2 {
        for n in 0..100 {
            invite(&account, &owner, &format!("u{n}-{round}@example.com"), Role::Viewer).await;
        }
        let more = Invitations::open(&account.op()).create(&owner, named("one@example.com"), Role::Viewer).await;
        assert_eq!(refused(more), Code::LimitReached);
        account.tables.clock.advance(3 * DAY);
    }
    Ok(())
}

#[tokio::test]
async fn one_address_is_a_member_of_several_clients() -> Result<(), Error> {
    let tables = Tables::new().await;
    let (one, two) = (tables.account().await, tables.account().await);
    let email = one.user.email.to_string();
    let (_, token) = invite(&two, &owner(&two).await, &email, Role::Viewer).await;
    // Whoever signed up there may be a stranger: the reader of the mail sets the password, and what the old one began ends.
    let old = one.tables.log_in(&one.user.email, named(PASSWORD), None).await?.1;
    assert_eq!(problems(accept(&two, &token, None).await), ["password required"]);
    let (info, session) = accept(&two, &token, Some(NEW)).await?;
    assert!(credential(&one, &old).await.is_none());
    let stranger = tables.log_in(&one.user.email, named(PASSWORD), None).await;
    assert_eq!(refused(stranger), Code::InvalidCredentials);
    assert_eq!((info.user.id, info.user.role, info.client.id), (one.user.id, Role::Viewer, two.client.id));
    assert_eq!(credential(&two, &session).await.unwrap().scope.client(), two.client.id);
    let log_in = async |client| tables.log_in(&one.user.email, named(NEW), client).await;
    let clients = |info: &SessionInfo| info.clients.iter().map(|client| (client.id, client.role)).collect::<Vec<_>>();
    let mut expected = vec![(one.client.id, Role::Owner), (two.client.id, Role::Viewer)];
    expected.sort();
    for (named, entered) in
        [(None, &two), (Some(one.client.id), &one), (None, &one), (Some(two.client.id), &two), (None, &two)]
    {
        let (info, token) = log_in(named).await?;
        assert_eq!((info.client.id, clients(&info)), (entered.client.id, expected.clone()));
        assert_eq!(credential(&one, &token).await.unwrap().scope.client(), entered.client.id);
    }
    let third = tables.account().await;
    assert_eq!(refused(log_in(Some(third.client.id)).await), Code::InvalidCredentials);
    Ok(())
}

#[tokio::test]
async fn a_changed_role_and_a_removal_end_sessions_at_once() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let owner = owner(&account).await;
    let (bob, session) = joined(&account, &owner, "bob@example.com", Role::Admin).await;
    let (id, members) = (bob.user.id, || Members::open(&account.op()));
    assert_conflict(Members::open(&account.op()).give_role(&owner, id, if_match(2), Role::Editor).await, 2, 1);
    let same = Members::open(&account.op()).give_role(&owner, id, None, Role::Admin).await?;
    assert_eq!((same.role, same.version), (Role::Admin, 1));
    assert!(credential(&account, &session).await.is_some(), "nothing has changed");
    let changed = Members::open(&account.op()).give_role(&owner, id, if_match(1), Role::Viewer).await?;
    assert_eq!((changed.role, changed.version), (Role::Viewer, 2));
    assert!(credential(&account, &session).await.is_none());
    assert!(credential(&account, &account_session(&account).await).await.is_some());

    let (_, again) = account.tables.log_in(&bob.user.email, named(PASSWORD), None).await?;
    assert_eq!(credential(&account, &again).await.unwrap().role(), Role::Viewer);
    members().remove(&owner, id, None).await?;
    assert!(credential(&account, &again).await.is_none());
    assert_eq!(refused(members().remove(&owner, id, None).await), Code::MemberNotFound);
    let nowhere = account.tables.log_in(&bob.user.email, named(PASSWORD), None).await;
    assert_eq!(refused(nowhere), Code::Forbidden);
    // Whoever comes back is the same user, with a role of now.
    let (_, token) = invite(&account, &owner, "bob@example.com", Role::Editor).await;
    let (back, session) = accept(&account, &token, None).await?;
    assert_eq!((back.user.id, back.user.role), (id, Role::Editor));
    assert!(credential(&account, &session).await.is_some() && credential(&account, &again).await.is_none());
    Ok(())
}

async fn account_session(account: &Account) -> SessionToken {
    account.tables.log_in(&account.user.email, named(PASSWORD), None).await.unwrap().1
}

#[tokio::test]
async fn who_may_give_and_take_which_role() {
    use Role::{Admin, Editor, Owner, Viewer};
    let account = Tables::new().await.account().await;
    let first = owner(&account).await;
    let all = [Owner, Admin, Editor, Viewer];
    for (asking, may) in [(Owner, &all[..]), (Admin, &[Admin, Editor, Viewer]), (Editor, &[]), (Viewer, &[])] {
        let (_, session) = joined(&account, &first, &format!("{}@asking.example", asking.name()), asking).await;
        let by = credential(&account, &session).await.unwrap();
        for role in all {
            let email = format!("{}-{}@example.com", asking.name(), role.name());
            let invited = Invitations::open(&account.op()).create(&by, named(&email), role).await;
            assert_eq!(invited.is_ok(), may.contains(&role), "{asking:?} invites {role:?}");
            let (member, _) = joined(&account, &first, &format!("m-{email}"), role).await;
            for other in all {
                let given = Members::open(&account.op()).give_role(&by, member.user.id, None, other).await;
                let expected = may.contains(&role) && may.contains(&other);
                assert_eq!(given.is_ok(), expected, "{asking:?} makes {role:?} {other:?}");
                if given.is_ok() {
                    Members::open(&account.op()).give_role(&first, member.user.id, None, role).await.unwrap();
                }
            }
            let removed = Members::open(&account.op()).remove(&by, member.user.id, None).await;
            assert_eq!(removed.is_ok(), may.contains(&role), "{asking:?} removes {role:?}");
        }
        // Everyone may leave.
        Members::open(&account.op()).remove(&by, by.user_id(), None).await.unwrap();
    }
}

#[tokio::test]
async fn the_last_owner_stays_also_when_all_leave_at_once() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let first = owner(&account).await;
    let alone = Members::open(&account.op()).remove(&first, first.user_id(), None).await;
    assert_eq!(refused(alone), Code::LastOwner);
    let lower = Members::open(&account.op()).give_role(&first, first.user_id(), None, Role::Admin).await;
    assert_eq!(refused(lower), Code::LastOwner);
    let mut owners = vec![first];
    for n in 0..3 {
        let (_, session) = joined(&account, &owners[0], &format!("o{n}@example.com"), Role::Owner).await;
        owners.push(credential(&account, &session).await.unwrap());
    }
    let leaving = join_all(owners.iter().enumerate().map(|(n, owner)| {
        let elsewhere = account.elsewhere();
        async move {
            let op = elsewhere.op();
            match n % 2 {
                0 => Members::open(&op).remove(owner, owner.user_id(), None).await,
                _ => Members::open(&op).give_role(owner, owner.user_id(), None, Role::Viewer).await.map(|_| ()),
            }
        }
    }));
    let left = leaving.await;
    assert_eq!(left.iter().filter(|done| done.is_err()).count(), 1, "one stays");
    assert!(left.into_iter().filter_map(Result::err).all(|error| error.code() == Code::LastOwner));
    let members = Members::open(&account.op()).list(&all()).await?.items;
    assert_eq!(members.iter().filter(|member| member.role == Role::Owner).count(), 1);
    Ok(())
}

#[tokio::test]
async fn who_could_not_invite_any_more_has_not_invited() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let owner = owner(&account).await;
    let (bob, session) = joined(&account, &owner, "bob@example.com", Role::Admin).await;
    let by = credential(&account, &session).await.unwrap();
    let (_, first) = invite(&account, &by, "one@example.com", Role::Viewer).await;
    let (_, second) = invite(&account, &by, "two@example.com", Role::Viewer).await;
    Members::open(&account.op()).give_role(&owner, bob.user.id, None, Role::Editor).await?;
    assert_eq!(refused(accept(&account, &first, Some(PASSWORD)).await), Code::Unauthenticated);
    Members::open(&account.op()).remove(&owner, bob.user.id, None).await?;
    assert_eq!(refused(accept(&account, &second, Some(PASSWORD)).await), Code::Unauthenticated);
    Ok(())
}

#[tokio::test]
async fn a_session_of_an_ended_membership_does_not_live_again() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let owner = owner(&account).await;
    let (bob, session) = joined(&account, &owner, "bob@example.com", Role::Viewer).await;
    Members::open(&account.op()).remove(&owner, bob.user.id, None).await?;
    assert!(credential(&account, &session).await.is_none());
    let (_, token) = invite(&account, &owner, "bob@example.com", Role::Viewer).await;
    let (_, again) = accept(&account, &token, None).await?;
    assert!(credential(&account, &again).await.is_some() && credential(&account, &session).await.is_none());
    Ok(())
}

#[tokio::test]
async fn who_has_an_account_meanwhile_accepts_once_more() -> Result<(), Error> {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let (_, token) = invite(&account, &owner(&account).await, "bob@example.com", Role::Viewer).await;
    tables.account_of("bob@example.com").await;
    let (info, _) = accept(&account, &token, Some(NEW)).await?;
    assert_eq!(info.clients.len(), 2);
    // Whoever has shown to read the mail needs no new password for a third client.
    let third = tables.account().await;
    let (_, token) = invite(&third, &owner(&third).await, "bob@example.com", Role::Viewer).await;
    let (info, _) = accept(&third, &token, None).await?;
    assert_eq!(info.clients.len(), 3);
    Ok(())
}

/// Both addresses are one to an account; a mail to one may come into a mailbox that is not the other's.
#[tokio::test]
async fn an_invitation_to_another_spelling_is_no_way_into_an_account() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let inviter = owner(&account).await;
    for (spelling, invited, code) in [
        ("stra\u{df}e@example.com", "strasse@example.com", Some(Code::Unauthenticated)),
        ("Grace@example.com", "grace@EXAMPLE.com", None),
    ] {
        tables.account_of(spelling).await;
        let (_, token) = invite(&account, &inviter, invited, Role::Viewer).await;
        let accepted = accept(&account, &token, Some("another lamp on a table")).await;
        assert_eq!(accepted.err().map(|error| error.code()), code, "{spelling}");
    }
}
