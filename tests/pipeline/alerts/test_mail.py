"""Alerts sent to a real mail server."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.alerts import DeliveryError, Receivers, send
from pipeline.alerts.models import Alert
from tests.api.test_serving import free_port

ALERT = Alert(
    key="refused:3",
    event="refused",
    title="größe.csv was refused",
    detail="Batch 3 of the source till: no column for the price.",
    batch_id=3,
    at=datetime(2024, 5, 19, 2, 0, tzinfo=UTC),
)


class Inbox:
    """Keeps the mails; refuses addresses that begin with "no"."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.arrived = threading.Event()
        self.answer = "250 OK"

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: Any) -> str:
        if address.startswith("no"):
            return "550 no such address"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append(envelope)
        self.arrived.set()
        return self.answer


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def serve(inbox: Inbox) -> Iterator[Callable[..., int]]:
    """A maker of mail servers; gives the port."""
    with ExitStack() as running:

        def make(**options: Any) -> int:
            port = free_port()
            controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
            controller.start()
            running.callback(controller.stop)
            return port

        yield make


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's context with a certificate for 127.0.0.1; the certificate lies in tmp_path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    return context


@pytest.fixture
def trusted(certificate: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The same, which this process trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    return certificate


def to_server(port: int, **fields: Any) -> Any:
    given = {"host": "127.0.0.1", "port": port, "from": "till@shop.example", "to": ["ann@shop.example"]}
    return Receivers.model_validate({"email": [{"name": "ops", **given, **fields}]}).all[0]


def logs_in(_: SMTP, __: Session, ___: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"till", b"s3cret"), handled=False)


def test_a_mail_says_what_happened(serve: Callable[..., int], inbox: Inbox) -> None:
    receiver = to_server(serve(), security="none", to=["ann@shop.example", "bob@shop.example"])
    send(receiver, ALERT)
    (mail,) = inbox.mails
    assert inbox.envelopes[0].rcpt_tos == ["ann@shop.example", "bob@shop.example"]
    assert inbox.envelopes[0].mail_from == mail["From"] == "till@shop.example"
    assert mail["To"] == "ann@shop.example, bob@shop.example"
    assert mail["Subject"] == "Tillhouse: größe.csv was refused"
    assert mail["Date"].datetime == ALERT.at
    assert mail["Message-ID"] == "<refused.3.ops@shop.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == [
        "Batch 3 of the source till: no column for the price.",
        "",
        "Batch: 3",
        "At: 2024-05-19T02:00:00+00:00",
        "",
        "The API tells more at:",
        "  /api/v1/builds",
        "  /api/v1/batches",
    ]


def test_the_login_goes_over_starttls(
    serve: Callable[..., int], inbox: Inbox, trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "s3cret")
    port = serve(tls_context=trusted, authenticator=logs_in, auth_required=True, require_starttls=True)
    send(to_server(port, user="till", password_env="SMTP_PASSWORD"), ALERT)
    assert len(inbox.mails) == 1


def test_a_wrong_password_is_told_without_it(
    serve: Callable[..., int], inbox: Inbox, trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "wr0ng")
    port = serve(tls_context=trusted, authenticator=logs_in, auth_required=True)
    with pytest.raises(DeliveryError, match=r"^the server refused the login \(535\)$") as caught:
        send(to_server(port, user="till", password_env="SMTP_PASSWORD"), ALERT)
    assert caught.value.__cause__ is None
    assert inbox.mails == []


def test_a_password_that_smtp_cannot_carry_is_told_without_it(
    serve: Callable[..., int], inbox: Inbox, trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "größer")
    port = serve(tls_context=trusted, authenticator=logs_in, auth_required=True)
    with pytest.raises(DeliveryError, match=r"^the user or the password has characters") as caught:
        send(to_server(port, user="till", password_env="SMTP_PASSWORD"), ALERT)
    assert "größer" not in str(caught.value)
    assert inbox.mails == []


def test_a_server_that_is_not_trusted_gets_nothing(
    serve: Callable[..., int], inbox: Inbox, certificate: ssl.SSLContext
) -> None:
    with pytest.raises(DeliveryError, match=r"^the server's certificate is not trusted: self"):
        send(to_server(serve(tls_context=certificate)), ALERT)
    assert inbox.mails == []


def test_a_server_without_starttls_gets_nothing(serve: Callable[..., int], inbox: Inbox) -> None:
    with pytest.raises(DeliveryError, match=r"^the server cannot do what is asked: STARTTLS"):
        send(to_server(serve()), ALERT)
    assert inbox.mails == []


def test_a_mail_can_go_over_tls_from_the_start(
    serve: Callable[..., int], inbox: Inbox, trusted: ssl.SSLContext
) -> None:
    send(to_server(serve(ssl_context=trusted), security="tls"), ALERT)
    assert len(inbox.mails) == 1


def test_a_server_that_is_away_is_told(inbox: Inbox) -> None:
    with pytest.raises(DeliveryError, match=r"^cannot be reached \(ConnectionRefusedError\)$"):
        send(to_server(free_port(), security="none"), ALERT)


def test_a_mail_that_the_server_does_not_take_is_a_failure(serve: Callable[..., int], inbox: Inbox) -> None:
    inbox.answer = "451 try later"
    with pytest.raises(DeliveryError, match=r"^the server answered 451$"):
        send(to_server(serve(), security="none"), ALERT)


def test_one_wrong_address_does_not_keep_the_mail_from_the_others(
    serve: Callable[..., int], inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    port = serve()
    send(to_server(port, security="none", to=["nobody@shop.example", "ann@shop.example"]), ALERT)
    assert inbox.envelopes[0].rcpt_tos == ["ann@shop.example"]
    assert "ops: the server refused 1 of 2 addresses" in caplog.text
    with pytest.raises(DeliveryError, match=r"^the server refused every recipient$"):
        send(to_server(port, security="none", to=["nobody@shop.example"]), ALERT)


def test_a_title_cannot_add_a_header(serve: Callable[..., int], inbox: Inbox) -> None:
    # Names of files come from outside; the events' texts have one line (see test_events).
    with pytest.raises(DeliveryError, match=r"^could not be sent \(ValueError\)$"):
        send(to_server(serve(), security="none"), Alert("k", "refused", "a\nBcc: evil@example.com", "b"))
    assert inbox.mails == []
