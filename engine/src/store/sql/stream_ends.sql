-- Numbers in the whole log of a stream's first event and its last. $1: stream. $2: the last one's number in the stream.
select min(seq) as first, max(seq) as last from event where stream = $1 and n in (1, $2)
