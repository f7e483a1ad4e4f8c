//! A receiver that does as its script says.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::outbound::stream::Io;

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// One connection, at the receiver's end.
pub(super) struct Wire {
    io: Box<dyn Io>,
    requests: Arc<Mutex<Vec<String>>>,
    /// Which connection it is, from 0.
    pub(super) number: usize,
}

impl Wire {
    /// The next request, if one comes.
    pub(super) async fn request(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let mut bytes = [0; 4096];
            let read = self.io.read(&mut bytes).await.ok().filter(|read| *read > 0)?;
            text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() >= length.parse().unwrap() {
                self.requests.lock().unwrap().push(text.clone());
                return Some(text);
            }
        }
    }

    /// Whether it could be written.
    pub(super) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.io.write_all(bytes.as_ref()).await.is_ok() && self.io.flush().await.is_ok()
    }

    /// Waits until the other end is gone.
    pub(super) async fn gone(&mut self) {
        while self.io.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
    }

    /// Takes a request, answers with this, and ends.
    pub(super) async fn ends_after(mut self, answer: impl AsRef<[u8]>) {
        self.request().await;
        self.write(answer).await;
        self.close().await;
    }

    /// Takes a request, begins an answer, and goes on with it drop by drop until the other end is gone.
    pub(super) async fn drips(mut self, begin: impl AsRef<[u8]>, drop: &str) {
        self.request().await;
        self.write(begin).await;
        while self.write(drop).await {
            tokio::time::sleep(super::SHORT / 10).await;
        }
    }

    pub(super) async fn close(mut self) {
        let _ = self.io.shutdown().await;
    }
}

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    ended: watch::Receiver<usize>,
}

impl Receiver {
    pub(super) async fn start<F, R>(script: F) -> Self
    where
        F: Fn(Wire) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::listen(None, script).await
    }

    /// What answers every request in the same way, as long as the connection stands.
    pub(super) async fn saying(answer: impl AsRef<[u8]>) -> Self {
        let answer = answer.as_ref().to_vec();
        Self::start(move |mut wire| {
            let answer = answer.clone();
            async move { while wire.request().await.is_some() && wire.write(&answer).await {} }
        })
        .await
    }

    pub(super) async fn listen<F, R>(tls: Option<TlsAcceptor>, script: F) -> Self
    where
        F: Fn(Wire) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, requests) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<String>>>::default());
        let (end, ended) = watch::channel(0);
        let (counted, seen) = (Arc::clone(&accepted), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let (tls, script, requests, end) = (tls.clone(), script.clone(), Arc::clone(&seen), end.clone());
                tokio::spawn(async move {
                    let io: Box<dyn Io> = match tls {
                        None => Box::new(tcp),
                        Some(tls) => match tls.accept(tcp).await {
                            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(b"http/1.1") => Box::new(stream),
                            _ => return,
                        },
                    };
                    script(Wire { io, requests, number }).await;
                    end.send_modify(|ended| *ended += 1);
                });
            }
        });
        Self { address, accepted, requests, ended }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections were made.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until so many scripts have come to their end.
    pub(super) async fn ended(&self, count: usize) {
        let mut ended = self.ended.clone();
        let wait = ended.wait_for(|ended| *ended >= count);
        tokio::time::timeout(super::LONG, wait).await.expect("the receiver is done in time").unwrap();
    }
}

/// A certificate for `localhost` and `127.0.0.1`, and who trusts it.
pub(super) fn certified() -> (TlsAcceptor, RootCertStore) {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    // A server that would rather speak HTTP/2: the client must not offer it.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (TlsAcceptor::from(Arc::new(config)), roots)
}
