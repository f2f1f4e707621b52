//! Databases of earlier versions: brought up to date with everything in them, sealed, and told apart from new ones when only read.
//! SQLite's own program makes them, with the migrations of their time.

use anyhow::{Result, ensure};
use kentai_engine::store::Error;
use kentai_engine::store::pool::Pool;
use kentai_tests::house::{Act, House, specimen, workflow};
use kentai_tests::{root, tool};

const STEPS: &str = "  a:
    outputs: { o: { path: o.txt, keep: true } }
    script: x
  b:
    inputs: { o: \"${{ steps.a.o }}\" }
    outputs: { o: { path: o.txt } }
    script: x
  ask:
    after: [b]
    approve: { ask: { en: \"Go on?\" }, roles: [operator] }
";

/// A database as the first version had it: its schema, and this house's rows as far as it knew them.
fn as_the_first_version(house: &House) -> Result<()> {
    let place = house.site();
    let old = place.join("old.db").to_string_lossy().into_owned();
    let schema = root().join("engine/migrations/sqlite/0001_line.sql").to_string_lossy().into_owned();
    tool("sqlite3", &[&old, &format!(".read {schema}")], &place)?;
    let ask = |sql: &str| tool("sqlite3", &[&old, sql], &place);
    let new = place.join("kentai.db").to_string_lossy().into_owned();
    let mut sql = format!(
        "attach '{new}' as new; create table _sqlx_migrations as select * from new._sqlx_migrations where version = 1;"
    );
    for table in ask("select name from sqlite_master where type = 'table' and name not like 'sqlite%'")?.lines() {
        if table == "event" {
            sql += "insert into event (run_id, n, at_us, kind, subject, actor, body) \
                    select stream, n, at_us, kind, subject, actor, body from new.event \
                    where stream in (select run_id from new.run) order by seq;";
            continue;
        }
        let columns = ask(&format!("select group_concat(name) from pragma_table_info('{table}')"))?;
        let columns = columns.trim();
        sql += &format!("insert into {table} ({columns}) select {columns} from new.{table};");
    }
    ask(&sql)?;
    for more in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(place.join(format!("kentai.db{more}")));
    }
    std::fs::rename(&old, &new)?;
    Ok(())
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date_and_its_run_goes_on() -> Result<()> {
    let mut house = House::open().await?;
    house.hands.plan("a", [Act::Make(vec![("o.txt", "1".into())])]);
    house.hands.plan("b", [Act::Make(vec![("o.txt", "2".into())])]);
    let run = house.submit(&workflow(STEPS), &specimen("S1")).await?;
    house.step_is(&run, "ask", "awaiting_person").await?;
    house.stop().await?;
    let events = house.sql(&format!("select count(*) from event where stream = '{run}'"))?;
    as_the_first_version(&house)?;
    ensure!(
        house.sql("select count(*) from pragma_table_info('event') where name = 'hash'")? == "0",
        "it is no old one"
    );
    let read = Pool::open_read_only(&house.site().join("kentai.db")).await;
    ensure!(matches!(read, Err(Error::Older { .. })), "{read:?}");
    house.start().await?;
    let kept = house.sql(&format!("select count(*) from event where stream = '{run}' and hash <> ''"))?;
    ensure!(kept == events, "{kept} of {events} events are sealed");
    ensure!(house.sql("select count(*) from event where hash = ''")? == "0");
    house
        .answer(&run, "ask", ("op", "operator"), kentai_engine::scheduler::handle::AnswerKind::Approve, "approve")
        .await?;
    ensure!(house.end(&run).await? == "succeeded");
    // Nothing was done twice: what was made before is still there.
    ensure!(house.sql("select count(*) from attempt")? == "2");
    house.check().await
}

#[tokio::test]
async fn consent_that_was_to_end_still_ends_after_an_upgrade() -> Result<()> {
    let mut house = House::open().await?;
    house.stop().await?;
    // As the second version left it: the end stands in the record of the consent, and nowhere else.
    house.sql(
        "drop index participant_expiry; alter table participant drop column expires_us; \
         delete from _sqlx_migrations where version = 3; \
         insert into participant (participant_id, program, pseudonym, institution, consent, scopes, consent_epoch, family, document, \
           events, created_us, updated_us, version) \
         values ('p1', 'rare', 'P1', 'H1', 'given', '[\"sequencing\"]', 2, '', '{}', 1, 1, 1, 1); \
         insert into record (kind, record_id, parent, specimen_id, owner, status, document, events, created_us, updated_us, version) \
         values ('consent', 'c1', 'p1', '', 'H1', 'given', '{\"document\":\"f\",\"document_version\":\"1\",\"scopes\":[\"sequencing\"],\
           \"effective_us\":1,\"expires_us\":5,\"recorded_by\":\"x\"}', 1, 1, 1, 1);",
    )?;
    house.start().await?;
    house.until("the end", async |house| Ok(house.sql("select consent from participant")? == "expired")).await
}
