#include "base/error.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/check.h"

namespace coeval {

namespace {

constexpr std::array kCodes = {
#define COEVAL_CODE_ROW(name, number, exit, http, retry, text) \
  CodeInfo{Code::name, #name, exit, http, retry, text},
    COEVAL_ERROR_CODES(COEVAL_CODE_ROW)
#undef COEVAL_CODE_ROW
};

}  // namespace

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "coeval: internal error: %s does not hold at %s:%d\n", condition, file,
               line);
  std::abort();
}

const CodeInfo& info(Code code) {
  for (const auto& row : kCodes)
    if (row.code == code) return row;
  return kCodes.front();
}

std::span<const CodeInfo> all_codes() { return kCodes; }

std::optional<CodeInfo> find_code(std::string_view text) {
  if (!text.empty() && (text.front() == 'C' || text.front() == 'c')) text.remove_prefix(1);
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  for (const auto& row : kCodes)
    if (static_cast<int>(row.code) == number) return row;
  return std::nullopt;
}

std::string code_name(Code code) {
  char text[8];
  std::snprintf(text, sizeof text, "C%04d", static_cast<int>(code));
  return text;
}

std::string one_line(const Error& error) {
  std::string text = "error[" + code_name(error.code) + "]: " + error.message;
  if (!error.advice.empty()) text += "; " + error.advice;
  for (const auto& context : error.context) text += " (" + context + ")";
  return text;
}

}  // namespace coeval
