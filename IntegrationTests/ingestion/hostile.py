"""300 and more broken and hostile files, the same on every run.

Each case says what is right: a text that has to be found, or error codes of which one has to come; where damage may or may
not reach the text, either is.
"""

import io
import json
import random
import zipfile
import zlib
from dataclasses import dataclass

import docx
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

WORD_SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MIB = 1 << 20


@dataclass
class Case:
    name: str
    data: bytes
    text: str | None = None
    codes: frozenset = frozenset()


def case(name, data, *codes, text=None):
    return Case(name, data if isinstance(data, bytes) else data.encode(), text, frozenset(codes))


# What damage may lead to. Never: internal, store_failed, or no answer.
DAMAGED_PDF = ("malformed", "empty_document", "encrypted", "too_many_parts", "took_too_long", "extraction_failed")
DAMAGED_WORD = ("malformed", "empty_document", "encrypted", "unsupported_format", "invalid_text", "expands_too_much", "too_many_parts")


def good_pdf(pages=3, title="Pumps"):
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=1)
    canvas.setTitle(title)
    for page in range(pages):
        canvas.drawString(72, 700, f"Zephyr pump, page {page + 1}.")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def good_word():
    document = docx.Document()
    document.add_heading("Zephyr pump", 1)
    document.add_paragraph("Oil every 500 hours.")
    table = document.add_table(2, 2)
    table.cell(0, 0).text = "Part"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def archive(entries, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **options) as file:
        for name, content in entries:
            file.writestr(name, content)
    return buffer.getvalue()


def word(body, head='<?xml version="1.0"?>'):
    content = f"{head}<w:document {WORD_SPACE}><w:body>{body}</w:body></w:document>"
    return archive([("[Content_Types].xml", "<Types/>"), ("word/document.xml", content)])


def paragraph(text):
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def raw_pdf(*objects, root=1):
    """A PDF from the bodies of its objects, numbered from 1, without a table of references."""
    body = b"%PDF-1.7\n"
    for number, content in enumerate(objects, 1):
        body += b"%d 0 obj %s endobj\n" % (number, content if isinstance(content, bytes) else content.encode())
    return body + b"trailer <</Root %d 0 R /Size %d>>\n%%%%EOF" % (root, len(objects) + 1)


def stream(data, more=""):
    return f"<</Length {len(data)} {more}>> stream\n".encode() + data + b"\nendstream"


def damaged(data, count, seed, flips):
    """Copies that are cut off, or in which some bytes are others."""
    chance = random.Random(seed)
    for _ in range(count):
        if not flips:
            yield data[: chance.randrange(1, len(data))]
            continue
        copy = bytearray(data)
        for _ in range(chance.randint(1, 12)):
            copy[chance.randrange(len(copy))] = chance.randrange(256)
        yield bytes(copy)


def pdf_cases():
    good = good_pdf()
    yield case("good.pdf", good, text="Zephyr pump, page 3.")
    for index, data in enumerate(damaged(good, 35, 1, flips=False)):
        yield case(f"cut-{index}.pdf", data, *DAMAGED_PDF, "unsupported_format", text="Zephyr pump")
    for index, data in enumerate(damaged(good, 35, 2, flips=True)):
        yield case(f"flipped-{index}.pdf", data, *DAMAGED_PDF, "unsupported_format", "invalid_text", text="")
    for name, user, owner in (("user", "secret", "owner"), ("both", "a", "b")):
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(good)))
        writer.encrypt(user, owner, algorithm="RC4-128")
        buffer = io.BytesIO()
        writer.write(buffer)
        yield case(f"password-{name}.pdf", buffer.getvalue(), "encrypted")
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    catalog = "<</Type/Catalog/Pages 2 0 R>>"
    broken = {
        "pages-in-a-circle": raw_pdf(catalog, "<</Type/Pages/Count 1/Kids[2 0 R]>>"),
        "two-in-a-circle": raw_pdf(catalog, "<</Type/Pages/Count 1/Kids[3 0 R]>>", "<</Type/Pages/Count 1/Kids[2 0 R]>>"),
        "catalog-is-pages": raw_pdf("<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]>>"),
        "reference-to-itself": raw_pdf(catalog, "2 0 R"),
        "a-billion-pages": raw_pdf(catalog, "<</Type/Pages/Count 1000000000/Kids[3 0 R]>>", page),
        "negative-pages": raw_pdf(catalog, "<</Type/Pages/Count -5/Kids[3 0 R]>>", page),
        "no-pages": raw_pdf(catalog, "<</Type/Pages/Count 0/Kids[]>>"),
        "length-in-a-circle": raw_pdf(
            catalog, "<</Type/Pages/Count 1/Kids[3 0 R]>>",
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>", b"<</Length 4 0 R>> stream\nBT ET\nendstream",
        ),
        "previous-in-a-circle": raw_pdf(catalog, "<</Type/Pages/Count 1/Kids[3 0 R]>>", page).replace(
            b"trailer <<", b"xref\n0 1\n0000000000 65535 f \ntrailer <</Prev 9 "
        ) + b"\nstartxref\n9\n%%EOF",
        "deep-arrays": raw_pdf(catalog, "<</Type/Pages/Count 1/Kids" + "[" * 100_000 + "]" * 100_000 + ">>"),
        "deep-dictionaries": raw_pdf(catalog, "<</A" * 50_000 + " 1" + ">>" * 50_000),
        "header-only": b"%PDF-1.7\n",
        "header-and-noise": b"%PDF-1.7\n" + random.Random(3).randbytes(200_000),
        "header-late": b"\n" * 500 + b"%PDF-1.7\n1 0 obj",
        "nulls": b"%PDF-1.7\n" + bytes(100_000),
    }
    for name, data in broken.items():
        yield case(f"{name}.pdf", data, *DAMAGED_PDF)
    for name, data, more in (
        ("bomb", zlib.compress(bytes(300 * MIB), 9), "/Filter/FlateDecode"),
        ("bomb-in-a-bomb", zlib.compress(zlib.compress(bytes(300 * MIB), 9), 9), "/Filter[/FlateDecode/FlateDecode]"),
        ("operators", zlib.compress(b"q " * (20 * MIB), 9), "/Filter/FlateDecode"),
        ("much-text", zlib.compress(b"BT /F 1 Tf " + b"(zephyr zephyr) Tj " * (4 * MIB) + b"ET", 9), "/Filter/FlateDecode"),
    ):
        yield case(
            f"{name}.pdf",
            raw_pdf(
                catalog, "<</Type/Pages/Count 1/Kids[3 0 R]>>",
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
                stream(data, more), "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            ),
            *DAMAGED_PDF, "expands_too_much", "line_too_long", "too_many_chunks", text="zephyr",
        )
    forms = [catalog, "<</Type/Pages/Count 1/Kids[3 0 R]>>",
             "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 5 0 R/Resources<</XObject<</X 4 0 R>>>>>>",
             stream(b"/X Do /X Do", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>"),
             stream(b"/X Do")]
    yield case("form-draws-itself.pdf", raw_pdf(*forms), *DAMAGED_PDF)
    kids = " ".join(f"{number} 0 R" for number in range(3, 6003))
    yield case("6000-pages.pdf", raw_pdf(catalog, f"<</Type/Pages/Count 6000/Kids[{kids}]>>", *[page] * 6000), "too_many_parts")


def word_cases():
    good = good_word()
    yield case("good.docx", good, text="Oil every 500 hours.")
    for index, data in enumerate(damaged(good, 25, 4, flips=False)):
        yield case(f"cut-{index}.docx", data, *DAMAGED_WORD)
    for index, data in enumerate(damaged(good, 25, 5, flips=True)):
        yield case(f"flipped-{index}.docx", data, *DAMAGED_WORD, text="")
    laughs = "<!ENTITY a 'ha'>" + "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefghi", "bcdefghij"))
    head = '<?xml version="1.0"?><!DOCTYPE w [%s]>'
    yield case("a-billion-laughs.docx", word(paragraph("&j;"), head % laughs), "malformed")
    long = f"<!ENTITY a '{'x' * 100_000}'>"
    yield case("quadratic-entities.docx", word(paragraph("&a;" * 10_000), head % long), "malformed")
    outside = '<!ENTITY a SYSTEM "file:///etc/passwd">'
    yield case("outside-entity.docx", word(paragraph("&a;"), head % outside), "malformed")
    remote = f'<!DOCTYPE w SYSTEM "http://127.0.0.1:9/x.dtd"><w:document {WORD_SPACE}/>'
    yield case("outside-type.docx", archive([("word/document.xml", remote)]), "malformed")
    hidden = (f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE w [{laughs}]><w:document {WORD_SPACE}>'
              f'<w:body>{paragraph("&j;")}</w:body></w:document>').encode("utf-16")
    yield case("laughs-in-utf16.docx", archive([("word/document.xml", hidden)]), "malformed")
    yield case("spaces-bomb.docx", word(paragraph(" " * (200 * MIB))), "expands_too_much")
    yield case("styles-bomb.docx", archive([("word/document.xml", f"<w:document {WORD_SPACE}/>"),
                                            ("word/styles.xml", " " * (200 * MIB))]), "expands_too_much")
    yield case("many-paragraphs.docx", word(paragraph("zephyr") * 60_000), "expands_too_much", text="zephyr")
    yield case("deep.docx", word("<w:x>" * 100_000 + "</w:x>" * 100_000), "too_deep", "malformed", "expands_too_much")
    yield case("deep-200.docx", word("<w:x>" * 200 + "</w:x>" * 200), "too_deep", "malformed")
    nested = paragraph("core")
    for _ in range(40):
        nested = f"<w:tbl><w:tr><w:tc>{nested}</w:tc></w:tr></w:tbl>"
    yield case("tables-in-tables.docx", word(nested), "too_deep", text="core")
    yield case("not-closed.docx", word("<w:p>"), "malformed")
    yield case("no-text.docx", word("<w:p/>"), "empty_document")
    yield case("not-xml.docx", archive([("word/document.xml", random.Random(6).randbytes(50_000))]), "malformed")
    yield case("without-a-body.docx", archive([("word/document.xml", "<x/>")]), "empty_document")
    yield case("empty-part.docx", archive([("word/document.xml", "")]), "malformed")
    yield case("only-content-types.docx", archive([("[Content_Types].xml", "<Types/>")]), "unsupported_format")
    yield case("parents.docx", archive([("../../../etc/cron.d/x", "* * * * *"), ("/etc/passwd", "x")]), "unsupported_format")
    yield case("parents-and-text.docx", archive([("../../word/styles.xml", "x"), ("word/document.xml",
               f"<w:document {WORD_SPACE}><w:body>{paragraph('zephyr')}</w:body></w:document>")]), text="zephyr")
    yield case("20000-entries.docx", archive([(f"{number}", "") for number in range(20_000)]), "too_many_parts")
    yield case("workbook.xlsx", archive([("xl/workbook.xml", "<x/>")]), "unsupported_format")
    yield case("slides.pptx", archive([("ppt/presentation.xml", "<x/>")]), "unsupported_format")
    yield case("program.jar", archive([("META-INF/MANIFEST.MF", "x")]), "unsupported_format")
    yield case("book.epub", archive([("mimetype", "application/epub+zip")]), "unsupported_format")
    yield case("empty.zip", archive([]), "unsupported_format", "malformed")
    locked = bytearray(word(paragraph("x")))
    position = locked.find(b"PK\x01\x02")
    while position >= 0:
        locked[position + 8] |= 1
        position = locked.find(b"PK\x01\x02", position + 4)
    yield case("locked.docx", bytes(locked), "encrypted")
    yield case("old.docx", bytes.fromhex("D0CF11E0A1B11AE1") + bytes(1000), "unsupported_format")
    lying = bytearray(word(paragraph("zephyr")))
    start = lying.find(b"PK\x01\x02")
    lying[start + 42 : start + 46] = b"\xff\xff\xff\x7f"
    yield case("entry-elsewhere.docx", bytes(lying), "malformed", text="zephyr")
    yield case("odd-names.docx", archive([("a\0b", "x"), ("\u202e", "x"), ("x" * 60_000, "")]), "unsupported_format")


def html_cases():
    yield case("good.html", "<title>T</title><h1>Pumps</h1><p>Zephyr pump.", text="Zephyr pump.")
    page = "<html><body>%s</body></html>"
    yield case("deep.html", page % ("<div>" * 100_000 + "x"), "too_deep", "extraction_failed", "malformed", text="x")
    yield case("deep-500.html", page % ("<div>" * 500 + "x" + "</div>" * 500), "too_deep", "malformed", text="x")
    yield case("deep-lists.html", page % ("<ul><li>" * 3000 + "x"), "too_deep", "malformed", "extraction_failed", text="x")
    yield case("deep-tables.html", page % ("<table><tr><td>" * 2000 + "x"), "too_deep", "malformed", "extraction_failed", text="x")
    yield case("deep-inline.html", page % ("<b><i>" * 20_000 + "x"), "too_deep", "malformed", "extraction_failed", text="x")
    yield case("not-closed.html", page % ("<p>zephyr " * 50_000), text="zephyr")
    yield case("only-brackets.html", "<" * (4 * MIB), "empty_document", "malformed", "line_too_long", text="<")
    yield case("long-attribute.html", page % f'<p title="{"x" * MIB}">zephyr', "line_too_long", "malformed", "empty_document", text="zephyr")
    lines = "\n".join(f'a{number}="1"' for number in range(50_000))
    yield case("many-attributes.html", page % f"<p {lines}>zephyr</p>", "malformed", "took_too_long", text="zephyr")
    yield case("entities.html", page % ("&amp;" * 200_000), "line_too_long", text="&")
    yield case("unknown-entities.html", page % ("&nosuch;\n" * 100_000), text="nosuch")
    yield case("numbers.html", page % ("&#x110000;\n&#0;\n&#xD800;\n" * 20_000 + "zephyr"), text="zephyr")
    yield case("comment.html", "<html><!-- " + "x\n" * 100_000, "empty_document")
    yield case("script.html", "<script>zephyr</script>", "empty_document")
    yield case("frames.html", "<iframe src='file:///etc/passwd'></iframe>", "empty_document")
    yield case("entity.html", "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><p>zephyr &a;", text="zephyr")
    yield case("nulls.html", "<p>zephyr\0</p>", "invalid_text")
    yield case("latin1.html", "<p>Größe</p>".encode("latin-1"), "invalid_text")
    yield case("says-latin1.html", "<meta charset=latin1><p>Größe zephyr</p>", text="Größe zephyr")
    yield case("empty.html", "", "empty_document")
    yield case("spaces.html", "\n \t" * 1000, "empty_document")
    yield case("utf16.html", "\ufeff<p>zephyr</p>".encode("utf-16-le"), text="zephyr")


def text_cases():
    yield case("good.txt", "Zephyr pump.", text="Zephyr pump.")
    yield case("large.txt", b"zephyr\n" * (3 * MIB), "too_large")
    yield case("long-line.txt", b"x" * (2 * MIB), "line_too_long")
    yield case("long-line.md", b"# T\n" + b"x" * (2 * MIB), "line_too_long")
    yield case("long-line.py", b"x = " + b"1" * (2 * MIB), "line_too_long")
    yield case("many-lines.txt", b"x\n" * 1_100_000, "too_many_lines")
    yield case("many-ends.txt", b"\r" * 1_100_000, "too_many_lines")
    for name, data in {
        "overlong": b"\xc0\xaf", "overlong-3": b"\xe0\x80\xaf", "surrogate": b"\xed\xa0\x80", "beyond": b"\xf4\x90\x80\x80",
        "five-bytes": b"\xf8\x88\x80\x80\x80", "continuation": b"\x80", "cut": "Gr\u00fc".encode()[:-1], "ff": b"\xff",
        "latin1": "Größe".encode("latin-1"), "cp1252": "“x”".encode("cp1252"), "shift-jis": "日本語".encode("shift-jis"),
        "gb18030": "中文文本".encode("gb18030"), "utf7-ok": b"\x00\x41", "null-first": b"\0zephyr", "null-last": b"zephyr\0",
        "nulls": bytes(1000),
    }.items():
        for extension in ("txt", "md", "rst"):
            yield case(f"{name}.{extension}", data, "invalid_text")
    yield case("utf16-le.txt", "\ufeffzephyr ☂".encode("utf-16-le"), text="zephyr ☂")
    yield case("utf16-be.txt", "\ufeffzephyr ☂".encode("utf-16-be"), text="zephyr ☂")
    yield case("utf16-cut.txt", "\ufeffzephyr".encode("utf-16-le")[:-1], "invalid_text")
    yield case("utf16-alone.txt", b"\xff\xfea\x00\x00\xd8", "invalid_text")
    yield case("utf16-long.txt", ("\ufeff" + "x" * MIB + "y").encode("utf-16-le"), "line_too_long")
    yield case("utf16-nulls.txt", b"\xff\xfe" + bytes(100), "unsupported_format", "invalid_text")
    yield case("utf32.txt", "\ufeffzephyr".encode("utf-32-le"), "unsupported_format")
    yield case("utf8-mark.txt", b"\xef\xbb\xbfzephyr", text="zephyr")
    yield case("only-mark.txt", b"\xef\xbb\xbf", "empty_document")
    for extension in ("txt", "md", "rst", "py", "json", "docx", "pdf", "html"):
        yield case(f"empty.{extension}", b"", "empty_document")
    yield case("controls.txt", "zephyr " + "".join(map(chr, range(1, 32))) + "\x7f\x9b", text="zephyr")
    yield case("marks.txt", "z" + "\u0301" * 100_000, text="z")
    yield case("right-to-left.txt", "zephyr \u202etxt.exe", text="zephyr")
    yield case("no-characters.txt", "\ufdd0\uffff zephyr", text="zephyr")


def markup_cases():
    yield case("quotes.md", ">" * 100_000 + " zephyr", text="zephyr")
    yield case("lists.md", "\n".join(" " * (number % 400) + "- zephyr" for number in range(20_000)), "too_many_chunks", text="zephyr")
    yield case("signs.md", "#" * 500_000 + " zephyr", text="zephyr")
    yield case("headings.md", "# zephyr\n" * 30_000, "too_many_chunks", text="zephyr")
    yield case("columns.md", "|a" * 20_000 + "|\n" + "|-" * 20_000 + "|\n" + "|zephyr" * 20_000, "too_many_chunks", text="zephyr")
    yield case("fence.md", "```\n" + "zephyr\n" * 10_000, "too_many_chunks", text="zephyr")
    yield case("comment.md", "<!--" + "x\n" * 50_000, "empty_document", text="x")
    yield case("front.md", "---\n" + "".join(f"k{number}: v\n" for number in range(5000)) + "---\nzephyr", text="zephyr")
    yield case("brackets.md", "[" * 50_000 + "zephyr", text="zephyr")
    yield case("underlines.rst", "=\n" * 50_000 + "zephyr", "too_many_chunks", text="zephyr")
    yield case("adornments.rst", "=====\nA\n=====\n" * 20_000, "too_many_chunks", text="A")
    yield case("directives.rst", ".. note::\n" * 20_000 + "\nzephyr", text="zephyr")
    yield case("indented.rst", "\n".join(" " * number + "zephyr" for number in range(1500)), "too_many_chunks", text="zephyr")
    yield case("borders.rst", "+--+\n" * 20_000 + "zephyr", "too_many_chunks", text="zephyr")
    yield case("deep.py", "\n".join(" " * number + f"def zephyr{number}():" for number in range(2000)), "too_many_chunks", text="zephyr")
    yield case("braces.c", "{" * 500_000 + " zephyr", text="zephyr")
    yield case("functions.js", "function zephyr() {}\n" * 20_000, "too_many_chunks", text="zephyr")
    yield case("quotes.swift", '"' * 500_000, text='"')
    yield case("deep.json", "[" * 500_000, text="[")
    yield case("laughs.xml", "<!DOCTYPE x [<!ENTITY a 'zephyr'>]><x>&a;</x>", text="zephyr")
    good = json.dumps({"id": "lines-good", "text": "zephyr"})
    yield case("bad-lines.jsonl", "\n".join([good] + ["{"] * 300), "malformed", text="")
    yield case("deep.jsonl", "[" * 100_000, "malformed")
    yield case("no-objects.jsonl", "1\n[]\n\"x\"\nnull", "malformed")
    yield case("long.jsonl", json.dumps({"id": "lines-long", "text": "x" * (5 * MIB)}), "line_too_long")
    yield case("numbers.jsonl", '{"id": "lines-number", "text": "zephyr", "n": 1e999999999}', "malformed", text="")
    yield case("keys.jsonl", '{"id": "lines-keys", "text": "a", "text": "zephyr"}', "malformed", text="")
    yield case("nulls.jsonl", b'{"id": "x\0", "text": "y"}', "invalid_text")
    yield case("surrogates.jsonl", '{"id": "lines-surrogate", "text": "\\ud800"}', "malformed", text="")
    yield case("empty-id.jsonl", '{"id": "", "text": "y"}', "malformed")
    yield case("long-id.jsonl", json.dumps({"id": "x" * 2000, "text": "y"}), "invalid_arguments")


def mislabelled_cases():
    png = b"\x89PNG\r\n\x1a\n" + bytes(100)
    others = {
        "png": png, "jpeg": b"\xff\xd8\xff\xe0" + bytes(50), "gif": b"GIF89a" + bytes(50), "elf": b"\x7fELF" + bytes(50),
        "gzip": b"\x1f\x8b\x08" + bytes(50), "bzip2": b"BZh9" + bytes(50), "xz": b"\xfd7zXZ\0" + bytes(50),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(50), "seven": b"7z\xbc\xaf\x27\x1c" + bytes(50), "rar": b"Rar!\x1a\x07" + bytes(50),
        "sqlite": b"SQLite format 3\0" + bytes(50), "rtf": b"{\\rtf1 x}", "tar": b"x".ljust(257, b"\0") + b"ustar" + bytes(500),
    }
    for name, data in others.items():
        for extension in ("md", "html", "pdf", "docx"):
            yield case(f"{name}.{extension}", data, "unsupported_format")
    yield case("pdf.txt", good_pdf(), text="Zephyr pump, page 1.")
    yield case("pdf.docx", good_pdf(), text="Zephyr pump, page 1.")
    yield case("word.pdf", good_word(), text="Oil every 500 hours.")
    yield case("word.md", good_word(), text="Oil every 500 hours.")
    yield case("page.pdf", "<!doctype html><p>zephyr</p>", text="zephyr")
    yield case("page.docx", "<html><p>zephyr</p>", text="zephyr")
    yield case("words.pdf", "zephyr", "unsupported_format")
    yield case("words.docx", "zephyr", "unsupported_format")
    yield case("words.png", "zephyr", "unsupported_format")
    yield case("../../../etc/passwd", "zephyr", text="zephyr")
    yield case("a" * 250, "zephyr", text="zephyr")


def cases():
    for source in (pdf_cases, word_cases, html_cases, text_cases, markup_cases, mislabelled_cases):
        for item in source():
            item.name = item.name if item.name.startswith(("..", "aaaa")) else f"{source.__name__[:-6]}-{item.name}"
            yield item


if __name__ == "__main__":
    everything = list(cases())
    print(len(everything), "files,", sum(len(item.data) for item in everything), "bytes")
