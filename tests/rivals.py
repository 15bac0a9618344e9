"""A catalog in which several resources refer to one, each in another way."""

from __future__ import annotations

from repositories.schema import Catalog
from service import catalog

_TEXT = """
resources:
  teams:
    primaryKey: id
    properties: {id: {type: integer}, lead_id: {references: {resource: people, onDelete: cascade}}}
  games:
    primaryKey: id
    properties: {id: {type: integer}, team_id: {references: teams}}
  people:
    primaryKey: id
    properties:
      id: {type: integer}
      code: {type: string, unique: true}
      mentor: {references: {resource: people, field: code}}
  notes:
    primaryKey: id
    properties: {id: {type: integer}, person_id: {references: people}}
  tasks:
    primaryKey: id
    properties: {id: {type: integer}, person: {references: {resource: people, field: code, onDelete: cascade}}}
  acts:
    primaryKey: id
    properties:
      id: {type: integer}
      person_id: {references: people}
      note_id: {references: {resource: notes, onDelete: setNull}}
"""


def rivals() -> Catalog:
    """Teams and tasks go with their person; games, notes and acts keep what they refer to."""
    return catalog.loads(_TEXT, "rivals.yaml")
