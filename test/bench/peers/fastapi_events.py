"""FastAPI with SQLAlchemy Core on asyncpg: no GraphQL, one statement that is compiled once, and JSON by ujson of plain values."""

import multiprocessing
import os
import socket
from datetime import datetime

import uvicorn
from fastapi import FastAPI, Query
from fastapi.responses import UJSONResponse
from sqlalchemy import Boolean, Column, DateTime, MetaData, Numeric, Table, Text, bindparam, select
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.ext.asyncio import create_async_engine

processes = int(os.environ["PROCESSES"])

# Eight connections in all, as Marquee has; where to is said by PGHOST and its like. A single read needs no transaction.
engine = create_async_engine("postgresql+asyncpg://", pool_size=8 // processes, max_overflow=0, isolation_level="AUTOCOMMIT")

events = Table(
    "events",
    MetaData(),
    Column("id", UUID(), primary_key=True),
    Column("title", Text),
    Column("starts_at", DateTime(timezone=True)),
    Column("ends_at", DateTime(timezone=True)),
    Column("min_price", Numeric),
    Column("max_price", Numeric),
    Column("currency", Text),
    Column("listed", Boolean),
)
shown = events.c
page = (
    select(shown.id, shown.title, shown.starts_at, shown.ends_at, shown.min_price, shown.max_price, shown.currency)
    .where(shown.listed, shown.starts_at >= bindparam("since"), shown.starts_at < bindparam("before"))
    .order_by(shown.starts_at, shown.id)
    .limit(bindparam("most"))
)

app = FastAPI()


def money(amount, currency):
    return None if amount is None else {"amount": str(amount), "currency": currency}


@app.get("/events")
async def list_events(since: datetime = Query(alias="from"), before: datetime = Query(alias="to"), first: int = 50):
    async with engine.connect() as connection:
        rows = (await connection.execute(page, {"since": since, "before": before, "most": first + 1})).all()
    nodes = [
        {
            "id": id,
            "title": title,
            "startsAt": starts.isoformat(),
            "endsAt": ends and ends.isoformat(),
            "minPrice": money(least, currency),
            "maxPrice": money(most, currency),
        }
        for id, title, starts, ends, least, most, currency in rows[:first]
    ]
    # As a response it isn't gone through once more, value by value.
    return UJSONResponse({"nodes": nodes, "pageInfo": {"hasNextPage": len(rows) > first, "endCursor": nodes[-1]["id"] if nodes else None}})


def serve():
    # A socket for each process, among which the kernel divides connections by chance: of workers that share one, one gets most of them.
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), reuse_port=True)
    uvicorn.Server(uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    for _ in range(processes - 1):
        multiprocessing.Process(target=serve).start()
    serve()
