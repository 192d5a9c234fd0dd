#include <algorithm>
#include <cstddef>

#include "training/model_card_document.h"

namespace coeval::training {
namespace {

using Kind = CardText::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// One line: what a line break would end, and characters that no text needs, become a space.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return out;
}

bool is_special(char c) {
  constexpr std::string_view kSpecial = "\\`*_[]<>&|~#$@";
  return kSpecial.find(c) != std::string_view::npos;
}

// Where a line begins as a list's item, a rule or an underlining does: "- ", "---", "1. ".
std::size_t marker_end(std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t at = text.find_first_not_of(' ');
  if (at == kNone) return kNone;
  const std::size_t from = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  const std::string_view marks = at > from ? ".)" : "-+=";
  if (at == text.size() || marks.find(text[at]) == kNone) return kNone;
  const bool ends = at + 1 == text.size() || text[at + 1] == ' ' || text[at + 1] == text[at];
  return ends ? at : kNone;
}

// A span that its own backticks cannot end; in a table a bar must be escaped even there.
std::string code_span(std::string_view text, bool in_table) {
  std::string line;
  std::size_t longest = 0, run = 0;
  for (const char c : one_line(text)) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
    if (c == '|' && in_table) line += '\\';
    line += c;
  }
  if (line.empty()) return "";
  const std::string fence(longest + 1, '`');
  const std::string pad = line.front() == '`' || line.back() == '`' ? " " : "";
  return fence + pad + line + pad + fence;
}

std::string piece(const CardText& text, bool in_table) {
  switch (text.kind) {
    case Kind::code:
      return code_span(text.text, in_table);
    case Kind::failed:
      return "**" + markdown_text(text.text) + "**";
    case Kind::plain:
    case Kind::number:
    case Kind::passed:
      break;
  }
  return markdown_text(text.text);
}

std::string draw(const CardParagraph& paragraph) {
  std::string out;
  for (const CardText& text : paragraph.pieces) out += piece(text, false);
  return out + "\n\n";
}

std::string draw(const CardQuote& quote) {
  std::string out;
  for (const std::string& line : quote.lines) out += "> " + markdown_text(line) + "  \n";
  return out + "\n";
}

std::string draw(const CardList& list) {
  std::string out;
  for (const std::string& item : list.items) out += "- " + markdown_text(item) + "\n";
  return out + "\n";
}

std::string draw(const CardTable& table) {
  std::string out;
  if (!table.caption.empty()) out += markdown_text(table.caption) + "\n\n";
  std::string rule;
  out += "|";
  for (const CardText& column : table.columns) {
    out += " " + markdown_text(column.text) + " |";
    rule += column.kind == Kind::number ? " ---: |" : " --- |";
  }
  out += "\n|" + rule + "\n";
  for (const auto& row : table.rows) {
    out += "|";
    for (const CardText& cell : row) out += " " + piece(cell, true) + " |";
    out += "\n";
  }
  return out + "\n";
}

std::string draw(const CardPlot&) { return {}; }

}  // namespace

std::string markdown_text(std::string_view text) {
  const std::string line = one_line(text);
  const std::size_t marker = marker_end(line);
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const std::string_view rest = std::string_view(line).substr(i);
    // GitHub makes links of bare addresses too.
    const bool address = rest.starts_with("://");
    const bool host = i >= 3 && c == '.' && std::string_view(line).substr(i - 3, 3) == "www";
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (is_special(c) || i == marker || address || host)
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string card_markdown(const CardDocument& card) {
  std::string out = "# " + markdown_text(card.title) + "\n\n" + piece(card.verdict, false) +
                    "\n\n" + markdown_text(card.subtitle) + "\n\n";
  for (const auto& [name, value] : card.headline)
    out += "- " + markdown_text(name) + ": " + markdown_text(value) + "\n";
  out += "\n";
  for (const CardSection& section : card.sections) {
    out += "## " + markdown_text(section.title) + "\n\n";
    for (const CardBlock& block : section.blocks)
      out += std::visit([](const auto& each) { return draw(each); }, block);
  }
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace coeval::training
