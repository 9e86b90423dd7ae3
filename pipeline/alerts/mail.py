"""Alerts as plain e-mail."""

import logging
import smtplib
import ssl
from email.message import EmailMessage

from pipeline.alerts.errors import DeliveryError
from pipeline.alerts.models import Alert
from pipeline.alerts.receivers import Email, secret

TIMEOUT_SECONDS = 5.0

log = logging.getLogger("tillhouse.alerts")


def mail(email: Email, alert: Alert) -> None:
    """Send an alert to all addresses of a receiver.

    Raises:
        DeliveryError: the server cannot be reached, is not trusted, or does not take the mail.
    """
    password = secret(email.password_env) if email.password_env is not None else ""
    if not f"{email.user}{password}".isascii():
        raise DeliveryError("the user or the password has characters that a login by SMTP cannot carry")
    try:
        with _connect(email) as server:
            if email.user is not None:
                server.login(email.user, password)
            refused = server.send_message(written(email, alert))
    except smtplib.SMTPAuthenticationError as error:
        # What the server says about a login may repeat it.
        raise DeliveryError(f"the server refused the login ({error.smtp_code})") from None
    except smtplib.SMTPRecipientsRefused:
        raise DeliveryError("the server refused every recipient") from None
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(f"the server answered {error.smtp_code}") from None
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryError(f"the server cannot do what is asked: {error}") from None
    except ssl.SSLCertVerificationError as error:
        raise DeliveryError(f"the server's certificate is not trusted: {error.verify_message}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(f"cannot be reached ({type(error).__name__})") from None
    if refused:
        # The others have it: sent again, they would have it twice.
        log.warning("%s: the server refused %d of %d addresses", email.name, len(refused), len(email.to))


def written(email: Email, alert: Alert) -> EmailMessage:
    """The mail; its id is the same when an alert comes twice."""
    message = EmailMessage()
    message["Subject"] = f"Tillhouse: {alert.title}"
    message["From"] = email.sender
    message["To"] = ", ".join(email.to)
    message["Date"] = alert.at
    message["Message-ID"] = f"<{alert.key.replace(':', '.')}.{email.name}@{email.sender.split('@')[1]}>"
    # No out-of-office answers, please (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    facts = {
        "Build": alert.build_id,
        "Refresh": alert.refresh_id,
        "Batch": alert.batch_id,
        "Data as of": alert.data_as_of,
        "At": alert.written_at,
    }
    lines = [f"{name}: {fact}" for name, fact in facts.items() if fact is not None]
    links = [f"  {address}" for address in alert.links.values()]
    message.set_content("\n".join([alert.detail, "", *lines, "", "The API tells more at:", *links]) + "\n")
    return message


def _connect(email: Email) -> smtplib.SMTP:
    trusted = ssl.create_default_context()
    if email.security == "tls":
        return smtplib.SMTP_SSL(email.host, email.server_port, timeout=TIMEOUT_SECONDS, context=trusted)
    server = smtplib.SMTP(email.host, email.server_port, timeout=TIMEOUT_SECONDS)
    if email.security == "starttls":
        try:
            server.starttls(context=trusted)
        except BaseException:
            server.close()
            raise
    return server
