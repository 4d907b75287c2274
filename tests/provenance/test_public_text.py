"""Secrets in texts for everybody are found, and what looks a little like one is let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.provenance.public_text import find_secret

from ..formats.strategies import QUICK

TOKEN = "".join(("gh", "p_", "0123456789abcdefghij0123456789abcdef"))
SECRETS = {
    "https://me:s3cret@acme.com/fw": "password",
    "git+https://me:s3@cret@acme.com/fw": "password",
    "HTTPS://me:s3cret@acme.com/fw": "password",
    "https://me%3As3cret@acme.com/fw": "user name",
    "https%3A%2F%2Fme%3As3cret%40acme.com": "password",
    "ssh://git:s3cret@acme.com/fw": "password",
    "git+ssh://git:s3cret@acme.com:22/fw": "password",
    "ssh://git%3As3cret@acme.com/fw": "user name",
    "me:s3cret@acme.com/fw": "password",
    "git+me:s3cret@acme.com": "password",
    "https:///me:s3cret@acme.com": "password",
    "https:\\\\me:s3cret@acme.com": "password",
    "https://proxy.acme.com/https://me:s3cret@acme.com/fw": "password",
    "https://acme.com/?next=https%3A%2F%2Fme%3As3cret%40acme.com": "password",
    "mailto:me:s3cret@acme.com": "password",
    "https://s3cret@acme.com/fw": "user name",
    "git+https://oauth2@acme.com/fw": "user name",
    f"ssh://{TOKEN}@acme.com/fw": "access token",
    f"run of {TOKEN}": "access token",
    "-----BEGIN EC PRIVATE KEY-----": "private key",
    "https://acme.com/fw?access_token=s3cret": "'access_token'",
    "https://acme.com/fw?ref=main&private-token=s3cret": "'private-token'",
    "https://acme.com/fw?ref=main;apiKey=s3cret": "'apiKey'",
    "https://acme.com/fw#id_token=s3cret": "'id_token'",
    "https://acme.com/fw?X-Amz-Signature=s3cret": "'X-Amz-Signature'",
    "https://acme.com/fw?se=1&sig=s3cret": "'sig'",
    "https://acme.com/fw?AWSAccessKeyId=s3cret": "'AWSAccessKeyId'",
    "https://acme.com/fw?PASSWORD=s3cret": "'PASSWORD'",
    "https://acme.com/fw;jsessionid=s3cret": "'jsessionid'",
    "https://acme.com/?next=https%3A%2F%2Facme.com%3Ftoken%3Ds3cret": "'token'",
    "https://acme.com/%3Ftoken%3Ds3cret": "'token'",
    "https://acme.com/%25253Ftoken%25253Ds3cret": "escaped several times",
}
HARMLESS = (
    "",
    "run 7",
    "https://acme.com/fw.git",
    "git+https://acme.com:8443/fw@0123456789abcdef",
    "git+ssh://git@acme.com:22/fw/app.git",
    "ssh://git@acme.com/fw",
    "ssh://acme.com/fw",
    "https://github.com/acme/fw/.github/workflows/update.yml@refs/tags/v1.1.0",
    "https://gitlab.acme.com/fw/-/jobs/7#L12",
    "https://acme.com/fw?ref=v1.1.0&path=a/b&author=me&monkey=1",
    "https://acme.com/fw?token=",
    "https://acme.com/token/signature/key",
    "urn:fotabuild:builder:unspecified",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "mailto:builds@acme.com",
    "pkg:github/ARMmbed/mbed-os@mbed-os-6.17.0",
    "pkg:npm/%40acme/fw@1.0.0",
    "docker://acme.com:5000/builder:1.2@sha256:0123456789abcdef",
    "file:///srv/git/fw.git",
    "app:debug.elf",
    "100%",
)


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_found_and_not_repeated(text: str) -> None:
    found = find_secret(text)
    assert found is not None
    assert SECRETS[text] in found
    assert "s3cret" not in found
    assert TOKEN not in found


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_are_let_through(text: str) -> None:
    assert find_secret(text) is None


@QUICK
@given(st.text(st.characters(blacklist_characters="/@"), min_size=1, max_size=40))
def test_whatever_the_password_it_is_found(password: str) -> None:
    assert find_secret(f"https://me:{password}@acme.com/fw") is not None


@QUICK
@given(st.text(max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    found = find_secret(text)
    assert found is None or len(found) < 100
