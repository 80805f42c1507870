"""The same cart and account as tables: the last state only, and the audit table that people bolt on."""

from eventlab.crud.account import Account
from eventlab.crud.audit import AuditEntry
from eventlab.crud.cart import Cart, CartLine
from eventlab.crud.database import Database

__all__ = ["Account", "AuditEntry", "Cart", "CartLine", "Database"]
