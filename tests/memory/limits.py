"""The same under each RLIMIT_MEMLOCK, without CAP_IPC_LOCK, and whether the library's report is true."""

import errno
import os
import resource

import moments
from flow import FULL, PARTIAL, PREFER, REQUIRE, WIPE_ONLY, Bench, Flow
from scan import locked_bytes
from story import Checks, Story

KIB = 1024
LIMITS = {0: WIPE_ONLY, 64 * KIB: PARTIAL, 8192 * KIB: FULL}
NAMES = {WIPE_ONLY: "WIPE_ONLY", PARTIAL: "PARTIAL", FULL: "FULL"}


def self_test(bench: Bench, checks: Checks) -> None:
    with Flow(bench) as flow:
        moments.self_test(Story(flow, checks))


def judge_report(story: Story, title: str, when: str, level: int = FULL) -> None:
    """nomyo_memory_info_get against VmLck and smaps. Nothing is under way, so that all the memory is to be locked."""
    flow, checks = story.flow, story.checks
    info, locked, mapped = flow.memory(), locked_bytes(flow.pid), flow.vault_bytes()
    at = f"{title}: {when}: the report"
    print(
        f"\n{title}, {when}: level {NAMES[info['level']]}, mapped {info['mapped']} (smaps {mapped}), locked "
        f"{info['locked']} (VmLck {locked}), refused {info['refused']}, limit {info['limit']}"
    )
    checks.that(info["locked"] == locked, f"{at}'s locked is VmLck", [info, locked])
    checks.that(info["mapped"] == mapped, f"{at}'s mapped is what smaps has undumpable", [info, mapped])
    checks.that(info["refused"] == mapped - locked, f"{at}'s refused is what is not locked", [info])
    checks.that(info["level"] == level, f"{at}'s level is {NAMES[level]}", [info])
    checks.that((info["level"] == FULL) == (locked == mapped), f"{at} says FULL only if all is locked", [info])
    checks.that(info["dump_excluded"] == 1 and info["fork_excluded"] == 1, f"{at} has dumps and forks excluded", [info])


def all_limits(bench: Bench, checks: Checks) -> None:
    for limit, level in LIMITS.items():
        title = f"RLIMIT_MEMLOCK {limit // KIB} KiB"
        hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
        if os.geteuid() != 0 and -1 < hard < limit:
            print(f"\n{title}: skipped, the hard limit here is {hard} bytes")
            continue
        with Flow(bench, memlock=limit) as flow:
            story = Story(flow, checks, lockable=level == FULL)
            refused = int(flow.ask("mlock"))
            wanted = 0 if limit > 0 else errno.EPERM
            checks.that(refused == wanted, f"{title}: mlock answers {wanted} without CAP_IPC_LOCK", [refused])
            moments.begin(story)
            judge_report(story, title, "keys generated", level)
            checks.that(flow.memory()["limit"] == limit, f"{title}: the report names the limit")
            moments.seal_and_open(story)
            moments.chat(story)
            judge_report(story, title, "answer freed", level)
            moments.fail(story, "timeout", "timeout", timeout_ms=400, delay_before_headers_ms=1500)
            moments.fail(story, "malformed answer", "malformed answer", malformed="plaintext_trailing_garbage",
                         delay_before_headers_ms=150)
            moments.end(story)
            story.judge(title)


def required(bench: Bench, checks: Checks) -> None:
    """A client that requires locks and cannot have them is not made, says why, and sends nothing."""
    with Flow(bench, memlock=0) as flow:
        before = bench.stats()
        flow.configure(REQUIRE)
        answer = flow.ask("client")
        checks.that(answer.startswith("NOMYO_ERR_SECURITY"), "REQUIRE without a limit: NOMYO_ERR_SECURITY", [answer])
        checks.that("RLIMIT_MEMLOCK is 0 bytes" in answer, "REQUIRE without a limit: the limit is named", [answer])
        after = bench.stats()
        checks.that(before == after, "REQUIRE without a limit: nothing was sent", [before, after])
        print(f"\nNOMYO_MEMORY_REQUIRE with RLIMIT_MEMLOCK 0: {answer}")
    with Flow(bench, memlock=8192 * KIB) as flow:
        flow.configure(REQUIRE)
        answer = flow.ask("client")
        checks.that(answer.startswith("NOMYO_OK"), "REQUIRE with 8 MiB: a client is made", [answer])
    with Flow(bench, memlock=0) as flow:
        flow.configure(PREFER)
        answer = flow.ask("client")
        checks.that(answer.startswith("NOMYO_OK"), "PREFER without a limit: a client is made all the same", [answer])
