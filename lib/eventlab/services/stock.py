"""The stock team: how many pieces of each product are taken. It skips what it does not know."""

from eventlab.services import lines
from eventlab.services.team import Team

_INTERNAL = {
    "ItemAdded": lines.added,
    "ItemRemoved": lines.removed,
    "QuantityChanged": lines.changed,
    "CartAbandoned": lines.dropped,
}
TEAM = Team(
    tables=lines.TABLE,
    editions={
        "internal 1": _INTERNAL,
        "internal 2": {
            **_INTERNAL,
            "LineAdded": lines.added,
            "QuantityRaised": lines.raised,
            "QuantityLowered": lines.lowered,
        },
        "published": {"OrderPlaced": lines.ordered},
    },
    answer="SELECT product, sum(pieces) AS taken FROM lines GROUP BY product HAVING taken != 0 ORDER BY product",
    values=1,
    unknown="skip",
)
