"""All entities of a kind at once: every cart or account as of a moment, and what changed between two of them.

Apart from :mod:`eventlab.history`, because it needs Polars.
"""

from eventlab.history.population.accounts import ACCOUNTS
from eventlab.history.population.carts import CARTS
from eventlab.history.population.columns import open_file, read
from eventlab.history.population.difference import PopulationDifference
from eventlab.history.population.kind import Kind
from eventlab.history.population.past import Population

__all__ = ["ACCOUNTS", "CARTS", "Kind", "Population", "PopulationDifference", "open_file", "read"]
