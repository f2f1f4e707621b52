-- Reports stay quick however much there is: each kind of omission has an index that holds nothing but what may be one.
--
-- `(…) is true` says the same as `…`; queries say it too. Without it the planner, which does not know how few there are, would take
-- an index on the kind or the stage and read everything of it.

-- For a specimen: something was ordered for it, once. The writer sets it in the transaction that writes the first order line, and
-- nothing takes it back. Of other kinds of records it says nothing.
alter table record add column ordered integer not null default 0;
update record
   set ordered = 1
 where kind = 'specimen'
   and record_id in (select specimen_id from order_line);
create index record_unordered on record (record_id) where (kind = 'specimen' and ordered = 0) is true;

-- Notices that nobody has answered yet, by when somebody must.
create index record_notice_due on record (cast(document ->> 'due_us' as bigint), record_id)
 where (kind = 'notice' and status = 'pending') is true;

-- Order lines that wait for data, by when they must have it.
create index order_line_data_due on order_line (expect_us, order_line_id)
 where (stage in ('in_lab', 'sequencing', 'awaiting_top_up')) is true;

-- Participants whose consent lets nothing be done, and their order lines by id. That the first is unique tells the planner that the
-- two together are in order already: measured, sorting each participant's few lines costs a hundred times as much as finding them.
create unique index participant_without_consent on participant (participant_id) where consent not in ('given', 'partial');
drop index order_line_participant;
create index order_line_participant on order_line (participant_id, order_line_id);
