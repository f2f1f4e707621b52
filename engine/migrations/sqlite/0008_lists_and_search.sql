-- Lists that are narrowed, and the search: whatever a page asks for is found by an index, however much there is.
--
-- `(…) is true`: see migration 4.

-- What a list is narrowed by as well stands in the index, so that rows which are not wanted are never read.
drop index order_line_stage;
create index order_line_stage on order_line (stage, order_line_id, institution, assay);
drop index order_line_institution;
create index order_line_institution on order_line (institution, order_line_id, assay);
create index order_line_assay on order_line (assay, order_line_id);
create index order_line_stage_specimen on order_line (stage, specimen_id, institution, program);

-- Somebody paused it.
create index order_line_held on order_line (order_line_id) where (hold <> 'null') is true;

create index record_specimen_owner on record (owner, record_id) where (kind = 'specimen') is true;
create index record_program on record (document ->> 'program', record_id) where (kind = 'specimen') is true;
create index record_flow_cell on record (document ->> 'flow_cell', record_id) where (kind = 'instrument_run') is true;

-- Files by the names that tools gave them.
create index made_name on made (name);
