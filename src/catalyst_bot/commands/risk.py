"""`catalyst-bot risk`: what is used up, what is left, and what would be refused."""

# ruff: noqa: PLC0415  # quick --help

from __future__ import annotations

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Journal, Json, settings_of


def risk(
    json_: Json = "", journal: Journal = None, data_dir: DataDir = None, config: Config = None
) -> None:
    """Show limits with what is used of them, the distance to each refusal, and the metrics."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.bootstrap.risk_boards import risk_board
        from catalyst_bot.monitoring.dashboard.encoding import plain
        from catalyst_bot.monitoring.risk_board import risk_text
        from catalyst_bot.runtime.latch import OperatorMailbox
        from catalyst_bot.storage.read_model import ReadModel

        settings = settings_of(data_dir, config)
        with ReadModel(journals.chosen(settings, journal)) as model:
            view = risk_board(model, settings).look()
        if json_:
            console.write_json(plain(view.as_dict()), json_)
        else:
            console.say(risk_text(view))
        if OperatorMailbox(settings.run.data_dir).is_halted():
            console.note("HALT latch is set: no entry is sent, whatever the limits leave")
        return console.OK

    console.guarded(action)
