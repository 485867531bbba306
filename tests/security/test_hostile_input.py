"""Whatever comes over the wire is answered with a refusal, never with a fault: bytes, heads, bodies, paths."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.expect import problem
from tests.support.service import Process
from tests.support.sockets import raw_client
from tests.support.world import PASSWORD, Customer, World

_API = "/api/portal/v1"
_POST = b"POST /api/portal/v1/portal/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def process(real: tuple[World, Process]) -> Iterator[World]:
    """The process, which has found nothing unexpected afterwards, and is as well as before."""
    world, process = real
    seen = len(process.output)
    yield world
    assert world.http.get(f"{world.url}/healthz").status_code == 200
    said = process.output[seen:]
    assert '"unexpected"' not in said
    assert "Traceback" not in said
    assert "\x1b" not in said, "nothing moves the cursor of whoever reads the log"


def exchange(world: World, sent: bytes) -> bytes:
    """What comes back before the connection is closed."""
    with raw_client(world.url) as client:
        client.send(sent)
        return client.answer(15)


@pytest.mark.parametrize("length", [b"Content-Length: 10000000\r\n\r\n", b"Content-Length: 65537\r\n\r\n" + b" " * 100])
def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(process: World, length: bytes) -> None:
    with raw_client(process.url) as client:
        client.send(_POST + length)
        assert client.next_line() == b"HTTP/1.1 413 Request Entity Too Large"


def test_a_body_that_becomes_too_large_is_refused_before_it_ends(process: World) -> None:
    with raw_client(process.url) as client:
        client.send(_POST + b"Transfer-Encoding: chunked\r\n\r\n" + (b"1000\r\n" + b" " * 0x1000 + b"\r\n") * 17)
        assert client.next_line() == b"HTTP/1.1 413 Request Entity Too Large"


HEADS: dict[str, bytes] = {
    "10,000 fields": _GET + b"a: b\r\n" * 10_000 + b"\r\n",
    "a field of a megabyte": _GET + b"X-Long: " + b"x" * 1_000_000 + b"\r\n\r\n",
    "an address of a megabyte": b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a megabyte of trailers": _POST
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    + b"X-Long: "
    + b"x" * 1_000_000
    + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_bounded(process: World, name: str) -> None:
    answer = exchange(process, HEADS[name])
    # A client that is still sending may see its connection broken instead of the answer.
    assert answer == b"" or answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 4")), answer[:200]


def test_a_head_that_is_too_large_is_told_so(process: World) -> None:
    answer = exchange(process, _GET + b"a: b\r\n" * 201 + b"\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"content-type: application/problem+json" in head
    assert httpx.Response(431, content=body).json()["key"] == "PAYLOAD_TOO_LARGE"
    fine = exchange(process, _GET + b"a: b\r\n" * 190 + b"Connection: close\r\n\r\n")
    assert fine.startswith(b"HTTP/1.1 200 ")


NOISE: dict[str, bytes] = {
    "noise": b"\x00\xff\x1b[2J\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303") + b"x" * 160,
    "HTTP/9.9": b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
    "an unknown method": b"FETCH /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in a field": _GET + b"X-Nul: a\x00b\r\n\r\n",
    "a lone CR in a field": _GET + b"X-Cr: a\rSet-Cookie: b\r\n\r\n",
    "a folded field": _GET + b"X-Folded: a\r\n b\r\n\r\n",
    "a field without a name": _GET + b": x\r\n\r\n",
    "a space before the colon": _GET + b"X-Space : x\r\n\r\n",
    "two lengths": _POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "a length and chunks": _POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a negative length": _POST + b"Content-Length: -1\r\n\r\n",
    "a length of many digits": _POST + b"Content-Length: " + b"9" * 50 + b"\r\n\r\n",
    "a chunk of no length": _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "chunks in another coding": _POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", NOISE)
def test_what_is_not_http_is_refused_and_the_connection_closed(process: World, name: str) -> None:
    answer = exchange(process, NOISE[name])
    assert answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1, "one request, one answer"
    assert b"application/problem+json" in answer


# Each as it stands between a JSON text's quotation marks.
TEXTS = {
    "NUL": "a\\u0000b",
    "half a surrogate": "a\\ud800b",
    "CRLF": "a\\r\\nBcc: b@example.com",
    "ANSI": "a\\u001b[2Jb",
    "upside down": "a\\u202eb",
    "very long": "a" * 20_000,
    "SQL": "a' OR 1=1; --",
    "a path": "../../etc/passwd",
    "a template": "{{7*7}}${7*7}%s%n",
}
BODIES = {
    "/portal/sessions": '{"email": "%s", "password": "%s"}',
    "/portal/password-resets": '{"email": "%s"}',
    "/portal/tokens/inspect": '{"token": "%s"}',
    "/portal/registrations": '{"token": "%s", "customerNumber": "%s", "password": "%s"}',
    "/portal/password-resets/complete": '{"token": "%s", "password": "%s"}',
    "/portal/error-reports": '{"page": "%s", "message": "%s"}',
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.asvs("2.2.1")
def test_hostile_texts_are_refused_or_plain_text(customer: Customer, process: World, text: str) -> None:
    headers = customer.utility.headers | {"Content-Type": "application/json"}
    for path, template in BODIES.items():
        body = template.replace("%s", TEXTS[text]).encode()
        answer = process.http.post(f"{process.url}{_API}{path}", content=body, headers=headers)
        accepted = path in ("/portal/error-reports", "/portal/password-resets")
        assert answer.status_code in ((202, 401, 422) if accepted else (400, 401, 422)), (path, answer.text)
        assert "\x1b" not in answer.text
        assert "\x00" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 30_000,
        b'{"email": ' * 5_000 + b"1" + b"}" * 5_000,
        b'{"email": "a@example.com", "email": "b@example.com"}',
        b'{"email": NaN}',
        b'{"email": 1e999}',
        b'{"email": "\xed\xa0\x80"}',
        b"\xff\xfe",
    ],
)
def test_hostile_json_is_refused(customer: Customer, process: World, body: bytes) -> None:
    headers = customer.utility.headers | {"Content-Type": "application/json"}
    for path in BODIES:
        problem(
            process.http.post(f"{process.url}{_API}{path}", content=body, headers=headers), 422, "VALIDATION_FAILED"
        )


QUERIES = ("%00", "%1b[2J", "%ed%a0%80", "%ff", "%", "%zz", "a" * 5_000, "%0d%0aSet-Cookie:%20a=b", "%f0%9f%98%80")


@pytest.mark.parametrize("text", QUERIES)
def test_hostile_addresses_are_refused(customer: Customer, process: World, text: str) -> None:
    bearer = customer.utility.bearer()
    for path in (
        f"{_API}/customers/{text}/portal",
        f"{_API}{customer.path}/activities?continuationToken={text}",
        f"{_API}{customer.path}/activities?pageSize={text}",
        f"{_API}{customer.path}/activities?type={text}&fromDateTime={text}",
        f"/{text}",
        f"/static-offline-docs/..%2f..%2f{text}",
    ):
        head = "".join(f"{name}: {value}\r\n" for name, value in bearer.items())
        answer = exchange(process, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 4"), (path, answer[:200])
        assert b"set-cookie" not in answer.partition(b"\r\n\r\n")[0].lower()


@pytest.mark.asvs("16.4.1")
def test_hostile_fields_of_a_head_leave_no_trace(active: Customer, process: World) -> None:
    for value in (b"\x1b[2J", b"caf\xe9", b"\xf0\x9f\x98\x80", b"a\tb", b"x" * 8_000, b"{{7*7}}"):
        given = dict.fromkeys(("User-Agent", "X-Correlation-Id", "Referer", "Accept", "Cookie"), value)
        answer = process.http.post(
            f"{process.url}{_API}/portal/sessions",
            json={"email": active.email, "password": PASSWORD},
            headers={name.encode(): text.encode() for name, text in active.utility.headers.items()}
            | {name.encode(): text for name, text in given.items()},
        )
        # An escape in a head is no HTTP.
        assert answer.status_code == (400 if b"\x1b" in value else 201)
        assert value.decode("latin-1") not in answer.headers["x-correlation-id"]
