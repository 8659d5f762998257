import asyncio
import signal
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from docx import Document

from resume_optimizer.failures import Failure
from resume_optimizer.resumes.extract import FileType, detect, extract_text
from resume_optimizer.resumes.sample import DOCX, PDF, RESUME, read

pytestmark = pytest.mark.anyio


async def code_of(data: bytes, file_type: FileType, *, timeout_seconds: float = 100) -> str:
    with pytest.raises(Failure) as raised:
        await extract_text(data, file_type, timeout_seconds=timeout_seconds)
    return raised.value.code


def archive(entries: dict[str, bytes]) -> bytes:
    body = BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return body.getvalue()


def test_the_kind_of_a_file_is_seen_in_its_bytes_whatever_its_name_says() -> None:
    assert detect(read(PDF), "resume.txt") is FileType.PDF
    assert detect(read(DOCX), "resume.pdf") is FileType.DOCX
    assert detect(read(RESUME), "resume.docx") is FileType.TXT


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"{\\rtf1\\ansi Ines}",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        bytes(range(256)) * 8,
        b"PK\x03\x04 an archive of something else",
    ],
)
def test_other_kinds_are_refused(data: bytes) -> None:
    with pytest.raises(Failure) as raised:
        detect(data, "resume.bin")
    assert raised.value.code == "file_type_unsupported"


@pytest.mark.parametrize(("name", "kind"), [(PDF, FileType.PDF), (DOCX, FileType.DOCX)])
async def test_a_pdf_and_a_word_file_give_the_words_that_went_in(name: str, kind: FileType) -> None:
    text = await extract_text(read(name), kind)
    assert "Ran 85 Linux servers for timetables and passenger information" in text
    assert "ines.kallweit@example.com" in text


async def test_tables_headers_and_lists_of_a_word_file_are_read() -> None:
    document = Document()
    document.sections[0].header.paragraphs[0].text = "Ines in the header"
    document.add_paragraph("Kept the lights on", style="List Bullet")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Skills", "Python"
    body = BytesIO()
    document.save(body)
    text = await extract_text(body.getvalue(), FileType.DOCX)
    assert "Ines in the header" in text
    assert "- Kept the lights on" in text
    assert "Python" in text


async def test_text_is_read_in_the_encodings_people_have() -> None:
    words = "Résumé of Zoë Müller"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert await extract_text(words.encode(encoding), FileType.TXT) == words


async def test_a_pdf_that_asks_for_a_password_says_so(
    protected_pdf: Callable[[str], bytes],
) -> None:
    assert await code_of(protected_pdf("secret"), FileType.PDF) == "file_password_protected"


async def test_a_pdf_with_an_empty_password_is_read(protected_pdf: Callable[[str], bytes]) -> None:
    assert "Ines Kallweit" in await extract_text(protected_pdf(""), FileType.PDF)


async def test_a_word_file_with_a_password_says_so() -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    data += "EncryptedPackage".encode("utf-16-le")
    assert detect(data, "resume.docx") is FileType.DOCX
    assert await code_of(data, FileType.DOCX) == "file_password_protected"


@pytest.mark.parametrize("kind", list(FileType))
async def test_a_file_of_nothing_is_empty(kind: FileType) -> None:
    assert await code_of(b"", kind) == "file_empty"
    assert await code_of(b" \n\t ", kind) == "file_empty"


async def test_a_blank_page_is_empty_and_a_picture_of_a_page_is_scanned(
    blank_pdf: bytes, scanned_pdf: bytes
) -> None:
    assert await code_of(blank_pdf, FileType.PDF) == "file_empty"
    assert await code_of(scanned_pdf, FileType.PDF) == "file_scanned"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
async def test_a_pdf_that_was_cut_off_is_damaged_and_not_half_read(share: float) -> None:
    data = read(PDF)
    assert await code_of(data[: int(len(data) * share)], FileType.PDF) == "file_damaged"


async def test_a_pdf_that_could_be_repaired_in_part_is_damaged_all_the_same(
    plain_pdf: bytes,
) -> None:
    assert "page two" in await extract_text(plain_pdf, FileType.PDF)
    cut = plain_pdf[: plain_pdf.rindex(b"startxref")]
    assert await code_of(cut, FileType.PDF) == "file_damaged"


async def test_a_word_file_that_was_cut_off_or_holds_no_document_is_damaged() -> None:
    assert await code_of(read(DOCX)[:5000], FileType.DOCX) == "file_damaged"
    assert await code_of(archive({"word/other.xml": b"<a/>"}), FileType.DOCX) == "file_damaged"
    bare = archive({"word/document.xml": b"<w:document/>"})
    assert await code_of(bare, FileType.DOCX) == "file_damaged"


async def test_a_word_file_whose_xml_is_broken_is_damaged() -> None:
    original = zipfile.ZipFile(BytesIO(read(DOCX)))
    entries = {entry: original.read(entry) for entry in original.namelist()}
    entries["word/document.xml"] = entries["word/document.xml"][:4000]
    assert await code_of(archive(entries), FileType.DOCX) == "file_damaged"


async def test_a_bomb_is_seen_before_it_is_unpacked() -> None:
    bomb = archive({"word/document.xml": bytes(200 * 1024 * 1024)})
    assert len(bomb) < 300_000
    assert await code_of(bomb, FileType.DOCX) == "file_expands_too_much"


async def test_a_bomb_below_the_size_limit_is_seen_by_its_ratio() -> None:
    bomb = archive({"word/document.xml": bytes(30 * 1024 * 1024)})
    assert await code_of(bomb, FileType.DOCX) == "file_expands_too_much"


async def test_a_bomb_of_many_entries_is_seen_by_their_number() -> None:
    many = {f"word/{number}.xml": b"" for number in range(1_500)}
    assert await code_of(archive(many), FileType.DOCX) == "file_expands_too_much"


async def test_xml_entities_do_not_expand_without_end() -> None:
    laughs = b"".join(
        b'<!ENTITY a%d "%s">' % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 9)
    )
    document = (
        b'<!DOCTYPE d [<!ENTITY a0 "ha">' + laughs + b"]>"
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        b"<w:body><w:p><w:r><w:t>&a8;</w:t></w:r></w:p></w:body></w:document>"
    )
    original = zipfile.ZipFile(BytesIO(read(DOCX)))
    entries = {entry: original.read(entry) for entry in original.namelist()}
    data = archive({**entries, "word/document.xml": document})
    assert await code_of(data, FileType.DOCX) in {
        "file_damaged",
        "file_empty",
        "file_expands_too_much",
        "file_took_too_long",
    }


async def test_a_file_that_takes_too_long_is_given_up_and_its_process_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = remember_processes(monkeypatch)
    assert await code_of(read(PDF), FileType.PDF, timeout_seconds=0.01) == "file_took_too_long"
    assert started[0][0].returncode == -signal.SIGKILL


async def test_no_secret_of_ours_is_in_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_API_KEY", "a secret")
    started = remember_processes(monkeypatch)
    await extract_text(read(PDF), FileType.PDF)
    assert "LLM_API_KEY" not in started[0][1]["env"]
    assert started[0][1]["start_new_session"] is True


def remember_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> list[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """Return a list that fills with the processes as they start, and how they were started."""
    started: list[tuple[asyncio.subprocess.Process, dict[str, Any]]] = []
    start = asyncio.create_subprocess_exec

    async def remember(*arguments: Any, **others: Any) -> asyncio.subprocess.Process:
        started.append((await start(*arguments, **others), others))
        return started[-1][0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remember)
    return started


async def test_the_sandbox_has_limits_on_files_processes_and_memory() -> None:
    program = (
        "import resource\n"
        "from resume_optimizer.resumes import sandbox\n"
        "sandbox._limit(5)\n"
        "print(resource.getrlimit(resource.RLIMIT_FSIZE)[0],"
        " resource.getrlimit(resource.RLIMIT_NPROC)[0])\n"
        "bytearray(2 << 30)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert output.split() == [b"0", b"0"]
    assert b"MemoryError" in errors


@pytest.mark.parametrize("text", [b"word " * 25_000, b"a\n" * 4_000], ids=["words", "lines"])
async def test_far_more_text_than_a_resume_is_refused_not_cut(text: bytes) -> None:
    assert await code_of(text, FileType.TXT) == "file_too_long"
