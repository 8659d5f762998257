"""Fuzzing with atheris (libFuzzer): inputs that reach new code are kept and changed further.

make fuzz SECONDS=60                          every target, one after the other
python tests/fuzz/run.py NAME SECONDS         one of them
python tests/fuzz/run.py NAME FILE            what one input does

What was found stays under tests/out/fuzz/NAME (ignored by git) and is where the next run begins;
an input that failed is written to tests/out/fuzz/NAME.failed-*.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Whatever is imported before atheris is not seen by it.
    from target import Target

HERE = Path(__file__).parent
OUT = HERE.parent / "out" / "fuzz"
LONGEST_INPUT_SECONDS = 20
MOST_MEMORY_MIB = 2048


def targets() -> dict[str, Target]:
    """Return the targets of every module here whose name begins with `targets_`, by name."""
    modules = sorted(path.stem for path in HERE.glob("targets_*.py"))
    found = [one for name in modules for one in importlib.import_module(name).TARGETS]
    return {one.name: one for one in found}


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process; libFuzzer ends it, with 0 if nothing was found."""
    import atheris

    with atheris.instrument_imports(include=["watchkeeper"]):
        target = targets()[name]
    corpus, words = OUT / name, OUT / f"{name}.words"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, example in enumerate(target.examples):
        (corpus / f"example-{number}").write_bytes(example)
    words.write_text("".join(f'"{quoted(word)}"\n' for word in target.words))
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={target.longest_bytes}",
        f"-timeout={LONGEST_INPUT_SECONDS}",
        f"-rss_limit_mb={MOST_MEMORY_MIB}",
        f"-artifact_prefix={OUT / name}.failed-",
        # libFuzzer refuses a dictionary that is empty.
        *([f"-dict={words}"] if target.words else []),
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.hold)
    atheris.Fuzz()


def quoted(word: str) -> str:
    """Return a word as libFuzzer's dictionaries hold it."""
    return "".join(
        chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in word.encode()
    )


def main() -> None:
    match sys.argv[1:]:
        case [name, what] if what.isdecimal():
            fuzz(name, int(what))
        case [name, what]:
            targets()[name].hold(Path(what).read_bytes())
        case [seconds]:
            failed = [
                name
                for name in targets()
                if subprocess.run([sys.executable, __file__, name, seconds], check=False).returncode
            ]
            sys.exit(f"failed: {', '.join(failed)}; see {OUT}" if failed else 0)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
