"""``alerts.toml``: what is understood, and what is said about the rest."""

from pathlib import Path

import pytest

from pipeline.alerts import AlertsError, read_receivers
from pipeline.alerts.receivers import Email, Webhook
from pipeline.settings import PROJECT_ROOT

WEBHOOK = '[[webhook]]\nurl = "https://hooks.example/s3cret"\n'
EMAIL = '[[email]]\nhost = "smtp.example"\nfrom = "till@shop.example"\nto = ["ann@shop.example"]\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "alerts.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_the_file_nobody_is_told(tmp_path: Path) -> None:
    assert read_receivers(tmp_path / "alerts.toml") is None


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    found = read_receivers(written(tmp_path, WEBHOOK + EMAIL))
    assert found is not None
    hook, mail = found.all
    assert isinstance(hook, Webhook)
    assert isinstance(mail, Email)
    assert (hook.name, mail.name) == ("webhook-1", "email-1")
    assert hook.on == mail.on == ("failed", "late", "anomaly", "refused")
    assert (mail.security, mail.server_port, mail.user) == ("starttls", 587, None)


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_each_kind_of_security_has_its_port(tmp_path: Path, security: str, port: int) -> None:
    found = read_receivers(written(tmp_path, f'{EMAIL}security = "{security}"\n'))
    assert found is not None
    assert found.email[0].server_port == port


def test_the_example_can_be_used(tmp_path: Path) -> None:
    found = read_receivers(PROJECT_ROOT / "docs" / "alerts.example.toml")
    assert found is not None
    assert [(one.name, one.on) for one in found.all] == [
        ("chat", ("failed", "late", "anomaly")),
        ("ops", ("failed", "late", "anomaly", "refused")),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[webhook]]\nurl = "https://x.example"\nurl "s3cret"\n', "at line 3, column 5"),
        ("", "names no receiver; docs/alerts.example.toml shows how"),
        ('[[webhooks]]\nurl = "https://s3cret"\n', "webhooks: there is no such field"),
        ('webhook = "s3cret"\n', "webhook: Input should be a valid tuple"),
        ('webhook = ["s3cret"]\n', "webhook 1: Input should be a valid dictionary"),
        ("[[webhook]]\n", "webhook 1, url: Field required"),
        ('[[webhook]]\nurl = "ftp://s3cret"\n', "webhook 1, url: must be an address that begins with https://"),
        ('[[webhook]]\nurl = "https://s3c ret"\n', "webhook 1, url: must be an address"),
        (WEBHOOK + 'on = ["failed", "s3cret"]\n', "webhook 1, on 2: Input should be 'failed', 'late'"),
        (WEBHOOK + "on = []\n", "webhook 1, on: Tuple should have at least 1 item"),
        (WEBHOOK + 'headers = { "a b" = "s3cret" }\n', "webhook 1, headers, a b"),
        (WEBHOOK + 'headers = { a = "s3cret\\nx" }\n', "webhook 1, headers, a: must be printable ASCII"),
        (WEBHOOK + 'secret = "s3cret"\n', "webhook 1, secret: there is no such field"),
        (WEBHOOK + 'secret_env = "s3 cret"\n', "webhook 1, secret_env: String should match"),
        (WEBHOOK + 'name = "a"\n' + WEBHOOK + 'name = "a"\n', "two receivers have the same name"),
        (EMAIL + "port = 70000\n", "email 1, port: Input should be less than or equal to 65535"),
        (EMAIL + 'security = "ssl"\n', "email 1, security: Input should be 'starttls', 'tls' or 'none'"),
        (EMAIL + 'password = "s3cret"\n', "email 1, password: there is no such field"),
        (EMAIL + 'user = "till"\n', "email 1: user and password_env go together"),
        (EMAIL + 'password_env = "P"\n', "email 1: user and password_env go together"),
        (
            EMAIL + 'user = "till"\npassword_env = "P"\nsecurity = "none"\n',
            "email 1: a password is not sent in the clear",
        ),
        (EMAIL.replace("till@", "Till <till@"), "email 1, from: must be a plain e-mail address"),
        (EMAIL.replace("ann@shop", "ann@a,bob@shop"), "email 1, to 1: must be a plain e-mail address"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_and_without_its_value(
    tmp_path: Path, text: str, told: str
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(AlertsError) as caught:
        read_receivers(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert told in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None or "s3cret" not in str(caught.value.__cause__)


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(AlertsError, match="is no TOML"):
        read_receivers(file)
    with pytest.raises(AlertsError, match="cannot be read"):
        read_receivers(tmp_path)


def test_receivers_do_not_show_their_secrets(tmp_path: Path) -> None:
    found = read_receivers(written(tmp_path, WEBHOOK + 'headers = { Authorization = "s3cret" }\n'))
    assert "s3cret" not in repr(found)
