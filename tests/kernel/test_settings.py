"""Settings come from the environment, a file and defaults, and wrong ones are named."""

from pathlib import Path

import pytest

from engine.kernel.errors import ConfigurationError
from engine.kernel.settings import load_settings


def test_environment_overrides_the_file(tmp_path: Path) -> None:
    toml = tmp_path / "cms.toml"
    toml.write_text('web_port = 9000\nsip_port = 6000\ndata_dir = "/data"\n')
    settings = load_settings({"CMS_WEB_PORT": "9001"}, toml)
    assert (settings.web_port, settings.sip_port, settings.data_dir) == (9001, 6000, Path("/data"))


@pytest.mark.parametrize(("name", "value"), [("CMS_AGENTS", "0"), ("CMS_WEB_PORT", "many"), ("CMS_DURABILITY", "max")])
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_settings({name: value}, tmp_path / "none.toml")


def test_an_unknown_key_of_the_file_is_named(tmp_path: Path) -> None:
    toml = tmp_path / "cms.toml"
    toml.write_text("webport = 1\n")
    with pytest.raises(ConfigurationError, match="webport"):
        load_settings({}, toml)


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    settings = load_settings({"CMS_DATA_DIR": str(tmp_path)}, tmp_path / "none.toml")
    first = settings.secret("trunk_password")
    assert len(first) == 64
    assert settings.secret("trunk_password") == first
    assert (tmp_path / "secrets" / "trunk_password").stat().st_mode & 0o777 == 0o600
