"""Every analysis, to the last digit, against a second computation straight from the files."""

from random import Random

import pytest

from tests.e2e.second_computation import days
from tests.e2e.second_computation.asking import FORMATS, Question, check
from tests.e2e.second_computation.conftest import Loaded
from tests.e2e.second_computation.questions import Questions
from tests.e2e.second_computation.reference import Reference

pytestmark = pytest.mark.timeout(600)
NAMES = ("online_retail", "chinook", "made")
KINDS = (
    "revenue", "total", "by", "trend", "top", "margins", "summary", "segments", "cohorts", "lifetime value",
    "anomalies", "orders",
)  # fmt: skip
# With the four formats of one more question of each kind: 312 questions for each data set.
EACH = 14


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


@pytest.mark.parametrize("build_id", [1, 2, 3])
def test_a_build_changed_what_is_between_the_states_before_it_and_after_it(
    loaded: dict[str, Loaded], build_id: int
) -> None:
    made = loaded["made"]
    before = Reference(made.deliveries[: build_id - 1])
    after = Reference(made.deliveries[:build_id])
    question = Question(
        f"/builds/{build_id}/changes",
        [],
        # The last delivery alone is small enough to be built as a change; a full build names none.
        days.changes(before, after, [3] if build_id == 3 else []),
    )
    for format in FORMATS:
        check(made.client, question, format)
