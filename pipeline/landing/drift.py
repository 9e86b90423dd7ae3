"""Has a source changed the columns of its files since its last one?"""

from collections.abc import Mapping

from pipeline.landing.columns import ColumnMap, normalized
from pipeline.landing.errors import FileRefused
from pipeline.sources import ONLY_WHEN_MAPPED, SourceSettings

# The headers of a file, each with the column of ours that it names, if any.
Headers = Mapping[str, str | None]


def drift_note(columns: ColumnMap, before: Headers | None, settings: SourceSettings) -> str | None:
    """What to note of columns that are new since the source's last landed file; None without any.

    A source of which nothing was said may send files of any form.

    Raises:
        FileRefused: a column of ours is gone, one is new that the source wants refused, or rows are told
            apart in another way than before.
    """
    if before is None or not settings.is_described:
        return None
    gone = [header for header, name in before.items() if name is not None and not columns.states(name)]
    if gone:
        raise FileRefused(
            f"{_columns(gone)} missing that the source's last file had: {', '.join(gone)}. If the source "
            "leaves it out for good, say in sources.toml what stands for it, under constants ('' for a blank)"
        )
    _require_same_identity(columns, before, settings)
    known = {normalized(header) for header in before}
    new = [header for header in columns.named if normalized(header) not in known]
    if not new or settings.new_columns == "keep":
        return None
    what = f"{_columns(new)} new since the source's last file: {', '.join(new)}"
    if settings.new_columns == "refuse":
        raise FileRefused(f'{what}. To take it in, say new_columns = "keep" in sources.toml')
    return what


def _require_same_identity(columns: ColumnMap, before: Headers, settings: SourceSettings) -> None:
    """An append under other keys would count every line that it repeats twice.

    Raises:
        FileRefused: the source tells its lines apart by a line id, and did not before.
    """
    is_new = ONLY_WHEN_MAPPED in columns.positions and ONLY_WHEN_MAPPED not in before.values()
    if is_new and settings.mode == "append":
        raise FileRefused(
            "the source's lines were told apart by product until now, and by line_id in this file: lines "
            "that it repeats would count twice. Load everything once with --mode overwrite"
        )


def _columns(headers: list[str]) -> str:
    return "a column is" if len(headers) == 1 else f"{len(headers)} columns are"
