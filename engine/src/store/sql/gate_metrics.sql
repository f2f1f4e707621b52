-- Metrics that gates track, by name. No parameters. Each step finds the next name by the index, and walks over none of the values.
with recursive found (metric) as (
       select (select min(metric) from measurement where item = '' and tracked = 1)
        union all
       select (select min(m.metric) from measurement as m where m.item = '' and m.tracked = 1 and m.metric > f.metric)
         from found as f
        where f.metric is not null)
select metric from found where metric is not null
