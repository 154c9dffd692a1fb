"""The list of all messages: every filter finds exactly what it names, and pages neither skip nor repeat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from canvas.domain.message import Content, Message, Status
from canvas.knowledge.catalogue import load
from canvas.store import history, installs, migrate
from canvas.store.database import open_engine, reading, writing
from canvas.store.history import Filter
from canvas.store.tables import metadata
from tests.history import made

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CATALOGUE = load()
COUNT = 600


@pytest.fixture
def engine(database_url: str) -> Engine:
    engine = open_engine(database_url)
    migrate.upgrade(engine)
    return engine


@pytest.fixture
def filled(engine: Engine) -> tuple[Engine, int, list[Message]]:
    """An install with 600 messages of every kind, and a neighbour with the same."""
    with writing(engine) as conn:
        ours = installs.put(conn, "intercom", "ours", START).id
        other = installs.put(conn, "intercom", "other", START).id
        all_ = list(made.many(CATALOGUE, ours, START, COUNT))
        made.store(conn, all_)
        made.store(conn, list(made.many(CATALOGUE, other, START, COUNT)))
    return engine, ours, all_


FILTERS: dict[str, tuple[Filter, Callable[[Message], bool]]] = {
    "nothing": (Filter(), lambda m: True),
    "failed": (Filter(state="failed"), lambda m: m.status is Status.FAILED),
    "waiting": (Filter(state="waiting"), lambda m: m.status is Status.SENT),
    "arrived": (Filter(state="arrived"), lambda m: m.status in (Status.DELIVERED, Status.READ)),
    "attention": (Filter(state="attention"), lambda m: m.open),
    "reason": (Filter(reason="template_paused"), lambda m: m.reason == "template_paused"),
    "category": (
        Filter(category="recipient"),
        lambda m: m.diagnosis is not None and m.diagnosis.category == "recipient",
    ),
    "channel": (Filter(channel="vbm"), lambda m: m.channel == "vbm"),
    "template": (Filter(template="90003"), lambda m: m.content.template_id == "90003"),
    "sender": (Filter(sender="key:0002"), lambda m: bool(m.sender and m.sender.id == "0002")),
    "contact": (Filter(contact="c17"), lambda m: m.contact_id == "c17"),
    "since": (Filter(since=START + timedelta(seconds=300)), lambda m: m.created_at.timestamp() % 1e9 >= 0),
    "words": (Filter(words="PARCEL arrived"), lambda m: "has arrived" in (m.preview or "")),
    "joined": (
        Filter(state="arrived", channel="whatsapp", words="delayed"),
        lambda m: (
            m.channel == "whatsapp"
            and m.status in (Status.DELIVERED, Status.READ)
            and "delayed" in (m.preview or "")
        ),
    ),
    "joined group": (
        Filter(state="waiting", sender="key:0002"),
        lambda m: m.status is Status.SENT and m.sender is not None and m.sender.id == "0002",
    ),
}
FILTERS["since"] = (FILTERS["since"][0], lambda m: m.created_at >= START + timedelta(seconds=300))


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_finds_what_it_names_and_only_that(
    filled: tuple[Engine, int, list[Message]], name: str
) -> None:
    engine, install_id, all_ = filled
    f, fits = FILTERS[name]
    expected = [m.id for m in reversed(all_) if fits(m)]
    assert expected
    with reading(engine) as conn:
        found = history.page(conn, install_id, f, size=COUNT)
        walked = history.walk(conn, install_id, f, None, COUNT)
    assert [e.id for e in found.entries] == expected
    assert [m.id for m in walked] == expected


def test_pages_neither_skip_nor_repeat_and_lead_back(filled: tuple[Engine, int, list[Message]]) -> None:
    engine, install_id, all_ = filled
    f = Filter(state="arrived")
    seen: list[str] = []
    with reading(engine) as conn:
        page = history.page(conn, install_id, f)
        assert page.newer is None
        while True:
            seen += [e.id for e in page.entries]
            if page.older is None:
                break
            page = history.page(conn, install_id, f, before=page.older)
        back = history.page(conn, install_id, f, after=seen[100])
    assert seen == [m.id for m in reversed(all_) if m.status in (Status.DELIVERED, Status.READ)]
    assert [e.id for e in back.entries] == seen[50:100]


def test_a_number_is_found_whole_by_its_last_digits_and_a_message_by_any_of_its_ids(
    filled: tuple[Engine, int, list[Message]],
) -> None:
    engine, install_id, all_ = filled
    wanted = all_[123]
    number = wanted.to or ""
    asked = [
        Filter(number=number),
        Filter(number=number[-9:]),
        Filter(ident=wanted.id),
        Filter(ident=wanted.octopods_id or "", number=wanted.octopods_id or ""),
        Filter(ident=number[-7:], number=number[-7:]),
    ]
    with reading(engine) as conn:
        for f in asked:
            assert [e.id for e in history.page(conn, install_id, f).entries] == [wanted.id], f
        ends = history.page(conn, install_id, Filter(number=number[-4:])).entries
    assert wanted.id in [e.id for e in ends]
    assert all((e.to or "").endswith(number[-4:]) for e in ends)


def test_a_neighbour_is_never_seen(filled: tuple[Engine, int, list[Message]]) -> None:
    engine, _, all_ = filled
    with writing(engine) as conn:
        stranger = installs.put(conn, "hubspot", "99", START).id
    with reading(engine) as conn:
        for f, _ in FILTERS.values():
            assert history.page(conn, stranger, f).entries == ()
        assert history.page(conn, stranger, Filter(ident=all_[3].id)).entries == ()
        assert history.templates_used(conn, stranger) == []
        assert history.senders(conn, stranger) == []


def test_what_was_not_looked_at_is_said_and_the_next_page_goes_on(engine: Engine) -> None:
    with writing(engine) as conn:
        install_id = installs.put(conn, "intercom", "ours", START).id
        old = made.message(install_id, START, preview="The needle.", content=Content(text="The needle."))
        later = START + timedelta(hours=1)
        hay = (made.message(install_id, later + timedelta(seconds=i)) for i in range(history.SCAN + 5))
        made.store(conn, [old, *hay])
    with reading(engine) as conn:
        first = history.page(conn, install_id, Filter(words="needle"))
        assert first.entries == ()
        assert first.looked_back_to == later + timedelta(seconds=5)
        assert first.older
        second = history.page(conn, install_id, Filter(words="needle"), before=first.older)
        back = history.page(conn, install_id, Filter(words="needle"), after=second.newer)
    assert [e.id for e in second.entries] == [old.id]
    assert second.looked_back_to is None
    assert second.older is None
    assert back == first


def test_the_choices_of_a_filter_are_those_that_were_used(filled: tuple[Engine, int, list[Message]]) -> None:
    engine, install_id, _ = filled
    with reading(engine) as conn:
        assert history.templates_used(conn, install_id) == [str(90001 + i) for i in range(7)]
        assert [key for key, _ in history.senders(conn, install_id)] == ["key:0000", "key:0001", "key:0002"]


def test_the_tables_in_code_and_the_migrated_database_are_the_same(engine: Engine) -> None:
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    assert differences == []
