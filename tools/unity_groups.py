#!/usr/bin/env python3
"""Sorts C++ sources into groups that are compiled as one, for cmake/coeval_module.cmake.

    unity_groups.py SIZE OUT     for each folder of src: OUT/FOLDER/modules.txt and OUT/FOLDER/tests.txt, which name the
                                 groups (OUT/FOLDER/*_N.cc) and the files left alone

Half of the time of compiling a file goes to the headers it includes, so that ten files compiled as one cost little
more than two. What a file keeps to itself (an anonymous namespace, a `static`, an alias) must then mean nothing to its
neighbours: two files share a group only if neither mentions a name that the other keeps to itself, and no header of
either declares it. A group includes all its headers before its first file. What a name means is therefore the same as
if each file were compiled alone.

Files are taken in the order given, each into the first group that has room and no clash, so that a change of one
file moves few others. A file with a macro of its own, or that its folder's CMakeLists.txt names (for it gives it
options), is compiled alone; files that open namespaces (`using namespace`) share groups with those that open the same.
"""

import functools
import pathlib
import re
import sys

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "src"

TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/            # comments
      | R"([^(\s]*)\(.*?\)\1"         # raw strings
      | "(?:\\.|[^"\\\n])*"           # strings
      | '(?:\\.|[^'\\\n])*'           # characters
      | \#(?:\\\n|[^\n])*             # lines of the preprocessor
      | [A-Za-z_]\w*                  # words
      | \d(?:'?[\w.])*                # numbers
      | ::|->|[^\s]                   # the rest
    """,
    re.VERBOSE | re.DOTALL,
)

TYPE_WORDS = {"struct", "class", "union", "enum"}
# Words that an expression or a type may end with, and no name.
NO_NAMES = {"operator", "const", "noexcept", "override", "final", "return", "alignas", "decltype", "requires"}


def tokens_of(text):
    """The tokens of a source, without comments; a string is `""`."""
    result = []
    for match in TOKEN.finditer(text):
        token = match.group()
        if token.startswith(("//", "/*")):
            continue
        result.append('""' if token[0] in "\"'" or token.startswith('R"') else token)
    return result


def is_word(token):
    return token[0].isalpha() or token[0] == "_"


def skip(tokens, at, opening, closing):
    """The place after the bracket that closes the one at `at`."""
    depth = 0
    while at < len(tokens):
        depth += {opening: 1, closing: -1}.get(tokens[at], 0)
        at += 1
        if depth == 0:
            break
    return at


def declared(head):
    """The names that a declaration declares, from its tokens up to a body, a value or its end."""
    for at, token in enumerate(head):
        if token in TYPE_WORDS:
            words = [word for word in head[at + 1 :] if is_word(word) and word not in ("class", "struct", "final")]
            return {words[0]} if words else set()
    # The last word before the parameters or the value is the name; the words of its type are no names of this file.
    for at, token in enumerate(head):
        if token in ("(", "=", "[") and at > 0 and is_word(head[at - 1]) and head[at - 1] not in NO_NAMES:
            return set() if head[at - 1].isupper() else {head[at - 1]}  # TEST_CASE("…") declares nothing
    return set([token for token in head if is_word(token) and token not in NO_NAMES][-1:])


def included(tokens):
    """The headers of ours that a file includes, as they stand in quotes."""
    return [found[1] for token in tokens if (found := re.match(r'#\s*include\s+"([^"]+)"', token))]


@functools.cache
def header(name):
    """What a header of ours declares outside its classes, and the headers of ours that it includes."""
    path = SOURCES / name
    if not path.is_file():
        return frozenset(), []
    tokens = tokens_of(path.read_text(encoding="utf-8"))
    scan = Scan(tokens)
    return frozenset(scan.own | scan.shared | set(scan.used)), included(tokens)


def declared_around(tokens):
    """What all headers of ours that a file includes declare outside their classes."""
    names = set()
    seen = set()
    waiting = included(tokens)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            names |= header(name)[0]
            waiting += header(name)[1]
    return names


class Scan:
    """The names that a file declares outside its functions and classes.

    own: in anonymous namespaces, `static`, or aliases of namespaces; shared: the others; used: `using` of a name, with
    its meaning; opened: `using namespace`; macros: whether it defines some.
    """

    def __init__(self, tokens):
        self.own = set()
        self.shared = set()
        self.used = {}
        self.opened = set()
        self.macros = any(re.match(r"#\s*define\b", token) for token in tokens)
        hidden = 0  # anonymous namespaces around
        scopes = []  # whether each brace around is an anonymous namespace
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token == "}":
                if scopes and scopes.pop():
                    hidden -= 1
                at += 1
            elif token == "namespace" or (token == "inline" and tokens[at + 1] == "namespace"):
                opening = at
                while tokens[opening] not in ("{", ";"):
                    opening += 1
                if tokens[opening] == ";":
                    self.own.add(tokens[at + 1])
                else:
                    anonymous = opening == at + 1
                    hidden += anonymous
                    scopes.append(anonymous)
                at = opening + 1
            elif token in (";", '""') or token.startswith("#"):
                at += 1
            elif token == "extern" and tokens[at + 1] == '""' and tokens[at + 2] == "{":
                scopes.append(False)
                at += 3
            else:
                head, at = self.declaration(tokens, at)
                if head[:2] == ["using", "namespace"]:
                    self.opened.add("".join(head[2:]))
                elif head[:1] == ["using"]:
                    self.used[head[1] if "=" in head else head[-1]] = " ".join(head)
                elif head and (hidden or head[0] == "static"):
                    self.own |= declared(head)
                elif head:
                    self.shared |= declared(head)

    def declaration(self, tokens, at):
        """The tokens of a declaration at `at` up to its body or value, and the place behind it."""
        head = []
        parens = 0
        has_value = False
        while at < len(tokens) and tokens[at] != ";":
            token = tokens[at]
            if token == "{":
                at = skip(tokens, at, "{", "}")
                # A body ends a declaration; a value goes on, as do the initialisers of members before a body.
                if has_value or parens or (at < len(tokens) and tokens[at] in (",", "{")):
                    continue
                if at < len(tokens) and tokens[at] == ";":
                    at += 1
                break
            if token == "<" and not has_value and head[-1:] != ["operator"]:
                at = skip(tokens, at, "<", ">")
                continue
            if not has_value and not token.startswith("#"):
                parens += {"(": 1, ")": -1}.get(token, 0)
                # The first `=` of `==` and its like belongs to `operator`.
                has_value = token == "=" and parens == 0 and not {"using", "operator"} & set(head)
                head.append(token)
            at += 1
        return head, at


class Source:
    """A file that may share a group."""

    def __init__(self, path, alone):
        self.path = path
        self.read(tokens_of(path.read_text(encoding="utf-8")), alone)

    def read(self, tokens, alone):
        scan = Scan(tokens)
        self.alone = alone or scan.macros
        self.mentioned = set(filter(is_word, tokens)) | declared_around(tokens)
        self.headers = included(tokens)
        self.own = scan.own
        self.used = scan.used
        self.opened = scan.opened

    def bears(self, other):
        """Whether nothing here changes what `other` means. The same `using` in both is the same in one."""
        return not self.alone and not (self.own & other.mentioned) and all(
            name not in other.mentioned or other.used.get(name) == meaning for name, meaning in self.used.items()
        )

    def joins(self, group, most):
        return len(group) < most and all(
            self.opened == member.opened and self.bears(member) and member.bears(self) for member in group
        )


def groups_of(paths, most, alone):
    """Lists of sources: those of more than one are groups."""
    groups = []
    for path in paths:
        source = Source(path, path.name in alone)
        home = next((group for group in groups if source.joins(group, most)), None)
        if home is None:
            groups.append([source])
        else:
            home.append(source)
    return groups


def text_of(group):
    """A group as one source."""
    headers = list(dict.fromkeys(name for source in group for name in source.headers))
    files = [source.path.resolve().relative_to(SOURCES) for source in group]
    return "".join(f'#include "{name}"\n' for name in [*headers, *files])


def write_if_new(path, text):
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def write_groups(paths, most, alone, out, kind):
    names = []
    for number, group in enumerate(groups_of(paths, most, alone)):
        if len(group) == 1:
            names.append(group[0].path)
        else:
            names.append(out / f"{kind}_{number}.cc")
            write_if_new(names[-1], text_of(group))
    write_if_new(out / f"{kind}.txt", "".join(f"{name}\n" for name in names))


def self_test():
    def scan(text):
        return Scan(tokens_of(text))

    def source(text):
        result = Source.__new__(Source)
        result.read(tokens_of(text), alone=False)
        return result

    def share(*texts):
        group = []
        for text in texts:
            one = source(text)
            if group and not one.joins(group, 10):
                return False
            group.append(one)
        return True

    hidden = "namespace a {{ namespace {{ {} }} int seen(); }}"
    for text, names in {
        "int f(int x = g(1)) { return h; }": {"f"},
        "constexpr auto kMost = std::size_t{1} << 28; bool after() { return true; }": {"kMost", "after"},
        "template <class T> struct Box { int inside; };": {"Box"},
        "std::map<int, std::vector<int>> table = {{1, {2}}};": {"table"},
        "enum class Kind : std::uint8_t { one, two };": {"Kind"},
        "Maker::Maker(int x) : a{x}, b(x) { if (x) {} } void next();": {"Maker", "next"},
        'TEST_CASE("a") { int local; }': set(),
        "// int no();\n/* int no(); */ const char* text = R\"x(int no();)x\";": {"text"},
    }.items():
        found = scan(hidden.format(text))
        assert found.own == names, (text, found.own)
        assert found.shared == {"seen"}, (text, found.shared)
    assert scan("static int f() {} int g() {}").own == {"f"}
    assert scan("#define A \\\n  1\nint f();").macros and scan("#define A \\\n  1\nint f();").shared == {"f"}
    mine = hidden.format("int f();")
    assert share(mine, "namespace a { int g() { return 1; } }")
    assert not share(mine, mine) and not share(mine, "int g() { return f(); }")
    assert share("using a::B; B x;", "using a::B; B y;") and not share("using a::B; B x;", "using c::B; B y;")
    assert not share("using a::B; B x;", "B y;") and not share("using K = a::K;", "using K = b::K;")
    assert not share("using namespace a;", "int x;")
    for defining in ("#define A", "void f() {\n#define A\n}"):
        assert not share(defining, "int x;") and not share("int x;", defining)
    # A header that declares what a neighbour keeps to itself.
    assert not share('#include "exact/byte_codec.h"', hidden.format("void append_u64(int x) {}"))
    print("unity_groups: passes its own test")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    most = int(sys.argv[1])
    for cmake in sorted(SOURCES.rglob("CMakeLists.txt")):
        folder = cmake.parent
        paths = sorted(path for path in folder.glob("*.cc") if path.name != "main.cc")
        if not paths:
            continue
        alone = set(re.findall(r"[\w/]+\.cc", cmake.read_text(encoding="utf-8")))
        out = pathlib.Path(sys.argv[2]).resolve() / folder.relative_to(SOURCES)
        out.mkdir(parents=True, exist_ok=True)
        tests = [path for path in paths if path.name.endswith("_test.cc")]
        write_groups([path for path in paths if path not in tests], most, alone, out, "modules")
        write_groups(tests, most, alone, out, "tests")


if __name__ == "__main__":
    main()
