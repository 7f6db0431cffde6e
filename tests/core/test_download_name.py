"""The name a browser saves under."""

import re
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.download_name import content_disposition

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs"]), min_size=1, max_size=255)


@given(NAMES)
def test_any_name_survives_and_none_breaks_out_of_the_header(file_name: str) -> None:
    value = content_disposition(file_name)
    assert value.isascii()
    assert value.isprintable()
    pattern = r"attachment; filename=\"([^\"\\%]*)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]*)"
    found = re.fullmatch(pattern, value)
    assert found, value
    assert unquote(found[2]) == file_name
    assert len(found[1]) == len(file_name)
