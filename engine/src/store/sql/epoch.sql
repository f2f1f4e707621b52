-- The epoch of the engine that has the site. No parameters.
select epoch from engine where id = 1
