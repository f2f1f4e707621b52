-- How many things of a withdrawal stand where: listed, proposed, confirmed, done. $1: case.
select coalesce(sum(case when status = 'listed' then 1 else 0 end), 0) as listed,
       coalesce(sum(case when status = 'proposed' then 1 else 0 end), 0) as proposed,
       coalesce(sum(case when status = 'confirmed' then 1 else 0 end), 0) as confirmed,
       coalesce(sum(case when status = 'done' then 1 else 0 end), 0) as done
  from record
 where kind = 'case_item' and parent = $1
