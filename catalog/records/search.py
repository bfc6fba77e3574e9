"""Records of what can be found by words. Triggers of the tables themselves keep them, so that whoever writes need not think of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from catalog.records import columns


class SearchKind(StrEnum):
    """The kinds of things that are searched."""

    SERVICE = "SERVICE"
    COMPONENT = "COMPONENT"
    COMPONENT_INSTANCE = "COMPONENT_INSTANCE"
    STACK = "STACK"
    TEAM = "TEAM"
    ENVIRONMENT = "ENVIRONMENT"
    PROVISIONING_REQUEST = "PROVISIONING_REQUEST"
    WORKFLOW = "WORKFLOW"


def _words_index(name: str, which: str) -> Index:
    """An index of the words of some kinds, apart from the others: a common word of these need not be read to look for it in those.

    Written through at once: a list of words that wait for the index would have to be read by each search.
    """
    return Index(
        f"search_entry_{name}",
        "words",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        postgresql_where=sql(which),
    )


class SearchEntry(SQLModel, table=True):
    """The words of one thing. Instances have an entry for each name that those of a tenant share: thousands are named alike.

    `key` is the thing's id, or the tenant and the name that instances share; `name` its words in small letters, joined by blanks (200
    characters, so that an index holds them). `words` holds those of name and title with weight A, all others with weight B.
    `tenant_id` only lets a viewer of some tenants pass by what others have: what is seen, the thing's own row decides.
    """

    __tablename__ = "search_entry"

    kind: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    key: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    tenant_id: str | None = columns.text(nullable=True)
    name: str = columns.text()
    shown: str = columns.text()  # name and title as people write them; of instances the name
    body: str = columns.text()  # what else is searched, as people write it
    words: Any = Field(sa_type=TSVECTOR, nullable=False)

    __table_args__ = (
        columns.one_of("kind", SearchKind),
        Index("search_entry_by_name", "kind", "name"),
        _words_index("things", "kind <> 'COMPONENT_INSTANCE'"),
        _words_index("names", "kind = 'COMPONENT_INSTANCE'"),
    )


class SearchWord(SQLModel, table=True):
    """The words of all entries, to look up what a misspelled one may mean, and whether stacks have it at all.

    Words stay when nothing has them any more: then they find nothing.

    Not unique: a unique index would let a writer wait for another that brings the same new word.
    """

    __tablename__ = "search_word"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    word: str = columns.text(index=True)
    of_stack: bool = Field(nullable=False)
