"""What every group of settings is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """Settings that belong together. An unknown name is an error, and no error repeats a value: it may be a secret."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, hide_input_in_errors=True)
