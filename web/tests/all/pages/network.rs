//! A site with its door to the network, and somebody behind it with a browser of plain HTTP.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use kentai_engine::people::secret::Hidden;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::{Answer as Done, Request};
use kentai_engine::scheduler::handle::Handle;
use kentai_web::People;
use kentai_web::listen::{Door, Limits, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::house::{Answer, House, take_apart};

/// A user of the machine: somebody of the center.
pub(super) const OPERATOR: u32 = 4711;

pub(super) struct Network {
    house: House,
    address: SocketAddr,
    token: CancellationToken,
    server: tokio::task::JoinHandle<()>,
    known: Arc<Mutex<BTreeSet<u32>>>,
}

fn admin() -> Actor {
    Actor { name: "mori".into(), roles: ["admin".to_owned()].into(), ..Actor::default() }
}

fn operator() -> Actor {
    let roles = ["operator", "reviewer", "releaser", "withdrawal_officer", "auditor"].map(str::to_owned);
    Actor { name: "ops-01".into(), roles: roles.into(), ..Actor::default() }
}

impl Network {
    pub(super) async fn open() -> Self {
        let known = Arc::new(Mutex::new(BTreeSet::from([OPERATOR])));
        let asked = Arc::clone(&known);
        let people: People = Arc::new(move |uid| asked.lock().expect("no panic").contains(&uid).then(operator));
        let house = House::open_for(Arc::clone(&people)).await;
        // Limits have tests of their own; here one address asks thousands of times.
        let limits = Limits { requests_per_second: 1 << 20, burst: 1 << 20, ..Limits::default() };
        let door = Door::open(Options {
            address: ([127, 0, 0, 1], 0).into(),
            tls: None,
            plain_allowed: false,
            limits,
            certificates: Arc::new(|_| None),
        })
        .expect("a door");
        let (address, token) = (door.address(), CancellationToken::new());
        let router = kentai_web::router(house.engine().clone(), people, kentai_web::TimeZone::UTC);
        let server = tokio::spawn(door.serve(router, token.clone()));
        Self { house, address, token, server, known }
    }

    pub(super) async fn close(self) {
        self.token.cancel();
        self.server.await.expect("no panic");
        self.house.close().await;
    }

    pub(super) fn engine(&self) -> &Handle {
        self.house.engine()
    }

    /// How often anything was stored.
    pub(super) fn commits(&self) -> u64 {
        self.engine().pulse().borrow().commits
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The site knows this user no more.
    pub(super) fn forget(&self, user: u32) {
        self.known.lock().expect("no panic").remove(&user);
    }

    pub(super) async fn link(&self, user: u32) -> String {
        let offer = Request::OfferLink { user, made: Default::default() };
        self.engine().center(offer, &operator()).await.expect("offered").secret.expect("told once").0
    }

    pub(super) async fn session(&self, user: u32) -> String {
        let link = self.link(user).await;
        self.engine().open_link(&link).await.expect("it counts").0
    }

    async fn of_admin(&self, request: Request) -> Done {
        self.engine().center(request, &admin()).await.expect("done")
    }

    /// Somebody with a password.
    pub(super) async fn account(&self, name: &str, password: &str) {
        self.person(name, false).await;
        let password = Hidden(password.into());
        self.of_admin(Request::SetPassword { name: name.into(), password, hash: Hidden::default() }).await;
    }

    async fn person(&self, name: &str, service: bool) {
        let roles = vec!["operator".to_owned()];
        let name = name.to_owned();
        self.of_admin(Request::AddPerson { name, service, roles, institution: None, data_center: None }).await;
    }

    /// A service's token.
    pub(super) async fn token(&self) -> String {
        self.person("robot", true).await;
        let (owner, label, scopes) = ("robot".to_owned(), String::new(), Vec::new());
        let new = Request::NewToken { owner, label, scopes, expires_us: None, made: Default::default() };
        self.of_admin(new).await.secret.expect("told once").0
    }

    /// Asks with a session or without one; `body` is a form.
    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        session: Option<&String>,
        headers: &str,
        body: &str,
    ) -> Answer {
        let cookie = session.map(|secret| format!("cookie: kentai={secret}\r\n")).unwrap_or_default();
        self.raw(method, path, &format!("{cookie}{headers}"), body).await
    }

    pub(super) async fn raw(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        let (host, length) = (self.address, body.len());
        let form = if body.is_empty() { "" } else { "content-type: application/x-www-form-urlencoded\r\n" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{form}{headers}content-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let _ = stream.write_all(body.as_bytes()).await;
        // On the heap: tests hold many of these at once.
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; 1 << 14]);
        loop {
            let read = stream.read(&mut buffer).await.expect("read");
            bytes.extend_from_slice(&buffer[..read]);
            // What goes on for ever is told apart by its head.
            let text = String::from_utf8_lossy(&bytes);
            if read == 0 || text.contains("\r\n\r\n") && text.contains("text/event-stream") {
                return take_apart(&text);
            }
        }
    }
}

pub(super) fn header(answer: &Answer, name: &str) -> String {
    answer.headers.get(name).cloned().unwrap_or_default()
}

/// The cookies that an answer sets: of several, the last.
pub(super) fn set_cookies(answer: &Answer) -> Vec<String> {
    answer.headers.get("set-cookie").cloned().into_iter().collect()
}
