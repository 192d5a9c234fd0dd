#include "define/function_reference.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "define/functions.h"

namespace coeval::define {
namespace {

const std::string kFile = std::string(COEVAL_SOURCE_DIR) + "/docs/language.md";
constexpr std::string_view kBegin = "<!-- functions: written by COEVAL_WRITE_DOCS=1 -->\n";
constexpr std::string_view kEnd = "<!-- end of functions -->\n";

TEST_CASE("the reference of functions in docs/language.md is that of the table") {
  std::ifstream file(kFile);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::size_t begin = text.find(kBegin), end = text.find(kEnd);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const std::size_t first = begin + kBegin.size();
  const std::string written = text.substr(first, end - first);
  if (std::getenv("COEVAL_WRITE_DOCS") != nullptr) {
    std::ofstream(kFile) << text.substr(0, first) << function_reference() << text.substr(end);
    return;
  }
  INFO("COEVAL_WRITE_DOCS=1 coeval_define_test writes it");
  CHECK(written == function_reference());
}

TEST_CASE("every function is in the reference once, on one line of four cells") {
  const std::string text = function_reference();
  for (const auto& function : functions()) {
    CAPTURE(function.name);
    const std::string start = "\n| `" + std::string(function.name) + "(";
    const std::size_t at = text.find(start);
    REQUIRE(at != std::string::npos);
    CHECK(text.find(start, at + 1) == std::string::npos);
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    int bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i)
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1 : 0;
    CHECK(bars == 5);
  }
}

}  // namespace
}  // namespace coeval::define
