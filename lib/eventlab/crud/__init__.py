"""The same cart and account as tables: the last state only, the audit table that people bolt on, a bitemporal table."""

from eventlab.crud.account import Account
from eventlab.crud.audit import AuditEntry
from eventlab.crud.bitemporal import BitemporalAccount, BitemporalBalance
from eventlab.crud.cart import Cart, CartLine
from eventlab.crud.database import Database

__all__ = ["Account", "AuditEntry", "BitemporalAccount", "BitemporalBalance", "Cart", "CartLine", "Database"]
