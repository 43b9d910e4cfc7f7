"""The operations of the JSON API about ratings by people."""

from __future__ import annotations

from typing import Final

from adapters.web import models_human as models
from adapters.web.operation import Operation

_HUMAN: Final = "/api/v1/human"
_RATING: Final = _HUMAN + "/rating/{set_id}"
_SET: Final = _HUMAN + "/sets/{set_id}"

HUMAN: Final[tuple[Operation, ...]] = (
    Operation(
        "list_rating_sets", "GET", _HUMAN + "/rating", "Sets of answers that can be rated", 200, models.RatingSets
    ),
    Operation(
        "take_seat",
        "POST",
        _RATING + "/seat",
        "Begin to rate a set, or go on",
        200,
        models.Seat,
        body=models.TakeSeat,
    ),
    Operation(
        "show_sheet",
        "POST",
        _RATING + "/sheet",
        "One question with its answers, shuffled and without names; the rater's key belongs in no address",
        200,
        models.RatingSheet,
        body=models.WantSheet,
    ),
    Operation(
        "rate_answer",
        "PUT",
        _RATING + "/rating",
        "Rate an answer, or change its rating",
        200,
        models.RatingProgress,
        body=models.GiveRating,
    ),
    Operation(
        "skip_question",
        "POST",
        _RATING + "/skip",
        "Leave out what is not rated of a question",
        200,
        models.RatingProgress,
        body=models.SkipQuestion,
    ),
    Operation("list_human_sets", "GET", _HUMAN + "/sets", "All sets, for operators", 200, models.HumanSets),
    Operation("close_set", "POST", _SET + "/close", "Let nobody rate a set any more; then its report can be seen", 204),
    Operation("delete_set", "DELETE", _SET, "Delete a set with its answers and ratings, for good", 204),
    Operation("show_set", "GET", _SET, "The report of a closed set", 200, models.HumanReport),
    Operation(
        "list_disliked",
        "GET",
        _HUMAN + "/disliked",
        "Answers that people did not like",
        200,
        models.DislikedAnswers,
    ),
    Operation(
        "make_case",
        "POST",
        _HUMAN + "/disliked/{turn_id}/case",
        "Make a case of an own suite from a bad answer",
        201,
        models.MadeCase,
        body=models.MakeCase,
    ),
)
