"""Token buckets in the database, so that any number of processes share one limit."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from canvas.store.tables import rates


@dataclass(frozen=True, slots=True)
class Rule:
    """So many a minute, and as many at once after a quiet minute. Zero means no limit."""

    per_minute: int

    @property
    def token_ms(self) -> float:
        """How long one token takes to grow back."""
        return 60_000 / self.per_minute


def take(conn: Connection, bucket: str, tokens: int, rule: Rule, now_ms: int) -> int:
    """Take that many tokens at once; 0, or the milliseconds to wait until they are there.

    A bucket is one number, the time at which it is full again, moved on by one conditional update: two
    processes cannot both take the last token.
    """
    cost = round(tokens * rule.token_ms)
    start = case((rates.c.full_at > now_ms, rates.c.full_at), else_=literal(now_ms))
    enough = start + cost <= now_ms + 60_000
    mine = rates.c.bucket == bucket
    if conn.execute(update(rates).where(mine, enough).values(full_at=start + cost)).rowcount == 1:
        return 0
    full_at = conn.execute(select(rates.c.full_at).where(mine)).scalar()
    if full_at is None:
        try:
            with conn.begin_nested():
                conn.execute(insert(rates).values(bucket=bucket, full_at=now_ms + cost))
        except IntegrityError:
            return take(conn, bucket, tokens, rule, now_ms)  # another process made it meanwhile
        return 0
    wait = int(full_at) + cost - now_ms - 60_000
    # Made by another process between the two questions: there are tokens, so ask again for them.
    return wait if wait > 0 else take(conn, bucket, tokens, rule, now_ms)


def forget_full(conn: Connection, now_ms: int) -> int:
    """Remove the buckets that are full: they say nothing any more. How many."""
    return conn.execute(delete(rates).where(rates.c.full_at < now_ms)).rowcount
