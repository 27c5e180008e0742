"""Round trips: what was asked together, and what waited for an answer."""

from __future__ import annotations

from standins.gate import Gate


def rounds_before_launch(gates: list[Gate]) -> list[set[str]]:
    """What was asked before RunInstances, round trip by round trip: a call that arrives after the answer to another one
    belongs to a later round."""
    exchanges = sorted((exchange for gate in gates for exchange in gate), key=lambda one: one.request.arrived)
    launch = next(one for one in exchanges if one.operation == "RunInstances")
    rounds: list[set[str]] = []
    answered = 0.0
    for exchange in exchanges:
        if exchange.request.arrived >= launch.request.arrived:
            break
        if not rounds or exchange.request.arrived >= answered:
            rounds.append(set())
            answered = exchange.answered
        rounds[-1].add(exchange.operation)
        # The round lasts until the first of its answers: what comes later may have waited for it.
        answered = min(answered, exchange.answered)
    return rounds
