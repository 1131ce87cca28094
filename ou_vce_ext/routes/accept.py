"""Which of two forms of an answer a client would rather have."""

from __future__ import annotations

import re

_Q = re.compile(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*", re.IGNORECASE)


def prefers_json(accept: str) -> bool:
    """Tell whether ``Accept`` gives JSON a strictly higher quality than HTML.

    As RFC 9110 has it, the most specific range that matches a type decides its quality, and no
    header means anything. A range whose quality cannot be read counts as wanted.
    """
    qualities: dict[str, float] = {}
    for part in (accept or "*/*").split(","):
        media, *parameters = part.split(";")
        quality = next((float(q[1]) for p in parameters if (q := _Q.fullmatch(p))), 1.0)
        qualities.setdefault(media.strip().lower(), min(quality, 1.0))
    return _quality(qualities, "application/json") > _quality(qualities, "text/html")


def _quality(qualities: dict[str, float], media: str) -> float:
    ranges = (media, media.split("/")[0] + "/*", "*/*")
    return next((qualities[wanted] for wanted in ranges if wanted in qualities), 0.0)
