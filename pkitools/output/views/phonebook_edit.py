"""Text of an edited phonebook: one line for Intune, the difference for a dry run, the changes otherwise."""

from __future__ import annotations

from pkitools.models.outcome import Outcome
from pkitools.models.phonebook import EditMode, PhonebookEdit, SettingChange
from pkitools.output.text import Line, Style, Styled


def render(outcome: Outcome[PhonebookEdit], many: bool) -> list[Line]:
    """What was done, or is to be done, to one file."""
    edit = outcome.value
    if edit is None:
        return []
    changed = [change for change in edit.changes if change.changed]
    if edit.mode in (EditMode.DETECT, EditMode.REMEDIATE):
        return [_one_line(edit, changed)]
    if edit.mode is EditMode.DRY_RUN:
        return _difference(edit)
    if not changed:
        return [(Styled("unchanged", Style.GOOD), f": {edit.path} has these values already")]
    lines: list[Line] = [(Styled("written", Style.GOOD), f": {edit.path}")]
    lines += [f"  {_change(change)}" for change in changed]
    return lines + ([f"  backup: {edit.backup}"] if edit.backup else [])


def _one_line(edit: PhonebookEdit, changed: list[SettingChange]) -> Line:
    if not changed:
        return (Styled("Compliant", Style.GOOD), f": {len(edit.changes)} values as wanted in {edit.path}")
    word = Styled("Not compliant", Style.BAD) if edit.mode is EditMode.DETECT else Styled("Remediated", Style.GOOD)
    return (word, ": ", "; ".join(_change(change) for change in changed))


def _change(change: SettingChange) -> str:
    before = "absent" if change.before is None else change.before or "empty"
    return f"[{change.entry}] {change.key}: {before} -> {change.after}"


def _difference(edit: PhonebookEdit) -> list[Line]:
    if not edit.diff:
        return [f"no difference: {edit.path} has these values already"]
    styles = {"-": Style.BAD, "+": Style.GOOD, "@": Style.DIM}
    return [f"--- {edit.path}", *(Styled(line, styles.get(line[:1], Style.PLAIN)) for line in edit.diff)]
