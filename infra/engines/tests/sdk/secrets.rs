//! What Secrets Manager does with versions and stages, and what it refuses.

use std::fmt::Debug;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::primitives::Blob;
use hedgerow_engines::{Connector, Engines};

use super::secrets_manager;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const PENDING: &str = "AWSPENDING";

/// A version's name, which is the token that it is made with.
fn version(n: u32) -> String {
    format!("{n:032}")
}

fn fresh() -> Client {
    secrets_manager(&Connector::new(Engines::memory().unwrap()))
}

async fn with_seal() -> Client {
    let secrets = fresh();
    let create = secrets.create_secret().name("app/seal").secret_string("one").client_request_token(version(1));
    create.send().await.unwrap();
    secrets
}

async fn put(secrets: &Client, n: u32, value: &str, stages: &[&str]) -> Vec<String> {
    let mut put =
        secrets.put_secret_value().secret_id("app/seal").secret_string(value).client_request_token(version(n));
    for stage in stages {
        put = put.version_stages(*stage);
    }
    put.send().await.unwrap().version_stages.unwrap_or_default()
}

async fn value(secrets: &Client, stage: &str) -> Option<String> {
    let got = secrets.get_secret_value().secret_id("app/seal").version_stage(stage).send().await;
    match got {
        Ok(got) => got.secret_string,
        Err(e) => {
            assert!(e.into_service_error().is_resource_not_found_exception());
            None
        }
    }
}

/// The values with the stages current, previous and pending.
async fn values(secrets: &Client) -> [Option<String>; 3] {
    [value(secrets, CURRENT).await, value(secrets, PREVIOUS).await, value(secrets, PENDING).await]
}

fn some(values: [&str; 3]) -> [Option<String>; 3] {
    values.map(|value| (!value.is_empty()).then(|| value.to_owned()))
}

#[track_caller]
fn refused<T: Debug, E: ProvideErrorMetadata + Debug>(done: Result<T, SdkError<E>>, code: &str) {
    let refused = done.unwrap_err();
    assert_eq!(refused.code(), Some(code), "{refused:?}");
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 400);
    assert!(refused.message().is_some_and(|message| !message.is_empty()));
}

#[tokio::test]
async fn stages_move_as_a_secret_is_rotated() {
    let secrets = with_seal().await;
    assert_eq!(values(&secrets).await, some(["one", "", ""]));
    assert_eq!(put(&secrets, 2, "two", &[]).await, [CURRENT]);
    assert_eq!(values(&secrets).await, some(["two", "one", ""]));
    assert_eq!(put(&secrets, 3, "three", &[PENDING]).await, [PENDING]);
    assert_eq!(values(&secrets).await, some(["two", "one", "three"]));

    let update = || secrets.update_secret_version_stage().secret_id("app/seal").version_stage(CURRENT);
    // Where the stage is has to be said.
    refused(update().move_to_version_id(version(3)).send().await, "InvalidParameterException");
    let wrong = update().move_to_version_id(version(3)).remove_from_version_id(version(1));
    refused(wrong.send().await, "InvalidParameterException");
    refused(update().remove_from_version_id(version(2)).send().await, "InvalidParameterException");
    refused(update().send().await, "InvalidParameterException");
    refused(update().move_to_version_id(version(9)).send().await, "ResourceNotFoundException");
    update().move_to_version_id(version(3)).remove_from_version_id(version(2)).send().await.unwrap();
    assert_eq!(values(&secrets).await, some(["three", "two", "three"]));
    let pending = secrets.update_secret_version_stage().secret_id("app/seal").version_stage(PENDING);
    pending.remove_from_version_id(version(3)).send().await.unwrap();
    assert_eq!(values(&secrets).await, some(["three", "two", ""]));

    // The first one has no stage by now, and is still to be had by its name.
    let listed = secrets.list_secret_version_ids().secret_id("app/seal");
    let staged = listed.clone().send().await.unwrap();
    assert_eq!(staged.versions().len(), 2);
    assert_eq!(listed.include_deprecated(true).send().await.unwrap().versions().len(), 3);
    let first = secrets.get_secret_value().secret_id("app/seal").version_id(version(1)).send().await.unwrap();
    assert_eq!((first.secret_string(), first.version_stages().len()), (Some("one"), 0));
    let told = secrets.describe_secret().secret_id("app/seal").send().await.unwrap();
    let stages = told.version_ids_to_stages.unwrap();
    assert_eq!((&stages[&version(3)], &stages[&version(2)]), (&vec![CURRENT.into()], &vec![PREVIOUS.into()]));
}

#[tokio::test]
async fn the_same_call_again_does_nothing_and_another_is_refused() {
    let secrets = with_seal().await;
    let create = |value: &str| {
        secrets.create_secret().name("app/seal").secret_string(value).client_request_token(version(1)).send()
    };
    assert_eq!(create("one").await.unwrap().version_id(), Some(&*version(1)));
    refused(create("other").await, "ResourceExistsException");
    let anew = secrets.create_secret().name("app/seal").secret_string("one").send().await;
    assert!(anew.unwrap_err().into_service_error().is_resource_exists_exception());

    put(&secrets, 2, "two", &[]).await;
    // Repeated late: the stages have gone on, and stay.
    assert_eq!(put(&secrets, 1, "one", &[]).await, [PREVIOUS]);
    assert_eq!(values(&secrets).await, some(["two", "one", ""]));
    let other = secrets.put_secret_value().secret_id("app/seal").secret_string("x").client_request_token(version(1));
    refused(other.send().await, "ResourceExistsException");
}

#[tokio::test]
async fn a_secret_is_found_by_its_name_and_arn() {
    let secrets = fresh();
    let made = secrets.create_secret().name("app/key").secret_binary(Blob::new([0, 255])).description("d").send();
    let arn = made.await.unwrap().arn.unwrap();
    for id in ["app/key", &arn, &arn[..arn.len() - 7]] {
        let got = secrets.get_secret_value().secret_id(id).send().await.unwrap();
        assert_eq!((got.secret_binary(), got.name()), (Some(&Blob::new([0, 255])), Some("app/key")), "{id}");
    }
    let told = secrets.describe_secret().secret_id("app/key").send().await.unwrap();
    assert_eq!((told.description(), told.created_date().is_some()), (Some("d"), true));
}

#[tokio::test]
async fn a_deleted_secret_can_be_restored_unless_it_was_forced() {
    let secrets = with_seal().await;
    let delete = || secrets.delete_secret().secret_id("app/seal");
    refused(delete().recovery_window_in_days(6).send().await, "InvalidParameterException");
    let both = delete().recovery_window_in_days(7).force_delete_without_recovery(true);
    refused(both.send().await, "InvalidParameterException");
    delete().recovery_window_in_days(7).send().await.unwrap();
    let get = || secrets.get_secret_value().secret_id("app/seal").send();
    refused(get().await, "InvalidRequestException");
    refused(delete().send().await, "InvalidRequestException");
    refused(secrets.create_secret().name("app/seal").secret_string("x").send().await, "InvalidRequestException");
    assert!(secrets.describe_secret().secret_id("app/seal").send().await.unwrap().deleted_date().is_some());
    secrets.restore_secret().secret_id("app/seal").send().await.unwrap();
    assert_eq!(get().await.unwrap().secret_string(), Some("one"));
    delete().force_delete_without_recovery(true).send().await.unwrap();
    refused(get().await, "ResourceNotFoundException");
    secrets.create_secret().name("app/seal").secret_string("two").send().await.unwrap();
}

#[tokio::test]
async fn refusals() {
    let secrets = with_seal().await;
    for name in ["a b", "ü", "a#"] {
        refused(secrets.create_secret().name(name).secret_string("x").send().await, "ValidationException");
    }
    for name in ["", &"a".repeat(513)] {
        refused(secrets.create_secret().name(name).send().await, "ValidationException");
    }
    let create = || secrets.create_secret().name("new");
    for value in ["", &"x".repeat(65_537)] {
        refused(create().secret_string(value).send().await, "ValidationException");
    }
    refused(create().secret_binary(Blob::new(vec![0; 65_537])).send().await, "ValidationException");
    let both = create().secret_string("x").secret_binary(Blob::new([1]));
    refused(both.send().await, "InvalidParameterException");
    refused(create().secret_string("x").client_request_token("short").send().await, "InvalidParameterException");
    create().secret_string("x".repeat(65_536)).send().await.unwrap();

    let none = secrets.get_secret_value().secret_id("none").send().await;
    assert!(none.unwrap_err().into_service_error().is_resource_not_found_exception());
    let get = || secrets.get_secret_value().secret_id("app/seal");
    refused(get().version_id(version(9)).send().await, "ResourceNotFoundException");
    refused(get().version_stage("nothing").send().await, "ResourceNotFoundException");
    refused(get().version_id(version(1)).version_stage(PREVIOUS).send().await, "InvalidRequestException");
    get().version_id(version(1)).version_stage(CURRENT).send().await.unwrap();
    refused(secrets.put_secret_value().secret_id("none").secret_string("x").send().await, "ResourceNotFoundException");
    refused(secrets.put_secret_value().secret_id("app/seal").send().await, "InvalidRequestException");
    refused(secrets.rotate_secret().secret_id("app/seal").send().await, "UnknownOperationException");
}
