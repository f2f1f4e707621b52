-- Instrument runs with this flow cell. $1: its barcode. $2: limit.
select * from record where (kind = 'instrument_run') is true and document ->> 'flow_cell' = $1 order by record_id limit $2
