"""The unit of work: one transaction, effects after the commit, files that follow their rows."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from engine.kernel.actor import Actor, acting_as, scoped
from engine.kernel.db import after_commit, db, process_app, unit_of_work
from engine.kernel.files import FileStore, StoredFile
from engine.kernel.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(data_dir=tmp_path)
    app = process_app(settings)
    with app.app_context():
        db.create_all()
    yield settings
    with app.app_context():
        db.engine.dispose()


def stored(settings: Settings, tenant: str = "t1") -> str:
    with unit_of_work():
        return FileStore(settings).write(tenant, "hello.txt", "text/plain", b"hello").id


def test_an_exception_rolls_back_and_drops_the_effects(settings: Settings) -> None:
    rung: list[str] = []

    def fail() -> None:
        with unit_of_work() as session:
            session.add(StoredFile(tenant_id="t", name="n", content_type="c", path="p", size=0, sha256=""))
            after_commit(lambda: rung.append("bell"))
            session.flush()
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        fail()
    with unit_of_work(write=False) as session:
        assert session.scalars(select(StoredFile)).all() == []
    assert rung == []


def test_effects_see_the_committed_rows(settings: Settings) -> None:
    seen: list[int] = []

    def look() -> None:
        with unit_of_work(write=False) as session:
            seen.append(len(session.scalars(select(StoredFile)).all()))

    with unit_of_work() as session:
        session.add(StoredFile(tenant_id="t", name="n", content_type="c", path="p", size=0, sha256=""))
        after_commit(look)
    assert seen == [1]


def test_a_reader_does_not_wait_for_a_writer(settings: Settings) -> None:
    stored(settings)
    with unit_of_work() as writer:
        writer.add(StoredFile(tenant_id="t", name="n", content_type="c", path="p", size=0, sha256=""))
        writer.flush()
        with unit_of_work(write=False) as reader:
            assert len(reader.scalars(select(StoredFile)).all()) == 1


def test_naive_instants_are_refused(settings: Settings) -> None:
    def write() -> None:
        with unit_of_work() as session:
            naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test
            session.add(
                StoredFile(tenant_id="t", name="n", content_type="c", path="p", size=0, sha256="", created_at=naive)
            )

    with pytest.raises(StatementError, match="naive"):
        write()


def test_a_file_goes_with_its_row_and_only_after_the_commit(settings: Settings) -> None:
    store = FileStore(settings)
    key = stored(settings)
    with unit_of_work() as session:
        row = session.get(StoredFile, key)
        path = store.locate(row)
        assert path.read_bytes() == b"hello"
        store.delete(row)
        assert path.exists()
    assert not path.exists()


def test_nobody_sees_another_tenants_rows(settings: Settings) -> None:
    mine, theirs = stored(settings, "t1"), stored(settings, "t2")
    actor = Actor("u1", "t1", frozenset({"t1"}))
    with unit_of_work(write=False) as session:
        assert session.scalars(scoped(StoredFile)).all() == []
        with acting_as(actor):
            assert [row.id for row in session.scalars(scoped(StoredFile))] == [mine]
        assert theirs != mine
