//! Each act as requests to the engine, by whoever would make them. All of them must be granted.

use anyhow::{Context as _, Result, ensure};
use kentai_engine::id::RunId;
use kentai_engine::intake::folder::Rules;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::folders::Look;
use kentai_engine::scheduler::center::request::{Answer, Request};
use kentai_engine::scheduler::handle::{Answer as Said, AnswerKind};
use kentai_engine::specimen::import::{Row, Table};
use kentai_executors::pretend::write_outputs;

use super::agenda::{Act, Ended};
use super::fate::Fate;
use super::folder::{self, Folder, State};
use super::founding::{define, import, person, row, second_versions};
use super::plan::INSTRUMENTS;
use super::replay::{Learned, Replay};
use super::values;

/// The site's place where sequencers write.
pub(super) const PLACE: &str = "sequencers";
/// Flows so young have their samples on two lanes.
const TWO_LANES: i64 = 15 * super::plan::DAY;
const RELEASERS: [&str; 4] = ["rel-01", "rel-02", "rel-03", "rel-04"];

impl Replay {
    /// Does it; what was learned is for whoever tells the story.
    pub(super) async fn perform(&self, act: Act) -> Result<Learned> {
        let what = format!("{act:?}").chars().take(60).collect::<String>();
        self.carry_out(act).await.with_context(|| format!("{what}, at {}", self.clock.now()))
    }

    async fn carry_out(&self, act: Act) -> Result<Learned> {
        match act {
            Act::SecondVersion => {
                for (name, assay) in second_versions() {
                    define(&self.handle, name, "2", assay).await?;
                }
            }
            Act::Announce(place) => return self.announce(place).await,
            Act::Consent(place) => self.consent(place).await?,
            Act::CloseShipment(place) => {
                self.ask("ops-02", Request::CloseShipment { shipment: shipment(place) }).await?;
            }
            Act::Arrive(number) => self.arrive(number).await?,
            Act::Accession(number) => {
                self.ask("ops-02", Request::Accession { specimen: self.known[number].specimen.clone() }).await?;
            }
            Act::Prepare(number) => self.prepare(number).await?,
            Act::Load(number) => self.report("ops-01", number, "sequencing_started", "").await?,
            Act::Folder(place) => self.folder(place).await?,
            Act::Whole(place) => self.look(&self.folder_name(place)).await?,
            Act::Odd(one) => self.odd(one).await?,
            Act::OddAgain(one) => self.look(&self.odd_name(one)).await?,
            Act::End(ended) => {
                let Ended { task, report, values, said } = *ended;
                write_outputs(&task, &values, &said)?;
                self.hands.end(&task.attempt, report);
            }
            other => return self.decide(other).await,
        }
        Ok(Learned::Nothing)
    }

    /// What people decide about an order line.
    async fn decide(&self, act: Act) -> Result<Learned> {
        match act {
            Act::Measure(number) => {
                let values = values::measured(self.seed, number, &self.plan.lines[number]);
                let order_line = self.known[number].order.clone();
                self.ask("ops-01", Request::Measured { order_line, values }).await?;
            }
            Act::Approve(number, which) => {
                let who = RELEASERS[(number + which) % RELEASERS.len()];
                self.say(number, who, AnswerKind::Approve, "approve", "looked at all of it").await?;
            }
            Act::PassGate(number) => {
                let why = "the relative in the same run explains it; confirmed by the panel";
                self.say(number, "rev-02", AnswerKind::Qc, "release", why).await?;
            }
            Act::Decide(number, way) => {
                let who = ["rev-01", "rev-02"][number % 2];
                let reason = "the library has volume left".into();
                let (order_line, code) = (self.known[number].order.clone(), "READS".into());
                self.ask(who, Request::Decide { order_line, way: way.into(), code, reason }).await?;
            }
            Act::Retry(number) => {
                let run = RunId::from(self.known[number].run.as_str());
                self.handle.retry(&run, None, &person("ops-07")).await?;
                return Ok(Learned::Again(number));
            }
            Act::ReleaseByHand(number) => {
                let (first, second) = (RELEASERS[number % 4], RELEASERS[(number + 1) % 4]);
                let reason = "seen".into();
                let (order_line, event) = (self.known[number].order.clone(), "released".into());
                let answer = self.ask(first, Request::Report { order_line, event, reason }).await?;
                let proposal = answer.proposal.context("a release is proposed")?;
                self.ask(second, Request::Confirm { proposal }).await?;
            }
            Act::Archive(number) => self.report("ops-01", number, "archived", "").await?,
            Act::Hold(number) => {
                let order_line = self.known[number].order.clone();
                let reason = "the requisition names another hospital; asked".into();
                self.ask("rev-01", Request::Hold { order_line, reason }).await?;
            }
            Act::Cancel(number) => {
                let (order_line, reason) = (self.known[number].order.clone(), "ordered twice".into());
                self.ask("ops-01", Request::Cancel { order_line, reason }).await?;
            }
            Act::WantBack(number) => {
                let (order_line, reason) = (self.known[number].order.clone(), "it was not ordered twice".into());
                self.ask("ops-02", Request::Reopen { order_line, reason }).await?;
            }
            other => return self.beside(other).await,
        }
        Ok(Learned::Nothing)
    }

    pub(super) async fn ask(&self, who: &str, request: Request) -> Result<Answer> {
        self.ask_as(&person(who), request).await
    }

    pub(super) async fn ask_as(&self, who: &Actor, request: Request) -> Result<Answer> {
        let answer = self.handle.center(request, who).await?;
        ensure!(answer.problems.is_empty(), "{:?}", answer.problems);
        Ok(answer)
    }

    pub(super) async fn report(&self, who: &str, number: usize, event: &str, reason: &str) -> Result<()> {
        let (order_line, event) = (self.known[number].order.clone(), event.to_owned());
        self.ask(who, Request::Report { order_line, event, reason: reason.to_owned() }).await.map(drop)
    }

    async fn say(&self, number: usize, who: &str, kind: AnswerKind, verdict: &str, reason: &str) -> Result<()> {
        let run = RunId::from(self.known[number].run.as_str());
        let answer = Said { kind, verdict: verdict.into(), reason: reason.into() };
        self.handle.answer(&run, "", &person(who), answer).await?;
        Ok(())
    }

    async fn announce(&self, place: usize) -> Result<Learned> {
        let name = shipment(place);
        let lines = self.plan.shipments[place].iter().map(|number| (*number, &self.plan.lines[*number]));
        let hospital = lines.clone().next().map_or("", |(_, line)| line.hospital);
        let rows: Vec<Row> = lines
            .map(|(number, line)| {
                row(&[
                    ("shipment", &name),
                    ("barcode", &line.barcode),
                    ("pseudonym", &line.pseudonym),
                    ("program", line.program),
                    ("assay", line.assay),
                    ("specimen_type", if line.night.is_some() { "dna" } else { "blood" }),
                    ("amount", "2.0 mL"),
                    ("requisition", &format!("RQ-{number:06}")),
                    ("priority", line.priority),
                    ("sex", line.sex),
                    ("family", &line.family),
                    ("family_role", line.family_role),
                ])
            })
            .collect();
        let changed = import(&self.handle, &person("ops-02"), Table::Shipment, rows, hospital).await?;
        let mut made = Vec::new();
        for order in changed.iter().filter_map(|said| said.strip_prefix("order_line ")) {
            let found = self.handle.reader().order_line(order).await?.context("an order line that was made")?;
            made.push((order.to_owned(), found.specimen_id));
        }
        ensure!(made.len() == self.plan.shipments[place].len(), "{} order lines of {name}", made.len());
        Ok(Learned::Orders(place, made))
    }

    async fn consent(&self, place: usize) -> Result<()> {
        let lines = self.plan.shipments[place].iter().map(|number| &self.plan.lines[*number]);
        let with = lines.filter(|line| line.fate != Fate::WithoutConsent);
        let mut rows: Vec<Row> = with
            .map(|line| {
                row(&[
                    ("pseudonym", &line.pseudonym),
                    ("program", line.program),
                    ("document", "form"),
                    ("version", "3"),
                    ("scopes", "sequencing clinical_return research_domestic leftover_storage"),
                    ("evidence", "consent archive"),
                ])
            })
            .collect();
        rows.dedup();
        import(&self.handle, &person("ops-02"), Table::Consents, rows, "").await.map(drop)
    }

    async fn arrive(&self, number: usize) -> Result<()> {
        let line = &self.plan.lines[number];
        let (barcode, institution) = (line.barcode.clone(), line.hospital.to_owned());
        let request = if line.fate == Fate::Rejected {
            let (condition, disposition, note) = ("leaking".into(), "return".into(), "the cap was loose".into());
            Request::Reject { barcode, institution, condition, disposition, note }
        } else {
            Request::Receive { barcode, institution, condition: String::new(), note: String::new() }
        };
        self.ask("ops-02", request).await.map(drop)
    }

    async fn prepare(&self, number: usize) -> Result<()> {
        let library = format!("L-{number:06}");
        let cells = [
            ("library", library.as_str()),
            ("barcode", &self.known[number].specimen),
            ("kit", "PCR-free"),
            ("prepared_by", "ops-01"),
        ];
        import(&self.handle, &person("ops-01"), Table::Libraries, vec![row(&cells)], "").await.map(drop)
    }

    fn folder_name(&self, place: usize) -> String {
        let flow = &self.plan.flows[place];
        folder_name(flow.at, INSTRUMENTS[flow.instrument], flow.number)
    }

    async fn folder(&self, place: usize) -> Result<()> {
        let flow = &self.plan.flows[place];
        let samples: Vec<(String, u64)> =
            flow.samples.iter().map(|(number, reads)| (self.known[*number].specimen.clone(), *reads)).collect();
        let name = self.folder_name(place);
        let one_lane = flow.samples.iter().any(|(number, _)| self.plan.lines[*number].night.is_some());
        let young = self.now - flow.at < TWO_LANES && !one_lane;
        let folder = Folder {
            name: &name,
            number: flow.number,
            instrument: INSTRUMENTS[flow.instrument],
            samples: &samples,
            lanes_each: if young { 2 } else { 1 },
            state: State::Whole,
            at: self.clock.now(),
        };
        folder.write(&self.sequencers)?;
        self.look(&name).await
    }

    fn odd_name(&self, one: usize) -> String {
        let at = self.now - i64::try_from(one).unwrap_or(0) * 9 * super::plan::DAY;
        folder_name(at, INSTRUMENTS[one], 900 + one)
    }

    /// One folder that grows, and one whose run ended badly; and data of a sample that nobody knows.
    async fn odd(&self, one: usize) -> Result<()> {
        let name = self.odd_name(one);
        let folder = Folder {
            name: &name,
            number: 900 + one,
            instrument: INSTRUMENTS[one],
            samples: &[("S-UNKNOWN".to_owned(), 2_000_000)],
            lanes_each: 1,
            state: if one == 0 { State::Growing } else { State::Broken },
            at: self.clock.now(),
        };
        folder.write(&self.sequencers)?;
        self.look(&name).await?;
        if one == 0 {
            let run = "by-hand-2";
            let cells = [("instrument_run", run), ("lane", "3"), ("sample", "KS-0000"), ("reads", "41000000")];
            import(&self.handle, &person("ops-01"), Table::Lanes, vec![row(&cells)], "").await?;
        }
        Ok(())
    }

    async fn look(&self, name: &str) -> Result<()> {
        let rules = Rules::default();
        let observation = folder::look(&self.sequencers, name, &rules, self.clock.now())?;
        let look = Look { place: PLACE.into(), path: self.sequencers.clone(), rules, observation };
        Ok(self.handle.look(look).await?)
    }
}

fn shipment(place: usize) -> String {
    format!("SH-{:04}", place + 1)
}

fn folder_name(at: i64, instrument: &str, number: usize) -> String {
    let day = jiff::Timestamp::from_microsecond(at).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
    let instrument = instrument.replace('-', "");
    format!("{}_{instrument}_{number:04}_A{}", day.strftime("%Y%m%d"), folder::flow_cell(number))
}
