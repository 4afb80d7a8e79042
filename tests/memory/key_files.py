"""Key files: passwords and pairs, from the read of the file to the end, and in every way that a file can go."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import key_forms
from flow import HERE, NOBODY, PREFER, REQUIRE, Bench, Flow, marker
from scan import Secret, Snapshot, find
from story import Checks, Story

FIXTURES = HERE.parents[1] / "tests" / "fixtures" / "protocol" / "keys"
PRIVATE = "private_key.pem"
# What a file holds beside the pair's numbers, and what opens it: there only while it is read or written.
OF_A_FILE = ["file's AES key", "PKCS#8", "PEM text"]


@dataclass
class Form:
    """A file of the same pair as `client_private.pem`."""

    name: str
    file: str
    encrypted: bool = True


PASSWORD = b"correct horse battery staple"
SLOWEST = Form("PBES2 of OpenSSL", "client_private_openssl_600k.pem")
SCRYPT = Form("scrypt of OpenSSL", "client_private_openssl_scrypt.pem")
PKCS1 = Form("PKCS#1", "client_private_pkcs1.pem", encrypted=False)
FORMS = [
    Form("PBES2 of the Python SDK", "client_private_py_password.pem"),
    SLOWEST,
    SCRYPT,
    Form("the JavaScript SDK's form", "client_private_js_password.pem"),
    PKCS1,
]


@dataclass
class KeyStory(Story):
    """A story of secrets that are learnt from files, some of them after the moments."""

    known: list[Secret] = field(default_factory=list)

    def secrets(self, _: object = None) -> list[Secret]:
        return self.known

    def client(self, directory: Path | None = None, slot: str = "-") -> None:
        self.flow.configure(PREFER)
        if directory:
            self.flow.ok(f"key_dir {directory} {slot}")
        self.flow.ok("client")

    def password(self, group: str, slot: str, text: bytes) -> None:
        self.flow.slot(slot, text)
        self.known += key_forms.password(group, text)

    def during(self, name: str, command: str) -> list[Snapshot]:
        """A call that succeeds, and moments within it."""
        status, seen = self.flow.watch(command)
        assert status.startswith("NOMYO_OK"), f"{command}: {status}"
        for snapshot in seen:
            self.note(f"inside: {name}", gone=[], snapshot=snapshot)
        return seen

    def refused(self, command: str) -> None:
        status = self.flow.ask(command)
        assert status.startswith("NOMYO_ERR_KEY"), f"{command}: {status}"


def all_files(bench: Bench, checks: Checks) -> None:
    key_directory(bench, checks)
    forms(bench, checks)
    in_memory(bench, checks)
    required(bench, checks)


def key_directory(bench: Bench, checks: Checks) -> None:
    """A pair generated in a directory with a password; loaded by the next client, copied out of it, replaced in it."""
    groups = ["password", "other password", "first pair", "second pair", *OF_A_FILE]
    kept, plain, other, replaced = (bench.work / name for name in ("kept", "plain", "other", "replaced"))
    with Flow(bench) as flow:
        story = KeyStory(flow, checks, groups=groups)
        story.password("password", "p", text := marker("Password").encode())
        story.password("other password", "q", marker("Other").encode())

        def held(name: str, *held: str) -> None:
            """A moment at which there is this, and of nothing else a trace."""
            story.note(name, gone=[group for group in groups if group not in held], there=list(held))

        story.client(kept, "p")
        held("password set", "password")
        story.during("generating and saving", "use_keys")
        held("generated and saved", "password", "first pair")
        encrypted = (kept / PRIVATE).read_bytes()
        child = int(flow.ask("fork"))
        story.note("seen by a forked child", gone=groups, snapshot=Snapshot(child))
        flow.ok("reap")
        flow.ok("client_free")
        held("client freed")

        story.client(kept, "q")
        story.refused("use_keys")
        held("refused for its password", "other password")
        flow.ok("answer_free")
        flow.ok("client_free")
        held("that client freed")

        story.client(kept, "p")
        flow.ok("config_free")
        held("configuration freed", "password")
        story.during("loading", "use_keys")
        held("loaded", "password", "first pair")
        flow.ok(f"save_keys {plain} -")
        held("copied without a password", "password", "first pair")
        story.during("copying", f"save_keys {other} q")
        held("copied with another password", "password", "first pair")
        story.during("replacing", "rotate_keys")
        held("replaced in the directory", "password", "second pair")
        flow.ok(f"save_keys {replaced} -")
        held("the new one copied", "password", "second pair")
        flow.ok("client_free")
        held("client freed again")
        for name in list(flow.owned):
            flow.forget(name)
        held("caller's memory freed")

        first, second = ((copy / PRIVATE).read_bytes() for copy in (plain, replaced))
        story.known += [
            *key_forms.pair("first pair", first),
            *key_forms.pair("second pair", second),
            key_forms.aes_key("file's AES key", "the first file", encrypted, text, first),
        ]
        story.judge("key directory")


def forms(bench: Bench, checks: Checks) -> None:
    """Every form, refused for its password and then loaded."""
    groups = ["password", "wrong password", "private key", *OF_A_FILE]
    files = {form.name: private_copy(bench, form) for form in FORMS}
    plain = (FIXTURES / "client_private.pem").read_bytes()
    with Flow(bench) as flow:
        story = KeyStory(flow, checks, groups=groups)
        story.known += key_forms.pair("private key", plain)
        story.password("password", "p", PASSWORD)
        wrong = marker("Wrong").encode()
        story.password("wrong password", "w", wrong)
        for form in FORMS:
            text = files[form.name].read_bytes()
            if form.encrypted:
                story.known.append(key_forms.aes_key("file's AES key", form.name, text, PASSWORD, plain))
                story.known.append(key_forms.aes_key("file's AES key", f"{form.name} by the wrong one", text, wrong))
            else:
                story.known.append(key_forms.pem_text(form.name, text))
        self_test(story)
        loaded = [group for group in groups if group != "private key"]

        story.client()
        for form in FORMS:
            story.refused(f"load_keys {files[form.name]} w")
            story.note(f"{form.name} refused", gone=groups, row="refused for the password")
            flow.ok("answer_free")
        for form in FORMS:
            story.during("loading", f"load_keys {files[form.name]} {'p' if form.encrypted else '-'}")
            story.note(f"{form.name} loaded", gone=loaded, there=["private key"])
        story.refused(f"load_keys {files[PKCS1.name]} w")
        story.note("refused, the pair stays", gone=loaded, there=["private key"])
        look_inside(story, f"load_keys {files[SLOWEST.name]} p")
        flow.ok("client_free")
        story.note("client freed", gone=groups)
        story.judge("forms of key files")


def in_memory(bench: Bench, checks: Checks) -> None:
    """Pairs from the caller's memory, refused and loaded, and exported to it: beside the caller's own copies no text stays."""
    groups = ["password", "wrong password", "private key", *OF_A_FILE]
    plain = (FIXTURES / "client_private.pem").read_bytes()
    encrypted = (FIXTURES / SLOWEST.file).read_bytes()
    wrong = marker("Wrong").encode()
    with Flow(bench) as flow:
        story = KeyStory(flow, checks, groups=groups)
        story.known += [
            *key_forms.pair("private key", plain),
            key_forms.pem_text("the caller's text", plain),
            key_forms.aes_key("file's AES key", SLOWEST.name, encrypted, PASSWORD, plain),
            key_forms.aes_key("file's AES key", f"{SLOWEST.name} by the wrong one", encrypted, wrong),
        ]
        story.password("password", "p", PASSWORD)
        story.password("wrong password", "w", wrong)
        flow.slot("t", plain)
        flow.slot("e", encrypted)
        loaded = [group for group in groups if group != "private key"]

        story.client()
        story.refused("load_pem e w")
        story.note("text refused for the password", gone=groups)
        flow.ok("answer_free")
        story.during("loading a text", "load_pem e p")
        story.note("encrypted text loaded", gone=loaded, there=["private key"])
        story.during("loading a text", "load_pem t -")
        story.note("text loaded", gone=loaded, there=["private key"])
        for name, slot in (("exported", "-"), ("exported with a password", "p")):
            status, address, length = flow.ask(f"export {slot}").split()
            checks.that(status == "NOMYO_OK", f"memory: {name}", [status])
            flow.owned["exported"] = int(address), int(length)
            story.note(name, gone=loaded, there=["private key"])
            flow.ok("export_free")
            del flow.owned["exported"]
            story.note(f"{name}, and freed", gone=loaded, there=["private key"])
        flow.ok("client_free")
        story.note("client freed", gone=groups)
        story.judge("keys in memory")


def required(bench: Bench, checks: Checks) -> None:
    """A client that requires locks does not try a password in memory that cannot be locked."""
    scrypt = private_copy(bench, SCRYPT)
    if os.geteuid() == 0:
        os.chown(scrypt, NOBODY, NOBODY)
    for policy, name, status in ((REQUIRE, "REQUIRE", "NOMYO_ERR_SECURITY"), (PREFER, "PREFER", "NOMYO_OK")):
        with Flow(bench, memlock=8 * 1024 * 1024) as flow:
            flow.configure(policy)
            flow.ok("client")
            flow.slot("p", PASSWORD)
            answer = flow.ask(f"load_keys {scrypt} p")
            promise = f"{name} with 8 MiB: a scrypt file that takes 16 MiB: {status}"
            checks.that(answer.startswith(status), promise, [answer])
            print(f"\n{name} with RLIMIT_MEMLOCK 8 MiB, a scrypt file that takes 16 MiB: {answer}")


def private_copy(bench: Bench, form: Form) -> Path:
    """A checkout does not keep modes."""
    path = bench.work / form.file
    shutil.copyfile(FIXTURES / form.file, path)
    path.chmod(0o600)
    return path


def look_inside(story: KeyStory, command: str) -> None:
    """That the moments within calls are within: the library's own copy of the password is there, and never else."""
    password = [secret for secret in story.known if secret.group == "password"]
    for _ in range(20):
        seen = story.during("loading", command)
        if any(find(snapshot, password, story.flow.owned.values()) for snapshot in seen):
            break
    else:
        seen = []
    story.checks.that(bool(seen), "the scanner finds the password while a call has it")


def self_test(story: KeyStory) -> None:
    """The scanner finds what otherwise never stays: copies made on purpose."""
    flow, checks = story.flow, story.checks
    for secret in (secret for secret in story.known if secret.group in OF_A_FILE):
        flow.slot("n", secret.values[0])
        for where, protected in (("malloc", False), ("stack", False), ("vault", True)):
            for begin, length in ((0, len(secret.values[0])), (40, 31)):
                flow.ok(f"plant n {where} {begin} {length}")
                hits = [hit.protected for hit in find(flow.snapshot(), [secret], flow.owned.values())]
                promise = f"self-test: {length} bytes of the {secret.name} in {where} memory are found once, told apart"
                checks.that(hits == [protected], promise, hits)
                flow.ok("unplant")
        left = find(flow.snapshot(), [secret], flow.owned.values())
        checks.that(not left, f"self-test: the {secret.name} is gone when wiped", left)
    flow.forget("n")
