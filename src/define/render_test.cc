#include <doctest/doctest.h>

#include "define/definition_for_tests.h"

namespace coeval::define {
namespace {

Error sample(int line, int column, int length) {
  return {Code::unknown_column,
          "unknown column 'amout'",
          "did you mean 'amount'?",
          {"coeval.toml", line, column, length},
          {}};
}

TEST_CASE("an error is shown with its line, a caret and what to do") {
  std::string source;
  for (int i = 1; i < 23; ++i) source += "\n";
  source += "sum = \"sum(amout)\"\n";
  CHECK(render(sample(23, 12, 5), source, false) ==
        "error[C0412]: unknown column 'amout'\n"
        "  --> coeval.toml:23:12\n"
        "   |\n"
        "23 | sum = \"sum(amout)\"\n"
        "   |            ^^^^^\n"
        "   = help: did you mean 'amount'?\n");
}

TEST_CASE("without a text or a place, what is known is shown") {
  CHECK(render(sample(23, 12, 5), "", false) ==
        "error[C0412]: unknown column 'amout'\n  --> coeval.toml:23:12\n   = help: did you mean "
        "'amount'?\n");
  Error error = sample(0, 0, 1);
  error.context = {"while reading x"};
  CHECK(render(error, "text", false) ==
        "error[C0412]: unknown column 'amout'\n  = note: while reading x\n  = help: did you mean "
        "'amount'?\n");
}

TEST_CASE("a long line is cut around the caret") {
  const std::string source = std::string(50'000, 'a') + "amout" + std::string(50'000, 'b');
  const std::string text = render(sample(1, 50'001, 5), source, false);
  CHECK(text.size() < 600);
  CHECK(text.find("amout") != std::string::npos);
  CHECK(text.find("^^^^^\n") != std::string::npos);
}

TEST_CASE("a line cannot send commands to the terminal, and characters count once") {
  const std::string text = render(sample(1, 9, 5), "größe\t\x1b[amout\r\n", false);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\t') == std::string::npos);
  CHECK(text.find("  |         ^^^^^\n") != std::string::npos);
}

TEST_CASE("colour is added only when asked for") {
  CHECK(render(sample(1, 1, 1), "x", true).find("\x1b[1;31merror[C0412]\x1b[0m") == 0);
}

TEST_CASE("places outside the text do no harm") {
  CHECK(render(sample(99, 99, 99), "x", false).find("99:99") != std::string::npos);
  CHECK(render(sample(1, 99, 99), "x", false).find("1 | x") != std::string::npos);
}

}  // namespace
}  // namespace coeval::define
