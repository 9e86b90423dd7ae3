"""Cells of CSV files that spreadsheets open."""

# What spreadsheets take for the start of a formula (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_cell(cell: object) -> object:
    """A cell as CSV has it: true and false in lower case, and no text that a spreadsheet would run.

    Not for numbers written as text: a minus sign would be taken for a formula's start.
    """
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell
