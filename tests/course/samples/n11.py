"""Context and wrong answers for the exercises of lesson 11."""

from eventlab.course.forgetting import ANA, BEN, NAMES, Bank, JointAccountOpened
from eventlab.domain.account import AccountOpened
from eventlab.forgetting import Personal, SubjectForgotten, by_field, by_stream


def context(request):
    bank = Bank(request.getfixturevalue("kafka"), sealed=False)
    bank.delete(BEN)
    events = list(bank.store.read_all())
    bank.close()
    return {
        "events": events,
        "NAMES": NAMES,
        "BEN": BEN,
        "Personal": Personal,
        "JointAccountOpened": JointAccountOpened,
    }


def never_forgets(book, customer, event):
    return {**book, customer: event.owner} if isinstance(event, AccountOpened) else book


def by_the_stream(book, customer, event):
    if isinstance(event, SubjectForgotten):
        del book[customer]
        return book
    return never_forgets(book, customer, event)


def writes_the_placeholder(book, customer, event):
    if isinstance(event, SubjectForgotten):
        return {known: name for known, name in book.items() if known != event.subject}
    return never_forgets(book, customer, event)


def table(**fields):
    return Personal({JointAccountOpened: fields})


def wrong(values):
    return {
        "a": [{ANA}, set(NAMES), set(NAMES) - {BEN}, {"Ana Almeida"}, 3, [1001]],
        "b": [
            table(first=by_stream, second=by_stream),
            table(first=by_field("first_id")),
            table(first=by_field("first_id"), second=by_stream),
            table(first=by_stream, second=by_field("second_id")),
            table(first=by_field("second_id"), second=by_field("first_id")),
            table(first=by_field("first_id"), second=by_field("first_id")),
            table(first=by_field("first_id"), second=by_field("second_id"), branch=by_field("first_id")),
            {JointAccountOpened: {"first": by_field("first_id")}},
            Personal({}),
        ],
        "c": [never_forgets, by_the_stream, writes_the_placeholder, lambda book, customer, event: None, "book"],
    }
