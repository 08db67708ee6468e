"""What reviews of answers and marks of authors are called, in screens, reports and refusals."""

from collections.abc import Mapping, Sequence

from services.criteria import MOST, Criterion
from web.language import Lazy, _, _l

ERRORS: Mapping[str, Lazy] = {
    "criterion.title": _l("A criterion needs a name, at most 60 characters."),
    "criterion.twice": _l("One criterion stands in the table twice."),
    "criterion.many": _l("At least one criterion and at most %(most)s are in use; lay others aside first."),
    "review.unknown": _l("There is no such answer to be read."),
    "review.own": _l("Nobody judges their own answers: somebody else reads them."),
    "review.marks": _l("Give a mark by every criterion, or say that it does not apply."),
    "review.reason": _l("Say why the answer is skipped."),
    "review.read": _l("Somebody else has dealt with this answer already: look at it again."),
    "satisfaction.text": _l("Write what authors are asked, at most %(most)s characters."),
    "satisfaction.address": _l(
        "The desk has no address that opens from outside: write web.public_url into config.yaml first."
    ),
    "satisfaction.unknown": _l("This link does not lead to an answer of ours."),
    "satisfaction.mark": _l("Choose a mark from 1 to 5."),
    "satisfaction.late": _l("The mark can be changed for 7 days; they are over."),
}

EVENT = _l("A low mark of an author")
NOTICE = _l("An author gave a low mark")

STATES: Mapping[str, Lazy] = {
    "drawn": _l("to be read"),
    "read": _l("is read"),
    "skipped": _l("is skipped"),
}

MARKS: Mapping[int, Lazy] = {
    5: _l("Excellent"),
    4: _l("Good"),
    3: _l("Middling"),
    2: _l("Poor"),
    1: _l("Very poor"),
}
"""What an author reads beside each mark."""

TITLE = _l("Marks of authors and reviews of answers")
HOW = _l(
    "Answers that the platforms took in the period, by who wrote them. Satisfaction = marks 4 and 5 ÷ all marks. "
    "Share of those who said = marks ÷ answers with the question under them. Review: mean of the marks 1–5 that "
    "readers gave; what does not apply is outside."
)
COLUMNS: Mapping[str, Lazy] = {
    "mark_asked": _l("Were asked"),
    "marked": _l("Gave a mark"),
    "response_share": _l("Share of those who said"),
    "mark_good": _l("Marks 4 and 5"),
    "csat": _l("Satisfaction"),
    "reviewed": _l("Answers reviewed"),
    "qa_mean": _l("Mean mark of reviews"),
    "judged": _l("Marks given"),
    "unjudged": _l("Does not apply"),
}
SPLIT = _l("By criterion")
LISTS: Mapping[str, Lazy] = {
    "mark_asked": _l("Answers under which authors were asked for a mark"),
    "marked": _l("Answers that authors marked"),
    "mark_good": _l("Answers marked 4 and 5"),
    "reviewed": _l("Answers that were reviewed"),
    "judged": _l("Marks of reviews, one by one"),
    "unjudged": _l("Marks of reviews: does not apply"),
    **{f"judged_{number}": _l("Marks of reviews by one criterion") for number in range(1, MOST + 1)},
    **{f"unjudged_{number}": _l("Reviews where the criterion does not apply") for number in range(1, MOST + 1)},
}


def list_title(name: str, title: Lazy, criteria: Sequence[Criterion]) -> str:
    """The title of a list; one of a criterion is named by it."""
    _kind, _under, number = name.rpartition("_")
    named = [one.title for one in criteria if number == str(one.number)]
    return _("%(what)s: %(title)s", what=title, title=named[0]) if named else str(title)
