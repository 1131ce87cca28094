"""What is private goes from a text, however it is written; what helps a tutor stays."""

from __future__ import annotations

import ipaddress
import json
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ou_vce_ext.services.redaction import GENERIC_USERS, Private, Redactor

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
KNOWN = Private(
    secrets=frozenset({'s3cr\'t "of" ours', "tm351"}),
    people=frozenset({"zoë", "jdoe42", "Jane Doe", "jd"}),
    hosts=frozenset({"lab-pc-7", "lab-pc-7.open.ac.uk"}),
    folders={
        "/home/jdoe42": "~",
        "/home/jdoe42/.local/share/jupyter/vce": "<private>",
        "/work/things/mongo": "<data of mongo>",
        "/work/things": "<files>",
    },
)
REDACTOR = Redactor(KNOWN)
NOTHING_KNOWN = Redactor(Private())

WRITTEN = (
    "{}",
    "it says {} twice: {}",
    '{{"msg":"{}","attr":{{"x":"{}"}}}}',
    "FATAL:  cannot use '{}' (see {})",
    "x={}&y=1",
    "\x1b[31m{}\x1b[0m",
)


def around(value: str) -> st.SearchStrategy[str]:
    return st.sampled_from(WRITTEN).map(lambda text: text.replace("{}", value))


def names() -> st.SearchStrategy[str]:
    first = st.sampled_from(LETTERS)
    rest = st.text(LETTERS + "-_.", min_size=3, max_size=12)
    return st.builds(lambda a, b, c: f"{a}{b}{c}", first, rest, first)


@given(st.data())
def test_what_is_known_goes_wherever_it_stands(data: st.DataObject) -> None:
    value = data.draw(names().map(lambda name: f"q{name}z"))
    assume(value.lower() not in GENERIC_USERS)
    one = frozenset({value})
    kinds = [Private(secrets=one), Private(people=one), Private(hosts=one)]
    redactor = Redactor(data.draw(st.sampled_from(kinds)))
    text = data.draw(around(data.draw(st.sampled_from([value, quote(value, safe="")]))))
    assert value not in redactor.text(text)


PRINTABLE = st.characters(categories=["L", "N", "P", "S"])


@given(st.text(PRINTABLE, min_size=8, max_size=40), st.sampled_from(WRITTEN))
def test_a_known_secret_may_be_anything(secret: str, written: str) -> None:
    assume(secret not in "<secret>")
    redactor = Redactor(Private(secrets=frozenset({secret})))
    for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
        text = written.replace("{}", f"[{form}]").replace("{{", "{").replace("}}", "}")
        assert form not in redactor.text(text)


@given(st.ip_addresses(), st.sampled_from(WRITTEN))
def test_only_loopback_addresses_stay(address: ipaddress.IPv4Address, written: str) -> None:
    text = written.replace("{}", str(address))
    inner = getattr(address, "ipv4_mapped", None) or address
    stays = inner.is_loopback or inner.is_unspecified
    assert (str(address) in NOTHING_KNOWN.text(text)) == stays


@given(st.emails(), st.sampled_from(WRITTEN))
def test_no_e_mail_address_stays(address: str, written: str) -> None:
    assume(address.replace("@", "").replace(".", "").replace("-", "").isalnum())
    assert address not in NOTHING_KNOWN.text(written.replace("{}", address))


@given(names(), st.text(LETTERS + "!$%*+,;:@/?#-_.~", min_size=6, max_size=30), names())
def test_no_uri_tells_who_or_with_what_or_where(user: str, password: str, host: str) -> None:
    uri = f"mongodb+srv://{user}:{password}@{host}.example.org:27017/things"
    told = NOTHING_KNOWN.text(f"cannot reach {uri}: timed out")
    assert told.startswith("cannot reach mongodb+srv://<credentials>@<host>")
    assert f"{user}:{password}" not in told
    assert f"{host}.example" not in told


@given(st.text(LETTERS + "!$%*+-_.~/", min_size=12, max_size=40))
def test_what_is_named_a_secret_is_one(secret: str) -> None:
    for written in (
        f"password={secret}",
        f'"authToken": "{secret}"',
        f"GET /lab?token={secret} 200",
        f"ALTER ROLE x PASSWORD '{secret}'",
        f"Cookie: username-8888={secret}; _xsrf={secret}",
        f"Authorization: token {secret}",
        f"--api-key {secret}",
        f"PGPASSWORD={secret} psql",
        f"secret_key => '{secret}'",
    ):
        assert secret not in NOTHING_KNOWN.text(written), written


@given(st.text(max_size=300))
def test_twice_is_as_good_as_once(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


SAID = [
    ("could not open /home/jdoe42/My Essay.csv", "could not open ~/… Essay.csv"),
    ("could not open '/home/jdoe42/My Essay.csv'", "could not open '~/…'"),
    ("in /home/jdoe42/.local/share/jupyter/vce/logs/x.log", "in <private>/logs/x.log"),
    ("/work/things/mongo/WiredTiger.wt", "<data of mongo>/WiredTiger.wt"),
    ("/work/things/divorce.csv", "<files>/…"),
    ("/home/other/x and /root/y and C:\\Users\\Jo\\z", "~/… and ~/… and ~/…"),
    ("file:///tmp/upload-1/my.csv", "file:///tmp/…"),
    ('role "jsmith" does not exist', 'role "<user>" does not exist'),
    ('role "postgres" does not exist', 'role "postgres" does not exist'),
    ("host=db.example.org user=jsmith port=5432", "host=<host> user=<user> port=5432"),
    ("I am JDOE42 on LAB-PC-7, jd", "I am <user> on <host>, <user>"),
    ("the password is tm351", "the password is <secret>"),
    ("key AbCdEfGh1234567890xyzQ here", "key <secret> here"),
    (f"sum {'0a' * 20}", "sum <secret>"),
    ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nnext", "<secret>\nnext"),
    ("eth0 02:42:ac:11:00:02 fe80::42:acff:fe11:2%eth0", "eth0 <address> <address>"),
]


@pytest.mark.parametrize(("text", "shown"), SAID)
def test_it_reads_well(text: str, shown: str) -> None:
    assert REDACTOR.text(text) == shown


KEPT = [
    "2026-11-21 20:15:04.213 UTC [4242] LOG:  database system is ready to accept connections",
    'listening on IPv4 address "127.0.0.1", port 5432, and on [::1]:5432, http://localhost:8888/',
    "postgres: password authentication failed",
    "java.lang.OutOfMemoryError: Java heap space at com.google.refine.RefineServlet.service",
    "OpenRefine 3.6.2, PostgreSQL 18.6, Java 17.0.15, /usr/lib/jvm/java-17 and /opt/conda",
    "The disk is full. Delete what you no longer need, then start it again.",
    "mongodb://127.0.0.1:27017/?directConnection=true",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_helps_is_kept(text: str) -> None:
    assert NOTHING_KNOWN.text(text) == text


def test_json_is_redacted_by_its_keys_too() -> None:
    told = REDACTOR.json(
        {
            "user": "Ann Other",
            "host": "db7",
            "port": 5432,
            "password": 12345,
            "tokens": ["a", "b"],
            "jdoe42": {"host": "127.0.0.1", "user": "postgres", "socket": None, "ok": True},
        }
    )
    assert told == {
        "user": "<user>",
        "host": "<host>",
        "port": 5432,
        "password": "<secret>",
        "tokens": ["<secret>", "<secret>"],
        "<user>": {"host": "127.0.0.1", "user": "postgres", "socket": None, "ok": True},
    }
