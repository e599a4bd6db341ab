"""Google's GoogleSQL analyzer and reference evaluator, compiled to WebAssembly, called without a network.

The PyPI package `zetasql` contains the module and its protocol buffers. Its Python front end is not used, because it compiles the module at
every start and copies bytes one by one. This runs in an environment of its own (requirements-google.txt).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from importlib.metadata import files, version
from pathlib import Path
from typing import TypeVar

import wasmtime
from google.protobuf.message import Message
from zetasql.core.wasm_client import get_tzinfo_dir
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.parser import parse_tree_pb2  # noqa: F401 - registers the types that answers hold
from zetasql.wasi._pb2.zetasql.resolved_ast import resolved_ast_pb2  # noqa: F401

Answer = TypeVar("Answer", bound=Message)


class Refused(ValueError):
    """Google's analyzer or evaluator refuses a statement; the message is Google's, with line and column."""


class Engine:
    """One instance of the module. It is not safe to use from two threads at once.

    Args:
        cache: folder for the compiled module. Compiling takes a minute of CPU; loading the compiled module takes 0.1 s.
    """

    def __init__(self, cache: Path) -> None:
        config = wasmtime.Config()
        config.shared_memory = True
        engine = wasmtime.Engine(config)
        wasi = wasmtime.WasiConfig()
        wasi.inherit_stderr()
        wasi.preopen_dir(str(get_tzinfo_dir()), "/usr/share/zoneinfo")
        self._store = wasmtime.Store(engine)
        self._store.set_wasi(wasi)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        instance = linker.instantiate(self._store, _module(engine, cache))
        self._exports = instance.exports(self._store)
        if "_initialize" in self._exports:
            self._exports["_initialize"](self._store)
        self._memory = self._exports["memory"]

    def call(self, method: str, request: Message, answer: type[Answer]) -> Answer:
        """One call of the module's local service.

        Args:
            method: for example `Analyze`.
            request: of the method's request type.
            answer: the method's response type.

        Raises:
            Refused: with the module's message.
        """
        data = request.SerializeToString()
        pointer = self._exports["wasm_malloc"](self._store, len(data) or 1)
        size = self._exports["wasm_malloc"](self._store, 4)
        try:
            ctypes.memmove(self._address(pointer), data, len(data))
            result = self._exports[f"ZetaSqlLocalService_{method}"](self._store, pointer, len(data), size)
            if not result:
                raise Refused(self._error())
            length = int.from_bytes(self._read(size, 4), "little")
            body = self._read(result, length)
            self._free(result)
        finally:
            self._free(pointer)
            self._free(size)
        return answer.FromString(body)

    def _error(self) -> str:
        size = self._exports["wasm_get_last_error_size"](self._store)
        text = self._read(self._exports["wasm_get_last_error"](self._store), size).decode("utf-8", "replace") if size else ""
        return text or "refused without a message"

    def _read(self, pointer: int, size: int) -> bytes:
        return ctypes.string_at(self._address(pointer), size)

    def _address(self, pointer: int) -> int:
        """The current address of the module's memory, which may move when it grows."""
        return ctypes.addressof(self._memory.data_ptr().contents) + pointer

    def _free(self, pointer: int) -> None:
        self._exports["wasm_free"](self._store, pointer)


def _module(engine: wasmtime.Engine, cache: Path) -> wasmtime.Module:
    """The compiled module, from the cache if this version is there."""
    record = next(file for file in files("zetasql") or [] if file.name == "zetasql.wasm")
    made_of = f"{record.hash} {version('wasmtime')} {os.uname().machine}"
    key = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    compiled = cache / f"zetasql-{key}.cwasm"
    if compiled.exists():
        return wasmtime.Module.deserialize_file(engine, str(compiled))
    module = wasmtime.Module.from_file(engine, get_wasm_path())
    cache.mkdir(parents=True, exist_ok=True)
    # Written to a temporary file and renamed, because two processes may compile at the same time.
    with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
        file.write(module.serialize())
    Path(file.name).replace(compiled)
    return module


__all__ = ["Engine", "Refused", "service"]
