"""From a story to a canvas. Pure functions: a story in, Canvas Kit JSON out."""

from __future__ import annotations

from collections.abc import Sequence

from canvas.domain import wording
from canvas.domain.fix import Field, Fix
from canvas.domain.message import SETTLED, Message, Status
from canvas.domain.story import Story
from canvas.domain.wording import channel_name, doubt
from canvas.flows import manual
from canvas.flows.deeds import Clicked
from canvas.flows.fix_tokens import UNDO, Tokens
from canvas.flows.look import Look
from canvas.flows.manual import Checked
from canvas.knowledge.model import UNKNOWN
from canvas.surfaces import canvas_kit as kit
from canvas.surfaces.canvas_kit import Canvas, Component, cut, plain

PREVIEW = 120  # characters of a preview on the first canvas
ROOM = ((2, PREVIEW), (2, 80), (1, 80), (1, 40), (0, 40))
"""How many others, and how many characters of foreign words, a first canvas holds: the most that fits is drawn."""
PAGE = 8
NOTHING_FAILED = "No failed messages for this person."
LAST = 10  # attempts that the life line of a canvas shows; the message's page shows all


def first(look: Look, tokens: Tokens) -> Canvas:
    """The first canvas: the newest failure with its one click, up to two more, under 400 pixels, no `primary`."""
    if not look.stories:
        return kit.canvas([kit.text("none", NOTHING_FAILED, "muted"), kit.button("check", manual.TITLE)])
    newest, *others = look.stories
    components = [*_summary(newest), *_unexplained(newest)]
    components += _first_actions(newest, tokens)
    components.append(kit.button(f"open:{newest.message.id}", "Details", "link"))
    return kit.canvas(_fitting(components, others, look.total))


def _fitting(components: list[Component], others: Sequence[Story], total: int) -> list[Component]:
    """The same canvas with as many others as the height allows that Intercom's review asks for."""
    drawn = components
    for count, limit in ROOM:
        drawn = [_shorter(c, limit) for c in components] + _others(others[:count], total)
        if kit.height(drawn) <= kit.FIRST_CANVAS_PIXELS:
            break
    return drawn


def _shorter(component: Component, limit: int) -> Component:
    foreign = component["id"] in ("said", "preview")
    return {**component, "text": cut(component["text"], limit)} if foreign else component


def _others(others: Sequence[Story], total: int) -> list[Component]:
    items = [_item(story, channel_name(story.message.channel)) for story in others]
    components = [kit.listing(items)] if items else []
    if total > len(items) + 1:
        components.append(kit.button("all:0", f"All {total}", "link"))
    return components


def _summary(story: Story) -> list[Component]:
    return [*_head(story, story.title), kit.text("what", plain(story.text))]


def _head(story: Story, title: str) -> list[Component]:
    return [kit.text("title", plain(title), "header", tight=True), *_about(story)]


def _about(story: Story) -> list[Component]:
    """Which message this is."""
    return [kit.text("line", plain(story.line), "muted")]


def _unexplained(story: Story) -> list[Component]:
    """What came back, word for word, where nothing better is known."""
    if story.message.reason != UNKNOWN or not story.told:
        return []
    return [kit.text("said", plain(story.told, PREVIEW), "muted")]


def _first_actions(story: Story, tokens: Tokens) -> list[Component]:
    """The one click, or what stands in its place, with the words it would send."""
    if story.message.status in (Status.QUEUED, Status.SENDING):
        return [*_undo(story, tokens), kit.button("refresh", "Refresh")]
    best = next((f for f in story.fixes if f.enabled and f.kind in ("one_click", "form")), None)
    if best is None:
        return [*_refusal(story), kit.button("refresh", "Refresh")]
    shown = [kit.text("preview", plain(words, PREVIEW), "muted")] if (words := best.says) else []
    advice = _advice(story) if best.id == "mark_handled" else []
    return [*_refusal(story), *shown, *advice, _button(story.message, best, tokens)]


def _refusal(story: Story) -> list[Component]:
    return [kit.text("who_may", plain(story.refusal), "muted")] if story.refusal else []


def _advice(story: Story) -> list[Component]:
    """What to do now, where no button says it."""
    return [kit.text("cure", plain(words)) for _, words in story.lines[3:]]


def _button(message: Message, fix: Fix, tokens: Tokens) -> Component:
    if fix.kind == "link" and fix.url:
        return kit.link(f"link:{fix.id}", fix.label, fix.url)
    if fix.kind == "copy":
        return kit.button(f"support:{message.id}", fix.label, "link")
    token = tokens.sign(message, fix.id, fix.target)
    style = "link" if fix.id == "mark_handled" else "secondary"
    return kit.button(f"fix:{token}", plain(fix.label), style, disabled=not fix.enabled)


def _undo(story: Story, tokens: Tokens) -> list[Component]:
    if not story.undoable:
        return []
    return [kit.button(f"fix:{tokens.sign(story.message, UNDO)}", "Undo")]


def _item(story: Story, way: str) -> Component:
    return kit.item(f"open:{story.message.id}", plain(story.title), plain(way), story.moment)


def everything(look: Look, offset: int) -> Canvas:
    """One page of all open messages of this person."""
    components: list[Component] = [kit.text("title", _title(look.total), "header")]
    if look.stories:
        components.append(kit.listing(_item(story, story.way) for story in look.stories))
    if offset + len(look.stories) < look.total:
        components.append(kit.button(f"all:{offset + PAGE}", "Older", "link"))
    if offset:
        components.append(kit.button(f"all:{max(0, offset - PAGE)}", "Newer", "link"))
    return kit.canvas([*components, kit.divider("end"), kit.button("first", "Back", "link")])


def _title(total: int) -> str:
    if not total:
        return NOTHING_FAILED
    return "1 message needs a look" if total == 1 else f"{total} messages need a look"


def detail(story: Story, tokens: Tokens, note: str | None = None) -> Canvas:
    """Everything about one message: the four lines, the evidence, its life, and what can be done."""
    components = [kit.text("note", plain(note))] if note else []
    components += _head(story, story.title)
    for number, (label, words) in enumerate(story.lines or (("What is known", story.text),)):
        components.append(kit.text(f"label{number}", f"**{label}**", tight=True))
        components.append(kit.text(f"words{number}", plain(words)))
    components += _evidence(story)
    components += _life(story)
    components += _actions(story, tokens)
    return kit.canvas([*components, kit.divider("end"), kit.button("first", "Back", "link")])


def _evidence(story: Story) -> list[Component]:
    components: list[Component] = []
    if story.pattern:
        components.append(kit.text("pattern", plain(story.pattern)))
    if story.candidates:
        components.append(kit.text("maybe", "**It could be one of these**", tight=True))
        for number, (_, title, test) in enumerate(story.candidates):
            words = f"{title}. {test}" if test else f"{title}."
            components.append(kit.text(f"maybe{number}", plain(words), tight=True))
        components.append(kit.spacer("maybe_end", "s"))
    if story.told:
        code = f" (code {story.code})" if story.code and story.code not in story.told else ""
        components.append(kit.text("said", plain(story.told + code), "muted"))
    return components


def _life(story: Story) -> list[Component]:
    if len(story.attempts) < 2 and not doubt(story.message):
        return []
    rows = [
        kit.text(f"life{number}", plain(f"{attempt.when}: {attempt.text}"), "muted", tight=True)
        for number, attempt in enumerate(story.attempts[-LAST:])
    ]
    count = len(story.attempts)
    title = f"The last {LAST} of {count} tries" if count > LAST else "What was tried"
    return [kit.text("life", f"**{title}**", tight=True), *rows, kit.spacer("life_end", "s")]


def _actions(story: Story, tokens: Tokens) -> list[Component]:
    """The fixes, links last; one that an agent would look for but cannot have now is disabled, its why above it."""
    components, told = _refusal(story), ""
    for number, fix in enumerate(story.fixes):
        words = plain(fix.why or fix.says or "", 200)
        if words and words != told:
            components.append(kit.text(f"about{number}", words, "muted"))
        told = words
        components.append(_button(story.message, fix, tokens))
    if not story.fixes and story.message.status not in SETTLED:
        components += [*_undo(story, tokens), kit.button(f"open:{story.message.id}", "Refresh")]
    return sorted(components, key=lambda component: component.get("style") == "link")


def form(clicked: Clicked, story: Story, tokens: Tokens) -> Canvas:
    """Exactly the fields that are missing, filled in as far as known, and one `primary` button."""
    fix, message = clicked.fix, clicked.message
    assert fix is not None
    assert message is not None
    components = _head(story, fix.label)
    if clicked.note and clicked.note not in [field.error for field in clicked.fields]:
        components.append(kit.text("wrong", plain(clicked.note), "error"))
    for field in clicked.fields:
        components += _field(field)
    if fix.run_at:
        components.append(kit.text("when", plain(wording.earliest(story.context, fix.run_at)), "muted"))
    token = tokens.sign(message, fix.id, fix.target, clicked.shown)
    components.append(kit.button(f"do:{token}", fix.submit or "Send", "primary"))
    return kit.canvas([*components, kit.divider("end"), kit.button(f"open:{message.id}", "Cancel", "link")])


def _field(field: Field) -> list[Component]:
    components = [_input(field)]
    if field.error:
        components.append(kit.text(f"{field.name}_error", plain(field.error), "error"))
    if field.help:
        components.append(kit.text(f"{field.name}_help", plain(field.help), "muted"))
    if field.before is not None and field.before != field.value and not field.error:
        change = f"{plain(field.before, 200)} → {plain(field.value, 200)}"
        components.append(kit.text(f"{field.name}_before", change, "muted"))
    return components


def _input(field: Field) -> Component:
    wrong = field.error is not None
    if field.type == "textarea":
        return kit.textarea(field.name, field.label, field.value, wrong=wrong)
    if field.type == "select" and len(field.options) > 1:
        options = [(o.value, kit.one_line(o.label)) for o in field.options]
        return kit.dropdown(field.name, field.label, options, field.value, wrong=wrong)
    if field.type == "select":
        return kit.text(f"{field.name}_only", plain(f"{field.label}: {field.options[0].label}"))
    return kit.text_input(field.name, field.label, field.value, field.placeholder, wrong=wrong)


def receipt(clicked: Clicked, story: Story, tokens: Tokens) -> Canvas:
    """What became of the click, and a way to look again while it is not final."""
    message = story.message
    if message.status is Status.FAILED and not message.handled_at:
        return detail(
            story, tokens, clicked.note or "It failed again." if message.parent_id else clicked.note
        )
    if message.status is Status.UNSURE:
        return detail(story, tokens, clicked.note)
    mark = "✓ " if message.handled_at or message.octopods_id or message.request_id else ""
    words = clicked.note if message.handled_at and clicked.note else story.text
    components: list[Component] = [kit.text("receipt", plain(f"{mark}{words}"))]
    components += _about(story)
    if message.status not in SETTLED:
        components += [*_undo(story, tokens), kit.button(f"open:{message.id}", "Refresh")]
    components.append(kit.button("first", "Done", "link"))
    return kit.canvas(components, completed=bool(mark))


def support(story: Story, link: str) -> Canvas:
    """All that support will ask for, in one field to copy from. `link` leads to the message's page."""
    return kit.canvas(
        [
            kit.text("title", "Copy for support", "header", tight=True),
            kit.text("how", "Select all of it, copy it, and send it to Octopods support.", "muted"),
            kit.textarea("bundle", "Report", kit.printable(f"{story.support}\nPage: {link}")),
            kit.divider("end"),
            kit.button(f"open:{story.message.id}", "Back", "link"),
        ]
    )


def check(
    words: str = "", checked: Checked | None = None, story: Story | None = None, error: str | None = None
) -> Canvas:
    """Paste an id or what a failure said, read what it means, and tie it to the person."""
    components: list[Component] = [
        kit.text("check_title", manual.TITLE, "header", tight=True),
        kit.text("how", manual.PASTED.help or "", "muted"),
        kit.textarea(manual.TEXT, manual.PASTED.label, kit.printable(words), wrong=error is not None),
    ]
    if error:
        components.append(kit.text("wrong", error, "error"))
    if checked:
        components += _checked(checked, story)
    components += [kit.button("check_go", manual.EXPLAIN, "primary"), kit.divider("end")]
    return kit.canvas([*components, kit.button("first", "Back", "link")])


def _checked(checked: Checked, story: Story | None) -> list[Component]:
    components: list[Component] = []
    if story:
        components += [*_summary(story), kit.button(f"open:{story.message.id}", "Details")]
    for number, (label, text) in enumerate(checked.lines):
        components.append(kit.text(f"label{number}", f"**{label}**", tight=True))
        components.append(kit.text(f"words{number}", plain(text)))
    if checked.attachable:
        components += [_input(field) for field in checked.sent_by]
        components.append(kit.button(f"attach:{checked.nonce}", manual.ATTACH))
    return components


def notice(
    words: str, *, retry: bool = True, label: str = "Try again", request_id: str | None = None
) -> Canvas:
    """Our own trouble, or a state without messages: muted, left, and never a dead end."""
    components = [kit.text("notice", plain(words), "muted")]
    if request_id:
        components.append(kit.text("request", f"Request {request_id}", "muted"))
    if retry:
        components.append(kit.button("first", label))
    return kit.canvas(components)
