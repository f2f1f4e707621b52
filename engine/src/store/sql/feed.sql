-- $1: target. $2: after this number. $3: limit. Each delivery once, at its newest change.
select seq, target, delivery_id, change, at_us
  from feed as f
 where target = $1
   and seq > $2
   and not exists (select 1 from feed as later where later.delivery_id = f.delivery_id and later.seq > f.seq)
 order by seq
 limit $3
