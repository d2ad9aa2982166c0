"""What happens on the platform before its pages are looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.deployment import Platform
from tests.support import wait_until


@dataclass
class Scene:
    """A platform with a past, and the ids that addresses of pages need."""

    platform: Platform
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the pages are."""
        return self.platform.url

    def email(self, user: str) -> str:
        """The address a demo user logs in with."""
        return "admin@cms.example" if user == "admin" else f"{user}@larkspur.example"

    def password(self, user: str) -> str:
        """The demo user's password."""
        name = "admin_password" if user == "admin" else "demo_password"
        return self.platform.settings.secret(name)[:16]

    def path(self, template: str) -> str:
        """Fill the ids into an address."""
        return template.format(**self.ids)


def play(platform: Platform) -> Scene:
    """Call both demo numbers as known and unknown callers; remember what came of it."""
    scene = Scene(platform)
    platform.cms("dial", "1000", "--from", "+4930123456", "--max-duration", "12")
    platform.cms("dial", "2000", "--from", "+4930123457", "--press", "9", "--max-duration", "10", check=False)
    platform.cms("dial", "1000", "--from", "+491701234567", "--max-duration", "8", check=False)
    scene.ids["task"] = wait_until(
        lambda: _first(platform, "SELECT id FROM user_task WHERE status = 'open' ORDER BY created_at"),
        30,
        0.2,
        "a task",
    )
    task = "SELECT instance_id FROM user_task WHERE status = 'open' ORDER BY created_at"
    scene.ids["instance"] = _first(platform, task) or ""
    for name, statement in (
        ("process", "SELECT id FROM definition WHERE process_id = 'clid_memo' ORDER BY version DESC"),
        ("memo", "SELECT id FROM memo ORDER BY recorded_at"),
        ("call", "SELECT call_id FROM memo ORDER BY recorded_at"),
        ("mail", "SELECT id FROM caught_mail ORDER BY received_at"),
    ):
        scene.ids[name] = wait_until(lambda sql=statement: _first(platform, sql), 30, 0.2, name)
    scene.ids["contact"] = _first(platform, "SELECT id FROM contact WHERE name = 'Amara Okafor'") or ""
    scene.ids["user"] = _first(platform, "SELECT id FROM user_account WHERE email LIKE 'reception@%'") or ""
    scene.ids["application"] = _first(platform, "SELECT id FROM application WHERE process_id = 'company_ivr'") or ""
    scene.ids["extension"] = _first(platform, "SELECT id FROM extension WHERE number = '201'") or ""
    return scene


def _first(platform: Platform, statement: str) -> str | None:
    rows = platform.query(statement)
    return str(next(iter(rows[0].values()))) if rows else None
