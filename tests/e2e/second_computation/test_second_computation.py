"""Every analysis, to the last digit, against a second computation straight from the files."""

from random import Random

import pytest

from tests.e2e.second_computation.asking import FORMATS, check
from tests.e2e.second_computation.conftest import Loaded
from tests.e2e.second_computation.questions import Questions

pytestmark = pytest.mark.timeout(600)
NAMES = ("online_retail", "chinook", "made")
KINDS = (
    "revenue", "total", "by", "trend", "top", "margins", "summary", "segments", "cohorts", "lifetime value",
    "anomalies", "orders",
)  # fmt: skip
# With twelve kinds and the four formats of one question of each, 348 requests for each data set, pages not counted.
EACH = 25


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_random_questions_have_the_reference_s_answers(
    loaded: dict[str, Loaded], name: str, kind: str
) -> None:
    questions = Questions(loaded[name].reference, f"{name} {kind}")
    random = Random(kind)
    for _ in range(EACH):
        check(loaded[name].client, questions.random(kind), random.choice(FORMATS))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_one_question_has_the_same_answer_in_every_format(
    loaded: dict[str, Loaded], name: str, kind: str
) -> None:
    question = Questions(loaded[name].reference, f"every format of {name} {kind}").random(kind)
    for format in FORMATS:
        check(loaded[name].client, question, format)
