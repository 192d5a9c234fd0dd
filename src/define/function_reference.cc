#include "define/function_reference.h"

#include <array>

#include "define/functions.h"

namespace coeval::define {

namespace {

struct Heading {
  Topic topic;
  std::string_view title;
};
constexpr std::array kHeadings = {
    Heading{Topic::conditions, "Choices"}, Heading{Topic::casts, "Casts"},
    Heading{Topic::text, "Text"},          Heading{Topic::time, "Times and dates"},
    Heading{Topic::maths, "Numbers"},      Heading{Topic::buckets, "Buckets and combinations"},
    Heading{Topic::lists, "Lists"},
};

// A bar would end the cell, in code too.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) { return "`" + cell(text) + "`"; }

std::string row(const Function& function) {
  const std::size_t arrow = function.signature.find(" → ");
  std::string line = "| " + code(function.signature.substr(0, arrow)) + " | ";
  line += cell(function.signature.substr(arrow + std::string_view(" → ").size())) + " | ";
  line += cell(function.doc) + " | ";
  return line + code(function.example) + " = " + code(function.expected) + " |\n";
}

}  // namespace

std::string function_reference() {
  std::string text;
  for (const auto& heading : kHeadings) {
    text += (text.empty() ? "#### " : "\n#### ") + std::string(heading.title) + "\n\n";
    text += "| function | gives | value | example |\n|---|---|---|---|\n";
    for (const auto& function : functions())
      if (function.topic == heading.topic) text += row(function);
  }
  return text;
}

}  // namespace coeval::define
