"""The smallest daemon on the same libraries: ten concurrent checks of one request and one row each, then rest.

`python -m tests.benchmarks.least ORIGIN FOLDER NUMBER...` reads each NUMBER in a job of its own, with a client of its
own, as accounts are read, and stays.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from pydantic_settings import BaseSettings
from sqlmodel import Field, Session, SQLModel, create_engine


class Least(BaseSettings):
    """The numbers to check, and where to store them."""

    origin: str
    folder: Path


class Seen(SQLModel, table=True):
    """A response."""

    number: str = Field(primary_key=True)
    text: str
    at: datetime


def main(origin: str, folder: str, *numbers: str) -> None:
    """Check each number once, then stay idle."""
    settings = Least(origin=origin, folder=Path(folder))
    engine = create_engine(f"sqlite:///{settings.folder / 'least.sqlite3'}")
    SQLModel.metadata.create_all(engine)
    log = structlog.get_logger()

    def read(number: str) -> None:
        with httpx.Client(headers={"Authorization": "Bearer made-up-token"}) as client:
            text = client.get(f"{settings.origin}/case-status/{number}").json()["case_status"]["formType"]
        with Session(engine) as session:
            session.merge(Seen(number=number, text=text, at=datetime.now(UTC)))
            session.commit()
        log.info("read", number=number)

    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(len(numbers))})
    for number in numbers:
        scheduler.add_job(read, "interval", hours=4, args=(number,), next_run_time=datetime.now(UTC))
    scheduler.start()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
