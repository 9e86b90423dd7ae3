"""What a feed besides order lines is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import dataframely as dy


@dataclass(frozen=True)
class Feed:
    """One feed: its raw table, and the contract of a row.

    ``parsed`` names the columns that are stored as they were parsed, and not as text: the parsed
    one → the table's. All others have the same name in the file's contract and in the table.
    """

    table: str
    contract: type[dy.Schema]
    parsed: Mapping[str, str] = field(default_factory=dict)
