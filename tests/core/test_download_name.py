"""The name a browser saves under."""

import re
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.download_name import MAX_HEADER_BYTES, content_disposition

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs"]), min_size=1, max_size=255)


@given(NAMES)
def test_any_name_survives_and_none_breaks_out_of_the_header(file_name: str) -> None:
    value = content_disposition(file_name)
    assert value.isascii()
    assert value.isprintable()
    pattern = r"attachment; filename=\"([^\"\\%]*)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]*)"
    found = re.fullmatch(pattern, value)
    assert found, value
    saved = unquote(found[2])
    assert len(found[1]) == len(saved)
    if saved != file_name:
        assert len(value) <= MAX_HEADER_BYTES
        extension = PurePosixPath(file_name).suffix
        assert saved.endswith(extension)
        assert file_name.startswith(saved.removesuffix(extension))


@pytest.mark.parametrize(
    ("letter", "fitting"),
    [("é", 212), ("家", 148), ("🎬", 114), ("a", 251)],  # a coded character takes 6, 9, 12 or 1 byte, and one plain
)
def test_a_name_is_cut_only_where_s3_would_not_keep_it(letter: str, fitting: int) -> None:
    at_the_bound, one_past = f"{letter * fitting}.mp4", f"{letter * (fitting + 1)}.mp4"
    assert quote(at_the_bound, safe="") in content_disposition(at_the_bound)
    assert len(content_disposition(at_the_bound)) <= MAX_HEADER_BYTES
    if letter != "a":
        assert content_disposition(one_past) == content_disposition(at_the_bound)
