"""docker-compose.yml as a program reads it: variables put in, one service's command and environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.settings import PROJECT_ROOT

FILE = PROJECT_ROOT / "docker-compose.yml"
PASSWORDS = {"POSTGRES_PASSWORD": "admin0secret", "TILLHOUSE_DATABASE_PASSWORD": "owner0secret"}
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


@dataclass(frozen=True)
class Variable:
    """A `${NAME:-default}` or `${NAME:?message}` of the file."""

    name: str
    default: str | None
    is_required: bool


def variables() -> list[Variable]:
    """Every use of a variable in the file."""
    return [
        Variable(found["name"], found["rest"] if found["kind"] == "-" else None, found["kind"] == "?")
        for found in VARIABLE.finditer(FILE.read_text(encoding="utf-8"))
    ]


def load(values: Mapping[str, str] = PASSWORDS) -> dict[str, Any]:
    """The file with these values for its variables."""

    def value(found: re.Match[str]) -> str:
        return values.get(found["name"]) or found["rest"] or ""

    content: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text(encoding="utf-8")), value)
    return content


def services(values: Mapping[str, str] = PASSWORDS) -> dict[str, dict[str, Any]]:
    """The services by name."""
    found: dict[str, dict[str, Any]] = load(values)["services"]
    return found


def moved(text: str, places: Mapping[str, str]) -> str:
    """A text of the file with the places of the containers replaced by those of this machine."""
    names = sorted(places, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, names)), lambda found: places[found[0]], text)


def image_environment() -> dict[str, str]:
    """What the Dockerfile sets for every container, but for the search path."""
    recipe = (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")
    block = re.search(r"^ENV ((?:.*\\\n)*.*)$", recipe, re.MULTILINE)
    assert block is not None
    found = dict(re.findall(r"(\w+)=(\S+)", block[1]))
    del found["PATH"]
    return found


def _filled(node: Any, value: Any) -> Any:
    if isinstance(node, dict):
        return {key: _filled(child, value) for key, child in node.items()}
    if isinstance(node, list):
        return [_filled(child, value) for child in node]
    return VARIABLE.sub(value, node) if isinstance(node, str) else node
