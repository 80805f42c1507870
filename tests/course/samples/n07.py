"""What lesson 07's notebook has in hand when its exercises come, and plausible wrong answers."""

import time

from eventlab.course import shop_views
from eventlab.course.shop_views import carts, parcels
from eventlab.domain.cart import ItemRemoved
from eventlab.events.envelope import Position
from eventlab.views import parked, wait_until


def context(request):
    return {
        "night": shop_views.morning_after(),
        "carts": carts,
        "parcels": parcels,
        "parked": parked,
        "wait_until": wait_until,
        "ItemRemoved": ItemRemoved,
    }


def wrong(values):
    night = values["night"]
    right = next(name for name in night.folded() if name not in night.wrong(parcels))

    def removed_only(row, recorded):
        row = row or {"pieces": 0}
        if isinstance(recorded.event, ItemRemoved):
            return {"pieces": row["pieces"] + recorded.event.quantity}
        return row

    def signed(row, recorded):
        event = recorded.event
        back = event.quantity if isinstance(event, ItemRemoved) else event.before - event.after
        return {"pieces": (row or {"pieces": 0})["pieces"] + back}

    def number(row, recorded):
        return 1

    def forgets(row, recorded):
        event = recorded.event
        return {"pieces": event.quantity if isinstance(event, ItemRemoved) else max(0, event.before - event.after)}

    def hopes(store, stream, new):
        return store.append(stream, new)

    def naps(store, stream, new):
        store.append(stream, new)
        time.sleep(0)

    def waits_for_the_version(store, stream, new):
        wait_until(store, carts, Position(store.append(stream, new).versions[-1]))

    def writes_half(store, stream, new):
        wait_until(store, carts, store.append(stream, new[:2]).positions[-1])

    return {
        "a": [right, "cart-9999", 3, parked(night.store, parcels)[0]],
        "b": [removed_only, signed, number, forgets, {"pieces": 3}],
        "c": [hopes, naps, waits_for_the_version, writes_half, 3],
    }
