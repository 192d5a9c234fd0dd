#include "data/printable.h"

#include <doctest/doctest.h>

namespace coeval::data {
namespace {

TEST_CASE("what a terminal would obey stands there as what it is") {
  CHECK(printable("a\x1b[31mb\x07\x7f") == "a\\x1b[31mb\\x07\\x7f");
  CHECK(printable("tab\tand line\n") == "tab\tand line\\x0a");
  CHECK(printable("\xC2\x9B"
                  "31m") == "\\xc2\\x9b31m");  // CSI in one character
  CHECK(printable("\xE2\x80\xAE"
                  "cod.exe") ==
        "\\xe2\\x80\\xae"
        "cod.exe");  // turns direction
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("text of any language stays, also beside bytes that are none") {
  CHECK(printable("Grüße, 東京 😀 – …") == "Grüße, 東京 😀 – …");
  CHECK(printable("ü\xFFü") == "ü\\xffü");
  CHECK(printable("\xE6\x9D") == "\\xe6\\x9d");           // cut within a character
  CHECK(printable("\xC0\x8A") == "\\xc0\\x8a");           // a line end written too long
  CHECK(printable("\xED\xA0\x80") == "\\xed\\xa0\\x80");  // half of a pair
}

TEST_CASE("the ends of lines stay where there are several") {
  CHECK(printable_lines("one\n\rtwo\x1b\n") == "one\n\\x0dtwo\\x1b\n");
}

}  // namespace
}  // namespace coeval::data
