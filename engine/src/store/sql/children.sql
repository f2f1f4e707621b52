-- $1: the parent's document.
select * from run where parent = $1
