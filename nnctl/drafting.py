"""A starter config as text: valid YAML with what was found in comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnctl.data.wording import code
from nnctl.purposes import Role
from nnctl.spec.dump import dump

MOST_COLUMNS = 60  # that the comments list one by one
WIDEST = 28  # letters of a column's name in that list


@dataclass(frozen=True, slots=True)
class Plan:
    """How to split and train, by the number of rows."""

    split: dict[str, float] | None
    hidden: list[int]
    epochs: int
    batch_size: int | str
    patience: int


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a starter config says."""

    command: str
    source: str  # the table as the comments name it
    path: str  # the table as the config names it
    rows: int
    targets: Sequence[str]
    task: str
    says: Mapping[str, str]  # comments behind keys: target, task, split
    roles: Sequence[Role]
    format: Mapping[str, str]
    plan: Plan
    warnings: Sequence[str] = ()


def written(draft: Draft) -> str:
    """The config as YAML, paths as they are."""
    return "".join(f"{line}\n" for line in (*_opening(draft), *_data(draft), *_training(draft)))


def _opening(draft: Draft) -> Iterator[str]:
    yield f"# {_line(draft.command)}"
    yield f"# {_line(draft.source)}: {draft.rows:,} rows, {len(draft.roles)} columns."
    yield "# A key that is left out has its default; `nnctl check` on this file shows what comes of the columns."
    yield "#"
    shown = draft.roles[:MOST_COLUMNS]
    names = [_clipped(code(role.column.name)[1:-1]) for role in shown]
    wide = max(6, *map(len, names))
    yield f"# {'column':<{wide}}  {'type':<8}  {'missing':>9}  {'distinct':>9}"
    for name, role in zip(names, shown, strict=True):
        ends = "" if role.purpose == "feature" else f"  {role.purpose}"
        yield f"# {name:<{wide}}  {role.type:<8}  {role.column.missing:>9,}  {role.column.distinct:>9,}{ends}"
    if len(draft.roles) > len(shown):
        yield f"# and {len(draft.roles) - len(shown):,} columns more"
    if draft.warnings:
        yield "#"
    for warning in draft.warnings:
        yield f"# warning: {_line(warning)}"
    yield ""


def _data(draft: Draft) -> Iterator[str]:
    yield "data:"
    yield (
        f"  path: {_scalar(draft.path)}  # relative to the folder of this file"
        if _relative(draft.path)
        else (f"  path: {_scalar(draft.path)}")
    )
    yield _said(f"  target: {_target(draft.targets)}", draft.says.get("target"))
    yield _said(f"  task: {draft.task}", draft.says.get("task"))
    for purpose in ("id", "drop"):
        those = [role for role in draft.roles if role.purpose == purpose and "${" not in role.column.name]
        if those:
            yield f"  {purpose}:" + ("  # kept in predictions, never a feature" if purpose == "id" else "")
            yield from (_said(f"    - {_scalar(role.column.name)}", role.why) for role in those)
    columns = {role.column.name: _options(role) for role in draft.roles if _options(role)}
    yield from _block({"columns": columns} if columns else {}, "  ")
    yield from _block({"format": dict(draft.format)} if draft.format else {}, "  ")
    split = "none" if draft.plan.split is None else f"{{{', '.join(f'{k}: {v}' for k, v in draft.plan.split.items())}}}"
    yield _said(f"  split: {split}", draft.says.get("split"))


def _training(draft: Draft) -> Iterator[str]:
    plan = draft.plan
    yield f"model: {{hidden: {plan.hidden}}}"
    yield "optimizer: {type: adam, lr: 1e-3}"
    yield f"train: {{epochs: {plan.epochs}, batch_size: {plan.batch_size}}}"
    if plan.split is not None:
        yield (
            f"early_stopping: {{type: patience, patience: {plan.patience}}}"
            "  # epochs without a better val_loss; the best weights are kept"
        )


def _options(role: Role) -> dict[str, str]:
    """What `data.columns` says of a column."""
    if role.purpose in ("id", "drop") and "${" in role.column.name:
        return {"type": "text"}  # a list cannot name it: `${` would be filled in
    return role.options


def _target(names: Sequence[str]) -> str:
    """One name, or a list; the name `features` would be an autoencoder's."""
    if len(names) == 1 and names[0] != "features":
        return _scalar(names[0])
    return dump({"k": [*names]}).removeprefix("k:").strip() if _short(names) else _listed(names)


def _short(names: Sequence[str]) -> bool:
    return "\n" not in dump({"k": [*names]}).rstrip("\n")


def _listed(names: Sequence[str]) -> str:
    return "".join(f"\n    - {_scalar(name)}" for name in names)


def _scalar(text: str) -> str:
    """A text as a value in a block of YAML."""
    return dump({"k": text}).removeprefix("k: ").rstrip("\n")


def _block(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    if values:
        yield from (indent + line for line in dump(dict(values)).splitlines())


def _said(line: str, comment: str | None) -> str:
    return f"{line}  # {_line(comment)}" if comment else line


def _line(text: str) -> str:
    """A text as part of a comment: on one line, without control characters."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _clipped(name: str) -> str:
    return name if len(name) <= WIDEST else f"{name[: WIDEST - 1]}…"


def _relative(path: str) -> bool:
    return not path.startswith("/")
