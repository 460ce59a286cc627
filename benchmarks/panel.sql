-- The 5-crowd × 18-metric panel by hand, as one statement on raw events: what benchmarks/panel.py is measured against.
-- $from, $until, $cohort, $old_from are moments.
WITH acts AS (
    SELECT user_id,
           bool_or(kind = 'visit' AND ts >= $from) AS visited,
           min(ts) FILTER (WHERE kind = 'cart' AND ts >= $from) AS first_cart
    FROM events WHERE ts <= $until GROUP BY user_id
),
lines AS (
    SELECT o.user_id,
           bool_or(o.paid_at >= $old_from AND o.paid_at < $cohort AND o.paid_at <= $until) AS old,
           bool_or(o.kind = 'presale' AND o.deposit_paid_at BETWEEN $from AND $until) AS deposited,
           count(*) FILTER (WHERE o.kind = 'presale' AND o.paid_at BETWEEN $from AND $until) AS balances,
           sum(o.amount) FILTER (WHERE o.kind = 'presale' AND o.paid_at BETWEEN $from AND $until) AS balance_amount,
           count(*) FILTER (WHERE o.paid_at BETWEEN $from AND $until AND o.paid_at >= a.first_cart) AS cart_lines,
           sum(o.amount) FILTER (WHERE o.paid_at BETWEEN $from AND $until AND o.paid_at >= a.first_cart) AS cart_amount,
           count(*) FILTER (WHERE o.paid_at BETWEEN $from AND $until) AS paid_lines,
           sum(o.amount) FILTER (WHERE o.paid_at BETWEEN $from AND $until) AS amount
    FROM orders o LEFT JOIN acts a USING (user_id)
    WHERE o.created_at <= $until OR o.paid_at <= $until
    GROUP BY o.user_id
),
people AS (
    SELECT coalesce(l.old, false) AS old,
           (coalesce(a.visited, false) OR coalesce(l.paid_lines, 0) > 0) AND NOT coalesce(l.old, false) AS new,
           coalesce(c.member_joined_at <= $until, false) AS member,
           coalesce(c.fan_since <= $until, false) AS fan,
           coalesce(a.visited, false) AS visited, a.first_cart IS NOT NULL AS carted,
           coalesce(l.deposited, false) AS deposited, coalesce(l.balances, 0) > 0 AS balanced,
           coalesce(l.cart_lines, 0) > 0 AS cart_bought, coalesce(l.paid_lines, 0) > 0 AS bought,
           l.balance_amount, l.cart_amount, l.amount
    FROM customers c FULL JOIN acts a USING (user_id) FULL JOIN lines l USING (user_id)
),
crowds AS (
    SELECT 'all' AS crowd, * FROM people
    UNION ALL SELECT 'old', * FROM people WHERE old
    UNION ALL SELECT 'new', * FROM people WHERE new
    UNION ALL SELECT 'member', * FROM people WHERE member
    UNION ALL SELECT 'fan', * FROM people WHERE fan
),
counted AS (
    SELECT crowd, count(*) AS crowd_size, count_if(visited) AS visitors, count_if(carted) AS carters,
           count_if(deposited) AS deposit_buyers, count_if(balanced) AS balance_buyers,
           coalesce(sum(balance_amount), 0) AS presale_paid_amount, count_if(cart_bought) AS cart_buyers,
           coalesce(sum(cart_amount), 0) AS cart_paid_amount, count_if(bought) AS buyers,
           coalesce(sum(amount), 0) AS paid_amount
    FROM crowds GROUP BY crowd
)
SELECT *, visitors / crowd_size AS visit_rate, carters / nullif(visitors, 0) AS visit_cart_rate,
       deposit_buyers / nullif(visitors, 0) AS visit_deposit_rate, cart_buyers / nullif(carters, 0) AS cart_pay_rate,
       balance_buyers / nullif(deposit_buyers, 0) AS deposit_balance_rate, buyers / nullif(visitors, 0) AS visit_pay_rate,
       buyers / crowd_size AS conversion_rate,
       paid_amount / (SELECT paid_amount FROM counted WHERE crowd = 'all') AS amount_share
FROM counted
