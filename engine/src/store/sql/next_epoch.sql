-- The next engine epoch. No parameters.
insert into engine (id, epoch) values (1, 1)
    on conflict (id) do update set epoch = engine.epoch + 1
returning epoch
