//! S3 as its SDK sees it, and what signed addresses lead to.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_sdk_s3::{Client, Config};
use hedgerow_engines::{Connector, Engines, Fault, Grant, S3, permitted, serve_files};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Now;

const PART: usize = 5 * 1024 * 1024;

fn client(connector: &Connector, endpoint: &str) -> Client {
    let (key, secret) = connector.engines().s3.credentials();
    let config = Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(aws_sdk_s3::config::Region::new("local"))
        .credentials_provider(aws_sdk_s3::config::Credentials::new(key, secret, None, None, "tests"))
        .sleep_impl(aws_sdk_s3::config::SharedAsyncSleep::new(Now))
        .force_path_style(true)
        .endpoint_url(endpoint)
        .http_client(connector.clone());
    Client::from_conf(config.build())
}

fn fresh() -> (Connector, Client) {
    let connector = Connector::new(Engines::memory().unwrap());
    let s3 = client(&connector, "http://embedded");
    (connector, s3)
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    code.map_or_else(|| format!("{:?}", error.raw_response()), str::to_owned)
}

async fn begin(s3: &Client, key: &str) -> String {
    let begun = s3.create_multipart_upload().bucket(S3::bucket()).key(key).content_type("text/plain");
    begun.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.unwrap().upload_id.unwrap()
}

async fn put_part(s3: &Client, key: &str, upload: &str, number: i32, body: Vec<u8>) -> CompletedPart {
    let put = s3.upload_part().bucket(S3::bucket()).key(key).upload_id(upload).part_number(number);
    let done = put.checksum_algorithm(ChecksumAlgorithm::Crc32).body(body.into()).send().await.unwrap();
    let part = CompletedPart::builder().part_number(number).set_e_tag(done.e_tag);
    part.set_checksum_crc32(done.checksum_crc32).build()
}

async fn complete(s3: &Client, key: &str, upload: &str, parts: Vec<CompletedPart>) -> Result<String, String> {
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let call = s3.complete_multipart_upload().bucket(S3::bucket()).key(key).upload_id(upload);
    let done = call.multipart_upload(parts).send().await;
    done.map(|done| done.e_tag.unwrap_or_default()).map_err(|error| code(&error))
}

async fn read(s3: &Client, key: &str) -> Result<Vec<u8>, String> {
    let got = s3.get_object().bucket(S3::bucket()).key(key).send().await.map_err(|error| code(&error))?;
    assert_eq!(got.content_type(), Some("text/plain"));
    Ok(got.body.collect().await.unwrap().to_vec())
}

async fn listed(s3: &Client, prefix: &str) -> Vec<String> {
    let told = s3.list_objects_v2().bucket(S3::bucket()).prefix(prefix).send().await.unwrap();
    told.contents().iter().filter_map(|object| object.key.clone()).collect()
}

#[tokio::test]
async fn parts_become_an_object_and_it_can_be_read_listed_and_deleted() {
    let (_connector, s3) = fresh();
    let key = "exports/a b/ä.zip";
    let upload = begin(&s3, key).await;
    let first = put_part(&s3, key, &upload, 1, vec![b'a'; PART]).await;
    // A part that comes again takes the place of the one before.
    put_part(&s3, key, &upload, 2, b"wrong".to_vec()).await;
    let second = put_part(&s3, key, &upload, 2, b"end".to_vec()).await;
    put_part(&s3, key, &upload, 3, b"not named".to_vec()).await;
    assert_eq!(read(&s3, key).await, Err("NoSuchKey".to_owned()));
    let etag = complete(&s3, key, &upload, vec![first, second]).await.unwrap();
    assert!(etag.ends_with("-2\""), "{etag}");
    let whole = read(&s3, key).await.unwrap();
    assert_eq!((whole.len(), &whole[PART..]), (PART + 3, &b"end"[..]));
    assert_eq!(listed(&s3, "exports/a b/").await, [key]);
    assert!(listed(&s3, "exports/A").await.is_empty() && listed(&s3, "%").await.is_empty());
    assert_eq!(complete(&s3, key, &upload, vec![]).await, Err("MalformedXML".to_owned()));
    for _ in 0..2 {
        s3.delete_object().bucket(S3::bucket()).key(key).send().await.unwrap();
    }
    assert_eq!(read(&s3, key).await, Err("NoSuchKey".to_owned()));
    assert!(listed(&s3, "").await.is_empty());
}

#[tokio::test]
async fn an_upload_is_held_to_the_rules() {
    let (_connector, s3) = fresh();
    let upload = begin(&s3, "k").await;
    let small = put_part(&s3, "k", &upload, 1, b"small".to_vec()).await;
    let last = put_part(&s3, "k", &upload, 2, b"last".to_vec()).await;
    let named = |number: i32, etag: &str| CompletedPart::builder().part_number(number).e_tag(etag).build();
    let both = vec![small.clone(), last.clone()];
    assert_eq!(complete(&s3, "k", &upload, both).await, Err("EntityTooSmall".to_owned()));
    assert_eq!(complete(&s3, "k", &upload, vec![last.clone(), small]).await, Err("InvalidPartOrder".to_owned()));
    assert_eq!(complete(&s3, "k", &upload, vec![named(7, "x")]).await, Err("InvalidPart".to_owned()));
    let unchecked = named(2, last.e_tag().unwrap());
    assert_eq!(complete(&s3, "k", &upload, vec![unchecked]).await, Err("InvalidRequest".to_owned()));
    assert_eq!(complete(&s3, "other", &upload, vec![last]).await, Err("NoSuchUpload".to_owned()));
    let put = |number: i32| s3.upload_part().bucket(S3::bucket()).key("k").upload_id(&upload).part_number(number);
    let refused = put(0).body(vec![1].into()).send().await.unwrap_err();
    assert_eq!(code(&refused), "InvalidArgument");
    let refused = put(1).checksum_crc32("AAAAAA==").body(vec![1].into()).send().await.unwrap_err();
    assert_eq!(code(&refused), "BadDigest");
    s3.abort_multipart_upload().bucket(S3::bucket()).key("k").upload_id(&upload).send().await.unwrap();
    let gone = put(1).body(vec![1].into()).send().await.unwrap_err();
    assert_eq!(code(&gone), "NoSuchUpload");
    let elsewhere = s3.get_object().bucket("another").key("k").send().await.unwrap_err();
    assert_eq!(code(&elsewhere), "NoSuchBucket");
    let other = s3.head_bucket().bucket(S3::bucket()).send().await.unwrap_err();
    assert_eq!(other.raw_response().unwrap().status().as_u16(), 501);
}

#[tokio::test]
async fn what_is_not_granted_is_refused_and_faults_are_retried() {
    let (connector, s3) = fresh();
    let grants =
        [Grant::Objects { path: format!("{}/exports/*", S3::bucket()), actions: vec!["PutObject", "ListBucket"] }];
    let begin = |key: &str| {
        let call = s3.create_multipart_upload().bucket(S3::bucket()).key(key);
        permitted(grants.to_vec(), call.send())
    };
    begin("exports/a").await.unwrap();
    assert_eq!(code(&begin("uploads/a").await.unwrap_err()), "AccessDenied");
    let list = |prefix: &str| {
        let call = s3.list_objects_v2().bucket(S3::bucket()).prefix(prefix);
        permitted(grants.to_vec(), call.send())
    };
    list("exports/x").await.unwrap();
    assert_eq!(code(&list("").await.unwrap_err()), "AccessDenied");
    let get = permitted(grants.to_vec(), s3.get_object().bucket(S3::bucket()).key("exports/a").send()).await;
    assert_eq!(code(&get.unwrap_err()), "AccessDenied");

    for fault in [Fault::Throttling, Fault::Internal] {
        connector.trace().reset();
        connector.faults().set(move |call| (call.service == "s3" && call.nth <= 2).then_some(fault));
        list_all(&s3).await;
        assert_eq!(connector.trace().snapshot().of("ListObjectsV2"), 3, "{fault:?}");
    }
}

async fn list_all(s3: &Client) {
    s3.list_objects_v2().bucket(S3::bucket()).send().await.unwrap();
}

/// The status, the head and the body of an answer to a request for an address.
async fn fetch(method: &str, address: &str, host: Option<&str>) -> (u16, String, Vec<u8>) {
    let rest = address.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let host = host.unwrap_or(authority);
    let request = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head, answer[end + 4..].to_vec())
}

#[tokio::test]
async fn a_signed_address_leads_to_the_object_for_a_while() {
    let (connector, s3) = fresh();
    let upload = begin(&s3, "exports/one.zip").await;
    let part = put_part(&s3, "exports/one.zip", &upload, 1, b"whole".to_vec()).await;
    complete(&s3, "exports/one.zip", &upload, vec![part]).await.unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(serve_files(connector.engines().s3.clone(), listener));
    let signer = client(&connector, &origin);
    let sign = |key: &'static str, at: SystemTime| {
        let config = PresigningConfig::builder().expires_in(Duration::from_secs(60)).start_time(at).build().unwrap();
        let call = signer.get_object().bucket(S3::bucket()).key(key);
        let call = call.response_content_disposition("attachment; filename=\"tenant a.zip\"");
        async move { call.response_content_type("application/zip").presigned(config).await.unwrap().uri().to_owned() }
    };
    let now = SystemTime::now();
    let address = sign("exports/one.zip", now).await;
    let (status, head, body) = fetch("GET", &address, None).await;
    assert_eq!((status, &body[..]), (200, &b"whole"[..]), "{head}");
    for header in [
        "content-type: application/zip",
        "content-disposition: attachment; filename=\"tenant a.zip\"",
        "x-content-type-options: nosniff",
        "content-security-policy: sandbox; default-src 'none'",
        "cache-control: private, no-store",
        "content-length: 5",
    ] {
        assert!(head.contains(header), "{header}\n{head}");
    }
    // A signature is of its method, as S3 has it: an address to GET is none to HEAD.
    assert_eq!(fetch("HEAD", &address, None).await.0, 403);
    let refused: [(&str, String, Option<&str>); 8] = [
        ("another key", address.replace("one.zip", "two.zip"), None),
        ("another type", address.replace("application%2Fzip", "text%2Fhtml"), None),
        ("a longer life", address.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), None),
        ("no signature", address.split('?').next().unwrap().to_owned(), None),
        ("more in the query", format!("{address}&response-cache-control=x"), None),
        ("another host", address.clone(), Some("attacker.example")),
        ("over", sign("exports/one.zip", now - Duration::from_secs(120)).await, None),
        ("not yet", sign("exports/one.zip", now + Duration::from_secs(3600)).await, None),
    ];
    for (what, address, host) in refused {
        let (status, head, body) = fetch("GET", &address, host).await;
        assert_eq!(status, 403, "{what} {}", String::from_utf8_lossy(&body));
        assert!(head.contains("nosniff") && !body.windows(5).any(|five| five == b"whole"), "{what}");
    }
    assert_eq!(fetch("PUT", &address, None).await.0, 405);
    assert_eq!(fetch("GET", &sign("exports/none.zip", now).await, None).await.0, 404);
    server.abort();
}

#[tokio::test]
async fn a_folder_keeps_its_objects_and_its_secret_until_they_expire() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Connector::new(Engines::open(folder.path()).unwrap());
    let first = open();
    let s3 = client(&first, "http://embedded");
    let upload = begin(&s3, "exports/one").await;
    let part = put_part(&s3, "exports/one", &upload, 1, b"to be erased".to_vec()).await;
    complete(&s3, "exports/one", &upload, vec![part]).await.unwrap();
    let half = begin(&s3, "exports/half").await;

    let second = open();
    assert_eq!(first.engines().s3.credentials(), second.engines().s3.credentials());
    assert!(second.engines().s3.credentials().1.len() >= 32);
    assert_eq!(read(&client(&second, "http://embedded"), "exports/one").await.unwrap(), b"to be erased");
    let day = Duration::from_secs(24 * 3600);
    second.engines().s3.expire("exports/", day, day).unwrap();
    assert_eq!(listed(&s3, "").await, ["exports/one"]);
    tokio::time::sleep(Duration::from_millis(5)).await;
    second.engines().s3.expire("uploads/", Duration::ZERO, Duration::ZERO).unwrap();
    assert_eq!(listed(&s3, "").await, ["exports/one"]);
    second.engines().s3.expire("exports/", Duration::ZERO, Duration::ZERO).unwrap();
    assert!(listed(&s3, "").await.is_empty());
    let put = s3.upload_part().bucket(S3::bucket()).key("exports/half").upload_id(half).part_number(1);
    assert_eq!(code(&put.body(vec![1].into()).send().await.unwrap_err()), "NoSuchUpload");
}
