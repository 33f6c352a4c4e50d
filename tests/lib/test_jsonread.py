"""The strict reader: bounds hold for each record, whatever stands around it."""

import time

import pytest

from reviewapp.lib.errors import DomainError, Malformed, TooLarge
from reviewapp.lib.jsonread import read_json, read_json_records


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_thirty_two_levels_are_read_and_one_more_is_not():
    assert read_json(nested(32))
    with pytest.raises(TooLarge):
        read_json(nested(33))
    with pytest.raises(TooLarge):
        read_json(b"[" * 33 + b"]" * 33)


@pytest.mark.parametrize("opener", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("times", [5_000, 100_000])
def test_deep_input_is_refused_at_once(opener, times):
    began = time.perf_counter()
    with pytest.raises(TooLarge):
        read_json(opener * times)
    assert time.perf_counter() - began < 1


def test_brackets_inside_strings_are_text():
    assert read_json(b'{"a":"' + b"[{" * 1_000 + b'"}') == {"a": "[{" * 1_000}


def test_a_record_of_an_array_that_passes_a_bound_is_refused_alone():
    wide = b"{" + b",".join(b'"%d":1' % number for number in range(10_001)) + b"}"
    found = list(read_json_records(b"[1," + wide + b"," + nested(32) + b',{"b":2}]'))
    assert [isinstance(record, DomainError) for record in found] == [False, True, True, False]
    assert found[3] == {"b": 2}
    with pytest.raises(TooLarge):
        read_json(wide)


def test_a_key_that_stands_twice_is_named():
    with pytest.raises(Malformed, match="'b' stands twice"):
        read_json(b'{"a":{"b":1,"c":2,"b":3}}')
