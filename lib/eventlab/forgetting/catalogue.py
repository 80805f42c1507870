"""What is personal in the two example domains.

The owner of an account and all texts of it belong to the customer whom the stream is named after. The other side of a
transfer is another customer: the metadata ``counterparty`` says who. The metadata ``customer`` says whose a cart is.
References stay readable: corrections point at them.
"""

from eventlab.domain import account, cart
from eventlab.forgetting.personal import Personal, by_metadata, by_stream

_TEXT = {"text": by_stream}
_MERCHANT = {"merchant": by_stream}

personal = Personal(
    {
        **{cls: {} for cls in (*cart.EVENTS, *account.EVENTS)},
        cart.CartCreated: {"customer": by_metadata("customer")},
        cart.CartAbandoned: {"reason": by_metadata("customer")},
        account.AccountOpened: {"owner": by_stream},
        account.Deposited: _TEXT,
        account.Withdrawn: _TEXT,
        account.TransferSent: {"to": by_metadata("counterparty"), **_TEXT},
        account.TransferReceived: {"sender": by_metadata("counterparty"), **_TEXT},
        account.FeeCharged: _TEXT,
        account.InterestCredited: _TEXT,
        account.Corrected: {"reason": by_stream},
        account.AccountClosed: {"reason": by_stream},
        account.CardAuthorised: _MERCHANT,
        account.AuthorisationReleased: _MERCHANT,
        account.FraudScored: _MERCHANT,
    }
)
