"""Access tokens: what is valid, and every way in which one is not."""

import json
import time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.util import urlsafe_b64encode

from pipeline.accounts.tokens import AccessToken, InvalidToken, read_token, write_token

KEY = b"k" * 43
TOKEN = AccessToken(
    UUID("018f0000-0000-7000-8000-000000000001"),
    UUID("018f0000-0000-7000-8000-000000000002"),
    frozenset(("analytics:read", "refresh:run")),
)


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a valid token, some of them changed; None leaves one out."""
    now = int(time.time())
    valid = {
        "iss": "tillhouse",
        "aud": "tillhouse-api",
        "sub": str(TOKEN.principal_id),
        "sid": str(TOKEN.session_id),
        "scope": "analytics:read refresh:run",
        "iat": now,
        "exp": now + 900,
        "jti": "1",
    }
    return {name: value for name, value in (valid | changed).items() if value is not None}


def signed(of: dict[str, Any], key: bytes = KEY, algorithm: str = "HS256", kind: str = "at+jwt") -> str:
    """A token made by another program."""
    header = {"alg": algorithm, "typ": kind}
    return jwt.encode(header, of, OctKey.import_key(key), algorithms=[algorithm])


def unsigned(header: dict[str, Any], of: dict[str, Any], signature: bytes = b"") -> str:
    """A token with whatever header, put together by hand."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()) for part in (header, of)]
    return b".".join([*parts, urlsafe_b64encode(signature)]).decode()


def test_a_token_says_who_in_which_session_and_which_scopes() -> None:
    assert read_token(KEY, write_token(KEY, TOKEN)) == TOKEN
    assert read_token(KEY, signed(claims())) == TOKEN


def test_a_token_lives_for_fifteen_minutes_and_names_issuer_and_audience() -> None:
    before = int(time.time())
    read = jwt.decode(write_token(KEY, TOKEN), OctKey.import_key(KEY), algorithms=["HS256"])
    assert read.header == {"alg": "HS256", "typ": "at+jwt"}
    assert (read.claims["iss"], read.claims["aud"]) == ("tillhouse", "tillhouse-api")
    assert read.claims["exp"] - read.claims["iat"] == 900
    assert before <= read.claims["iat"] <= time.time()
    assert UUID(read.claims["jti"]).version == 4


NOW = int(time.time())


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": NOW - 11},
        {"exp": NOW - 86400},
        {"exp": "never"},
        {"exp": True},
        {"iat": NOW + 3600},
        {"nbf": NOW + 3600},
        {"iss": "somebody"},
        {"iss": ["tillhouse"]},
        {"aud": "another-api"},
        {"aud": ["another-api", "a-third"]},
        {"aud": ""},
        {"sub": "admin"},
        {"sub": 1},
        {"sid": "1"},
        {"sid": 1},
        {"exp": None},
        {"iat": None},
        {"iss": None},
        {"aud": None},
        {"sub": None},
        {"sid": None},
        {"jti": None},
        {"scope": None},
    ],
)
def test_a_claim_that_is_wrong_or_missing_makes_it_invalid(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        read_token(KEY, signed(claims(**changed)))


def test_an_algorithm_other_than_the_one_is_never_tried() -> None:
    for algorithm in ("none", "None", "NONE", "nOnE", "", "RS256", "HS384", "HS512", "dir", None):
        with pytest.raises(InvalidToken):
            read_token(KEY, unsigned({"alg": algorithm, "typ": "at+jwt"}, claims()))
    for algorithm in ("HS384", "HS512"):
        with pytest.raises(InvalidToken):
            read_token(KEY, signed(claims(), KEY, algorithm))
    with pytest.raises(InvalidToken):
        read_token(KEY, unsigned({"typ": "at+jwt"}, claims()))


def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    for header in (
        {"jwk": {"kty": "oct", "k": "YXR0YWNrZXI"}},
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/keys"},
        {"kid": "../../../dev/null"},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
    ):
        text = unsigned({"alg": "HS256", "typ": "at+jwt", **header}, claims(), b"forged")
        with pytest.raises(InvalidToken):
            read_token(KEY, text)
    attacker = RSAKey.generate_key(2048)
    text = jwt.encode({"alg": "RS256", "typ": "at+jwt"}, claims(), attacker, algorithms=["RS256"])
    with pytest.raises(InvalidToken):
        read_token(KEY, text)


def test_another_key_another_type_or_a_changed_letter_makes_it_invalid() -> None:
    valid = signed(claims())
    head, body, signature = valid.split(".")
    admin = urlsafe_b64encode(json.dumps(claims(scope="admin")).encode()).decode()
    for text in (
        signed(claims(), b"another key of somebody else, long enough"),
        signed(claims(), KEY[:-1]),
        signed(claims(), kind="JWT"),
        signed(claims(), kind="refresh"),
        f"{head}.{admin}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{signature}",
        valid + "=",
        valid.replace(".", "..", 1),
    ):
        with pytest.raises(InvalidToken):
            read_token(KEY, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "\0",
        "é.é.é",
        "\ud800",
        "null",
        "A" * 5000,
        "A" * 10_000_000,
        urlsafe_b64encode(b"[" * 2900).decode() + ".e30.",
        urlsafe_b64encode(b'{"a":' * 500).decode() + ".e30.",
        "e30.e30.e30",
        "bnVsbA.bnVsbA.bnVsbA",
    ],
)
def test_garbage_is_an_invalid_token_and_no_fault(text: str) -> None:
    with pytest.raises(InvalidToken):
        read_token(KEY, text)


@given(
    st.text(max_size=200)
    | st.binary(max_size=100).map(lambda raw: urlsafe_b64encode(raw).decode() + ".e30.e30")
)
def test_any_text_is_an_invalid_token(text: str) -> None:
    with pytest.raises(InvalidToken):
        read_token(KEY, text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_a_signed_payload_that_is_no_set_of_claims_is_an_invalid_token(payload: Any) -> None:
    text = jws.serialize_compact(
        {"alg": "HS256", "typ": "at+jwt"},
        json.dumps(payload).encode(),
        OctKey.import_key(KEY),
        algorithms=["HS256"],
    )
    with pytest.raises(InvalidToken):
        read_token(KEY, text)
