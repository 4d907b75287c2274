"""Access keys: printed once, stored as a hash (device-management-api, section 5.2)."""

from __future__ import annotations

import enum
import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import dataclass

from fotabuild.errors import AccessKeyError
from fotabuild.server.identifiers import new_id
from fotabuild.server.limits import ServerLimits

_PREFIX = "ak_"


class Role(enum.Enum):
    """What a key may do."""

    FULL = "full"
    READ_ONLY = "read-only"


@dataclass(frozen=True)
class AccessKey:
    """A stored key, without its text.

    Attributes:
        id: its identifier.
        name: what its owner calls it.
        role: what it may do.
        created_at: microseconds since 1970.
        revoked_at: microseconds since 1970, or None while it is good.
    """

    id: str
    name: str
    role: Role
    created_at: int
    revoked_at: int | None


def token_hash(token: str) -> bytes:
    """Return what is stored of a token.

    A plain digest: the tokens are 256 random bits, and nobody can try those.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def new_token(prefix: str = "") -> str:
    """Return 256 random bits as text."""
    return prefix + secrets.token_urlsafe(32)


def add_key(
    connection: sqlite3.Connection, name: str, role: Role, now: int, limits: ServerLimits
) -> tuple[AccessKey, str]:
    """Make a key; return it with its text, which is not stored.

    Raises:
        AccessKeyError: too many keys, or a name that is too long.
    """
    if not 1 <= len(name) <= limits.name:
        raise AccessKeyError(f"the name of a key has 1 to {limits.name} characters")
    if connection.execute("SELECT COUNT(*) FROM keys").fetchone()[0] >= limits.keys:
        raise AccessKeyError(f"this server keeps {limits.keys} keys", remedy="raise the limit")
    token = new_token(_PREFIX)
    key = AccessKey(new_id(), name, role, now, None)
    connection.execute(
        "INSERT INTO keys (id, name, role, hash, created_at) VALUES (?, ?, ?, ?, ?)",
        (key.id, name, role.value, token_hash(token), now),
    )
    return key, token


def list_keys(connection: sqlite3.Connection) -> list[AccessKey]:
    """Return all keys, revoked ones too."""
    return [_key(row) for row in connection.execute("SELECT * FROM keys ORDER BY id")]


def revoke_key(connection: sqlite3.Connection, identifier: str, now: int) -> AccessKey:
    """Make a key useless from now on.

    Args:
        connection: the database.
        identifier: the whole identifier, or a name that one good key has.
        now: microseconds since 1970.

    Raises:
        AccessKeyError: no good key has it, or several have the name.
    """
    good = [key for key in list_keys(connection) if key.revoked_at is None]
    found = [key for key in good if identifier in (key.id, key.name)]
    if len(found) != 1:
        raise AccessKeyError(
            f"{len(found) or 'no'} good keys are called {identifier[:60]!r}",
            remedy="give the identifier that 'fotabuild serve keys list' shows",
        )
    connection.execute("UPDATE keys SET revoked_at = ? WHERE id = ?", (now, found[0].id))
    return found[0]


def find_key(connection: sqlite3.Connection, token: str) -> AccessKey | None:
    """Return the good key with this text, or None."""
    wanted = token_hash(token)
    row = connection.execute(
        "SELECT * FROM keys WHERE hash = ? AND revoked_at IS NULL", (wanted,)
    ).fetchone()
    if row is None or not hmac.compare_digest(row["hash"], wanted):
        return None
    return _key(row)


def _key(row: sqlite3.Row) -> AccessKey:
    return AccessKey(
        row["id"], row["name"], Role(row["role"]), row["created_at"], row["revoked_at"]
    )
