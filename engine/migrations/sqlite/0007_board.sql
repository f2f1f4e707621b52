-- What the first page counts, by index alone: order lines per stage and how long the middle one has been there, what lapsed per stage, what
-- is due, and deliveries per receiver. Each is built in one pass over a table that holds some hundred thousand rows at most.

-- When the stage was reached that it stands in; one that was never moved stands there since it was ordered.
create index order_line_since on order_line (stage, coalesce(cast(document -> 'since' ->> stage as bigint), created_us));

create index order_line_lapses on order_line (stage, expect_us);

-- The whole order's time, as long as it counts: not while the sender must act first, and not after the receiver has it.
create index order_line_due on order_line (due_us, order_line_id, expect_us, stage)
 where (stage not in ('awaiting_material', 'acknowledged', 'archived', 'closed_failed', 'withdrawn', 'canceled')) is true;

create index record_delivery_board on record (owner, status, updated_us, kind) where (kind = 'delivery') is true;
