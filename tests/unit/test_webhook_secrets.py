"""Secrets and signatures of webhooks, against the specification's own library."""

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from app.webhook_secrets import SecretUnreadable, WebhookSecrets, signatures

_OLD, _NEW = b"o" * 32, b"n" * 32


def test_signatures_are_the_librarys() -> None:
    secrets = [WebhookSecrets([_OLD]).new() for _ in range(2)]
    body = '{"name":"Zoë"}'.encode()
    sent = datetime(2026, 11, 22, 18, 56, 20, tzinfo=UTC)
    expected = [Webhook(secret).sign("01a2", sent, body.decode()) for secret in secrets]
    assert signatures(secrets, "01a2", int(sent.timestamp()), body) == " ".join(expected)


def test_the_specifications_example_is_signed_as_it_says() -> None:
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signed = signatures([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_secret_is_new_and_long_enough() -> None:
    made = {WebhookSecrets([_OLD]).new() for _ in range(100)}
    assert len(made) == 100
    assert {len(base64.b64decode(one.removeprefix("whsec_"), validate=True)) for one in made} == {32}


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    before, during, after = WebhookSecrets([_OLD]), WebhookSecrets([_NEW, _OLD]), WebhookSecrets([_NEW])
    secret = before.new()
    assert during.open(before.seal(secret)) == secret
    assert after.open(during.seal(secret)) == secret
    with pytest.raises(SecretUnreadable):
        after.open(before.seal(secret))
    with pytest.raises(SecretUnreadable):
        before.open(during.seal(secret))


def test_the_same_secret_is_never_encrypted_alike_nor_read_when_changed() -> None:
    box = WebhookSecrets([_OLD])
    secret = box.new()
    sealed = box.seal(secret)
    assert box.seal(secret) != sealed
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(SecretUnreadable):
            box.open(changed)
