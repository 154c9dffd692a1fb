"""What somebody who looks at a message may do about it, and the sentence that says who may when they may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ADMIN, FIXER, ASKING, MEMBER = "admin", "fixer", "asking", "member"
EVERYONE, NAMED, ADMINS = "everyone", "named", "admins"
ASK = "ask_to_fix"
# What changes nothing for anybody else, or only asks: whoever may not fix still gets these.
FOR_ONLOOKERS = frozenset({ASK, "ask_admin", "contact_support", "open_settings", "check_status"})
FOR_STRANGERS = frozenset({"contact_support", "open_settings"})  # of those, what asks nobody in the workspace
# Who acts by an admin's own choice, not as one of the people in front of a screen.
BY_CHOICE_OF_AN_ADMIN = frozenset({"policy", "hubspot_workflow", "operator", "worker"})
ONLOOKER = "onlooker"  # whoever holds a link that is for looking, such as Octopods' support
MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Rights:
    """What one person may do in one install. `sentence` tells who may fix, for somebody who may not.

    `may_ask` says that asking to be named makes sense: an admin can name them, and they did not ask yet.
    """

    may_fix: bool = True
    may_bulk: bool = True
    may_ask: bool = False
    sentence: str | None = None


ALL = Rights()
AWAY = Rights(
    may_fix=False,
    may_bulk=False,
    sentence="This workspace is not connected to Redeliver any more. Connect it again to fix messages.",
)


LOOKING = Rights(
    may_fix=False,
    may_bulk=False,
    sentence="This link is for looking. To fix the message, open it in Intercom or HubSpot, or sign in.",
)


def rights(may_fix: str, may_bulk: str, role: str | None, known: bool, admins: Sequence[str]) -> Rights:
    """The rights of a person by the install's two choices and by their role.

    `role` is None for somebody who was never named here or was taken out; `known` says that it is certain who they
    are, so that they could be named. `admins` are names.
    """
    fixers = {EVERYONE: True, NAMED: role in (ADMIN, FIXER), ADMINS: role == ADMIN}
    allowed = fixers[may_fix]
    if allowed:
        return Rights(may_bulk=role == ADMIN or may_bulk == EVERYONE)
    ask = may_fix == NAMED and known and role != ASKING
    return Rights(False, False, ask, _sentence(may_fix, role, admins))


def _sentence(may_fix: str, role: str | None, admins: Sequence[str]) -> str:
    names = _listed(admins) or "An admin of Redeliver"
    if may_fix == ADMINS:
        who = f": {_listed(admins)}" if admins else ""
        return f"Only admins of Redeliver may fix messages here{who}."
    if role == ASKING:
        return f"You asked to be allowed to fix messages. {names} can allow it in Redeliver's settings."
    return (
        f"Only teammates whom an admin has named may fix messages here. {names} can name you in "
        "Redeliver's settings."
    )


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:MOST_NAMES])
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} or {shown[-1]}"
