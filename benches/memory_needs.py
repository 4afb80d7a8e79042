"""The memory that clients, connections, calls and answers need."""

from statistics import median

from programs import FIXTURE_KEY, in_turns, last_line, linked
from report import HEAD, Targets, kib, spread, table

TITLES = {
    "first_client": "the first client, after one call",
    "another_client": "each other client",
    "call": "each call in flight, 2 KiB of prompt, with its connection",
    "idle_connection": "each idle connection, with everything else that a burst of 16 calls leaves",
    "small_answer": "each answer of 1 KiB that is kept",
    "large_answer": "each answer of 1 MiB that is kept",
}
LIMITS = [(2**20, 4), (2**20, 8), (2**23, 32), (2**23, 64), (2**23, 100)]
CLIENTS, CALLS, CALL_BYTES = 64, 200, 150 * 1024


def locked(rounds: int) -> str:
    """The memory that must be locked, and how many calls fit into a limit."""
    program = linked("memory")
    results = [last_line(program) for _ in range(rounds)]
    needs = table(["locked memory, release library", "median", "rounds"], [
        [title, kib(median(r[name] for r in results)), spread([r[name] for r in results], kib)] for name, title in TITLES.items()])
    rows = []
    for limit, calls in LIMITS:
        bursts = [last_line(program, limit, calls) for _ in range(rounds)]

        def served(name: str, of: int, bursts: list[dict[str, int]] = bursts) -> str:
            return f"{spread([burst[name] for burst in bursts], '{:.0f}'.format)} of {of}"

        rows.append([f"{limit >> 20} MiB", str(calls), served("at_once", calls), served("again", bursts[0]["of"]), served("one_by_one", 10)])
    fits = table(["RLIMIT_MEMLOCK, policy REQUIRE", "calls at once", "served", "of the burst after it", "of calls one by one"], rows)
    return f"{needs}\n\n{fits}"


def in_flight(rounds: int, targets: Targets) -> str:
    """Idle clients, and calls that wait for an answer."""
    program = linked("in_flight")
    results = in_turns({"ours": lambda: last_line(program, FIXTURE_KEY, CLIENTS, CALLS)}, rounds, "calls in flight")

    def values(name: str) -> list[float]:
        return [result["ours"][name] for result in results]

    rows = []
    for figure in ("resident", "locked"):
        idle, name = values(f"client_{figure}"), f"{CALLS} calls in flight, {figure} memory each"
        rows.append([f"{CLIENTS} idle clients, {figure} memory each, with its connection", kib(median(idle)), spread(idle, kib), "", ""])
        rows.append([name, *targets.cells(name, values(f"call_{figure}"), CALL_BYTES, kib,
                                          "the stack, the buffers and the TLS session of a call")])
    return table(["memory", *HEAD], rows)
