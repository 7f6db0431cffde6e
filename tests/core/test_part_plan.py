"""Plans of parts: how files are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import EmptyFileError, FileTooLargeError
from chalicelib.core.part_plan import MAX_OBJECT_BYTES, MAX_PARTS, MIB, MIN_PART_BYTES, plan_parts

SIZES = st.integers(min_value=1, max_value=MAX_OBJECT_BYTES)


@given(SIZES, st.integers(min_value=0, max_value=6 * 2**30))
def test_every_plan_is_one_that_s3_accepts(size_bytes: int, preferred: int) -> None:
    plan = plan_parts(size_bytes, preferred)
    assert 1 <= plan.part_count <= MAX_PARTS
    assert MIN_PART_BYTES <= plan.part_size_bytes <= 5 * 2**30
    assert 1 <= plan.part_bytes(plan.part_count) <= plan.part_size_bytes
    assert (plan.part_count - 1) * plan.part_size_bytes + plan.part_bytes(plan.part_count) == size_bytes


@given(SIZES)
def test_parts_grow_only_as_far_as_ten_thousand_need(size_bytes: int) -> None:
    plan = plan_parts(size_bytes)
    assert plan.part_size_bytes == MIN_PART_BYTES or (plan.part_size_bytes - MIB) * MAX_PARTS < size_bytes


def test_forty_tebibytes_have_a_legal_plan() -> None:
    plan = plan_parts(40 * 2**40)
    assert plan.part_count <= MAX_PARTS
    assert plan.part_size_bytes * plan.part_count >= 40 * 2**40


def test_last_part_may_be_smaller_than_five_mebibytes() -> None:
    assert plan_parts(MIN_PART_BYTES + 1).part_bytes(2) == 1


def test_the_largest_object_fits_exactly() -> None:
    assert plan_parts(MAX_OBJECT_BYTES).part_count == MAX_PARTS


def test_nothing_and_too_much_are_refused() -> None:
    with pytest.raises(EmptyFileError):
        plan_parts(0)
    with pytest.raises(FileTooLargeError) as refused:
        plan_parts(MAX_OBJECT_BYTES + 1)
    assert refused.value.details == {"sizeBytes": MAX_OBJECT_BYTES + 1, "maxBytes": MAX_OBJECT_BYTES}
