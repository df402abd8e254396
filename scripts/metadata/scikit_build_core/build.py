"""Stands in for the build backend of llama.cpp's source distribution, of which scripts/deps wants the files
alone. `pip download` asks a backend for name and version, for which it would otherwise fetch the real one,
whatever its version is today, and run it. scripts/lib.sh puts this folder before all others."""

import os
import pathlib


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    name, version = os.environ["SDIST_NAME"], os.environ["SDIST_VERSION"]
    folder = pathlib.Path(metadata_directory) / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder.name
