"""The sample files: unchanged, all of them described, and read as the bank meant them."""

import re
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from eventlab.domain import account
from eventlab.domain.money import Money
from eventlab.events.envelope import StreamId
from eventlab.inputs import Entry, ImportReport, StatementFile, import_file, read, sample
from eventlab.inputs.samples import DATA
from eventlab.store import MemoryEventStore

FILES = sorted(path.relative_to(DATA).as_posix() for path in DATA.glob("*/*") if path.name != "LICENSE")
LISTED = dict(re.findall(r"^\| (\S+) \| .* \| `([0-9a-f]{64})` \|$", (DATA / "README.md").read_text(), re.M))
MAPPED = {"own-bank.csv", "credit-union.csv"}  # banks that are not built in
STATEMENTS = [name for name in FILES if name.startswith("statements/") and not name.endswith(".toml")]


def test_every_file_is_described_and_unchanged() -> None:
    assert FILES
    assert {name: sha256((DATA / name).read_bytes()).hexdigest() for name in FILES} == LISTED


def test_an_unknown_sample_names_those_that_there_are() -> None:
    with pytest.raises(FileNotFoundError, match=r"chase\.qfx"):
        sample("nope.csv")


def imported(name: str) -> tuple[ImportReport, dict[StreamId, account.Account]]:
    path = sample(Path(name).name)
    store = MemoryEventStore()
    report = import_file(path, store, mapping=path.with_suffix(".toml") if path.stem == "own-bank" else None)
    again = import_file(path, store, mapping=path.with_suffix(".toml") if path.stem == "own-bank" else None)
    assert (again.stored, again.known) == (0, report.stored)
    return report, {
        stream: account.decider.fold(recorded.event for recorded in store.read(stream))  # type: ignore[misc]
        for stream in report.streams
    }


# file: balance of each account after it, whether it reconciles, entries
EXPECTED: dict[str, tuple[dict[str, str], bool | None, int]] = {
    "sparkasse-2026-03.sta": ({"37040044/0532013000": "1741.85 EUR"}, True, 14),
    "sparkasse-2026-03.camt053.xml": ({"DE89370400440532013000": "1741.85 EUR"}, True, 14),
    "sparkasse-2026-03.ofx": ({"0532013000": "1741.85 EUR"}, None, 14),
    "sparkasse-2026-03.csv": ({"DE89370400440532013000": "507.29 EUR"}, None, 14),  # from zero: it states no balance
    "sparkasse-2026-04-overlapping.csv": ({"DE89370400440532013000": "836.14 EUR"}, None, 7),
    "ing-nl.sta": ({"NL91ABNA0417164300": "712.57 EUR"}, True, 3),
    "swift-two-pages.sta": ({"COBADEFFXXX/0532013099": "-7.50 EUR"}, True, 4),
    "polish.sta": ({"PL61109010140000071219812874": "2654.10 PLN"}, True, 2),
    "swiss.camt053.xml": ({"CH9300762011623852957": "149.30 CHF"}, True, 2),
    "chase.qfx": ({"000000123456789": "2671.39 USD"}, None, 4),
    "santander-br.ofx": ({"130002123": "5137.20 BRL"}, None, 3),
    "credit-card.ofx": ({"5200XXXXXXXX1234": "-151.05 GBP"}, None, 3),
    "ing-de.csv": ({"DE32500105171234567895": "1172.12 EUR"}, True, 4),
    "dkb.csv": ({"DE02120300000000202051": "1234.56 EUR"}, None, 2),
    "deutsche-bank.csv": ({"DE87200700240532013000": "2345.67 EUR"}, None, 3),
    "n26.csv": ({"n26 Main Account": "992.80 EUR", "n26 Savings": "0.80 EUR"}, None, 5),
    "ing-nl.csv": ({"NL91ABNA0417164300": "3615.18 EUR"}, True, 3),
    "rabobank.csv": ({"NL71RABO0123456789": "2225.00 EUR"}, True, 2),
    "revolut.csv": ({"revolut Current": "143.10 EUR"}, True, 4),
    "monzo.csv": ({"monzo": "1943.60 GBP"}, None, 3),
    "chase.csv": ({"chase": "2671.39 USD"}, True, 4),
    "bank-of-america.csv": ({"bank-of-america": "7038.00 USD"}, True, 2),
    "own-bank.csv": ({"01-2345-6": "6447.60 CHF"}, True, 3),
}


def test_every_statement_has_an_expectation() -> None:
    assert EXPECTED.keys() | MAPPED == {Path(name).name for name in STATEMENTS}


@pytest.mark.parametrize("name", EXPECTED)
def test_balance_and_verdict(name: str) -> None:
    balances, reconciles, entries = EXPECTED[name]
    report, accounts = imported(name)
    assert {
        stream.key: f"{state.balance.amount} {state.balance.currency}" for stream, state in accounts.items()
    } == balances
    assert (report.read, report.stored, report.reconciles) == (entries, entries, reconciles), report
    assert bool(report.reasons) == (reconciles is not True)


MARCH = ["sparkasse-2026-03.sta", "sparkasse-2026-03.camt053.xml", "sparkasse-2026-03.ofx", "sparkasse-2026-03.csv"]


def test_one_month_in_four_formats_is_the_same_month() -> None:
    months = []
    for name in MARCH:
        found = read(sample(name))
        assert isinstance(found, StatementFile)
        months.append([(entry.booked, entry.amount) for entry in found.entries])
    assert months[0] == months[1] == months[2] == months[3]


def entry_of(name: str, amount: str) -> Entry:
    found = read(sample(name))
    assert isinstance(found, StatementFile)
    return next(entry for entry in found.entries if str(entry.amount.amount) == amount)


def test_subfields_of_a_german_mt940() -> None:
    rent = entry_of("sparkasse-2026-03.sta", "-890.00")
    assert rent.counterparty == "Wohnungsgenossenschaft Nord"
    assert rent.text == "DAUERAUFTRAG · Miete März"
    assert rent.reference == "RENT-2026-03"
    assert rent.kind == "transfer"


def test_code_words_of_a_dutch_mt940() -> None:
    invoice = entry_of("ing-nl.sta", "-25.03")
    assert invoice.counterparty == "De Vries Bouw"
    assert (invoice.text, invoice.reference) == ("Factuur 0815", "INV-0815")


def test_the_remark_after_the_closing_balance_belongs_to_no_entry() -> None:
    assert entry_of("ing-nl.sta", "-12.40").text == "BEA NR:XXX1234 03.03.26/12.31 KIOSK HAVEN"


def test_a_late_booking_keeps_the_banks_own_day() -> None:
    assert entry_of("chase.qfx", "-54.10").booked == date(2026, 3, 6)


def test_a_batch_is_one_booking() -> None:
    batch = entry_of("swiss.camt053.xml", "229.20")
    assert batch.text == "batch of 2 · 210000000003139471430009017"


def test_a_fee_in_its_own_column_is_part_of_the_booking() -> None:
    assert entry_of("revolut.csv", "-100.50").text == "Exchanged to USD · fee 0.50 EUR"


@pytest.mark.parametrize("name", ["sparkasse-2026-03.sta", "sparkasse-2026-03.camt053.xml"])
def test_a_reversal_becomes_a_correction_that_gives_the_money_back(name: str) -> None:
    store = MemoryEventStore()
    import_file(sample(name), store)
    corrections = [r.event for r in store.read_all() if isinstance(r.event, account.Corrected)]
    assert [(c.amount, c.on, c.corrects) for c in corrections] == [
        (Money(1240, "EUR"), date(2026, 3, 5), "CARD-00031240")
    ]


def test_the_overlapping_april_adds_only_april() -> None:
    store = MemoryEventStore()
    import_file(sample("sparkasse-2026-03.csv"), store)
    report = import_file(sample("sparkasse-2026-04-overlapping.csv"), store)
    assert (report.read, report.stored, report.known) == (7, 3, 4)


def test_what_is_not_booked_yet_is_left_out_and_noted() -> None:
    report, _ = imported("swiss.camt053.xml")
    assert "not booked yet (status PDNG)" in report.notes[0]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("march-1.sta", "entries of -37.95 EUR in all are missing"),
        ("march-2.sta", "line 26, field 61 and line 29, field 61 are the same entry: is one there twice?"),
        ("march-3.sta", "entries of 1.80 EUR in all are missing or two figures of an amount are swapped"),
    ],
)
def test_what_somebody_did_to_a_file_is_found(name: str, what: str) -> None:
    report, _ = imported(name)
    (reason,) = report.reasons
    assert report.reconciles is False
    assert what in reason


# ── real files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_real_abnamro_file_does_not_add_up_and_the_report_says_by_how_much() -> None:
    report, accounts = imported("abnamro.sta")
    assert (report.read, report.stored, report.reconciles) == (10, 10, False)
    assert "make 2,914.84 EUR, but the statement closes with 876.84 EUR: entries of -2,038.00 EUR" in report.reasons[0]
    assert "make 2,852.35 EUR, but the statement closes with 1,849.75 EUR" in report.reasons[1]
    assert "begins with 2,876.84 EUR, but the statement before ends with 876.84 EUR" in report.reasons[2]
    assert [reason[:7] for reason in report.reasons] == ["line 4,", "line 32", "line 32"]
    (state,) = accounts.values()
    assert state.balance == Money(323628 - 32144 - 2449, "EUR")


def test_the_real_postfinance_file_is_off_by_twenty_centimes_on_its_second_page() -> None:
    report, _ = imported("postfinance.sta")
    assert (report.stored, report.reconciles) == (4, False)
    (reason,) = report.reasons
    assert reason.startswith("line 15")
    assert reason.endswith("entries of 0.20 CHF in all are missing")
