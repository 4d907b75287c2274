"""Find secrets in texts that everybody will read: a signed statement cannot be called back."""

from __future__ import annotations

import re
from urllib.parse import unquote

# "user:password@", wherever a URL begins; but not the tag and digest of an image of a container.
_PASSWORD = re.compile(r"(://[^/@]*:[^/@]*|[^/?#\s]:[^/@\s]*)@(?!sha(256|384|512):)")
# A path such as "pkg:npm/name@1" has its "@" behind a slash. An address of mail has no password.
_MAIL = re.compile(r"mailto:[^/:@\s]+@[^/:@\s]+")
# What stands before the host; ssh needs a name there, others are let in by it.
_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\s]*)@")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,32}")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SECRET_WORDS = frozenset(("auth", "jwt", "key", "pass", "pat", "pw", "pwd", "sas", "sid", "sig"))
_SECRET_STEMS = (
    "accesskey", "apikey", "authoriz", "bearer", "credential", "passphrase", "passw", "privatekey",
    "secret", "session", "signature", "token",
)  # fmt: skip
_FIELD = re.compile(r"[?&;#]([^=&;#?/\s]+)=[^&;#\s]")
# Tokens that their makers made to be recognised: GitHub, GitLab, AWS, JWT, PyPI, Slack.
_TOKEN = re.compile(
    r"\bgh[oprsu]_[A-Za-z0-9]{20}|\bgithub_pat_[A-Za-z0-9_]{20}|\bA(KIA|SIA)[A-Z0-9]{16}\b"
    r"|\bgl(pat|dt|rt|cbt|ptt|ft|soat|agent|imt|ffct)-[A-Za-z0-9_-]{20}|\beyJ[A-Za-z0-9_-]{8,}\.eyJ"
    r"|\bpypi-AgE|\bxox[abeoprs]-[A-Za-z0-9-]{10}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
_DEEPEST = 3


def find_secret(text: str) -> str | None:
    """Say what a text gives away, without repeating it; None when nothing was found.

    Looks for user names and passwords in URLs, also in those inside of others, for fields of
    queries and fragments that are called like secrets, and for tokens of a known form. A user name
    alone is none where the scheme is of ssh.
    """
    for _ in range(_DEEPEST):
        found = _secret_as_written(text)
        if found is not None:
            return found
        text, before = unquote(text), text
        if text == before:
            return None
    return "a text that is escaped several times"


def _secret_as_written(text: str) -> str | None:
    if _TOKEN.search(text):
        return "an access token or a private key"
    if _PASSWORD.search(text) and not _MAIL.fullmatch(text):
        return "a password"
    for match in _USER.finditer(text):
        scheme, user = match[1].lower(), match[2]
        if "ssh" not in re.split("[+.-]", scheme) or not _NAME.fullmatch(user):
            return "a user name, which may be a token"
    for match in _FIELD.finditer(text):
        if _is_secret(match[1]):
            return f"the field {match[1][:40]!r}, which is called like a secret"
    return None


def _is_secret(name: str) -> bool:
    joined = re.sub("[^a-z0-9]", "", name.lower())
    words = {word.lower() for word in _WORD.findall(name)}
    return bool(words & _SECRET_WORDS) or any(stem in joined for stem in _SECRET_STEMS)
