//! By which names a process answers: one that its own machine alone reaches, by that machine's names alone.

use hedgerow_tests::app::App;
use local::gateway::Gateway;
use tokio::net::TcpListener;

use hedgerow_tests::raw;

fn request(version: &str, target: &str, hosts: &[&str], key: &str) -> Vec<u8> {
    let lines: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
    format!("GET {target} {version}\r\n{lines}{key}connection: close\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn a_loopback_listener_answers_to_loopback_names_alone() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let ask = async |version: &str, target: &str, hosts: &[&str]| {
        let request = request(version, target, hosts, &account.key.lines());
        raw::exchange(app.address, format!("{version} {target} {hosts:?}"), &request).await
    };
    let path = "/api/v1/field-groups";
    for host in ["localhost", "LOCALHOST:3000", "app.localhost:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:3000"] {
        ask("HTTP/1.1", path, &[host]).await.expect(200);
    }
    for host in ["", "example.com", "127.0.0.1.example.com", "192.168.1.1:3000", "0.0.0.0", "[2001:db8::1]", "127.1"] {
        // With a credential or without, on a path or on none.
        for target in [path, "/api/health", "/nothing", "/api/openapi.json"] {
            let answer = ask("HTTP/1.1", target, &[host]).await;
            answer.fails(403, "forbidden");
            assert!(answer.json()["message"].as_str().unwrap().contains("`Host`"), "{answer}");
        }
    }
    ask("HTTP/1.1", "http://example.com/api/health", &["localhost"]).await.fails(403, "forbidden");
    ask("HTTP/1.1", "http://localhost/api/health", &["localhost"]).await.expect(200);
    // It is there once, and is one.
    for hosts in [&[][..], &["localhost", "localhost"], &["a b"], &["localhost:x"], &["user@localhost"]] {
        ask("HTTP/1.1", path, hosts).await.fails(400, "malformed_request");
    }
    ask("HTTP/1.0", "/api/health", &[]).await.expect(200);
    ask("HTTP/1.0", "/api/health", &["example.com"]).await.fails(403, "forbidden");
}

#[tokio::test]
async fn another_listener_answers_to_every_name() {
    let app = App::start().await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(Gateway::new(&app.backend, 0).serve([listener]));
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    for host in ["localhost", "example.com", "api.example.com:8443", "192.168.1.1"] {
        let request = request("HTTP/1.1", "/api/health", &[host], "");
        raw::exchange(address, host.to_owned(), &request).await.expect(200);
    }
    for hosts in [&[][..], &["a", "b"], &["a b"]] {
        let request = request("HTTP/1.1", "/api/health", hosts, "");
        raw::exchange(address, format!("{hosts:?}"), &request).await.fails(400, "malformed_request");
    }
}
