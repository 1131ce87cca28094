"""A database with everything in it that a dump could lose, and how two of them are compared."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

from ou_vce_ext.drivers.base import scrubbed_environment
from ou_vce_ext.drivers.postgres.programs import Server
from tests.integration.postgres_rig import PostgresRig

NAME = 'Kürs "3"/ä=1'
"""A database's name that trips over every careless tool."""

ROLES = """
CREATE ROLE "Tutor Ä" NOLOGIN;
CREATE ROLE helper LOGIN PASSWORD 'helper''s';
GRANT "Tutor Ä" TO helper;
ALTER ROLE helper SET work_mem = '8MB';
COMMENT ON ROLE helper IS 'helps; and "quotes"';
"""

RICH = r"""
CREATE SCHEMA "Übung Nr. 1";
CREATE SCHEMA shop AUTHORIZATION "Tutor Ä";
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm WITH SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('sad', 'o''k', 'glücklich');
CREATE DOMAIN shop.positive AS integer CHECK (VALUE > 0);
CREATE TYPE shop.pair AS (a integer, b text);
CREATE TABLE shop.customer (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL COLLATE "C", mood shop.mood DEFAULT 'sad',
  tags text[] DEFAULT '{a,"b,c"}', extra jsonb, raw bytea, h hstore, two shop.pair,
  born date, at timestamptz DEFAULT '2024-02-29 12:00+01', price numeric(12,3), f double precision,
  name_length integer GENERATED ALWAYS AS (length(name)) STORED, span int4range,
  EXCLUDE USING gist (span WITH &&));
INSERT INTO shop.customer (name, mood, extra, raw, h, two, price, f, span)
SELECT 'Größe ' || i || E'\t\n\\ "' , 'glücklich', jsonb_build_object('k', i, 'ü', ARRAY[1,NULL]),
  decode(lpad(to_hex(i), 8, '0'), 'hex'), hstore('a', i::text), ROW(i, NULL)::shop.pair,
  i / 7.0, 'NaN', int4range(i, i + 1) FROM generate_series(1, 500) i;
CREATE TABLE shop."Order" (
  id bigserial PRIMARY KEY, customer integer NOT NULL REFERENCES shop.customer ON DELETE CASCADE,
  amount shop.positive, note text);
INSERT INTO shop."Order" (customer, amount, note)
SELECT 1 + i % 500, i, NULL FROM generate_series(1, 2000) i;
SELECT setval('shop."Order_id_seq"', 4242, true);
CREATE INDEX part_of_it ON shop."Order" (lower(note)) WHERE amount > 10;
CREATE INDEX trigrams ON shop.customer USING gin (name shop.gin_trgm_ops);
CREATE TABLE "Übung Nr. 1"."select" ("from" text, "a.b" integer, r integer, UNIQUE ("from", r));
INSERT INTO "Übung Nr. 1"."select" VALUES ('x', 1, 1), (NULL, 2, 2), ('', 3, NULL);
CREATE TABLE measured (at date NOT NULL, v real) PARTITION BY RANGE (at);
CREATE TABLE measured_24 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE measured_rest PARTITION OF measured DEFAULT;
INSERT INTO measured SELECT '2023-06-01'::date + i, i FROM generate_series(1, 700) i;
CREATE TABLE parent (a integer); CREATE TABLE child (b text) INHERITS (parent);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'two');
CREATE VIEW shop.rich AS SELECT c.name, sum(o.amount) AS total FROM shop.customer c
  JOIN shop."Order" o ON o.customer = c.id GROUP BY c.name;
CREATE MATERIALIZED VIEW shop.totals AS SELECT customer, count(*) FROM shop."Order" GROUP BY 1;
CREATE UNIQUE INDEX ON shop.totals (customer);
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN NEW.note := coalesce(NEW.note, 'it''s; $$ fine $$'); RETURN NEW; END $f$;
CREATE TRIGGER touch BEFORE INSERT ON shop."Order" FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE FUNCTION twice(a integer) RETURNS integer LANGUAGE sql IMMUTABLE
BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN a * 2 ELSE 0 END; END;
CREATE AGGREGATE product(integer) (SFUNC = int4mul, STYPE = integer, INITCOND = '1');
ALTER TABLE shop."Order" ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON shop."Order" TO helper USING (note = current_user);
GRANT SELECT, INSERT (note) ON shop."Order" TO helper;
GRANT USAGE ON SCHEMA shop TO PUBLIC;
ALTER TABLE shop.customer OWNER TO "Tutor Ä";
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO helper;
COMMENT ON TABLE shop."Order" IS E'Zeile 1\nZeile 2; it''s \\. ';
COMMENT ON COLUMN shop.customer.name IS 'ein Name';
CREATE RULE quiet AS ON DELETE TO parent DO INSTEAD NOTHING;
CREATE SEQUENCE never_called START 7 INCREMENT -2 MINVALUE -100 MAXVALUE 100;
SELECT lo_from_bytea(0, convert_to(repeat('Große Datei ', 1000), 'UTF8'));
SELECT lo_from_bytea(4711, '\x00ff00');
"""

_MARKS = re.compile(r"^(?:\\(?:un)?restrict .*|-- Dumped .*)$", re.M)


async def fill(rig: PostgresRig) -> None:
    """Make the roles and the rich database in a running service."""
    await rig.query('CREATE DATABASE "{}"'.format(NAME.replace('"', '""')))
    for statement in ROLES.strip().splitlines():
        await rig.admin(statement)
    await rig.admin(RICH, dbname=NAME)
    quoted = '"{}"'.format(NAME.replace('"', '""'))
    await rig.admin(f"GRANT CONNECT ON DATABASE {quoted} TO helper WITH GRANT OPTION")
    await rig.admin(f"REVOKE CONNECT ON DATABASE {quoted} FROM PUBLIC")
    await rig.admin(f'ALTER DATABASE {quoted} SET search_path = shop, "Übung Nr. 1", public')
    await rig.admin(f"ALTER ROLE helper IN DATABASE {quoted} SET work_mem = '9MB'")
    await rig.admin(f"COMMENT ON DATABASE {quoted} IS 'mein Kurs'")


def told(rig: PostgresRig, server: Server, database: str, folder: Path) -> str:
    """All of a database as pg_dump itself puts it, owners, grants and settings included."""
    name = database.replace("\\", "\\\\").replace("'", "\\'")
    made = _run(rig, server, folder, "pg_dump", "--create", f"--dbname=dbname='{name}'")
    return _MARKS.sub("", made.decode())


def _run(rig: PostgresRig, server: Server, folder: Path, tool: str, *arguments: str) -> bytes:
    """What a tool prints, run by hand as the superuser."""
    secret = (rig.folder / "ou-vce-ext.secret").read_text().strip()
    env = rig.driver.environment()
    return subprocess.run(
        [server.tool(tool), *arguments],
        env={
            **scrubbed_environment({"LC_ALL": "C"}),
            "PGHOST": env["PGHOST"],
            "PGPORT": env["PGPORT"],
            "PGUSER": "postgres",
            "PGPASSWORD": secret,
        },
        capture_output=True,
        check=True,
        cwd=folder,
    ).stdout


def dumps(rig: PostgresRig, server: Server, folder: Path) -> list[Path]:
    """The database ``student`` in every format and wrapping that people have it in."""
    made = {
        "custom.dump": ("-Fc",),
        "tar.tar": ("-Ft",),
        "plain.sql": ("-Fp",),
        "created.sql": ("-Fp", "--create", "--clean", "--if-exists"),
        "inserts.sql": ("-Fp", "--inserts", "--no-owner"),
    }
    files = []
    for name, options in made.items():
        path = folder / name
        path.write_bytes(_run(rig, server, folder, "pg_dump", *options, "--dbname=student"))
        files.append(path)
    custom, _, plain, *_ = files
    packed = folder / "plain.sql.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    zipped = folder / "custom.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(custom, "backup/student.dump")
        archive.writestr("__MACOSX/._x", b"x")
    tarred = folder / "plain.tar.gz"
    with tarfile.open(tarred, "w:gz") as tar:
        tar.add(plain, "student.sql")
    directory = folder / "directory"
    _run(rig, server, folder, "pg_dump", "-Fd", f"--file={directory}", "--dbname=student")
    folded = Path(shutil.make_archive(str(directory), "zip", folder, directory.name))
    return [*files, packed, zipped, tarred, folded]
