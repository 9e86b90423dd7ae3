"""The models of lifetime value: those that are stored with a build, else fitted when asked for."""

from collections import OrderedDict
from datetime import date
from threading import Lock

from psycopg import Connection

from pipeline.answers.errors import QueryError
from pipeline.lifetime import Model, fit_model, read_histories
from pipeline.lifetime.stored import read_models

# Some hundred bytes each.
MOST_KEPT = 100
# A caller is told to ask again after this long behind other callers' fits.
WAIT_SECONDS = 10.0

_Key = tuple[str, int, str, int, date]
_kept: OrderedDict[_Key, Model] = OrderedDict()
# A fit takes the processor for seconds: one at a time, and no model twice.
_fitting = Lock()


def model_until(connection: Connection, build_id: int, end: date, data_end: date) -> Model:
    """The model of the purchases until ``end``, tested on those until ``data_end``.

    Raises:
        QueryError: other fits are under way, for too long.
    """
    for model in read_models(connection, build_id):
        if model.calibration_end == end:
            return model
    info = connection.info
    key = (info.host, info.port, info.dbname, build_id, end)
    if not _fitting.acquire(timeout=WAIT_SECONDS):
        raise QueryError("query_timeout", "Other models are being fitted; ask again in half a minute.")
    try:
        if key not in _kept:
            _kept[key] = fit_model(read_histories(connection, end), data_end)
        _kept.move_to_end(key)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
        return _kept[key]
    finally:
        _fitting.release()
