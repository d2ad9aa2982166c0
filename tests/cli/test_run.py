"""What ``./cms`` refuses before it starts anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.kernel.errors import ConfigurationError, Conflict
from engine.kernel.settings import Settings
from tests.support import give_to_service_user, service_user
from ui.cli import main
from ui.cli.run import check, only_one

ROOT = Path(__file__).parents[2]


def test_a_public_address_needs_a_certificate() -> None:
    with pytest.raises(ConfigurationError, match="CMS_TLS_CERTIFICATE"):
        check(Settings(bind="0.0.0.0"))
    check(Settings(bind="0.0.0.0", tls_certificate=Path("cert.pem"), tls_key=Path("key.pem")))


def test_a_path_too_long_for_sockets_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="too long"):
        check(Settings(data_dir=tmp_path / ("x" * 100)))


def test_a_data_directory_has_one_run(data_dir: Path) -> None:
    (data_dir / "run").mkdir()
    lock = data_dir / "run" / "lock"
    with only_one(lock), pytest.raises(Conflict, match=str(os.getpid())), only_one(lock):
        pass
    with only_one(lock):
        pass


def test_without_the_right_to_install_the_exact_command_is_printed(data_dir: Path) -> None:
    """A package that nobody installed stands in for those of a fresh machine."""
    shutil.copy(ROOT / "cms", data_dir)
    (data_dir / "debian.txt").write_text("# what it needs\nbash cms-no-such-package\n")
    give_to_service_user(data_dir)
    user = {"user": service_user(), "extra_groups": []} if service_user() else {}
    done = subprocess.run(
        [data_dir / "cms", "run"],
        env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **user,
    )
    assert done.returncode == 1
    assert "apt-get update && apt-get install --no-install-recommends cms-no-such-package" in done.stderr
    assert not (data_dir / ".venv").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run as somebody else")
def test_root_does_not_take_over_a_directory_in_use(data_dir: Path) -> None:
    (data_dir / "mine.txt").write_text("work")
    environment = {**os.environ, "CMS_DATA_DIR": str(data_dir), "CMS_VENV": sys.prefix}
    done = subprocess.run([ROOT / "cms", "run"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "belongs to root and is in use" in done.stderr
    assert data_dir.stat().st_uid == 0


def test_without_a_platform_the_first_step_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMS_DATA_DIR", str(data_dir))
    done = CliRunner().invoke(main, ["user", "list"])
    assert done.exit_code == 1
    assert "call ./cms run" in done.output
