"""Answers that buttons point to, what people thought of them, drafts up for approval, and files waiting for a yes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, false, insert, literal, or_, select, update

from bot import state_tables as t

if TYPE_CHECKING:
    from bot.state import State


@dataclass(frozen=True)
class Saved:
    """`answer` is the Answer as JSON; `message_id` where it was sent, once it was; `created` in seconds since 1970."""

    token: str
    shop: str
    chat: int
    thread: int | None
    person: int
    question: str
    answer: str
    message_id: int | None
    created: float


@dataclass(frozen=True)
class Approval:
    """`status` is submitted, approved or rejected; `person` submitted it."""

    draft_id: str
    token: str
    shop: str
    person: int
    status: str
    at: float
    decided_by: int | None
    decided_at: float | None


@dataclass(frozen=True)
class Upload:
    """A file that waits for confirmation. `taken_by` is None until somebody has confirmed."""

    token: str
    shop: str
    chat: int
    person: int
    kind: str
    path: str
    detail: dict[str, Any]
    taken_by: str | None
    at: float


def save_answer(
    state: State, token: str, shop: str, chat: int, thread: int | None, person: int, question: str, answer_json: str
) -> None:
    """Keep what the buttons under an answer need. The same token again replaces the answer, not what people thought of it."""
    values = {
        "shop": shop, "chat": chat, "thread": thread, "person": person, "question": question, "answer": answer_json,
        "created": state.now(),
    }  # fmt: skip
    kept = state.insert(t.answers).values(token=token, **values)
    state.write(kept.on_conflict_do_update(index_elements=["token"], set_=values))


def answer(state: State, token: str) -> Saved | None:
    rows = state.rows(select(t.answers).where(t.answers.c.token == token))
    return Saved(**rows[0]._mapping) if rows else None


def set_message(state: State, token: str, message_id: int) -> None:
    state.write(update(t.answers).where(t.answers.c.token == token).values(message_id=message_id))


def feedback(state: State, token: str, person: int, value: int) -> bool:
    """1 for 👍, -1 for 👎; a person's last word counts. False when the answer is gone."""
    values = {"value": value, "at": state.now()}
    source = select(
        t.answers.c.token,
        literal(person, t.feedback.c.person.type),
        *[literal(v, t.feedback.c[k].type) for k, v in values.items()],
    ).where(t.answers.c.token == token)
    given = state.insert(t.feedback).from_select(["token", "person", *values], source)
    return state.write(given.on_conflict_do_update(index_elements=["token", "person"], set_=values)) > 0


def feedback_of(state: State, token: str) -> dict[int, int]:
    """Person → 1 or -1."""
    rows = state.rows(select(t.feedback.c.person, t.feedback.c.value).where(t.feedback.c.token == token))
    return {r.person: r.value for r in rows}


def prune(state: State, before: float) -> int:
    """Forget answers from before `before` (seconds since 1970), but those whose drafts went up for approval; how many."""
    kept = exists().where(t.approvals.c.token == t.answers.c.token)
    return state.write(delete(t.answers).where(t.answers.c.created < before, ~kept))


def submit(state: State, draft_id: str, token: str, shop: str, person: int) -> bool:
    """Put a draft of the answer `token` up for approval; `draft_id` is unique over all answers. False: it is already."""
    values = {"draft_id": draft_id, "token": token, "shop": shop, "person": person, "status": "submitted"}
    return state.write(state.insert(t.approvals).values(at=state.now(), **values).on_conflict_do_nothing()) > 0


def decide(state: State, draft_id: str, by: int, approved: bool) -> bool:
    """False when somebody has decided already, or the draft was never submitted."""
    undecided = update(t.approvals).where(t.approvals.c.draft_id == draft_id, t.approvals.c.status == "submitted")
    status = "approved" if approved else "rejected"
    return state.write(undecided.values(status=status, decided_by=by, decided_at=state.now()), durable=True) > 0


def approval(state: State, draft_id: str) -> Approval | None:
    rows = state.rows(select(t.approvals).where(t.approvals.c.draft_id == draft_id))
    return Approval(**rows[0]._mapping) if rows else None


def stage(
    state: State, token: str, shop: str, chat: int, person: int, kind: str, path: str, detail: dict[str, Any]
) -> None:
    """Keep a previewed file until its sender says yes. `token` is new."""
    values = {"shop": shop, "chat": chat, "person": person, "kind": kind, "path": path, "at": state.now()}
    state.write(insert(t.uploads).values(token=token, detail=json.dumps(detail, ensure_ascii=False), **values))


def staged(state: State, token: str) -> Upload | None:
    rows = state.rows(select(t.uploads).where(t.uploads.c.token == token))
    return _upload(rows[0]) if rows else None


def take(state: State, token: str, by: str = "") -> bool:
    """Whether the caller may import the file: the first who takes it may.

    `by` names the tap (its update): the same tap, worked on again after its process died, is still the first.
    """
    same_tap = t.uploads.c.taken_by == by if by else false()
    first = update(t.uploads).where(t.uploads.c.token == token, or_(t.uploads.c.taken_by.is_(None), same_tap))
    return state.write(first.values(taken_by=by)) > 0


def put_back(state: State, token: str) -> bool:
    """The import did not happen: the file may be taken again."""
    return state.write(update(t.uploads).where(t.uploads.c.token == token).values(taken_by=None)) > 0


def drop_uploads(state: State, before: float) -> list[Upload]:
    """Forget files staged before `before` (seconds since 1970); the caller deletes what lies at their paths."""
    gone = delete(t.uploads).where(t.uploads.c.at < before).returning(t.uploads)
    return [_upload(r) for r in state.rows(gone)]


def _upload(row: Any) -> Upload:
    return Upload(**{**row._mapping, "detail": json.loads(row.detail)})
