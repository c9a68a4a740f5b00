"""Which creations are unsettled: what a next call for that worker must adopt."""

from __future__ import annotations

import pytest

from hodei_k8s_core.errors import OutcomeUnknown, ProvisioningFailed
from hodei_k8s_transport.creation_tokens import REMEMBERED, CreationTokens


def end(tokens: CreationTokens, error: BaseException, worker_id: str = "a", token: str = "t") -> None:
    with pytest.raises(type(error)), tokens.settling(worker_id, token):
        raise error


def test_a_creation_that_succeeded_is_settled() -> None:
    tokens = CreationTokens()
    with tokens.settling("a", "t"):
        pass
    assert tokens.take("a") is None


def test_a_creation_that_surely_failed_is_settled() -> None:
    tokens = CreationTokens()
    end(tokens, ProvisioningFailed("no"))
    assert tokens.take("a") is None


@pytest.mark.parametrize("error", [OutcomeUnknown("who knows"), KeyboardInterrupt(), GeneratorExit(), SystemExit()])
def test_a_creation_that_was_broken_off_or_is_unknown_is_not(error: BaseException) -> None:
    tokens = CreationTokens()
    end(tokens, error)
    assert tokens.take("a") == "t"


def test_the_token_is_the_next_calls_alone() -> None:
    tokens = CreationTokens()
    end(tokens, KeyboardInterrupt())
    assert tokens.take("b") is None
    assert tokens.take("a") == "t"
    assert tokens.take("a") is None


def test_the_last_of_two_counts() -> None:
    tokens = CreationTokens()
    end(tokens, KeyboardInterrupt(), token="first")
    end(tokens, KeyboardInterrupt(), token="second")
    assert tokens.take("a") == "second"


def test_the_oldest_are_forgotten_beyond_a_bound() -> None:
    tokens = CreationTokens()
    for number in range(REMEMBERED + 1):
        end(tokens, KeyboardInterrupt(), worker_id=f"w{number}")
    assert tokens.take("w0") is None
    assert tokens.take("w1") == "t"
    assert tokens.take(f"w{REMEMBERED}") == "t"
