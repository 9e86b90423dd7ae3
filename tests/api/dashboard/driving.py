"""Pages without a browser: what Dash would be asked for by one, and the words of what it answers."""

from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient

from api.dashboard.mount import mount
from tests.api.conftest import StrictClient


class Pages:
    """The pages of an app."""

    def __init__(self, client: StrictClient) -> None:
        app: Any = client.application
        mount(app)
        self.client = FlaskClient(app, app.response_class)

    def section(self, name: str, asked: Mapping[str, Any], **choice: Any) -> Any:
        """The content of a section of the overview."""
        return self.call(f"{name}.children", {"asked.data": asked, **choice})["response"][name]["children"]

    def call(self, output: str, inputs: Mapping[str, Any], triggered: str | None = None) -> Any:
        """What the callback with this output answers to these inputs (``id.property``)."""
        found = self.client.get("/dashboard/_dash-dependencies").get_json()
        [callback] = [
            callback for callback in found if output in callback["output"] and names_in(inputs, callback)
        ]
        names = [f"{given['id']}.{given['property']}" for given in callback["inputs"]]
        given = [
            {"id": part["id"], "property": part["property"], "value": inputs.get(name)}
            for name, part in zip(names, callback["inputs"], strict=True)
        ]
        response = self.client.post(
            "/dashboard/_dash-update-component",
            json={
                "output": callback["output"],
                "outputs": outputs_of(callback["output"]),
                "inputs": given,
                "changedPropIds": [triggered or names[0]],
            },
        )
        assert response.status_code == 200, response.data
        return response.get_json()


def names_in(inputs: Mapping[str, Any], callback: Mapping[str, Any]) -> bool:
    """Whether a callback has all of these inputs."""
    return inputs.keys() <= {f"{given['id']}.{given['property']}" for given in callback["inputs"]}


def outputs_of(text: str) -> Any:
    """The outputs of a callback as a browser sends them back."""
    if text.startswith(".."):
        return [outputs_of(part) for part in text[2:-2].split("...")]
    identity, _, prop = text.rpartition(".")
    return {"id": identity, "property": prop}


def words(component: Any) -> list[str]:
    """The texts of a component in the order of reading."""
    if isinstance(component, str | int | float):
        return [str(component)]
    if isinstance(component, list):
        return [text for part in component for text in words(part)]
    if isinstance(component, dict):
        return words(component.get("props", {}).get("children"))
    return []


def rows(component: Any) -> list[list[str]]:
    """The rows of the first table in a component: the words of each cell."""
    table = next(found_by_type(component, "Table"))
    return [
        [" ".join(words(cell)) for cell in row["props"]["children"]]
        for part in table["props"]["children"]
        if part["type"] == "Tbody"
        for row in part["props"]["children"]
    ]


def found_by_type(component: Any, kind: str) -> Any:
    """Every component of a type."""
    if isinstance(component, list):
        for part in component:
            yield from found_by_type(part, kind)
    elif isinstance(component, dict):
        if component.get("type") == kind:
            yield component
        yield from found_by_type(component.get("props", {}).get("children"), kind)
