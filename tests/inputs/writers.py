"""The four statement formats written from one statement, so that what is read can be compared with what was meant."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from html import escape

from eventlab.inputs import AccountStatement, Balance, Entry


def _plain(entry_amount: Decimal) -> str:
    return f"{entry_amount:f}"


def _comma(amount: Decimal) -> str:
    return f"{amount:f}".replace(".", ",") if amount % 1 else f"{amount:f}".split(".")[0] + ","


def ofx1(statement: AccountStatement) -> bytes:
    """OFX 1: SGML without closing tags for values, as American banks write it."""
    return (
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\n"
        "OLDFILEUID:NONE\nNEWFILEUID:NONE\n\n" + _ofx(statement, "")
    ).encode("cp1252")


def ofx2(statement: AccountStatement) -> bytes:
    """OFX 2: XML."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" '
        'OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n' + _ofx(statement, "</{}>")
    ).encode()


def _ofx(statement: AccountStatement, close: str) -> str:
    def value(tag: str, text: str) -> str:
        return f"<{tag}>{escape(text, quote=False)}{close.format(tag)}\n" if text else ""

    entries = "".join(
        "<STMTTRN>\n"
        + value("TRNTYPE", {"fee": "FEE", "interest": "INT", "transfer": "XFER"}.get(entry.kind, "OTHER"))
        + value("DTPOSTED", f"{entry.booked:%Y%m%d}120000[-5:EST]")
        + value("TRNAMT", _plain(entry.amount.amount))
        + value("FITID", entry.bank_id)
        + value("REFNUM", entry.reference)
        + value("NAME", entry.counterparty or entry.text)
        + value("MEMO", entry.text if entry.counterparty else "")
        + "</STMTTRN>\n"
        for entry in statement.entries
    )
    ledger = ""
    if statement.closing:
        ledger = (
            "<LEDGERBAL>\n"
            + value("BALAMT", _plain(statement.closing.amount.amount))
            + value("DTASOF", f"{statement.closing.on:%Y%m%d}")
            + "</LEDGERBAL>\n"
        )
    return (
        "<OFX>\n<BANKMSGSRSV1><STMTTRNRS><STMTRS>\n"
        + value("CURDEF", statement.currency)
        + "<BANKACCTFROM>\n"
        + value("BANKID", "123456789")
        + value("ACCTID", statement.account)
        + value("ACCTTYPE", "CHECKING")
        + "</BANKACCTFROM>\n<BANKTRANLIST>\n"
        + entries
        + "</BANKTRANLIST>\n"
        + ledger
        + "</STMTRS></STMTTRNRS></BANKMSGSRSV1>\n</OFX>\n"
    )


def mt940(statement: AccountStatement) -> bytes:
    """MT940 with free text in :86:."""
    assert statement.opening
    assert statement.closing
    lines = [":20:STARTUMS", f":25:{statement.account}", ":28C:1/1", f":60F:{_mt940_balance(statement.opening)}"]
    for entry in statement.entries:
        mark = ("RD" if entry.amount.minor > 0 else "RC") if entry.kind == "correction" else ""
        mark = mark or ("C" if entry.amount.minor > 0 else "D")
        value = entry.value_date or entry.booked
        swift = {"fee": "NCHG", "interest": "NINT", "transfer": "NTRF"}.get(entry.kind, "NMSC")
        amount = _comma(abs(entry.amount.amount))
        lines += [
            f":61:{value:%y%m%d}{entry.booked:%m%d}{mark}{amount}{swift}{entry.reference or 'NONREF'}",
            f":86:{entry.text}",
        ]
    lines += [f":62F:{_mt940_balance(statement.closing)}", "-"]
    return "\r\n".join([*lines, ""]).encode("cp1252")


def _mt940_balance(balance: Balance) -> str:
    mark = "D" if balance.amount.minor < 0 else "C"
    return f"{mark}{balance.on:%y%m%d}{balance.amount.currency}{_comma(abs(balance.amount.amount))}"


def camt053(statement: AccountStatement, version: str = "001.08", prefix: str = "") -> bytes:
    """CAMT.053 of a version; ``prefix`` is put in front of all element names, as some programs do."""
    p = f"{prefix}:" if prefix else ""
    xmlns = f"xmlns:{prefix}" if prefix else "xmlns"

    def tag(name: str, *inner: str, **attributes: str) -> str:
        attribute = "".join(f' {key}="{text}"' for key, text in attributes.items())
        return f"<{p}{name}{attribute}>{''.join(inner)}</{p}{name}>" if any(inner) else ""

    def balance(code: str, stated: Balance | None) -> str:
        if stated is None:
            return ""
        return tag(
            "Bal",
            tag("Tp", tag("CdOrPrtry", tag("Cd", code))),
            tag("Amt", _plain(abs(stated.amount.amount)), Ccy=stated.amount.currency),
            tag("CdtDbtInd", "DBIT" if stated.amount.minor < 0 else "CRDT"),
            tag("Dt", tag("Dt", stated.on.isoformat())),
        )

    def entry_element(entry: Entry) -> str:
        party = tag("Pty", tag("Nm", escape(entry.counterparty))) if version >= "001.08" else ""
        party = party or tag("Nm", escape(entry.counterparty))
        codes = {"fee": ("MDOP", "CHRG"), "interest": ("MCOP", "INTR"), "transfer": ("RCDT", "ESCT")}
        family, sub = codes.get(entry.kind, ("CCRD", "POSD"))
        return tag(
            "Ntry",
            tag("Amt", _plain(abs(entry.amount.amount)), Ccy=entry.amount.currency),
            tag("CdtDbtInd", "DBIT" if entry.amount.minor < 0 else "CRDT"),
            tag("RvslInd", "true") if entry.kind == "correction" else "",
            tag("Sts", tag("Cd", "BOOK") if version >= "001.08" else "BOOK"),
            tag("BookgDt", tag("Dt", entry.booked.isoformat())),
            tag("ValDt", tag("Dt", entry.value_date.isoformat())) if entry.value_date else "",
            tag("AcctSvcrRef", entry.bank_id),
            tag("BkTxCd", tag("Domn", tag("Cd", "PMNT"), tag("Fmly", tag("Cd", family), tag("SubFmlyCd", sub)))),
            tag(
                "NtryDtls",
                tag(
                    "TxDtls",
                    tag("Refs", tag("EndToEndId", entry.reference or "NOTPROVIDED")),
                    tag("RltdPties", tag("Dbtr" if entry.amount.minor > 0 else "Cdtr", party)),
                    tag("RmtInf", tag("Ustrd", escape(entry.text))),
                ),
            ),
        )

    document = tag(
        "Document",
        tag(
            "BkToCstmrStmt",
            tag("GrpHdr", tag("MsgId", "1")),
            tag(
                "Stmt",
                tag("Id", "1"),
                tag("Acct", tag("Id", tag("IBAN", statement.account)), tag("Ccy", statement.currency)),
                balance("OPBD", statement.opening),
                balance("CLBD", statement.closing),
                *(entry_element(entry) for entry in statement.entries),
            ),
        ),
        **{xmlns: f"urn:iso:std:iso:20022:tech:xsd:camt.053.{version}"},
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'.encode()


def plain_csv(
    statement: AccountStatement,
    delimiter: str = ",",
    write: Callable[[Decimal], str] = _plain,
    encoding: str = "utf-8",
    newest_first: bool = False,
) -> bytes:
    """CSV with plain column names and a balance beside each line."""
    out = io.StringIO()
    table = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    table.writerow(
        ["account", "date", "value date", "amount", "currency", "id", "text", "counterparty", "reference", "balance"]
    )
    rows = [
        [
            statement.account,
            entry.booked,
            entry.value_date or "",
            write(entry.amount.amount),
            entry.amount.currency,
            entry.bank_id,
            entry.text,
            entry.counterparty,
            entry.reference,
            "" if entry.balance is None else write(entry.balance.amount),
        ]
        for entry in statement.entries
    ]
    table.writerows(reversed(rows) if newest_first else rows)
    return out.getvalue().encode(encoding)
