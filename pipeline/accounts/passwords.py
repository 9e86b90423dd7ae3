"""Passwords and secrets of accounts: their rules, and argon2 hashes of them."""

import functools
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipeline.accounts.errors import AccountError

# NIST SP 800-63B: length counts, not kinds of characters.
SHORTEST = 12
LONGEST = 256

_hasher = PasswordHasher()


def check_password(name: str, password: str) -> None:
    """Refuse a password that is easily guessed.

    Raises:
        AccountError: it is too short, too long, or holds the name.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(
            f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(password)}: take a longer "
            "one, such as four unrelated words"
        )
    if name in password.lower() or len(set(password)) < 4:
        raise AccountError("the password holds the account's name or repeats a few characters: take another")


def new_secret() -> str:
    """A secret for a client: 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and its parameters."""
    return _hasher.hash(_normal(password))


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether a password has this hash; None, for a name that is unknown, costs the same time."""
    if len(password) > LONGEST:
        password, password_hash = "", None
    try:
        _hasher.verify(password_hash or _nobodys_hash(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@functools.cache
def _nobodys_hash() -> str:
    return hash_password(new_secret())


def _normal(password: str) -> bytes:
    # The same password typed on another keyboard may have other code points (NIST SP 800-63B, 5.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
