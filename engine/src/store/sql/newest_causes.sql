-- newest_causes
-- Why the newest attempts failed, those of them that did. $1: how many are looked at.
select cause, count(*) as count
  from (select cause from attempt order by attempt_id desc limit $1) as newest
 where cause <> ''
 group by cause
 order by count(*) desc, cause
