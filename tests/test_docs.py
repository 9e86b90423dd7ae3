"""The documentation says what the program has: settings, routes, commands, reasons."""

import re
from pathlib import Path

import click
import pytest

from api.app import create_app
from pipeline.cli import main
from pipeline.landing.feeds import FEEDS
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.sources import COLUMNS
from pipeline.sources.feeds import OTHER_FEEDS
from pipeline.warehouse.connect import DatabaseUrls

PAGES = [
    *sorted((PROJECT_ROOT / "docs").glob("*.md")),
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "CONTRIBUTING.md",
]
README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str, text: str = README) -> str:
    """The text under a heading, up to the next one of its level."""
    level = title.split(" ")[0]
    found = re.search(
        rf"^{re.escape(title)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert found is not None, title
    return found[1]


def first_cells(text: str) -> list[str]:
    """The first cell of every row of a section's tables."""
    return re.findall(r"^\| ((?:[^|\\]|\\\|)*?) \|", text, re.MULTILINE)


def test_every_setting_is_in_the_table_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section("## Configuration"), re.MULTILINE))
    expected = {
        str(field.validation_alias or f"TILLHOUSE_{name.upper()}"): field.default
        for name, field in Settings.model_fields.items()
    }
    assert list(rows) == list(expected)
    for name, default in expected.items():
        if isinstance(default, bool):
            assert rows[name] == f"`{str(default).lower()}`"
        elif isinstance(default, str | int | float):
            assert rows[name] == f"`{default}`"


def test_every_route_is_in_the_table(home: Path) -> None:
    urls = DatabaseUrls(*["postgresql://nobody@127.0.0.1:1/none"] * 4)
    spec = create_app(Settings(home=home), urls).spec
    assert isinstance(spec, dict)
    routes = {
        (method.upper(), path)
        for path, methods in spec["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    }
    listed = re.findall(
        r"^\| (GET|POST|DELETE|PUT|PATCH) \| `([^`]+)` \|", section("## The API"), re.MULTILINE
    )
    assert len(listed) == len(set(listed))
    assert set(listed) == routes


def test_every_command_and_option_is_in_the_table() -> None:
    context = click.Context(main)
    rows = [cell.replace("\\|", "|") for cell in first_cells(section("## The command line")) if "`" in cell]
    names = list(dict.fromkeys(row.strip("`").split(" ")[0] for row in rows))
    assert names == main.list_commands(context)
    reports = main.get_command(context, "report")
    assert isinstance(reports, click.Group)
    named = {row.split(" ")[1] for row in rows if row.startswith("`report ")}
    assert named == set(reports.commands)
    for row in rows:
        name = row.strip("`").split(" ")[0]
        command = main.get_command(context, name)
        assert command is not None
        if name == "report":
            command = reports.commands[row.split(" ")[1]]
        if isinstance(command, click.Group):
            for subcommand in command.commands:
                assert subcommand in row
        else:
            options = {option for param in command.params for option in param.opts if option.startswith("--")}
            assert set(re.findall(r"--[a-z-]+", row)) == options, row


def test_every_column_and_every_reason_is_explained() -> None:
    columns = {title for cell in first_cells(section("### Columns")) for title in cell.split(", ")}
    assert set(COLUMNS.values()) <= columns
    listed = re.findall(r"`([a-z0-9_]+)`", " ".join(first_cells(section("### Quarantine"))))
    contract = (PROJECT_ROOT / "pipeline" / "landing" / "contract.py").read_text(encoding="utf-8")
    assert sorted(listed) == sorted(re.findall(r"@dy\.rule\(\)\n    def (\w+)", contract))


def test_every_feed_and_its_columns_and_reasons_are_explained() -> None:
    text = section("### Other feeds")
    described = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.MULTILINE))
    assert list(described) == list(OTHER_FEEDS)
    for name, feed in OTHER_FEEDS.items():
        titles = {title.replace("*", "") for title in re.split(r", | or ", described[name])}
        assert titles == set(feed.columns.values())
        required = {feed.columns[column] for column in feed.required}
        assert set(re.findall(r"\*\*([^*]+)\*\*", described[name])) == required
    rules = {rule for feed in FEEDS.values() for rule in feed.contract._validation_rules(with_cast=False)}
    listed = re.findall(r"`([a-z0-9_]+)`", " ".join(first_cells(text)))
    shared = set(re.findall(r"`([a-z0-9_]+)`", " ".join(first_cells(section("### Quarantine")))))
    assert rules <= set(listed) | shared
    assert set(listed) <= rules | set(OTHER_FEEDS)


def test_every_target_of_the_makefile_is_in_contributing() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)
    contributing = (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `make (\w+)`", contributing, re.MULTILINE) == targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        file, _, anchor = target.partition("#")
        found = page.parent / file if file else page
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings], (
                target
            )
