"""Realistic carts and an account's history from a seed: the same seed gives the same events, ids and times included."""

from eventlab.inputs.generate.account import demo_account
from eventlab.inputs.generate.carts import demo_carts
from eventlab.inputs.generate.run import demo_store

__all__ = ["demo_account", "demo_carts", "demo_store"]
