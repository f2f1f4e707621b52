-- When the next consent in force ends, after $1; no row: none ends by itself.
select expires_us from participant
 where expires_us < 9223372036854775807 and expires_us > $1
 order by expires_us
 limit 1
