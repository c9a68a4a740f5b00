"""Requests and responses as values."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.http import Body, Request, Response, find_header
from tests.core.thoroughness import examples

HEADERS = (("content-type", "text/plain"), ("warning", "a"), ("warning", "b"))


def test_a_header_is_the_first_of_its_name():
    assert find_header(HEADERS, "warning") == "a"
    assert find_header(HEADERS, "date") is None
    assert Response(200, HEADERS).header("content-type") == "text/plain"


def test_a_target_without_a_query_is_the_path():
    assert Request("GET", "/version").target == "/version"


@settings(max_examples=examples(100), deadline=None)
@given(query=st.lists(st.tuples(st.text(), st.text()), max_size=4))
def test_a_target_holds_the_query_in_order_and_only_ascii_without_spaces(query):
    target = Request("GET", "/p", tuple(query)).target
    assert target.isascii()
    assert " " not in target
    assert "+" not in target  # in a query the server reads it as a space, some proxies do not
    assert parse_qsl(urlsplit(target).query, keep_blank_values=True) == query


def test_a_parameter_is_the_first_of_its_name():
    request = Request("GET", "/p", (("a", "1"), ("a", "2"), ("b", "")))
    assert (request.parameter("a"), request.parameter("b"), request.parameter("c")) == ("1", "", None)


def test_no_repr_shows_a_body():
    assert repr(Request("POST", "/p", (("a", "b"),), (), b"hunter2")) == "<Request POST /p?a=b (7 bytes)>"
    assert repr(Response(200, (), b"hunter2")) == "<Response 200 (7 bytes)>"


@pytest.mark.parametrize(("status", "success"), [(199, False), (200, True), (204, True), (299, True), (300, False)])
def test_success(status, success):
    assert Response(status).is_success is success
    assert Body(status).is_success is success


def test_values_are_frozen_and_compare():
    request = Request("GET", "/p")
    with pytest.raises(AttributeError):
        request.path = "/q"
    assert request == Request("GET", "/p")
    assert hash(request) == hash(Request("GET", "/p"))
