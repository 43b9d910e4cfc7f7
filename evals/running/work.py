"""What there is to ask, one prompt at a time: from items to questions with their keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from evals.kagentbench.items import Item
from evals.running.asked import Asked
from evals.running.asking import Asker, Question
from evals.running.cutting import fit
from evals.running.predictions import Place, latest
from evals.running.presets import input_limit
from evals.running.schemas import plan_schema
from evals.runs import Prediction, PredictionKey, RunSpec

#: How much shorter a prompt is made that the server found too long although it should have fitted.
_CUT_MORE = 0.8


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt of a run, as the file has it."""

    item: Asked
    template: str
    repeat: int

    @property
    def text(self) -> str:
        return self.item.prompts[self.template]

    @property
    def place(self) -> Place:
        return *self.item.key, self.template, self.repeat


@dataclass(frozen=True, slots=True)
class Call:
    """A prompt as it is sent."""

    prompt: Prompt
    key: PredictionKey
    question: Question
    #: Tokens that it lost.
    cut_tokens: int = 0


def prompts_of(items: Iterable[Asked], spec: RunSpec) -> Iterator[Prompt]:
    """All that a run asks: everything once, then everything again for each repeat."""
    for repeat in range(spec.repeats):
        for item in items:
            for template in item.prompts:
                yield Prompt(item, template, repeat)


def how(spec: RunSpec, schema: Mapping[str, Any] | None) -> str:
    """What shapes a reply beside prompt and model, as a text that is the same for the same shape."""
    shape: dict[str, Any] = {"preset": spec.preset, "sampling": asdict(spec.sampling), "reasoning": spec.reasoning}
    if spec.reasoning != "off":
        shape["reasoning_tokens"] = spec.reasoning_tokens
    if schema is not None:
        shape["schema"] = digest(json.dumps(schema, sort_keys=True))
    return json.dumps(shape, sort_keys=True)


def digest(text: str) -> str:
    """SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class Maker:
    """Makes calls of prompts: cut to fit, with their keys."""

    def __init__(self, spec: RunSpec, asker: Asker) -> None:
        self._spec = spec
        self._asker = asker

    async def call(self, prompt: Prompt) -> Call:
        """The call for a prompt."""
        return await self._made(prompt, input_limit(self._spec, self._asker.context_tokens))

    async def shorter(self, call: Call) -> Call | None:
        """The call again after its server found it too long; None where nothing more can be cut."""
        tokens = await self._asker.count(call.question.prompt)
        limit = input_limit(self._spec, self._asker.context_tokens)
        limit = int(_CUT_MORE * (tokens if limit is None else min(tokens, limit)))
        made = await self._made(call.prompt, limit)
        return made if len(made.question.prompt) < len(call.question.prompt) else None

    async def _made(self, prompt: Prompt, limit: int | None) -> Call:
        spec = self._spec
        cut = await fit(prompt.text, prompt.item.memory, limit, self._asker)
        schema = self._schema(prompt)
        question = Question(
            cut.text,
            preset=spec.preset,
            sampling=spec.sampling,
            schema=schema,
            reasoning=spec.reasoning,
            reasoning_tokens=spec.reasoning_tokens,
        )
        key = PredictionKey(
            type=prompt.item.type,
            item=str(prompt.item.id),
            template=prompt.template,
            prompt=digest(cut.text),
            model=self._asker.name,
            how=how(spec, schema),
            repeat=prompt.repeat,
            server=self._asker.server,
        )
        return Call(prompt, key, question, cut.tokens)

    def _schema(self, prompt: Prompt) -> Mapping[str, Any] | None:
        # What a case of a suite may be answered with is its own affair.
        if not self._spec.constrained or not isinstance(prompt.item, Item):
            return None
        return plan_schema(prompt.item, prompt.template)


def replied(prompts: Sequence[Prompt], predictions: Iterable[Prediction], model: str) -> dict[Place, Prediction]:
    """The prompts that have their reply in this run already. What failed is not among them: it is asked again.

    A reply of another model does not count (the server was given another one under the same address), nor one to
    another text; of a prompt that was cut the text isn't known here, and its place is enough.
    """
    kept = {
        place: prediction
        for place, prediction in latest(predictions).items()
        if not prediction.error and prediction.key.model == model
    }
    found: dict[Place, Prediction] = {}
    for prompt in prompts:
        prediction = kept.get(prompt.place)
        if prediction is not None and (prediction.cut_tokens or prediction.key.prompt == digest(prompt.text)):
            found[prompt.place] = prediction
    return found


def of_cache(found: Prediction, call: Call) -> Prediction:
    """An earlier run's reply as the reply to this call."""
    return replace(found, key=call.key, cached=True, cut_tokens=call.cut_tokens)
