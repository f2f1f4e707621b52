//! Which addresses may be connected to. A name is looked up here, each of its addresses is looked at, and exactly these are connected to:
//! a name that answers differently the second time is not asked a second time.
//!
//! The lists are IANA's special-purpose registries (RFC 6890 and its updates, October 2025).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use kentai_engine::port::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Of the internet.
    Public,
    /// Of a network of somebody's own, or this machine: only where the site file allows it.
    Private,
    /// Link-local, multicast, tunnels, documentation, reserved: never.
    Never,
}

/// Why an address is not connected to.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Forbidden {
    #[error("{0} is an address of a private network: `allow_private: true` allows it, if it is meant")]
    Private(IpAddr),
    #[error("{0} is no address that anything is sent to")]
    Never(IpAddr),
    #[error("{0} is not this machine: use https")]
    Elsewhere(IpAddr),
}

/// What is allowed for one receiver.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    /// Private networks too.
    pub allow_private: bool,
    /// Without encryption: to this machine only.
    pub plain: bool,
}

impl Guard {
    /// May this address be connected to?
    ///
    /// # Errors
    /// When it may not.
    pub fn check(self, ip: IpAddr) -> Result<(), Forbidden> {
        if self.plain && !ip.is_loopback() {
            return Err(Forbidden::Elsewhere(ip));
        }
        match reach(ip) {
            Reach::Public => Ok(()),
            Reach::Private if self.allow_private => Ok(()),
            Reach::Private => Err(Forbidden::Private(ip)),
            Reach::Never => Err(Forbidden::Never(ip)),
        }
    }

    /// The same for a host that is written as an address; a name is looked at when it is looked up.
    pub(super) fn host(self, host: &url::Host<&str>) -> Result<(), Forbidden> {
        match host {
            url::Host::Ipv4(ip) => self.check(IpAddr::V4(*ip)),
            url::Host::Ipv6(ip) => self.check(IpAddr::V6(*ip)),
            url::Host::Domain(_) => Ok(()),
        }
    }
}

/// Is a host this machine, by how it is written?
pub(super) fn is_this_machine(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Ipv4(ip) => ip.is_loopback(),
        url::Host::Ipv6(ip) => ip.is_loopback(),
        url::Host::Domain(name) => *name == "localhost",
    }
}

/// What an address is.
#[must_use]
pub fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    match ip.octets() {
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private,
        // Behind a carrier's translator (RFC 6598): also what some overlay networks use.
        [100, 64..=127, ..] => Reach::Private,
        // "This network"; link-local, with the metadata services of clouds; multicast, reserved, broadcast.
        [0, ..] | [169, 254, ..] | [224..=255, ..] => Reach::Never,
        // Protocol assignments, documentation, old 6to4 relays, AMT, benchmarks.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [192, 52, 193, _] | [198, 18..=19, ..] => Reach::Never,
        [198, 51, 100, _] | [203, 0, 113, _] => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    if ip.is_loopback() {
        return Reach::Private;
    }
    match ip.segments() {
        // Unique local (RFC 4193).
        [0xfc00..=0xfdff, ..] => Reach::Private,
        // Of what is given out, 2000::/3: protocol assignments with Teredo and ORCHID, documentation, 6to4.
        [0x2001, 0x0000..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0x0000..=0x0fff, ..] => {
            Reach::Never
        }
        [0x2000..=0x3fff, ..] => Reach::Public,
        // All else is not given out, or hides an IPv4 address (mapped, compatible, translated) that was not looked at.
        _ => Reach::Never,
    }
}

/// Looks a name up.
pub(super) type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// As the machine does it.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Looks a name up and gives addresses that were looked at, or none at all.
pub(super) struct Resolver {
    pub(super) guard: Guard,
    pub(super) lookup: Lookup,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, found) = (self.guard, (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let found = found.await?;
            // One bad address among good ones is no mistake of somebody who means well.
            for ip in &found {
                guard.check(*ip)?;
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}
