"""A guessed encoding names the others that fit as well."""

from __future__ import annotations

from include.sources.readers.texts import decode


def test_one_letter_does_not_tell_the_encoding() -> None:
    # The byte is ø in cp1252, ř in cp1250, ш in cp1251, ψ in cp1253, and a macron in mac_roman.
    text = decode(b"name\nBj\xf8rn\n")
    assert text.guess() == 'not UTF-8; read as cp1252 (cp1250, cp1251, cp1253, mac-roman would fit as well). Line 2: "Bjørn"'


def test_encodings_that_read_the_same_text_are_not_named() -> None:
    # é is the same byte in cp1252, cp1250 and cp1254.
    assert not {"cp1250", "cp1254"} & set(decode(b"caf\xe9\n").others)


def test_an_encoding_that_is_known_has_no_others() -> None:
    text = decode("Bjørn".encode())
    assert (text.encoding, text.guessed, text.others) == ("utf-8", False, ())
