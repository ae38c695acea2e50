"""What a reader sees of a text in Markdown."""

import re
from html import unescape

_FENCE = re.compile(r"^ {0,3}(?:```|~~~).*$\n?", re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\[\]\n]{0,500})\]\([^()\s]{0,1000}(?:\s[^()\n]{0,300})?\)")
_LINK = re.compile(r"\[([^\[\]\n]{1,1000})\]\(\s?<?([^()\s<>]{1,2000})>?(?:\s[^()\n]{0,300})?\)")
_HEADING = re.compile(r"^ {0,3}#{1,6} +(.*?)(?: +#+)? *$", re.MULTILINE)
_SPOILER = re.compile(r"^ {0,3}:::+ *(?:spoiler\b *)?", re.MULTILINE)
_RULE = re.compile(r"^ {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$", re.MULTILINE)
_STRONG = re.compile(r"(\*\*\*|\*\*|~~|___|__)(?=\S)([^\n]{1,2000}?)(?<=\S)\1")
_STRESS = re.compile(r"(?<![\w*_])([*_])(?=[^\s*_])([^*_\n]{1,2000}?)(?<=\S)\1(?![\w*_])")
_CODE = re.compile(r"(`{1,2})([^`\n]{1,1000})\1")
_AUTO = re.compile(r"<(https?://[^<>\s]{1,2000})>")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~<>^])")
#: Escaped signs are put away among the private characters, so that they are no marks.
_AWAY = 0xF100
_PUT_AWAY = re.compile(r"[\uf120-\uf17e]")
#: Servers of version 0.18 escape what they store.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_URL = re.compile(r"https?://|www\.", re.IGNORECASE)


def markdown_to_text(text: str) -> str:
    """The words without their marks; `>` before a quoted line and `-` before an item stay. Never raises.

    Of a link the words are kept, of a link that shows itself the address; of a picture its description.
    """
    text = _ESCAPE.sub(lambda found: chr(_AWAY + ord(found[1])), text.replace("\r\n", "\n"))
    text = _FENCE.sub("", text)
    text = _PICTURE.sub(r"\1", text)
    text = _LINK.sub(lambda found: found[2] if _URL.match(found[1].strip()) else found[1], text)
    for pattern, shown in ((_HEADING, r"\1"), (_SPOILER, ""), (_RULE, ""), (_AUTO, r"\1")):
        text = pattern.sub(shown, text)
    for _ in range(2):  # ***both*** and **bold *and* slanted**
        text = _STRESS.sub(r"\2", _STRONG.sub(r"\2", text))
    text = _ENTITY.sub(lambda found: unescape(found[0]), _CODE.sub(r"\2", text))
    return _PUT_AWAY.sub(lambda found: chr(ord(found[0]) - _AWAY), text)
