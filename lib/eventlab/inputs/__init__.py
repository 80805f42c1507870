"""Bank statements and order lines from outside, read, checked and stored as events."""

from eventlab.inputs.errors import InputError
from eventlab.inputs.importing import import_file
from eventlab.inputs.orders import Order, OrderFile, OrderLine
from eventlab.inputs.reading import FORMATS, read
from eventlab.inputs.reconcile import mismatches
from eventlab.inputs.report import ImportReport
from eventlab.inputs.samples import sample
from eventlab.inputs.statement_file import AccountStatement, Balance, Entry, StatementFile

__all__ = [
    "FORMATS",
    "AccountStatement",
    "Balance",
    "Entry",
    "ImportReport",
    "InputError",
    "Order",
    "OrderFile",
    "OrderLine",
    "StatementFile",
    "import_file",
    "mismatches",
    "read",
    "sample",
]
