"""The fields room on the screen: one file for each tab."""

from workbench.ui.fields.room import FieldsRoom

__all__ = ["FieldsRoom"]
