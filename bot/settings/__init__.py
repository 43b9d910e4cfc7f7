"""The settings: what there is (`model`), what a value may be (`values`), where values come from (`sources`, `machine`).

`load` puts it together. Nothing here may open a connection or import a part of the server: every command begins here,
and has to be quick.
"""

from __future__ import annotations

from bot.settings.loading import SettingsError, load
from bot.settings.model import Settings

__all__ = ["Settings", "SettingsError", "load"]
