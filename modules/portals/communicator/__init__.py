"""The communicator: memos that callers leave, from the recording to its deletion.

Public: ``Memo``; the operations ``communicator.store_memo``, ``review_memo``, ``file_memo`` and ``delete_memo``.
"""

from pathlib import Path

from modules.administration import add_mail_templates
from modules.portals.communicator.models import Memo
from modules.portals.communicator.operations import delete_memo, file_memo, review_memo, store_memo

REQUIRES: tuple[str, ...] = ("modules.administration", "modules.directory", "modules.identity")

__all__ = ["REQUIRES", "Memo", "delete_memo", "file_memo", "review_memo", "store_memo"]

add_mail_templates(Path(__file__).parent / "mail")
