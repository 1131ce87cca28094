"""The questions whose answers two databases with the same content give alike."""

from __future__ import annotations

import re
from typing import Final

SETTINGS: Final = (
    "SET search_path = ''",
    "SET DateStyle = 'ISO, MDY'",
    "SET IntervalStyle = 'postgres'",
    "SET TimeZone = 'UTC'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET xmlbinary = 'base64'",
    "SET lc_monetary = 'C'",
    "SET statement_timeout = 0",
    "SET lock_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = 0",
    "SET row_security = off",
    # A dump goes on beside: one core is enough for counting.
    "SET max_parallel_workers_per_gather = 0",
)
"""Values are compared as text: whatever shapes that must be the same on both sides."""

_OURS: Final = r"n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_NO_PART: Final = (
    "NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{0}'::regclass AND d.objid = {1}.oid"
    " AND d.deptype = 'e')"
)


def _whole(question: str) -> str:
    """A question with what its ``<ours>``, ``<own CATALOGUE ALIAS>`` … stand for."""
    own = re.compile(r"<own (\w+) (\w+)>")
    question = own.sub(lambda found: _NO_PART.format(found[1], found[2]), question)
    for mark, words in _GRANTS.items():
        question = question.replace(f"<grants {mark}>", words)
    return question.replace("<ours>", _OURS)


def _grants(acl: str, default: str) -> str:
    """Who may do what, in one order; where nothing was ever granted, as it is by default."""
    words = """(SELECT string_agg(format('%s=%s%s/%s', a.grantee::regrole, a.privilege_type,
      CASE WHEN a.is_grantable THEN '*' END, a.grantor::regrole), ','
      ORDER BY a.grantee::regrole::text, a.privilege_type, a.grantor::regrole::text)
    FROM aclexplode(coalesce(<acl>, acldefault(<default>))) a)"""
    return words.replace("<acl>", acl).replace("<default>", default)


_GRANTS: Final = {
    "relation": _grants(
        "c.relacl", "CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", c.relowner"
    ),
    "schema": _grants("n.nspacl", "'n', n.nspowner"),
    "function": _grants("p.proacl", "'f', p.proowner"),
}


TABLES: Final = _whole("""
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND <ours>
  AND <own pg_class c>
ORDER BY 1""")
"""Tables with rows of their own: partitions, and no views. An extension brings its own along."""

ROWS: Final = """
SELECT count(*), coalesce(sum(hashtextextended((r.*)::text COLLATE pg_catalog."C", 0)), 0)::text
FROM ONLY {} r"""
"""How many, and a sum over the rows' hashes, which their order does not change."""

SEQUENCES: Final = _whole("""
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND <ours>
  AND <own pg_class c>
ORDER BY 1""")

SEQUENCE: Final = "SELECT last_value, is_called FROM {}"

LARGE_OBJECTS: Final = r"""
SELECT (SELECT count(*) FROM pg_largeobject_metadata),
  coalesce(sum(hashtextextended(
    format('%s/%s/%s', loid, pageno, encode(btrim(data, '\x00'), 'hex')) COLLATE pg_catalog."C", 0
  )), 0)::text
FROM pg_largeobject WHERE length(btrim(data, '\x00')) > 0"""
"""Holes and zeros at the ends of pages are the same to whoever reads: they are not counted."""

MAY_READ_PAGES: Final = "SELECT has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')"

READ_LARGE_OBJECTS: Final = r"""
SELECT (SELECT count(*) FROM pg_largeobject_metadata),
  coalesce(sum(hashtextextended(
    format('%s/%s/%s', loid, pageno, encode(btrim(data, '\x00'), 'hex')) COLLATE pg_catalog."C", 0
  )), 0)::text
FROM (
  SELECT m.oid AS loid, pageno, lo_get(m.oid, pageno * page, page) AS data
  FROM pg_largeobject_metadata m,
    (SELECT current_setting('block_size')::int / 4) AS b (page),
    LATERAL generate_series(0, lo_lseek64(lo_open(m.oid, 262144), 0, 2) / page) AS p (pageno)
) AS pages
WHERE length(btrim(data, '\x00')) > 0"""
"""The same for an account that may read the objects, but not the table that holds their pages."""

SCHEMA: Final = _whole("""
SELECT 'schema', format('%I', n.nspname), concat_ws(' ', n.nspowner::regrole, <grants schema>)
FROM pg_namespace n WHERE <ours>
UNION ALL
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
    WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table'
    WHEN 'c' THEN 'type' WHEN 'i' THEN 'index' WHEN 'I' THEN 'partitioned index' END,
  format('%I.%I', n.nspname, c.relname),
  concat_ws(' ', c.relowner::regrole, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
    c.relispopulated, c.relreplident, c.reloptions::text,
    CASE WHEN c.relkind NOT IN ('i', 'I') THEN <grants relation> END,
    CASE WHEN c.relkind IN ('i', 'I') THEN pg_get_indexdef(c.oid) END,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
    CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
    CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END,
    (SELECT string_agg(format('%s::regclass', i.inhparent::regclass), ',' ORDER BY i.inhseqno)
     FROM pg_inherits i WHERE i.inhrelid = c.oid),
    (SELECT string_agg(concat_ws(' ', format('%I', a.attname),
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
        l.collname, a.attoptions::text,
        (SELECT string_agg(x::text, ',' ORDER BY x::text) FROM unnest(a.attacl) x),
        pg_get_expr(e.adbin, e.adrelid)), ',' ORDER BY a.attnum)
     FROM pg_attribute a LEFT JOIN pg_attrdef e ON (e.adrelid, e.adnum) = (a.attrelid, a.attnum)
       LEFT JOIN pg_collation l ON l.oid = a.attcollation
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 't' AND c.relpersistence <> 't' AND <ours>
  AND <own pg_class c>
UNION ALL
SELECT 'constraint', format('%s on %s', quote_ident(k.conname), coalesce(nullif(k.conrelid, 0)::
    regclass::text, nullif(k.contypid, 0)::regtype::text)),
  concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated)
FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
WHERE <ours> AND <own pg_constraint k> AND k.contype <> 't'
UNION ALL
SELECT 'function', p.oid::regprocedure::text, concat_ws(' ', p.proowner::regrole,
  CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END, <grants function>)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE <ours> AND <own pg_proc p>
UNION ALL
SELECT 'type', t.oid::regtype::text, concat_ws(' ', t.typtype, t.typowner::regrole,
  CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END, t.typnotnull,
  t.typdefault,
  (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder)
   FROM pg_enum e WHERE e.enumtypid = t.oid))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('d', 'e', 'r') AND <ours> AND <own pg_type t>
UNION ALL
SELECT 'trigger', format('%I on %s', g.tgname, g.tgrelid::regclass),
  concat_ws(' ', pg_get_triggerdef(g.oid), g.tgenabled)
FROM pg_trigger g WHERE NOT g.tgisinternal
UNION ALL
SELECT 'rule', format('%I on %s', w.rulename, w.ev_class::regclass), pg_get_ruledef(w.oid)
FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n
  ON n.oid = c.relnamespace
WHERE w.rulename <> '_RETURN' AND <ours>
UNION ALL
SELECT 'policy', format('%I on %s', y.polname, y.polrelid::regclass),
  concat_ws(' ', y.polcmd, y.polpermissive,
    (SELECT string_agg(r::regrole::text, ',' ORDER BY r::regrole::text) FROM unnest(y.polroles) r),
    pg_get_expr(y.polqual, y.polrelid), pg_get_expr(y.polwithcheck, y.polrelid))
FROM pg_policy y
UNION ALL
SELECT 'extension', format('%I', x.extname), format('%I', n.nspname)
FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
UNION ALL
SELECT 'comment', concat_ws(' ', o.type, o.identity), m.description
FROM pg_description m, pg_identify_object(m.classoid, m.objoid, m.objsubid) o
WHERE m.objoid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d
  WHERE (d.classid, d.objid, d.deptype) = (m.classoid, m.objoid, 'e'))
ORDER BY 1, 2""")
"""Kind, name and definition of all that is in a database, as the server itself puts it in words."""
