"""A file that cannot be read: one sentence with the file, the place, the fault and the way out; nothing is stored."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventlab.inputs import InputError, import_file, read, sample
from eventlab.inputs.files import MAX_BYTES
from eventlab.inputs.samples import DATA
from eventlab.store import MemoryEventStore

MT940 = ":20:X\n:25:123\n:28C:1\n:60F:C260301EUR100,00\n{}\n:62F:C260331EUR87,60\n-\n"
OFX = (
    "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX>\n<STMTRS>\n<CURDEF>EUR\n<BANKACCTFROM><ACCTID>123</BANKACCTFROM>\n"
    "<BANKTRANLIST>\n{}\n</BANKTRANLIST>\n</STMTRS>\n</OFX>\n"
)
TRANSACTION = "<STMTTRN><DTPOSTED>{day}<TRNAMT>{amount}<FITID>{fitid}<NAME>coffee</STMTTRN>"
CAMT = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>'
    "<Acct><Id><IBAN>DE1</IBAN></Id><Ccy>EUR</Ccy></Acct>\n{}\n</Stmt></BkToCstmrStmt></Document>"
)
ENTRY = (
    '<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><BookgDt><Dt>{day}</Dt></BookgDt>'
    "<AcctSvcrRef>R1</AcctSvcrRef></Ntry>"
)
CSV = "date,amount,text\n{}\n"


def entry(amount: str = "12.40", side: str = "DBIT", day: str = "2026-03-02", currency: str = "EUR") -> str:
    return ENTRY.format(amount=amount, side=side, day=day, currency=currency)


def transaction(day: str = "20260302", amount: str = "-12.40", fitid: str = "F1") -> str:
    return TRANSACTION.format(day=day, amount=amount, fitid=fitid)


LINE = ":61:2603020302D12,40NMSCNONREF"
# content, where it is wrong, what is said, what to do
BROKEN = {
    "nothing at all": (b"", "", "the file is empty", "Export it again"),
    "blank": (b" \r\n\t\r\n", "", "the file is empty", "Export it again"),
    "pdf": (b"%PDF-1.7\n...", "", "this is a PDF", "CAMT.053"),
    "zip or xlsx": (b"PK\x03\x04....", "", "spreadsheet", "save the spreadsheet as CSV"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "", "an old Excel file", "CSV"),
    "binary": (bytes(range(256)) * 4, "", "a binary file", "Export it"),
    "a web page": (b"<!DOCTYPE html><html><body>Login</body></html>", "", "XML or HTML, but neither", "Export"),
    "some prose": (b"Dear customer,\nplease find attached\n", "header", "belong to no bank or shop", "mapping"),
    # MT940
    "mt940 cut off": (MT940.format(LINE).split(":62F")[0], "line 1", "no closing balance", "cut off"),
    "mt940 cut in the balance": (
        MT940.format(LINE).split("EUR87")[0],
        "line 6, field 62F",
        "does not have the form",
        "",
    ),
    "mt940 without opening": (MT940.format(LINE).replace(":60F:", ":99:"), "line 1", "no opening balance", ""),
    "mt940 point": (
        MT940.format(LINE.replace("12,40", "12.40")),
        "line 5, field 61",
        "does not have the form",
        "comma",
    ),
    "mt940 thousands": (MT940.format(LINE.replace("12,40", "1.012,40")), "line 5", "does not have the form", "comma"),
    "mt940 balance thousands": (
        MT940.format(LINE).replace("EUR100,00", "EUR1.100,00"),
        "line 4, field 60F",
        "form",
        "",
    ),
    "mt940 balance without currency": (MT940.format(LINE).replace("EUR100,00", "100000,00"), "line 4", "form", ""),
    "mt940 three decimals": (MT940.format(LINE.replace("12,40", "12,405")), "line 5", "minor units", ""),
    "mt940 impossible day": (
        MT940.format(LINE.replace("2603020302", "2604310431")),
        "line 5",
        "does not exist",
        "YYMMDD",
    ),
    "mt940 other currency": (
        MT940.format(LINE).replace("EUR87", "USD87"),
        "line 1",
        "currencies do not mix",
        "currency",
    ),
    "mt940 mixed days": (
        MT940.format("\n".join(LINE.replace("0302D", f"03{day:02}D") for day in (2, 9, 4, 10))),
        "line 7, field 61",
        "2026-03-04 comes after 2026-03-09: the dates are out of order",
        "--any-order",
    ),
    "mt940 closes before it opens": (
        MT940.format(LINE).replace("260331", "260201"),
        "line 1",
        "dated before the opening one",
        "export",
    ),
    # OFX
    "ofx cut off": (
        OFX.format(transaction()).split("</BANKTRANLIST>")[0],
        "line 10",
        "ends before </BANKTRANLIST>",
        "cut",
    ),
    "ofx header only": ("OFXHEADER:100\nDATA:OFXSGML\n", "", "no <OFX>", "header alone"),
    "ofx damaged": (OFX.format(transaction()[:-10] + transaction()), "line 10", "begins inside another", "damaged"),
    "ofx without date": (OFX.format(transaction().replace("DTPOSTED", "DTX")), "line 10, STMTTRN", "no DTPOSTED", ""),
    "ofx impossible day": (OFX.format(transaction(day="20260231")), "line 10", "'20260231' is not a date", "YYYYMMDD"),
    "ofx amount": (OFX.format(transaction(amount="12.40.1")), "line 10", "places where no amount has them", "1234.56"),
    "ofx two readings": (OFX.format(transaction(amount="-1,234")), "line 10", "two readings", "decimal mark"),
    "ofx id twice": (OFX.format("\n".join([transaction()] * 2)), "line 11", "the id 'F1' of -12.40 EUR", "there twice"),
    "ofx no account": (OFX.format("").replace("ACCTID", "X"), "STMTRS", "names no account", ""),
    "ofx not of a bank": ("OFXHEADER:100\n\n<OFX><INVSTMTRS></INVSTMTRS></OFX>", "", "no bank or credit card", "bank"),
    "ofx bomb": (
        'OFXHEADER:200\n<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>\n<OFX></OFX>',
        "",
        "an attack",
        "Do not import",
    ),
    "ofx mixed days": (
        OFX.format("\n".join(transaction(day=f"202603{day:02}", fitid=f"F{day}") for day in (2, 9, 4, 10))),
        "line 12, STMTTRN",
        "out of order",
        "--any-order",
    ),
    # CAMT.053
    "camt cut off": (CAMT.format(entry())[:-30], "line", "breaks off or is damaged", "Export"),
    "camt bomb": (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa">]>' + CAMT.format(""),
        "line 1",
        "an attack",
        "Do not",
    ),
    "camt without side": (CAMT.format(entry(side="X")), "line 2", "'X' is neither CRDT nor DBIT", ""),
    "camt amount": (CAMT.format(entry(amount="12,40")), "line 2, Amt", "places where no amount has them", ""),
    "camt no amount": (CAMT.format(entry().replace("Amt", "Bmt")), "line 2, Ntry", "Ntry has no Amt", "incomplete"),
    "camt day": (CAMT.format(entry(day="2026-02-30")), "line 2, BookgDt", "'2026-02-30' is not a date", ""),
    "camt currency": (CAMT.format(entry(currency="USD")), "line 2", "currencies do not mix", "one currency"),
    "camt id twice": (CAMT.format(entry() + "\n" + entry()), "line 3, Ntry", "the id 'R1'", "there twice"),
    "camt without account": (CAMT.format(entry()).replace("IBAN", "XBAN"), "line 1, Stmt", "names no account", ""),
    "camt 054": (CAMT.format("").replace("Stmt>", "Ntfctn>"), "", "CAMT.054", "CAMT.053"),
    "camt other message": ('<Document xmlns="urn:camt.053"><X/></Document>', "", "no statement", ""),
    # CSV
    "csv unknown columns": ("when;how much\n1;2\n", "header", "'when', 'how much'", "--mapping"),
    "csv header only": (CSV.format(""), "", "no booked line", "period"),
    "csv cut off": (CSV.format("2026-03-02,-12.40"), "line 2", "2 columns, the header 3", "cut off"),
    "csv cut in quotes": (CSV.format('2026-03-02,-12.40,"cof'), "line 2", "quotes", "cut off"),
    "csv comma in text": (CSV.format("2026-03-02,-12.40,tea, cake"), "line 2", "4 columns, the header 3", "quotes"),
    "csv day": (
        CSV.format("02/03/2026,-12.40,x"),
        "line 2, column 'date'",
        "is not a date of the form %Y-%m-%d",
        "mapping",
    ),
    "csv amount": (
        CSV.format("2026-03-02,twelve,x"),
        "line 2, column 'amount'",
        "'twelve' is not an amount",
        "1234.56",
    ),
    "csv no amount": (CSV.format("2026-03-02,,x"), "line 2, column 'amount'", "no amount", "Check"),
    "csv two readings": (CSV.format('2026-03-02,"-1,234",x'), "columns 'amount'", "two readings", "decimal"),
    "csv two marks": (CSV.format('2026-03-02,"1,50",x\n2026-03-02,1.50,x'), "columns", "comma in '1,50'", "decimal"),
    "csv mixed days": (
        CSV.format("\n".join(f"2026-03-{day:02},1.00,x" for day in (2, 9, 4, 10))),
        "line 4",
        "out of order",
        "any-order",
    ),
    "csv id twice": (
        "date,amount,text,id\n2026-03-02,1.00,x,A\n2026-03-03,1.00,x,B\n2026-03-03,1.00,y,B\n",
        "line 4",
        "the id 'B'",
        "twice",
    ),
    "csv currencies": (
        "date,amount,text,currency\n2026-03-02,1.00,x,EUR\n2026-03-02,1.00,x,USD\n",
        "line 3",
        "currencies do not mix",
        "one",
    ),
    "csv no currency": (
        "date,amount,text,currency\n2026-03-02,1.00,x,euro\n",
        "line 2",
        "three capital letters",
        "currency",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_refused_with_file_place_fault_and_cure(tmp_path: Path, name: str) -> None:
    content, where, what, cure = BROKEN[name]
    path = tmp_path / "march.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    store = MemoryEventStore()
    with pytest.raises(InputError) as error:
        import_file(path, store)
    assert error.value.file == "march.txt"
    assert error.value.where.startswith(where)
    assert what in error.value.what
    assert cure in error.value.do
    assert str(error.value).startswith(f"march.txt{', ' if error.value.where else ': '}{error.value.where}")
    assert not list(store.read_all())


@pytest.mark.parametrize(
    ("name", "way_out"), [("mt940 mixed days", "mt940"), ("ofx mixed days", "ofx"), ("csv mixed days", "csv")]
)
def test_mixed_days_can_be_allowed(tmp_path: Path, name: str, way_out: str) -> None:
    path = tmp_path / "march.txt"
    path.write_text(str(BROKEN[name][0]))
    report = import_file(path, MemoryEventStore(), any_order=True)
    assert (report.format, report.stored) == (way_out, 4)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "nope.sta")
    with pytest.raises(InputError, match="a folder"):
        read(tmp_path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="more than 32 MB are not read at once"):
        read(path)


def test_a_wrong_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no <OFX> in this file"):
        read(sample("sparkasse-2026-03.sta"), format="ofx")
    with pytest.raises(InputError, match="breaks off or is damaged"):
        read(sample("chase.csv"), format="camt053")
    with pytest.raises(InputError, match="there is no format 'qif'"):
        read(sample("chase.csv"), format="qif")  # type: ignore[arg-type]


def test_a_wrong_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "march.csv"
    path.write_bytes("date;amount;text\n2026-03-02;-12,40;tea\n2026-03-02;-3,20;Café\n".encode("cp1252"))
    mapping = {"date": "date", "date_format": ["%Y-%m-%d"], "amount": "amount", "encoding": "utf-8"}
    with pytest.raises(InputError, match="the byte 0xe9 is not utf-8") as error:
        read(path, mapping=mapping)
    assert error.value.where == "line 3"
    with pytest.raises(InputError, match="there is no encoding 'klingon'"):
        read(path, mapping=mapping | {"encoding": "klingon"})


def test_a_damaged_unicode_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "march.csv"
    path.write_bytes(b"\xef\xbb\xbfdate,amount,text\n2026-03-02,1.00,\xe9t\xe9\n")
    with pytest.raises(InputError, match="0xe9 is not utf-8") as error:
        read(path)
    assert error.value.where == "line 2"


def test_one_name_for_two_accounts_is_refused() -> None:
    with pytest.raises(InputError, match="the file has 2 accounts"):
        import_file(sample("n26.csv"), MemoryEventStore(), account="mine")


# ── damage of any kind ───────────────────────────────────────────────────────────────────────────────────────────────

SAMPLES = [
    path
    for path in sorted(DATA.glob("*/*"))
    if path.suffix not in (".toml", "") and path.stem not in ("own-bank", "credit-union")
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(SAMPLES), data=st.data())
def test_damage_is_read_or_refused_but_never_crashes(tmp_path: Path, path: Path, data: st.DataObject) -> None:
    content = path.read_bytes()
    begin = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(begin, min(len(content), begin + 80)))
    instead = data.draw(
        st.one_of(
            st.just(b""),
            st.binary(max_size=8),
            st.sampled_from([content[begin:end] * 2, b"\n", b",", b";", b":", b"<"]),
        )
    )
    damaged = content[:begin] + instead + (b"" if data.draw(st.booleans()) else content[end:])
    target = tmp_path / path.name
    target.write_bytes(damaged)
    store = MemoryEventStore()
    refusal = None
    try:
        import_file(target, store)
    except InputError as error:
        refusal = error
    assert refusal is None or (refusal.file == path.name and refusal.what and refusal.do and not list(store.read_all()))
