"""The Conan package of libnomyo. It compiles nothing: it takes the archive of a release and checks its SHA-256.

conandata.yml, which `make dist` writes beside this file, names the archive of each target.
"""

from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, get

TARGETS = {
    ("Linux", "x86_64"): "x86_64-unknown-linux-gnu",
    ("Linux", "armv8"): "aarch64-unknown-linux-gnu",
    ("Windows", "x86_64"): "x86_64-pc-windows-gnu",
    ("Macos", "x86_64"): "x86_64-apple-darwin",
    ("Macos", "armv8"): "aarch64-apple-darwin",
}

class Nomyo(ConanFile):
    name = "nomyo"
    description = "Client of NOMYO's end-to-end encrypted inference, with a C ABI"
    license = "Apache-2.0"
    homepage = url = "https://github.com/nomyo-ai/libnomyo"
    topics = "llm", "encryption", "openai"
    package_type = "library"
    settings = "os", "arch"
    # `musl` takes the archive for a Linux with musl, such as Alpine. Conan has no setting for the C library.
    options = {"shared": [True, False], "musl": [True, False]}
    default_options = {"shared": True, "musl": False}

    def config_options(self):
        if self.settings.os != "Linux":
            del self.options.musl

    def _target(self):
        target = TARGETS.get((str(self.settings.os), str(self.settings.arch)))
        return target.replace("-gnu", "-musl") if target and self.options.get_safe("musl") else target

    def validate(self):
        if not self._archive():
            raise ConanInvalidConfiguration(f"nomyo {self.version} has no archive for {self.settings.os} on {self.settings.arch}")
        if self.settings.os != "Linux" and not self.options.shared:
            raise ConanInvalidConfiguration("only the archives for Linux have a static library: set nomyo/*:shared=True")

    def _archive(self):
        return self.conan_data["sources"][self.version].get(self._target())

    def build(self):
        get(self, **self._archive(), strip_root=True)

    def package(self):
        built, package = Path(self.build_folder), Path(self.package_folder)
        copy(self, "LIC*", built, package / "licenses")
        copy(self, "include/*", built, package)
        for pattern in ("*.so*", "*.dylib", "*.dll", "*.dll.a") if self.options.shared else ("*/libnomyo.a",):
            copy(self, pattern, built, package)

    def package_info(self):
        self.cpp_info.libs = ["nomyo"]
        self.cpp_info.set_property("cmake_target_name", "nomyo::nomyo")
        self.cpp_info.set_property("pkg_config_name", "nomyo")
        if not self.options.shared:
            self.cpp_info.system_libs = ["m", "dl", "pthread"]
