"""The fields room as a page: ``panel serve apps/fields.py``."""

from workbench.ui.fields import FieldsRoom

FieldsRoom().page().servable()
