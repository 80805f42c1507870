"""What lesson 10's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.course import compatibility


def context(request):
    return {"compatibility": compatibility}


def wrong(values):
    changes = values["compatibility"].CHANGES
    return {
        "a": [
            set(changes),
            set(),
            {"a field more, with a default"},
            {"a field more, with a default", "a field gone"},
            {"a field more, with a default", "another name"},
            {"FULL_TRANSITIVE"},
            "a field more, with a default",
            5,
        ],
        "b": [
            lambda fields: {"product": fields["item"], "price": str(fields["cents"] / 100)},
            lambda fields: {"product": fields["item"], "price": f"{fields['cents'] // 100}.{fields['cents'] % 100}"},
            lambda fields: {"product": fields["item"], "price": fields["cents"] / 100},
            lambda fields: {"product": fields["item"], "price": str(fields["cents"])},
            lambda fields: {"item": fields["item"], "price": f"{fields['cents'] / 100:.2f}"},
            lambda fields: {"product": "trousers", "price": f"{fields['cents'] / 100:.2f}"},
            lambda fields: {"product": fields["item"], "price": f"{fields['cents'] / 100:.2f} EUR"},
            lambda fields: "4.50",
            "4.50",
        ],
        "c": [
            lambda fields: {**fields, "price": f"{fields['price']['minor'] / 100:.2f}"},
            lambda fields: {**fields, "price": str(fields["price"]["minor"] / 100)},
            lambda fields: {**fields, "price": None} if fields["price"]["currency"] != "EUR" else _down(fields),
            lambda fields: {"product": fields["product"], "price": _down(fields)["price"]},
            lambda fields: {**_no_yen(fields), "product": "socks"},
            lambda fields: {**_no_yen(fields), "quantity": 2},
            lambda fields: _no_yen(fields),
            lambda fields: fields,
            lambda fields: None,
            {"price": "4.50"},
        ],
        "d": [
            {"name": "note", "type": "string"},
            {"name": "note", "type": ["string", "null"], "default": None},
            {"name": "note", "type": "string", "default": None},
            {"name": "note", "type": "text", "default": ""},
            {"name": "note", "type": "long", "default": 0},
            {"name": "remark", "type": "string", "default": ""},
            {"name": "note"},
            "note",
        ],
    }


def _down(fields):
    euros, cents = divmod(fields["price"]["minor"], 100)
    return {**fields, "price": f"{euros}.{cents:02}"}


def _no_yen(fields):
    if fields["price"]["currency"] == "JPY":
        raise ValueError("no yen")
    return _down(fields)
