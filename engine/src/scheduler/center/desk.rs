//! The desk: records that a turn reads and changes, over what is stored. What a refused request touched is swept off.
//!
//! Three layers: what the request did, what earlier requests of this turn did, what is stored. It knows rows and documents and
//! decides nothing.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clock::Micros;
use crate::scheduler::handle::{Refusal, Told};
use crate::scheduler::live::text;
use crate::specimen::record::Kind;
use crate::state::Happens;
use crate::state::order::Stage;
use crate::store::read::Reader;
use crate::store::rows::center::{Name, OrderLine, Participant, Record};
use crate::store::rows::{self};
use crate::store::writer::{Change, Table};

/// By whom something is done.
#[derive(Clone, Debug)]
pub(in crate::scheduler) struct By {
    pub(in crate::scheduler) name: String,
    /// The role that allowed it; empty for the engine.
    pub(in crate::scheduler) role: String,
}

impl By {
    /// The engine itself.
    pub(in crate::scheduler) fn engine() -> Self {
        Self { name: crate::scheduler::advance::ENGINE.into(), role: String::new() }
    }
}

/// A record with its document.
#[derive(Clone, Debug)]
pub(in crate::scheduler) struct Held<T> {
    pub(in crate::scheduler) row: Record,
    pub(in crate::scheduler) doc: T,
}

impl<T> Held<T> {
    /// Moves the record to the status that its machine gives.
    ///
    /// # Errors
    /// Its machine does not allow it here.
    pub(in crate::scheduler) fn go(&mut self, event: impl Happens) -> Result<(), Refusal> {
        let Record { kind, record_id, status, .. } = &mut self.row;
        let unknown = || crate::store::Error::Unknown { what: "a status", found: status.clone() };
        let next = event.after(status).ok_or_else(unknown)?;
        let next = next.map_err(|illegal| Refusal::State(format!("{kind} {record_id}: {illegal}")))?;
        next.clone_into(status);
        Ok(())
    }
}

/// A participant with what is in force.
#[derive(Clone, Debug)]
pub(in crate::scheduler) struct HeldParticipant {
    pub(in crate::scheduler) row: Participant,
    pub(in crate::scheduler) doc: crate::specimen::record::Participant,
}

/// An order line.
#[derive(Clone, Debug)]
pub(in crate::scheduler) struct HeldOrder {
    pub(in crate::scheduler) row: OrderLine,
    pub(in crate::scheduler) doc: crate::specimen::record::OrderLine,
}

#[derive(Default)]
struct Layer {
    records: HashMap<(&'static str, String), Record>,
    participants: HashMap<String, Participant>,
    orders: HashMap<String, OrderLine>,
    names: HashMap<(&'static str, String), String>,
    events: Vec<rows::Event>,
    feed: Vec<rows::Feed>,
    told: Vec<Told>,
    /// Order lines that came to `ready`.
    ready: Vec<String>,
}

impl Layer {
    fn absorb(&mut self, other: Self) {
        self.records.extend(other.records);
        self.participants.extend(other.participants);
        self.orders.extend(other.orders);
        self.names.extend(other.names);
        self.events.extend(other.events);
        self.feed.extend(other.feed);
        self.told.extend(other.told);
        self.ready.extend(other.ready);
    }
}

/// See the module.
pub(in crate::scheduler) struct Desk {
    reader: Reader,
    turn: Layer,
    request: Layer,
    pub(in crate::scheduler) now: Micros,
}

impl Desk {
    pub(in crate::scheduler) fn new(reader: Reader) -> Self {
        Self { reader, turn: Layer::default(), request: Layer::default(), now: 0 }
    }

    /// The request is granted: it belongs to the turn.
    pub(in crate::scheduler) fn keep(&mut self) {
        self.turn.absorb(std::mem::take(&mut self.request));
    }

    /// The request is refused: nothing of it happened.
    pub(in crate::scheduler) fn sweep(&mut self) {
        self.request = Layer::default();
    }

    /// Moves the turn's rows into the change, each one version on.
    ///
    /// Gives what watchers are told, and the order lines that came to `ready`.
    pub(in crate::scheduler) fn close(&mut self, change: &mut Change) -> (Vec<Told>, Vec<String>) {
        let turn = std::mem::take(&mut self.turn);
        for mut row in turn.participants.into_values() {
            row.version += 1;
            change.participant(&row);
        }
        for mut row in turn.records.into_values() {
            row.version += 1;
            change.put(Table::Record, &row);
        }
        for mut row in turn.orders.into_values() {
            row.version += 1;
            change.put(Table::OrderLine, &row);
        }
        for ((kind, name), record_id) in turn.names {
            change.put(Table::Name, &Name { kind: kind.into(), name, record_id });
        }
        turn.events.into_iter().for_each(|event| change.event(event));
        turn.feed.iter().for_each(|row| change.put(Table::Feed, row));
        (turn.told, turn.ready)
    }

    /// A record, or none.
    pub(in crate::scheduler) async fn find<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Held<T>>, Refusal> {
        let key = (kind.word(), id.to_owned());
        let row = match self.request.records.get(&key).or_else(|| self.turn.records.get(&key)) {
            Some(row) => Some(row.clone()),
            None => self.reader.record(kind.word(), id).await?,
        };
        row.map(held).transpose()
    }

    /// A record that must be there.
    pub(in crate::scheduler) async fn get<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: &str,
    ) -> Result<Held<T>, Refusal> {
        self.find(kind, id).await?.ok_or_else(|| unknown(kind.word(), id))
    }

    /// A new record. The caller has looked that the id is free.
    pub(in crate::scheduler) fn new_record<T>(&self, kind: Kind, id: &str, status: &str, doc: T) -> Held<T> {
        Held {
            row: Record {
                kind: kind.word().into(),
                record_id: id.into(),
                parent: String::new(),
                specimen_id: String::new(),
                owner: String::new(),
                status: status.into(),
                document: String::new(),
                events: 0,
                created_us: self.now,
                updated_us: self.now,
                version: 0,
            },
            doc,
        }
    }

    /// Writes a record down with what happened to it.
    pub(in crate::scheduler) fn record<T: Serialize>(
        &mut self,
        held: &mut Held<T>,
        event: &str,
        by: &By,
        body: &Value,
    ) {
        let kind = Kind::parse(&held.row.kind).map_or("record", Kind::word);
        let row = &mut held.row;
        row.events += 1;
        row.updated_us = self.now;
        row.document = text(&held.doc);
        let stream = stream(kind, &row.record_id);
        self.event(&stream, row.events, event, &row.specimen_id, by, body);
        self.told(&row.specimen_id, event, &row.record_id);
        let key = (kind, row.record_id.clone());
        self.request.records.insert(key, row.clone());
    }

    pub(in crate::scheduler) async fn find_participant(&self, id: &str) -> Result<Option<HeldParticipant>, Refusal> {
        let row = match self.request.participants.get(id).or_else(|| self.turn.participants.get(id)) {
            Some(row) => Some(row.clone()),
            None => self.reader.participant(id).await?,
        };
        row.map(|row| Ok(HeldParticipant { doc: document("a participant", &row.document)?, row })).transpose()
    }

    pub(in crate::scheduler) async fn participant(&self, id: &str) -> Result<HeldParticipant, Refusal> {
        self.find_participant(id).await?.ok_or_else(|| unknown("participant", id))
    }

    pub(in crate::scheduler) fn record_participant(
        &mut self,
        held: &mut HeldParticipant,
        event: &str,
        by: &By,
        body: &Value,
    ) {
        let row = &mut held.row;
        row.events += 1;
        row.updated_us = self.now;
        row.document = text(&held.doc);
        self.event(&stream("participant", &row.participant_id), row.events, event, "", by, body);
        self.request.participants.insert(row.participant_id.clone(), row.clone());
    }

    pub(in crate::scheduler) async fn find_order(&self, id: &str) -> Result<Option<HeldOrder>, Refusal> {
        let row = match self.request.orders.get(id).or_else(|| self.turn.orders.get(id)) {
            Some(row) => Some(row.clone()),
            None => self.reader.order_line(id).await?,
        };
        row.map(held_order).transpose()
    }

    pub(in crate::scheduler) async fn order(&self, id: &str) -> Result<HeldOrder, Refusal> {
        self.find_order(id).await?.ok_or_else(|| unknown("order line", id))
    }

    pub(in crate::scheduler) fn record_order(&mut self, held: &mut HeldOrder, event: &str, by: &By, body: &Value) {
        let row = &mut held.row;
        row.events += 1;
        row.updated_us = self.now;
        row.document = text(&held.doc);
        self.event(&stream("order_line", &row.order_line_id), row.events, event, &row.specimen_id, by, body);
        self.told(&row.specimen_id, event, &row.order_line_id);
        if row.stage == Stage::Ready.word() && event != "analysis_not_started" {
            self.request.ready.push(row.order_line_id.clone());
        }
        self.request.orders.insert(row.order_line_id.clone(), row.clone());
    }

    /// Records that belong to another, those of this turn included, by id.
    pub(in crate::scheduler) async fn records_of<T: DeserializeOwned>(
        &self,
        kind: Kind,
        parent: &str,
    ) -> Result<Vec<Held<T>>, Refusal> {
        let mut rows: BTreeMap<String, Record> = BTreeMap::new();
        for row in self.reader.records_of(kind.word(), parent).await? {
            rows.insert(row.record_id.clone(), row);
        }
        for layer in [&self.turn, &self.request] {
            for row in layer.records.values().filter(|row| row.kind == kind.word()) {
                if row.parent == parent {
                    rows.insert(row.record_id.clone(), row.clone());
                } else {
                    rows.remove(&row.record_id);
                }
            }
        }
        rows.into_values().map(held).collect()
    }

    /// The order lines of a specimen, those of this turn included, by id.
    pub(in crate::scheduler) async fn orders_of(&self, specimen: &str) -> Result<Vec<HeldOrder>, Refusal> {
        let stored = self.reader.orders_of_specimen(specimen).await?;
        self.orders_over(stored, |row| row.specimen_id == specimen)
    }

    /// The order lines of a participant, those of this turn included, by id.
    pub(in crate::scheduler) async fn orders_of_participant(
        &self,
        participant: &str,
    ) -> Result<Vec<HeldOrder>, Refusal> {
        let stored = self.reader.orders_of_participant(participant).await?;
        self.orders_over(stored, |row| row.participant_id == participant)
    }

    fn orders_over(
        &self,
        stored: Vec<OrderLine>,
        ours: impl Fn(&OrderLine) -> bool,
    ) -> Result<Vec<HeldOrder>, Refusal> {
        let mut rows: BTreeMap<String, OrderLine> =
            stored.into_iter().map(|row| (row.order_line_id.clone(), row)).collect();
        for layer in [&self.turn, &self.request] {
            for row in layer.orders.values() {
                if ours(row) || rows.contains_key(&row.order_line_id) {
                    rows.insert(row.order_line_id.clone(), row.clone());
                }
            }
        }
        rows.into_values().filter(|row| ours(row)).map(held_order).collect()
    }

    /// The record that a name leads to.
    pub(in crate::scheduler) async fn named(&self, kind: &'static str, name: &str) -> Result<Option<String>, Refusal> {
        let key = (kind, name.to_owned());
        match self.request.names.get(&key).or_else(|| self.turn.names.get(&key)) {
            Some(id) => Ok(Some(id.clone())),
            None => Ok(self.reader.named(kind, name).await?),
        }
    }

    /// Gives a record a name. The caller has looked that it is free.
    pub(in crate::scheduler) fn name(&mut self, kind: &'static str, name: &str, id: &str) {
        self.request.names.insert((kind, name.to_owned()), id.to_owned());
    }

    /// A fact about nothing that has a row of its own: `n` is the caller's.
    pub(in crate::scheduler) fn event(
        &mut self,
        stream: &str,
        n: i64,
        kind: &str,
        subject: &str,
        by: &By,
        body: &Value,
    ) {
        self.request.events.push(rows::Event {
            seq: 0,
            stream: stream.to_owned(),
            n,
            at_us: self.now,
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            actor: by.name.clone(),
            role: by.role.clone(),
            body: if body.is_null() { "{}".to_owned() } else { text(body) },
            hash: String::new(),
        });
    }

    /// A receiver is told.
    pub(in crate::scheduler) fn tell(&mut self, row: rows::Feed) {
        self.request.feed.push(row);
    }

    fn told(&mut self, specimen: &str, kind: &str, subject: &str) {
        self.request.told.push(Told {
            run: crate::id::RunId::from(""),
            specimen: specimen.to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
        });
    }
}

/// The log's name for what happens to a record: `order_line:O0001`.
pub(in crate::scheduler) fn stream(kind: &str, id: &str) -> String {
    format!("{kind}:{id}")
}

/// What is not there, and what is somebody else's: word for word the same.
pub(in crate::scheduler) fn unknown(what: &str, id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no {what} `{id}`"))
}

fn held_order(row: OrderLine) -> Result<HeldOrder, Refusal> {
    Ok(HeldOrder { doc: document("an order line", &row.document)?, row })
}

pub(in crate::scheduler) fn held<T: DeserializeOwned>(row: Record) -> Result<Held<T>, Refusal> {
    Ok(Held { doc: document("a record", &row.document)?, row })
}

pub(in crate::scheduler) fn document<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text)
        .map_err(|error| Refusal::Store(crate::store::Error::Unknown { what, found: error.to_string() }))
}
