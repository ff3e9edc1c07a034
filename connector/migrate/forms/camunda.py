"""Camunda's OpenAI connector: its form for a chat and its form for a moderation."""

from __future__ import annotations

from connector.migrate.forms.form import Fields, Filled, Filling, Form, fields, text, with_secrets
from connector.model import JSON

__all__ = ["CAMUNDA"]

KEY = text("OpenAI API key; a secret becomes ${NAME}.", default="{{secrets.OPENAI_API_KEY}}")
RESULT: Fields = {
    "resultVariable": text("Result variable: takes {status, headers, body} whole."),
    "resultExpression": text("Result expression, in FEEL."),
    "errorExpression": text("Error expression, in FEEL."),
}
CHAT: Fields = {
    "model": text("Model; any other name is a custom model."),
    "systemMessage": text("System message: how the model is to answer."),
    "chatHistory": {"description": "Chat history: the messages before, each with role and content."},
    "prompt": text("Prompt: what is asked."),
    "choices": {"type": "integer", "minimum": 1, "maximum": 128, "default": 1, "description": "Choices to generate."},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2, "default": 1, "description": "Temperature."},
    **RESULT,
}
MODERATION: Fields = {"input": text("Input: the text to check."), **RESULT}
CHAT_PARAMETERS = {
    "model": "model", "systemMessage": "system", "chatHistory": "history", "prompt": "prompt", "choices": "choices",
    "temperature": "temperature",
}  # fmt: skip


def _chat(filling: Filling) -> Filled:
    given = {ours: filling.values.get(theirs) for theirs, ours in CHAT_PARAMETERS.items()}
    kept = {name: with_secrets(value) for name, value in given.items() if value not in (None, "", [])}
    return _call(filling, {"chat-prompt": kept}, ("chat completions", "create"), ["answer-text"])


def _moderate(filling: Filling) -> Filled:
    return _call(
        filling, {"moderate-input": {"text": filling.text("input")}}, ("moderations", "create"), ["moderation-verdict"]
    )


def _call(filling: Filling, step: JSON, operation: tuple[str, str], answer: list[JSON]) -> Filled:
    entity, action = operation
    parameters = {"client": filling.client, "entity": entity, "action": action}
    entry: JSON = {"chain": [step], "publisher": {"prototype": "openai", "parameters": parameters}}
    filled = Filled({("outgoing", filling.name): entry})
    if filling.values.get("resultExpression"):
        entry["answer"] = {"chain": answer}
        filled.notes.append(
            "resultExpression: FEEL is not evaluated here; the chain `answer` takes the result out, compare the two"
        )
    if filling.values.get("resultVariable"):
        filled.notes.append("resultVariable: the answer is {status, headers, body} here too, without a name of its own")
    if filling.values.get("errorExpression"):
        filled.notes.append(
            "errorExpression: FEEL is not evaluated here; the client's `errors` and the chain `error` do that"
        )
    return filled


def _connect(filling: Filling) -> Filled:
    return Filled({("clients", filling.name): {"prototype": "openai", "parameters": {"token": filling.text("apiKey")}}})


CAMUNDA = (
    Form(
        name="camunda-authentication", vendor="Camunda", title="Authentication", about="The key of the connector.",
        section="clients", schema=fields({"apiKey": KEY}, "apiKey"), translate=_connect,
    ),
    Form(
        name="camunda-chat", vendor="Camunda", title="Chat", about="Asks a chat model.", section="outgoing",
        schema=fields(CHAT, "model", "prompt"), translate=_chat,
    ),
    Form(
        name="camunda-moderation", vendor="Camunda", title="Moderation", about="Checks a text for harm.",
        section="outgoing", schema=fields(MODERATION, "input"), translate=_moderate,
    ),
)  # fmt: skip
