"""Compares what BuildKit's parser reads in pairs of Dockerfiles: NAME.original and NAME.printed.

Prints every difference; the exit status is 0 where there is none. What is put to one form before
comparing is listed in the comment of the test that calls this.
"""

import pathlib
import re
import sys

import dockerfile

BOOLEAN = {"link", "parents", "keep-git-dir", "unpack"}


def mount_fields(text):
    """The fields of a mount as CSV has them, keys in lower case."""
    fields = re.findall(r'(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)', text)
    pairs = [(quoted.replace('""', '"') or plain).partition("=") for quoted, plain in fields]
    return [(key.lower(), sign, value) for key, sign, value in pairs if key]


def flag(text):
    name, sign, value = text[2:].partition("=")
    if name in BOOLEAN:
        if value.lower() == "false" and name != "unpack":
            return None
        return (name, "true" if not sign else value.lower())
    if not value:
        return None
    return (name, mount_fields(value) if name == "mount" else value)


def source(word):
    """A here-document's word without the quotes of its name, but with whether it has some."""
    match = re.fullmatch(r"(\d*)<<(-?)(.+)", word)
    if not match:
        return word
    name = match[3]
    plain = re.sub(r"""["'\\]""", "", name)
    return (match[1], match[2], plain, '"' in name or "'" in name)


def normalized(command):
    name = command.cmd.lower()
    values = list(command.value)
    is_json = command.json
    if name == "from" and len(values) == 3:
        values = [values[0], values[1].lower(), values[2].lower()]
    if name in ("copy", "add"):
        values = [source(value) for value in values]
    if name == "volume":
        values = [value.strip() for value in values]
    if name in ("copy", "add", "volume"):
        is_json = None
    if name == "healthcheck":
        values[:1] = [value.upper() for value in values[:1]]
    # The comparison of flags is stable: repeated ones keep their order.
    flags = sorted(
        (given for given in map(flag, command.flags) if given), key=lambda given: given[0])
    body = "" if name == "onbuild" else "".join(command.original.partition("\n")[1:])
    if command.json and name in ("copy", "add"):
        # A here-document that the JSON form names is empty.
        body = "".join(f"\n{value[2]}\n" for value in values if isinstance(value, tuple))
    sub = command.sub_cmd.lower() if command.sub_cmd else None
    return {
        "name": name, "sub": sub, "json": is_json, "flags": flags, "values": values, "body": body,
    }


def instructions(path):
    return [normalized(command) for command in dockerfile.parse_string(path.read_bytes().decode())]


def main(directory):
    differences = 0
    pairs = sorted(pathlib.Path(directory).glob("*.original"))
    for original in pairs:
        printed = original.with_suffix(".printed")
        left, right = instructions(original), instructions(printed)
        for one, other in zip(left, right):
            if one != other:
                differences += 1
                print(f"{original.stem}:\n  original {one}\n  printed  {other}")
        if len(left) != len(right):
            differences += 1
            print(f"{original.stem}: {len(left)} instructions became {len(right)}")
    if not pairs:
        sys.exit(f"{directory}: no pairs of files")
    sys.exit(1 if differences else 0)


main(sys.argv[1])
