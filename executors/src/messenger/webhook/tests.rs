//! What a webhook may reach and how an answer is read: tables, and small servers of the test's own. Signatures and events are held
//! against programs that are not ours in the tests of the whole house.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::guard::{Reach, reach};
use super::*;

fn key() -> Key {
    Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret")
}

fn letter() -> Letter {
    Letter {
        notice: "n1".into(),
        site: "house".into(),
        to: "biobank".into(),
        subject: "test".into(),
        about: String::new(),
        written_us: 1_000_000,
        due_us: None,
        body: json!({ "a": 1 }),
        signature: String::new(),
    }
}

fn options(url: &str, allow_private: bool) -> Options {
    Options { url: url.into(), keys: vec![key()], allow_private, authorities: None }
}

/// Answers every connection with the same bytes; gives its port, and the requests as they come.
async fn server(answer: Vec<u8>) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = vec![0; 4096];
            let count = stream.read(&mut read).await.unwrap_or(0);
            let _ = sender.send(String::from_utf8_lossy(&read[..count]).into_owned());
            let _ = stream.write_all(&answer).await;
        }
    });
    (port, receiver)
}

async fn sent_to(answer: &str) -> Result<String, Error> {
    let (port, _requests) = server(answer.as_bytes().to_vec()).await;
    let hook = Webhook::new(options(&format!("http://127.0.0.1:{port}/"), true)).expect("fit");
    hook.send(&letter(), 2_000_000).await
}

#[test]
fn every_special_range_is_told_from_the_internet() {
    let table = [
        (
            "8.8.8.8 1.1.1.1 172.15.255.255 172.32.0.1 100.63.255.255 100.128.0.1 11.0.0.1 2606:4700::1111",
            Reach::Public,
        ),
        ("9.255.255.255 126.255.255.255 128.0.0.1 169.253.255.255 223.255.255.255 2001:200::1", Reach::Public),
        ("10.0.0.1 127.0.0.1 127.255.255.254 172.16.0.1 172.31.255.255 192.168.1.1", Reach::Private),
        ("100.64.0.1 100.127.255.255 ::1 fc00::1 fdff::1", Reach::Private),
        ("0.0.0.0 0.1.2.3 169.254.169.254 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255", Reach::Never),
        (
            "192.0.0.8 192.0.2.1 192.88.99.1 192.52.193.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1",
            Reach::Never,
        ),
        (":: fe80::1 febf::1 fec0::1 ff02::1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 5f00::1 4000::1", Reach::Never),
        ("::ffff:8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 ::8.8.8.8", Reach::Never),
        ("2001::1 2001:1::1 2001:db8::1 2002:7f00:1:: 3fff::1", Reach::Never),
    ];
    for (addresses, expected) in table {
        for text in addresses.split(' ') {
            let ip: IpAddr = text.parse().expect("an address");
            assert_eq!(reach(ip), expected, "{text}");
        }
    }
}

#[test]
fn an_address_that_leads_inside_is_refused_when_the_site_file_is_read() {
    for (url, allow_private) in [
        ("http://hooks.example/", false),
        ("http://hooks.example/", true),
        ("http://localhost/", false),
        ("http://10.0.0.1/", true),
        ("https://127.0.0.1/", false),
        ("https://[::1]/", false),
        ("https://[::ffff:127.0.0.1]/", true),
        ("https://169.254.169.254/latest/meta-data", true),
        // Other ways to write 127.0.0.1 are read as what they are.
        ("https://2130706433/", false),
        ("https://0x7f.1/", false),
        ("https://0177.0.0.1/", false),
        ("https://user@hooks.example/", false),
        ("https://hooks.example/?token=x", false),
        ("https://hooks.example/#x", false),
        ("ftp://hooks.example/", true),
        ("file:///etc/passwd", true),
        ("hooks.example", true),
        ("", true),
    ] {
        assert!(address(url, allow_private).is_err(), "{url} {allow_private}");
    }
    for (url, allow_private) in [
        ("https://hooks.example/kentai", false),
        ("https://8.8.8.8/", false),
        ("https://10.0.0.1/", true),
        ("http://127.0.0.1:8080/x", true),
        ("http://[::1]:8080/x", true),
        ("http://localhost:8080/x", true),
    ] {
        assert!(address(url, allow_private).is_ok(), "{url} {allow_private}");
    }
}

#[test]
fn a_hook_has_one_to_three_secrets() {
    for (count, fits) in [(0, false), (1, true), (3, true), (4, false)] {
        let keys = (0..count).map(|_| key()).collect();
        let built = Webhook::new(Options { keys, ..options("https://hooks.example/", false) });
        assert_eq!(built.is_ok(), fits, "{count}");
    }
}

/// A name server that answers differently each time.
fn answers(each: &[&[[u8; 4]]]) -> (Lookup, Arc<Mutex<usize>>) {
    let each: Vec<Vec<IpAddr>> =
        each.iter().map(|all| all.iter().map(|four| Ipv4Addr::from(*four).into()).collect()).collect();
    let asked = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        let mut asked = counter.lock().expect("nobody panicked with it");
        let answer = each[(*asked).min(each.len() - 1)].clone();
        *asked += 1;
        Box::pin(async move { Ok(answer) })
    });
    (lookup, asked)
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_whatever_else_it_leads_to() {
    let (port, mut requests) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    for found in [&[[127, 0, 0, 1]][..], &[[8, 8, 8, 8], [127, 0, 0, 1]], &[[169, 254, 169, 254]], &[[10, 0, 0, 1]]] {
        let (lookup, _) = answers(&[found]);
        let hook = Webhook::with(options(&format!("https://hooks.example:{port}/"), false), lookup).expect("fit");
        let result = hook.send(&letter(), 0).await;
        assert!(matches!(&result, Err(Error::Refused { .. })), "{found:?}: {result:?}");
    }
    assert!(requests.try_recv().is_err(), "somebody was connected to");
}

/// A name that says this machine may be another's by what it is looked up to.
#[tokio::test]
async fn what_is_not_encrypted_goes_to_this_machine_whatever_its_name_leads_to() {
    for elsewhere in [[10, 0, 0, 1], [8, 8, 8, 8]] {
        let (lookup, _) = answers(&[&[elsewhere]]);
        let hook = Webhook::with(options("http://localhost:9/", true), lookup).expect("fit");
        let result = hook.send(&letter(), 0).await;
        assert!(matches!(&result, Err(Error::Refused { reason }) if reason.contains("use https")), "{result:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_no_name_is_looked_at_each_time_as_well() {
    let (port, mut requests) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let mut hook = Webhook::new(options("https://hooks.example/", false)).expect("fit");
    hook.url = Url::parse(&format!("http://127.0.0.1:{port}/")).expect("an address");
    let refused = hook.send(&letter(), 2_000_000).await;
    assert!(matches!(&refused, Err(Error::Refused { reason }) if reason.contains("private network")), "{refused:?}");
    assert!(requests.try_recv().is_err(), "it was connected to");
}

#[tokio::test]
async fn a_name_is_asked_once_and_what_was_looked_at_is_connected_to() {
    // Good when it is looked at, bad when it is asked again: it is not asked again, and the good one is where the packets go.
    let (port, mut requests) = server(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).await;
    let (lookup, asked) = answers(&[&[[127, 0, 0, 1]], &[[169, 254, 169, 254]]]);
    let hook = Webhook::with(options(&format!("http://localhost:{port}/"), true), lookup).expect("fit");
    assert_eq!(hook.send(&letter(), 0).await, Ok("204 No Content".into()));
    assert_eq!(*asked.lock().expect("nobody panicked with it"), 1);
    assert!(requests.recv().await.is_some_and(|text| text.starts_with("POST / HTTP/1.1")));
    // The next letter looks anew: no connection and no answer of before is trusted.
    let result = hook.send(&letter(), 0).await;
    assert!(matches!(&result, Err(Error::Refused { .. })), "{result:?}");
    assert!(requests.try_recv().is_err(), "the second one was connected to");
}

#[tokio::test]
async fn answers_are_told_apart() {
    let answer = |head: &str| format!("HTTP/1.1 {head}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
    for (head, expected) in [
        ("410 Gone", Error::Gone { reason: "410 Gone: no".into() }),
        ("401 Unauthorized", Error::Refused { reason: "401 Unauthorized: no".into() }),
        ("404 Not Found", Error::Refused { reason: "404 Not Found: no".into() }),
        ("408 Request Timeout", Error::Passing { reason: "408 Request Timeout: no".into(), wait_s: None }),
        ("425 Too Early", Error::Passing { reason: "425 Too Early: no".into(), wait_s: None }),
        (
            "429 Too Many Requests\r\nretry-after: 120",
            Error::Passing { reason: "429 Too Many Requests: no".into(), wait_s: Some(120) },
        ),
        ("500 Internal Server Error", Error::Passing { reason: "500 Internal Server Error: no".into(), wait_s: None }),
    ] {
        assert_eq!(sent_to(&answer(head)).await, Err(expected));
    }
    assert_eq!(sent_to(&answer("202 Accepted")).await, Ok("202 Accepted".into()));
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (inside, mut requests) = server(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()).await;
    for code in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = format!("HTTP/1.1 {code}\r\nlocation: http://127.0.0.1:{inside}/\r\ncontent-length: 0\r\n\r\n");
        let result = sent_to(&answer).await;
        assert!(matches!(&result, Err(Error::Refused { reason }) if reason.contains("no redirect")), "{result:?}");
    }
    assert!(requests.try_recv().is_err(), "it was followed");
}

/// More than the buffers of two sockets hold.
const MUCH: usize = 64 * 1024 * 1024;

#[tokio::test]
async fn an_answer_that_does_not_end_is_read_to_its_limit_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut written = 0;
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 500 Broken\r\nconnection: close\r\n\r\n").await;
        while written < MUCH && stream.write_all(&[b'x'; ANSWER_MAX]).await.is_ok() {
            written += ANSWER_MAX;
        }
        written
    });
    let hook = Webhook::new(options(&format!("http://127.0.0.1:{port}/"), true)).expect("fit");
    let result = hook.send(&letter(), 0).await;
    assert!(matches!(&result, Err(Error::Passing { reason, .. }) if reason.len() < 400), "{result:?}");
    let written = server.await.expect("it ends");
    assert!(written < MUCH, "all of it was read");
}

#[tokio::test]
async fn nobody_there_is_no_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let hook = Webhook::new(options(&format!("http://127.0.0.1:{port}/"), true)).expect("fit");
    let result = hook.send(&letter(), 0).await;
    assert!(matches!(&result, Err(Error::Passing { .. })), "{result:?}");
}
