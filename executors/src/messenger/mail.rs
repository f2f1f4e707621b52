//! Mail: a letter as plain text, through the site's own relay by SMTP. The same letter has the same `Message-ID` at every try.
//!
//! It says no more than the notice does. It does not know when it is called again, nor what becomes of mail behind the relay.

mod text;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kentai_engine::people::secret::Hidden;
use kentai_engine::port::BoxFuture;
use kentai_engine::port::messenger::{Error, Letter, Messenger};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::{Unfit, certificates, chain, harmless};

/// For the connection.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// For all of it: the library has no limit for a relay that falls silent in the middle.
const TIME_MAX: Duration = Duration::from_secs(60);

/// How the relay is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Encryption is asked for first of all, and without it nothing is said (RFC 3207).
    StartTls,
    /// Encrypted from the first byte (RFC 8314).
    Implicit,
    /// Not at all: to this machine only.
    None,
}

/// The site's relay.
pub struct Relay {
    /// Host name, or an address.
    pub server: String,
    /// Port.
    pub port: u16,
    /// How it is spoken to.
    pub security: Security,
    /// User and password, where it wants them.
    pub credentials: Option<(String, Hidden)>,
    /// Authorities that are trusted besides the machine's, PEM.
    pub authorities: Option<Vec<u8>>,
}

/// Is the relay this machine, by how it is written?
#[must_use]
pub fn is_this_machine(server: &str) -> bool {
    server == "localhost" || server.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Is this an address that can be written to, or from?
///
/// # Errors
/// What is wrong with it.
pub fn address(text: &str) -> Result<(), Unfit> {
    mailbox(text).map(drop)
}

fn mailbox(text: &str) -> Result<Mailbox, Unfit> {
    let unfit = |error: &dyn std::fmt::Display| Unfit(format!("`{}` is no mail address ({error})", harmless(text)));
    if !text.is_ascii() {
        return Err(unfit(&"write it in ASCII"));
    }
    let address: Address = text.parse().map_err(|error: lettre::address::AddressError| unfit(&error))?;
    Ok(Mailbox::new(None, address))
}

/// One receiver behind the relay.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Mailbox,
}

impl Mail {
    /// A receiver by what the site file says.
    ///
    /// # Errors
    /// What is wrong with it, and what helps.
    pub fn new(relay: &Relay, from: &str, to: &str) -> Result<Self, Unfit> {
        let (from, to) = (mailbox(from)?, mailbox(to)?);
        // Said to the relay as who calls: the default is no name that a relay likes.
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&relay.server)
            .port(relay.port)
            .tls(tls(relay)?)
            .hello_name(hello)
            .timeout(Some(CONNECT_MAX));
        if let Some((user, password)) = &relay.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.0.clone()));
        }
        Ok(Self { transport: builder.build(), from, to })
    }

    fn message(&self, letter: &Letter) -> Result<Message, Error> {
        let written = u64::try_from(letter.written_us).unwrap_or_default();
        let written: SystemTime = UNIX_EPOCH + Duration::from_micros(written);
        let header =
            |name: &'static str, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
        let builder: MessageBuilder = Message::builder()
            .from(self.from.clone())
            .to(self.to.clone())
            .date(written)
            .message_id(Some(text::message_id(letter)))
            .subject(text::subject(letter))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .header(ContentType::TEXT_PLAIN);
        builder.body(text::body(letter)).map_err(|error| Error::Refused { reason: chain(&error) })
    }

    async fn post(&self, letter: &Letter) -> Result<String, Error> {
        let message = self.message(letter)?;
        let Ok(answer) = tokio::time::timeout(TIME_MAX, self.transport.send(message)).await else {
            let reason = format!("the relay said nothing more within {} s", TIME_MAX.as_secs());
            return Err(Error::Passing { reason, wait_s: None });
        };
        match answer {
            Ok(response) => {
                let said: Vec<&str> = response.message().collect();
                Ok(harmless(&format!("{} {}", response.code(), said.join(" "))))
            }
            Err(error) if error.is_permanent() || error.is_client() => Err(Error::Refused { reason: chain(&error) }),
            Err(error) => Err(Error::Passing { reason: chain(&error), wait_s: None }),
        }
    }
}

impl Messenger for Mail {
    fn send<'a>(&'a self, letter: &'a Letter, _now_us: i64) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(self.post(letter))
    }
}

fn tls(relay: &Relay) -> Result<Tls, Unfit> {
    let server = &relay.server;
    if relay.security == Security::None {
        if is_this_machine(server) {
            return Ok(Tls::None);
        }
        return Err(Unfit(format!("`{}` is not this machine: use starttls or implicit", harmless(server))));
    }
    let unfit = |error: lettre::transport::smtp::Error| Unfit(format!("`{}`: {}", harmless(server), chain(&error)));
    let mut parameters = TlsParameters::builder(server.clone());
    for authority in relay.authorities.as_deref().map(certificates).transpose()?.unwrap_or_default() {
        parameters = parameters.add_root_certificate(Certificate::from_der(authority.to_vec()).map_err(unfit)?);
    }
    let parameters = parameters.build().map_err(unfit)?;
    Ok(if relay.security == Security::Implicit { Tls::Wrapper(parameters) } else { Tls::Required(parameters) })
}
