#!/usr/bin/env python3
"""Every file in schema/json is a draft-04 schema, of the part that the validator really checks.

RapidJSON's validator silently ignores what it does not know: a later keyword, a format, a pattern
in a dialect that its own regular expressions lack. Such a line looks like a check and is none.
"""

import json
import pathlib
import re
import sys
import tempfile
import unittest

DRAFT_04 = "http://json-schema.org/draft-04/schema#"
TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}

SCHEMA = {"additionalItems", "additionalProperties", "not"}
SCHEMA_LIST = {"allOf", "anyOf", "oneOf"}
SCHEMA_MAP = {"definitions", "patternProperties", "properties"}
COUNT = {"maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"}
NUMBER = {"maximum", "minimum", "multipleOf"}
BOOLEAN = {"exclusiveMaximum", "exclusiveMinimum", "uniqueItems"}
TEXT = {"$ref", "$schema", "description", "id", "pattern", "title"}
OTHER = {"default", "dependencies", "enum", "items", "required", "type"}
KNOWN = SCHEMA | SCHEMA_LIST | SCHEMA_MAP | COUNT | NUMBER | BOOLEAN | TEXT | OTHER

# What the validator's regular expressions do not have (each makes it drop the whole pattern).
BAD_PATTERN = re.compile(r"\\[^\^$|()?*+.\[\]{}\\fnrtv]|\(\?|[*+?}][?+]")


def no_doubles(pairs):
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the key {key} stands there twice")
    return dict(pairs)


class Checker:
    def __init__(self, document):
        self.document = document
        self.found = []

    def wrong(self, at, what):
        self.found.append(f"{at or '(root)'}: {what}")

    def schema(self, value, at):
        if not isinstance(value, dict):
            self.wrong(at, "a schema must be an object")
            return
        for key, content in value.items():
            here = f"{at}/{key}"
            if key not in KNOWN:
                self.wrong(here, f"{key} is no keyword of draft-04 that the validator checks")
            else:
                self.keyword(key, content, here)
        for key, needs in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if key in value and needs not in value:
                self.wrong(at, f"{key} means nothing without {needs}")

    def keyword(self, key, content, here):
        if key in SCHEMA or key == "items":
            self.sub(key, content, here)
        elif key in SCHEMA_LIST:
            self.each(content, here)
        elif key in SCHEMA_MAP:
            self.map(content, here)
        elif key in COUNT:
            if not isinstance(content, int) or isinstance(content, bool) or content < 0:
                self.wrong(here, "must be a count")
        elif key in NUMBER:
            if not isinstance(content, (int, float)) or isinstance(content, bool):
                self.wrong(here, "must be a number")
        elif key in BOOLEAN:
            if not isinstance(content, bool):
                self.wrong(here, "must be true or false in draft-04")
        elif key in TEXT:
            self.text(key, content, here)
        else:
            self.other(key, content, here)

    def sub(self, key, content, here):
        if key.startswith("additional") and isinstance(content, bool):
            return
        if key == "items" and isinstance(content, list):
            self.each(content, here)
        else:
            self.schema(content, here)

    def each(self, content, here):
        if not isinstance(content, list) or not content:
            self.wrong(here, "must be a list with at least one schema")
            return
        for number, item in enumerate(content):
            self.schema(item, f"{here}/{number}")

    def map(self, content, here):
        if not isinstance(content, dict):
            self.wrong(here, "must be an object of schemas")
            return
        for name, item in content.items():
            if here.endswith("/patternProperties"):
                self.pattern(name, f"{here}/{name}")
            self.schema(item, f"{here}/{name}")

    def text(self, key, content, here):
        if not isinstance(content, str):
            self.wrong(here, "must be a text")
        elif key == "pattern":
            self.pattern(content, here)
        elif key == "$schema" and content != DRAFT_04:
            self.wrong(here, f"must be {DRAFT_04}")
        elif key == "$ref":
            self.reference(content, here)

    def pattern(self, text, here):
        match = BAD_PATTERN.search(text)
        if match:
            self.wrong(here, f"{match.group(0)} is not in the dialect of the validator, which "
                             "would ignore the whole pattern")
        try:
            re.compile(text)
        except re.error as error:
            self.wrong(here, f"no regular expression: {error}")

    def reference(self, text, here):
        target = self.document
        if not text.startswith("#/"):
            self.wrong(here, "only references into the same file are followed")
            return
        for token in text[2:].split("/"):
            token = token.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or token not in target:
                self.wrong(here, f"{text} leads nowhere")
                return
            target = target[token]

    def other(self, key, content, here):
        if key == "type":
            names = content if isinstance(content, list) else [content]
            if not names or any(name not in TYPES for name in names):
                self.wrong(here, "no type of draft-04")
        elif key == "required":
            texts = isinstance(content, list) and all(isinstance(x, str) for x in content)
            if not texts or not content or len(set(content)) != len(content):
                self.wrong(here, "must be a list of different names, at least one")
        elif key == "enum":
            if not isinstance(content, list) or not content:
                self.wrong(here, "must be a list with at least one value")
        elif key == "dependencies":
            for name, item in content.items() if isinstance(content, dict) else ():
                if not isinstance(item, list):
                    self.schema(item, f"{here}/{name}")


def defects(path):
    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=no_doubles)
    except ValueError as error:
        return [f"{path.name}: cannot be read: {error}"]
    checker = Checker(document)
    checker.schema(document, "")
    if isinstance(document, dict) and document.get("$schema") != DRAFT_04:
        checker.wrong("/$schema", f"must be {DRAFT_04}")
    return [f"{path.name}: {text}" for text in dict.fromkeys(checker.found)]


class SchemasCanFail(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.json"
            path.write_text(text, encoding="utf-8")
            return defects(path)

    def test_bad_schemas_are_found(self):
        table = [
            ("const", '"properties": {"a": {"const": 1}}', "const is no keyword"),
            ("numeric exclusiveMinimum", '"minimum": 1, "exclusiveMinimum": 1', "true or false"),
            ("exclusiveMaximum alone", '"exclusiveMaximum": true', "without maximum"),
            ("if", '"if": {}', "if is no keyword"),
            ("then", '"then": {}', "then is no keyword"),
            ("else", '"else": {}', "else is no keyword"),
            ("format", '"properties": {"a": {"format": "ipv4"}}', "format is no keyword"),
            ("$defs", '"$defs": {}', "$defs is no keyword"),
            ("contains", '"contains": {}', "contains is no keyword"),
            ("propertyNames", '"propertyNames": {}', "propertyNames is no keyword"),
            ("examples", '"examples": []', "examples is no keyword"),
            ("$id", '"$id": "x"', "$id is no keyword"),
            ("deep inside", '"items": {"anyOf": [{"not": {"const": 1}}]}', "const is no keyword"),
            ("in definitions", '"definitions": {"a": {"const": 1}}', "const is no keyword"),
            ("schema true", '"properties": {"a": true}', "a schema must be an object"),
            ("required boolean", '"required": true', "list of different names"),
            ("unknown type", '"type": "text"', "no type"),
            ("digit class", r'"pattern": "^\\d+$"', "dialect"),
            ("look ahead", '"pattern": "^(?!a)"', "dialect"),
            ("lazy", '"pattern": "a+?"', "dialect"),
            ("broken pattern", '"pattern": "("', "no regular expression"),
            ("dangling reference", '"items": {"$ref": "#/definitions/a"}', "leads nowhere"),
            ("reference elsewhere", '"items": {"$ref": "b.json"}', "same file"),
            ("double key", '"title": "a", "title": "b"', "twice"),
            ("no JSON", '"title": ', "cannot be read"),
        ]
        for name, member, words in table:
            with self.subTest(name):
                found = self.check('{"$schema": "%s", %s}' % (DRAFT_04, member))
                self.assertEqual(len(found), 1, found)
                self.assertIn(words, found[0])

    def test_a_later_draft_is_found(self):
        self.assertTrue(self.check('{"$schema": "http://json-schema.org/draft-07/schema#"}'))
        self.assertTrue(self.check("{}"))

    def test_a_property_may_have_the_name_of_a_keyword(self):
        self.assertEqual(self.check(
            '{"$schema": "%s", "type": "object", "properties": {"format": {"type": "string", '
            '"pattern": "^[a-z.]{1,3}$"}, "if": {"$ref": "#/definitions/x"}}, '
            '"definitions": {"x": {"minimum": 0, "exclusiveMinimum": true}}}' % DRAFT_04), [])


class Schemas(unittest.TestCase):
    folder = pathlib.Path(__file__).resolve().parents[2] / "schema" / "json"

    def test_every_schema_is_draft_04_as_the_validator_knows_it(self):
        files = sorted(self.folder.rglob("*.json"))
        found = [text for path in files for text in defects(path)]
        print(f"schemas: {len(files)} files held against draft-04 as the validator knows it: "
              f"{len(found)} defects")
        self.assertGreater(len(files), 0, f"no schema in {self.folder}")
        self.assertEqual(found, [], "\n" + "\n".join(found))


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        Schemas.folder = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
