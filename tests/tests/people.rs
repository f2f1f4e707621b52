//! People, tokens and the audit log of a whole house: what was taken back counts no more, tries are counted, and an export of the
//! real log proves itself.

mod own;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kentai_engine::audit::checkpoint::Public;
use kentai_engine::audit::export::{EventLine, Export};
use kentai_engine::audit::verify::verify;
use kentai_engine::clock::Clock;
use kentai_engine::people::role::Role;
use kentai_engine::people::secret::Hidden;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::audit::public_key;
use kentai_engine::scheduler::center::people::Known;
use kentai_engine::scheduler::center::request::{Answer, Request};
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::view::center::audit::{self, AuditWish};
use kentai_tests::house::{House, Plan, person};

const PASSWORD: &str = "correct horse battery";
/// 2026-11-25, in microseconds.
const NOON: i64 = 1_795_608_000_000_000;

fn admin() -> Actor {
    person("mori", "admin")
}

async fn house() -> Result<(House, Clock)> {
    let clock = Clock::standing_at(NOON);
    let house = House::with(Plan { clock: clock.clone(), ..Plan::default() }).await?;
    Ok((house, clock))
}

async fn ask(house: &House, request: Request) -> Result<Answer> {
    Ok(house.handle().center(request, &admin()).await?)
}

async fn add(house: &House, name: &str, service: bool, role: &str) -> Result<()> {
    let (institution, data_center) = (None, None);
    let name = name.to_owned();
    ask(house, Request::AddPerson { name, service, roles: vec![role.into()], institution, data_center }).await?;
    Ok(())
}

async fn token(house: &House, owner: &str, scopes: &[&str], expires_us: Option<i64>) -> Result<(String, String)> {
    let scopes = scopes.iter().map(|word| (*word).to_owned()).collect();
    let (owner, label, made) = (owner.to_owned(), String::new(), Default::default());
    let answer = ask(house, Request::NewToken { owner, label, scopes, expires_us, made }).await?;
    let id = answer.changed[0].split_once(' ').context("a token")?.1.to_owned();
    Ok((id, answer.secret.context("told once")?.0))
}

async fn password(house: &House, name: &str) -> Result<()> {
    let (password, hash) = (Hidden(PASSWORD.into()), Hidden::default());
    ask(house, Request::SetPassword { name: name.into(), password, hash }).await?;
    Ok(())
}

#[tokio::test]
async fn a_token_acts_for_its_owner_until_the_commit_that_revokes_it() -> Result<()> {
    let (house, clock) = house().await?;
    add(&house, "lims", true, "operator").await?;
    let (id, shown) = token(&house, "lims", &["receive"], Some(NOON + 1_000)).await?;
    let who = house.handle().who(&shown).await?;
    ensure!(who.name == "lims" && who.roles.contains("operator"), "{who:?}");
    let scan = || Request::Receive {
        barcode: "B1".into(),
        institution: String::new(),
        condition: String::new(),
        note: String::new(),
    };
    house.handle().center(scan(), &who).await?;
    let refused = house.handle().center(Request::StopAll { reason: "x".into() }, &who).await;
    ensure!(matches!(refused, Err(Refusal::NotAllowed(_))), "a token narrows: {refused:?}");
    let sheet = house.handle().import(&[], "sheet", &who).await;
    ensure!(matches!(sheet, Err(Refusal::NotAllowed(_))), "whatever the door: {sheet:?}");
    ask(&house, Request::RevokeToken { token: id }).await?;
    ensure!(house.handle().who(&shown).await.is_err(), "revoked");
    let (_, other) = token(&house, "lims", &[], Some(NOON + 1_000)).await?;
    ensure!(house.handle().who(&other).await.is_ok());
    clock.advance(1_000);
    ensure!(house.handle().who(&other).await.is_err(), "over");
    let (_, last) = token(&house, "lims", &[], None).await?;
    ask(&house, Request::DisablePerson { name: "lims".into() }).await?;
    ensure!(house.handle().who(&last).await.is_err(), "its owner is disabled");
    // What was told once is nowhere.
    for secret in [&shown, &other, &last] {
        let secret = secret.rsplit('_').next().context("a secret")?;
        let found = house.sql(&format!(
            "select count(*) from (select document as t from record union all select body from event) where t like '%{secret}%'"
        ))?;
        ensure!(found == "0", "a secret is stored");
    }
    Ok(())
}

#[tokio::test]
async fn five_wrong_tries_lock_and_every_try_is_an_event() -> Result<()> {
    let (house, clock) = house().await?;
    add(&house, "sato", false, "reviewer").await?;
    password(&house, "sato").await?;
    let handle = house.handle();
    let session = handle.sign_in("sato", PASSWORD, "").await?;
    ensure!(handle.who(&session.0).await?.roles.contains("reviewer"));
    for _ in 0..5 {
        ensure!(handle.sign_in("sato", "wrong", "").await.is_err());
    }
    let Err(locked) = handle.sign_in("sato", PASSWORD, "").await else { bail!("it is locked") };
    let Err(unknown) = handle.sign_in("nobody-here", PASSWORD, "").await else { bail!("there is nobody") };
    ensure!(locked.to_string() == unknown.to_string(), "nobody learns which names exist");
    let tries = house.sql("select count(*) from event where kind = 'sign_in_failed'")?;
    ensure!(tries == "7", "{tries}");
    clock.advance(i64::try_from(Duration::from_secs(15 * 60).as_micros())?);
    handle.sign_in("sato", PASSWORD, "").await?;
    password(&house, "sato").await?;
    ensure!(handle.who(&session.0).await.is_err(), "a new password ends old sessions");
    let found = house.sql("select count(*) from event where body like '%argon2%' or body like '%battery%'")?;
    ensure!(found == "0", "a password or its hash is in the log");
    Ok(())
}

async fn offered(house: &House, who: &Actor) -> Result<String> {
    let offer = Request::OfferLink { user: 4711, made: Default::default() };
    Ok(house.handle().center(offer, who).await?.secret.context("told once")?.0)
}

#[tokio::test]
async fn a_link_signs_in_once_within_a_minute_and_is_no_session() -> Result<()> {
    let (house, clock) = house().await?;
    let handle = house.handle();
    // Somebody of the site's file, without an account.
    let link = offered(&house, &person("ops-01", "operator")).await?;
    ensure!(handle.known(&link).await.is_err() && handle.who(&link).await.is_err(), "a link is no session");
    for _ in 0..2 {
        ensure!(handle.whose_link(&link).await?.as_deref() == Some("ops-01"), "looking uses nothing up");
    }
    let session = handle.open_link(&link).await?;
    ensure!(handle.who(&session.0).await.is_err(), "what they may, the site's file says");
    let known = handle.known(&session.0).await?;
    ensure!(matches!(&known, Known::User { uid: 4711, name } if name == "ops-01"), "{known:?}");
    let Err(used) = handle.open_link(&link).await else { bail!("it counts once") };
    ensure!(handle.whose_link(&link).await?.is_none());
    let late = offered(&house, &person("ops-01", "operator")).await?;
    clock.advance(60_000_000);
    let Err(over) = handle.open_link(&late).await else { bail!("its minute is over") };
    let made_up = late.replace("kl_", "kl_x");
    let Err(unknown) = handle.open_link(&made_up).await else { bail!("nobody made it") };
    let (id, _) = late.rsplit_once('_').context("an id")?;
    let Err(wrong) = handle.open_link(&format!("{id}_{}", "ab".repeat(32))).await else { bail!("another secret") };
    for other in [&over, &unknown, &wrong] {
        ensure!(other.to_string() == used.to_string(), "nobody learns which links there are: {other}");
    }
    handle.sign_out(&session.0).await?;
    ensure!(handle.known(&session.0).await.is_err(), "signed out");
    for (kind, count) in [("sign_in_link_made", "2"), ("sign_in_link_used", "1"), ("sign_in_failed", "4")] {
        let found = house.sql(&format!("select count(*) from event where kind = '{kind}'"))?;
        ensure!(found == count, "{kind}: {found}");
    }
    for secret in [&link, &session.0] {
        let secret = secret.rsplit('_').next().context("a secret")?;
        let all = "select document as t from record union all select body from event";
        let found = house.sql(&format!("select count(*) from ({all}) where t like '%{secret}%'"))?;
        ensure!(found == "0", "a secret is stored");
    }
    Ok(())
}

#[tokio::test]
async fn a_disabled_account_and_a_new_password_end_links_and_what_they_opened() -> Result<()> {
    let (house, _) = house().await?;
    add(&house, "sato", false, "reviewer").await?;
    let (handle, sato) = (house.handle(), person("sato", "reviewer"));
    let before = offered(&house, &sato).await?;
    password(&house, "sato").await?;
    ensure!(handle.open_link(&before).await.is_err(), "made before the new password");
    let session = handle.open_link(&offered(&house, &sato).await?).await?;
    let waiting = offered(&house, &sato).await?;
    ask(&house, Request::DisablePerson { name: "sato".into() }).await?;
    ensure!(handle.known(&session.0).await.is_err() && handle.open_link(&waiting).await.is_err());
    ensure!(offered(&house, &sato).await.is_err(), "disabled, whatever the kernel says");
    Ok(())
}

#[tokio::test]
async fn people_are_the_admins_business_and_ones_own_roles_another_ones() -> Result<()> {
    let (house, _) = house().await?;
    add(&house, "mori", false, "admin").await?;
    add(&house, "sato", false, "operator").await?;
    let own = Request::SetRoles { name: "mori".into(), roles: vec!["admin".into(), "releaser".into()] };
    ensure!(matches!(house.handle().center(own, &admin()).await, Err(Refusal::NotAllowed(_))));
    let scopes = Vec::new();
    let (owner, label, made) = ("sato".to_owned(), String::new(), Default::default());
    let theirs = Request::NewToken { owner, label, scopes, expires_us: None, made };
    ensure!(matches!(house.handle().center(theirs, &admin()).await, Err(Refusal::NotAllowed(_))));
    for role in ["operator", "reviewer", "releaser", "withdrawal_officer", "auditor", "institution", "data_center"] {
        let request = Request::SetRoles { name: "sato".into(), roles: vec!["reviewer".into()] };
        let refused = house.handle().center(request, &person("x", role)).await;
        ensure!(matches!(refused, Err(Refusal::NotAllowed(_))), "{role}: {refused:?}");
    }
    Ok(())
}

async fn admins(house: &House) -> Result<String> {
    house.sql("select group_concat(record_id) from record where kind = 'person' and status = 'active' and document like '%\"admin\"%'")
}

#[tokio::test]
async fn the_last_account_that_manages_people_stays_one_until_there_is_another() -> Result<()> {
    let (house, _) = house().await?;
    add(&house, "mori", false, "admin").await?;
    // A service is nobody who could make people admins at the page; who has another role, or is disabled, manages nobody.
    add(&house, "endo", false, "operator").await?;
    add(&house, "lims", true, "admin").await?;
    add(&house, "gone", false, "admin").await?;
    ask(&house, Request::DisablePerson { name: "gone".into() }).await?;
    let owner = person("owner", "admin");
    let roles = || Request::SetRoles { name: "mori".into(), roles: vec!["operator".into()] };
    let disable = || Request::DisablePerson { name: "mori".into() };
    for (request, who) in [(disable(), admin()), (disable(), owner.clone()), (roles(), owner.clone())] {
        let refused = house.handle().center(request, &who).await;
        let Err(Refusal::State(said)) = refused else { bail!("{}: {refused:?}", who.name) };
        ensure!(said.contains("last account") && said.contains("kentai admin user add NAME --roles admin"), "{said}");
    }
    // One more role is no less.
    ask(&house, Request::DisablePerson { name: "lims".into() }).await?;
    let more = Request::SetRoles { name: "mori".into(), roles: vec!["admin".into(), "operator".into()] };
    house.handle().center(more, &owner).await?;
    let other = Request::SetRoles { name: "endo".into(), roles: vec!["admin".into()] };
    ask(&house, other).await?;
    house.handle().center(roles(), &owner).await?;
    ensure!(admins(&house).await? == "endo", "{}", admins(&house).await?);
    Ok(())
}

#[tokio::test]
async fn of_two_admins_who_end_each_other_at_once_one_stays() -> Result<()> {
    let (house, _) = house().await?;
    for round in 0..20 {
        let [one, other] = ["a", "b"].map(|letter| format!("{letter}{round}"));
        add(&house, &one, false, "admin").await?;
        add(&house, &other, false, "admin").await?;
        for before in admins(&house).await?.split(',').filter(|name| **name != one && **name != other) {
            ask(&house, Request::DisablePerson { name: before.into() }).await?;
        }
        let handle = house.handle();
        let (first, second) = (person(&one, "admin"), person(&other, "admin"));
        let disable = handle.center(Request::DisablePerson { name: other.clone() }, &first);
        let roles = Request::SetRoles { name: one.clone(), roles: vec!["operator".into()] };
        let (disabled, changed) = tokio::join!(disable, handle.center(roles, &second));
        ensure!(disabled.is_ok() != changed.is_ok(), "round {round}: {disabled:?} {changed:?}");
        ensure!(admins(&house).await?.split(',').count() == 1, "round {round}: {}", admins(&house).await?);
    }
    Ok(())
}

#[tokio::test]
async fn ones_own_password_is_changed_by_who_knows_it_and_ones_own_tokens_are_nobody_elses() -> Result<()> {
    let (house, _) = house().await?;
    add(&house, "sato", false, "operator").await?;
    add(&house, "lims", true, "operator").await?;
    password(&house, "sato").await?;
    let (handle, sato) = (house.handle(), person("sato", "operator"));
    let session = handle.sign_in("sato", PASSWORD, "").await?;
    let new = "another long password";
    // Fewer than would lock it.
    for wrong in ["", "correct horse batter"] {
        let refused = handle.own_password(&sato, (wrong, ""), new, "").await;
        ensure!(matches!(refused, Err(Refusal::NotAllowed(_))), "`{wrong}`: {refused:?}");
        ensure!(matches!(handle.own_code_key(&sato, (wrong, "")).await, Err(Refusal::NotAllowed(_))), "`{wrong}`");
    }
    ensure!(
        handle.who(&session.0).await.is_ok() && handle.sign_in("sato", PASSWORD, "").await.is_ok(),
        "it was changed"
    );
    handle.own_password(&sato, (PASSWORD, ""), new, "").await?;
    ensure!(handle.who(&session.0).await.is_err() && handle.sign_in("sato", new, "").await.is_ok());
    // What is another's looks like what is not there, word for word.
    let (id, shown) = token(&house, "lims", &[], None).await?;
    let foreign = handle.revoke_own_token(&sato, &id).await.err().context("another's token")?.to_string();
    let missing = handle.revoke_own_token(&sato, "k0").await.err().context("nobody's token")?.to_string();
    ensure!(foreign == missing.replace("k0", &id), "{foreign} is not {missing}");
    ensure!(handle.who(&shown).await.is_ok(), "it was taken back by somebody else");
    handle.revoke_own_token(&person("lims", "operator"), &id).await?;
    ensure!(handle.who(&shown).await.is_err());
    Ok(())
}

#[tokio::test]
async fn the_log_is_told_to_auditors_and_to_nobody_else() -> Result<()> {
    let (house, _) = house().await?;
    add(&house, "sato", false, "operator").await?;
    let reader = house.handle().reader();
    for role in Role::ALL {
        let who = person("x", role.word()).principal();
        let events = audit::events(reader, &who, &AuditWish { limit: 9, ..AuditWish::default() }).await;
        let chain = audit::chain(reader, &who, None).await;
        let is_theirs = *role == Role::Auditor;
        ensure!(events.is_ok() == is_theirs && chain.is_ok() == is_theirs, "{role}: {events:?} {chain:?}");
        ensure!(audit::may_see(&who).is_ok() == is_theirs, "{role}");
    }
    Ok(())
}

/// Narrowed by word, person or both, it tells what a look through all of it finds.
#[tokio::test]
async fn what_the_log_is_narrowed_to_is_all_there_is_of_it() -> Result<()> {
    let (house, _) = house().await?;
    for round in 0..12 {
        add(&house, &format!("p{round}"), true, "operator").await?;
        let by = person(["mori", "sato"][round % 2], "admin");
        let request = Request::DisablePerson { name: format!("p{round}") };
        house.handle().center(request, &by).await?;
    }
    let (reader, who) = (house.handle().reader(), person("endo", "auditor").principal());
    for (kind, actor) in [
        (None, None),
        (Some("person_disabled"), None),
        (None, Some("sato")),
        (Some("person_disabled"), Some("sato")),
        (Some("person_added"), Some("sato")),
        (Some("nonsense"), None),
    ] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let wish = AuditWish {
                kind: kind.map(str::to_owned),
                actor: actor.map(str::to_owned),
                before,
                about: None,
                limit: 5,
            };
            let part = audit::events(reader, &who, &wish).await?;
            found.extend(part.items.iter().map(|event| event.seq.to_string()));
            before = part.next;
            if before.is_none() {
                break;
            }
        }
        let is =
            |column: &str, word: Option<&str>| word.map_or("true".to_owned(), |word| format!("{column} = '{word}'"));
        let wanted = house.sql(&format!(
            "select seq from event where {} and {} order by seq desc",
            is("kind", kind),
            is("actor", actor)
        ))?;
        ensure!(found == wanted.lines().collect::<Vec<_>>(), "{kind:?} {actor:?}: {found:?} {wanted}");
    }
    Ok(())
}

/// An export, as the verb makes one.
async fn export(house: &House) -> Result<Vec<u8>> {
    let (handle, auditor) = (house.handle(), person("endo", "auditor"));
    handle.center(Request::AuditRead { what: "export".into() }, &auditor).await?;
    let key = Public::parse(&std::fs::read_to_string(public_key(&house.site()))?).context("a key")?;
    let mut export = Export::begin(Vec::new(), "test", &key, NOON)?;
    let head = handle.reader().head().await?.0;
    for row in handle.reader().log_after(0, head).await? {
        let (seq, n, at_us) = (row.seq, row.n, row.at_us);
        let (stream, kind, subject, actor) = (row.stream, row.kind, row.subject, row.actor);
        let (role, body, hash) = (row.role, row.body, row.hash);
        export.event(&EventLine { seq, stream, n, at_us, kind, subject, actor, role, body, hash })?;
    }
    let answer = handle.center(Request::AuditSign { stand: export.stand(NOON) }, &auditor).await?;
    Ok(export.finish(&answer.signed.context("signed")?)?)
}

#[tokio::test]
async fn the_log_is_signed_now_and_then_and_at_the_end_and_its_export_proves_itself() -> Result<()> {
    let (mut house, _) = house().await?;
    add(&house, "lims", true, "operator").await?;
    let signed = house.handle().checkpoint(&person("endo", "auditor")).await?;
    ensure!(signed.stand.events > 0);
    for round in 0..1_100 {
        ask(&house, Request::SetRoles { name: "lims".into(), roles: vec!["operator".into()] })
            .await
            .with_context(|| format!("round {round}"))?;
    }
    house.stop().await?;
    house.start().await?;
    let bytes = export(&house).await?;
    let key = Public::parse(&std::fs::read_to_string(public_key(&house.site()))?);
    let found = verify(&*bytes, key.as_ref())?;
    ensure!(found.events > 1_100 && found.checkpoints == 4, "{found:?}");
    ensure!(house.sql("select count(*) from event where kind = 'audit_exported'")? == "2");
    // A row that somebody changed in the database does not get past the verifier.
    house.stop().await?;
    house.sql("update event set actor = 'nobody' where seq = 3")?;
    house.start().await?;
    let error = verify(&*export(&house).await?, key.as_ref()).expect_err("changed");
    // Header, two events, the checkpoint that the second one keeps: the third is on line 5.
    ensure!(error.line == 5, "{error}");
    Ok(())
}

#[tokio::test]
async fn without_its_key_the_engine_does_nothing() -> Result<()> {
    let (mut house, _) = house().await?;
    house.stop().await?;
    std::fs::remove_file(house.site().join("secrets/audit.key"))?;
    let Err(error) = house.start().await else { bail!("it started") };
    ensure!(format!("{error:#}").contains("audit.key"), "{error:#}");
    Ok(())
}
