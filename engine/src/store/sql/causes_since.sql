-- causes_since
-- Why attempts failed, the most frequent first. $1: only what failed then or later, microseconds.
select cause, count(*) as count
  from attempt
 where cause <> ''
   and updated_us >= $1
 group by cause
 order by count(*) desc, cause
