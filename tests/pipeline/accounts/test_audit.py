"""The record of writes."""

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.accounts.audit import Attempt, recorded

Pg = Connection[TupleRow]
ATTEMPT = Attempt(None, "root", "cli: user add", "anna")
ROWS = "select principal_name, action, target, outcome, finished_at is not null from app.audit"


def test_what_is_about_to_be_done_is_on_record_before_it_is_done(owner: Pg, service: Pg) -> None:
    with recorded(owner, ATTEMPT):
        assert service.execute(ROWS).fetchall() == [("root", "cli: user add", "anna", None, False)]
    assert service.execute(ROWS).fetchall() == [("root", "cli: user add", "anna", "succeeded", True)]


def test_what_fails_is_on_record_and_undone(owner: Pg) -> None:
    def fail() -> None:
        with recorded(owner, ATTEMPT):
            owner.execute("create table app.half ()")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert owner.execute(ROWS).fetchall() == [("root", "cli: user add", "anna", "failed", True)]
    assert owner.execute("select to_regclass('app.half')").fetchone() == (None,)


def test_what_cannot_be_put_on_record_is_not_done(owner: Pg) -> None:
    owner.execute("alter table app.audit add constraint none_today check (action <> 'cli: user add')")
    done = False
    with pytest.raises(Exception, match="none_today"), recorded(owner, ATTEMPT):
        done = True
    assert not done
