//! The API as a whole, as programs of others see it: what it says of itself, and GA4GH's way to ask for runs.

mod description;
mod faults;
mod wes;

use anyhow::{Context, Result};
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_tests::receivers::Receivers;

/// Makes a service with these roles; the door knows its token by its name.
pub(crate) async fn service(site: &mut Receivers, name: &str, roles: &[&str], institution: Option<&str>) -> Result<()> {
    let admin = Actor { name: "root".into(), roles: ["admin".into()].into(), ..Actor::default() };
    let add = Request::AddPerson {
        name: name.into(),
        service: true,
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        institution: institution.map(str::to_owned),
        data_center: None,
    };
    site.house.handle().center(add, &admin).await?;
    let wish = Request::NewToken {
        owner: name.into(),
        label: String::new(),
        scopes: Vec::new(),
        expires_us: None,
        made: Default::default(),
    };
    let answer = site.house.handle().center(wish, &admin).await?;
    site.door.tokens.insert(name.into(), answer.secret.context("told once")?.0);
    Ok(())
}
