"""What names a region: full names of the large clouds, and the short codes that stand for them. Tables, no reasoning."""

from __future__ import annotations

import re
from functools import lru_cache

GLOBAL = "global"

_GEOGRAPHIES = {
    "u": "us",
    "us": "us",
    "e": "eu",
    "eu": "eu",
    "a": "ap",
    "ap": "ap",
    "c": "ca",
    "ca": "ca",
    "s": "sa",
    "sa": "sa",
    "m": "me",
    "me": "me",
    "f": "af",
    "af": "af",
    "il": "il",
    "mx": "mx",
    "cn": "cn",
    "g": "us-gov",
    "ug": "us-gov",
    "usg": "us-gov",
}
_DIRECTIONS = {
    "e": "east",
    "w": "west",
    "n": "north",
    "s": "south",
    "c": "central",
    "ne": "northeast",
    "nw": "northwest",
    "se": "southeast",
    "sw": "southwest",
}
# ue2, use2, ec1, apse1: geography, direction, number.
_CODE = re.compile(
    f"(?P<geography>{'|'.join(sorted(_GEOGRAPHIES, key=len, reverse=True))})(?P<direction>[ns][ew]|[ewnsc])(?P<number>[1-9])"
)

# Codes that no rule spells out: global, and those that Azure and others use.
_CODES = {
    "gbl": GLOBAL,
    "global": GLOBAL,
    "eus": "eastus",
    "eus2": "eastus2",
    "wus": "westus",
    "wus2": "westus2",
    "wu2": "westus2",
    "wus3": "westus3",
    "cus": "centralus",
    "ncus": "northcentralus",
    "scus": "southcentralus",
    "neu": "northeurope",
    "weu": "westeurope",
    "uks": "uksouth",
    "ukw": "ukwest",
    "frc": "francecentral",
    "gwc": "germanywestcentral",
    "sea": "southeastasia",
    "jpe": "japaneast",
    "jpw": "japanwest",
    "aue": "australiaeast",
    "brs": "brazilsouth",
    "fra": "fra",
    "fra1": "fra1",
    "nyc": "nyc",
    "nyc1": "nyc1",
    "nyc3": "nyc3",
    "sfo": "sfo",
    "sfo3": "sfo3",
    "ams": "ams",
    "ams3": "ams3",
    "lon": "lon",
    "lon1": "lon1",
    "sgp": "sgp",
    "sgp1": "sgp1",
    "blr": "blr",
    "blr1": "blr1",
    "tor": "tor",
    "tor1": "tor1",
    "syd1": "syd1",
}
_COMPASS = "(?:north|south|east|west|central|northeast|northwest|southeast|southwest)"
_FULL_NAMES = (
    re.compile(rf"[a-z]{{2}}(?:-gov|-iso[a-z]?)?-{_COMPASS}-[1-9]"),  # AWS
    re.compile(rf"(?:us|europe|asia|australia|northamerica|southamerica|me|africa)-{_COMPASS}[1-9]\d?"),  # Google Cloud
    re.compile(
        rf"{_COMPASS}{{1,2}}(?:us|europe|asia|india)[1-9]?|(?:uk|france|germany|japan|australia|brazil|canada){_COMPASS}{{1,2}}[1-9]?"
    ),
)


@lru_cache(maxsize=4096)
def region_of(code: str) -> str | None:
    """The region that a code or a full name stands for; None when it is no region's."""
    lowered = code.lower()
    if lowered in _CODES:
        return _CODES[lowered]
    match = _CODE.fullmatch(lowered)
    if match:
        return f"{_GEOGRAPHIES[match['geography']]}-{_DIRECTIONS[match['direction']]}-{match['number']}"
    return lowered if any(name.fullmatch(lowered) for name in _FULL_NAMES) else None


def region_of_zone(zone: str) -> str:
    """An availability zone less its letter: us-east-1a → us-east-1, europe-west3-a → europe-west3."""
    return re.sub(r"(?<=\d)-?[a-z]$", "", zone)
